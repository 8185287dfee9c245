"""The surface of other tokenizers: special tokens, names, texts out of ids, files."""

import pytest
from test_export import train_sentencepiece

from albert_zh.text.tokenizers import load_tokenizer
from albert_zh.text.vocab import Vocab
from albert_zh.text.whole_entries import WholeEntryTokenizer
from albert_zh.text.wordpiece import WordPieceTokenizer

ENTRIES = (
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    *"我爱你。，（）",
    "al",
    "##bert",
    "很",
    ",",
    "x",
)


@pytest.fixture
def tokenizer():
    return WordPieceTokenizer(Vocab(ENTRIES))


def test_special_tokens_surround_one_text_or_two(tokenizer):
    one, two = [5, 6], [7]
    assert tokenizer.build_inputs_with_special_tokens(one) == [2, 5, 6, 3]
    assert tokenizer.build_inputs_with_special_tokens(one, two) == [2, 5, 6, 3, 7, 3]
    assert tokenizer.get_special_tokens_mask(one) == [1, 0, 0, 1]
    assert tokenizer.get_special_tokens_mask(one, two) == [1, 0, 0, 1, 0, 1]
    assert tokenizer.create_token_type_ids_from_sequences(one) == [0, 0, 0, 0]
    assert tokenizer.create_token_type_ids_from_sequences(one, two) == [0, 0, 0, 0, 1, 1]
    assert tokenizer.build_inputs_with_special_tokens([], []) == [2, 3, 3]


def test_names_become_ids_and_back(tokenizer):
    tokens = tokenizer.tokenize("我爱ALBERT鑫")
    assert tokens == ["我", "爱", "al", "##bert", "[UNK]"]
    ids = tokenizer.convert_tokens_to_ids(tokens)
    assert ids == tokenizer.encode("我爱ALBERT鑫").ids
    assert tokenizer.convert_ids_to_tokens(ids) == tokens
    assert tokenizer.convert_tokens_to_ids(["nosuch"]) == [1]
    for number in (-1, len(ENTRIES)):
        with pytest.raises(ValueError, match=f"{number} is no id; the vocabulary has"):
            tokenizer.convert_ids_to_tokens([number])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("我爱你。", "我爱你。"),
        ("我爱 ALBERT，你", "我爱albert，你"),
        ("albert x, x（你）", "albert x, x（你）"),
        ("", ""),
    ],
)
def test_text_comes_back_without_spaces_beside_chinese(tokenizer, text, expected):
    ids = tokenizer.build_inputs_with_special_tokens(tokenizer.encode(text).ids)
    assert tokenizer.decode(ids) == expected
    assert tokenizer.decode([*ids, 0, 0]) == expected


def test_mask_and_special_tokens_can_be_seen(tokenizer):
    whole = WholeEntryTokenizer(tokenizer, ["[MASK]"])
    assert whole.decode(whole.encode("我很[MASK]你").ids) == "我很[MASK]你"
    shown = whole.decode([2, 5, 3], skip_special_tokens=False)
    assert (shown[:5], shown[-5:]) == ("[CLS]", "[SEP]")


def test_tokenizer_is_written_and_read_again(tokenizer, tmp_path):
    (path,) = WholeEntryTokenizer(tokenizer, ["[MASK]"]).save_vocabulary(str(tmp_path))
    assert load_tokenizer(path).vocab == tokenizer.vocab
    (tmp_path / "given.model").write_bytes(train_sentencepiece())
    pieces = load_tokenizer(None, spm_model_file=str(tmp_path / "given.model"))
    (tmp_path / "out").mkdir()
    vocab_file, model_file = pieces.save_vocabulary(str(tmp_path / "out"))
    again = load_tokenizer(vocab_file, spm_model_file=model_file)
    text = "hello world, of birds"
    assert again.encode(text) == pieces.encode(text)
    assert again.decode(again.encode(text).ids) == text
