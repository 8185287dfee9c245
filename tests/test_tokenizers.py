"""WordPiece and SentencePiece: the published tokens, and where they stand in the text."""

import io
import json
import pickle
import subprocess
import sys
import textwrap
import unicodedata

import pytest
import sentencepiece
from hypothesis import given, settings
from hypothesis import strategies as st

from albert_zh.text.encoding import FlatEncodings
from albert_zh.text.sentencepieces import SentencePieceTokenizer
from albert_zh.text.tokenizers import load_tokenizer
from albert_zh.text.vocab import Vocab
from albert_zh.text.wordpiece import WordPieceTokenizer, split_words

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def wordpiece(*entries, do_lower_case=True):
    return WordPieceTokenizer(Vocab((*SPECIAL, *entries)), do_lower_case=do_lower_case)


def shown(encoding, text):
    """Tokens beside the stretch of text each stands for."""
    stretches = [text[start:end] for start, end in encoding.spans]
    return list(zip(encoding.tokens, stretches, strict=True))


# --- WordPiece -----------------------------------------------------------------------------------


def test_every_golden_text_gives_the_published_tokens_and_ids(golden_dir, test_data_dir):
    vocab_file = str(test_data_dir / "vocab" / "bert_zh_vocab.txt")
    tokenizers = {lower: load_tokenizer(vocab_file, do_lower_case=lower) for lower in (True, False)}
    rows = json.loads((golden_dir / "tokenizer" / "tokenizer.json").read_text())
    different = [
        row["text"]
        for row in rows
        for encoding in [tokenizers[row["do_lower_case"]].encode(row["text"])]
        if (encoding.tokens, encoding.ids) != (row["tokens"], row["ids"])
    ]
    assert different == []


def test_longest_piece_wins_and_every_token_knows_its_place():
    tokenizer = wordpiece("我", "喜", "欢", "al", "##bert", "##be", "，", "2019", "年")
    text = "我喜欢ALBERT，2019年"
    encoding = tokenizer.encode(text)
    assert shown(encoding, text) == [
        ("我", "我"),
        ("喜", "喜"),
        ("欢", "欢"),
        ("al", "AL"),
        ("##bert", "BERT"),
        ("，", "，"),
        ("2019", "2019"),
        ("年", "年"),
    ]
    assert encoding.ids == [5, 6, 7, 8, 9, 11, 12, 13]


def test_word_that_cannot_be_cut_is_one_unknown_token():
    text = "好 albatross 好"
    encoding = wordpiece("al", "##b", "好").encode(text)
    assert shown(encoding, text) == [("好", "好"), ("[UNK]", "albatross"), ("好", "好")]
    assert encoding.ids == [7, 1, 7]


def test_names_of_special_entries_are_plain_text():
    tokenizer = wordpiece("[", "mask", "]", "unused")
    assert tokenizer.encode("[MASK]").tokens == ["[", "mask", "]"]
    assert tokenizer.encode("[CLS]").tokens == ["[", "[UNK]", "]"]


def test_word_of_200_characters_is_cut_and_a_longer_one_is_unknown():
    tokenizer = wordpiece("a", "##a")
    assert tokenizer.encode("a" * 200).tokens == ["a", *["##a"] * 199]
    assert tokenizer.encode("a" * 201).tokens == ["[UNK]"]


def test_text_without_tokens_gives_empty_lists():
    for text in ("", " \t\u3000", "\x01\u200b"):
        encoding = wordpiece().encode(text)
        assert (encoding.ids, encoding.tokens, encoding.spans) == ([], [], [])


@pytest.mark.parametrize(
    ("text", "lowered", "as_is"),
    [
        ("Ａ１ Café ÀB", ["ａ１", "cafe", "ab"], ["Ａ１", "Café", "ÀB"]),
        ("ΟΔΟΣ ΣΑΣ' ΣΑΣ'Α", ["οδος", "σας", "'", "σασ", "'", "α"], None),
        ("İΣ", ["iς"], ["İΣ"]),
        ("各가", ["各", "\u1100\u1161"], ["各", "가"]),
        ("a\ue000b \uf8ff", ["a\ue000b", "\uf8ff"], ["a\ue000b", "\uf8ff"]),
        ("a\x00b\ufffdc\u200bd\x85e", ["abcde"], ["abcde"]),
        ("一\u2028二 x\u2028y", ["一", "二", "x", "y"], ["一", "二", "x", "y"]),
        ("5℃3～4", ["5℃3～4"], ["5℃3～4"]),
        ("a“b”c…d—e", ["a", "“", "b", "”", "c", "…", "d", "—", "e"], None),
        ("\U0002b820\U0002b821x", ["\U0002b820", "\U0002b821", "x"], None),
        # Known since Unicode 9 to 11, but not to the library.
        ("a\u2e43b\u09fdc", ["a", "\u2e43", "b", "\u09fd", "c"], None),
        ("a\u07fdb", ["ab"], ["a\u07fdb"]),
        ("a\u08e2b\U000110cdc", ["abc"], ["abc"]),
    ],
)
def test_words_are_split_and_lower_cased_by_the_published_rules(text, lowered, as_is):
    assert split_words(text, do_lower_case=True) == lowered
    if as_is is not None:
        assert split_words(text, do_lower_case=False) == as_is


def test_lone_surrogate_makes_its_word_unknown():
    text = "好\ud800 ok"
    assert shown(wordpiece("好", "ok").encode(text), text) == [
        ("好", "好"),
        ("[UNK]", "\ud800"),
        ("ok", "ok"),
    ]


def test_spans_count_characters_of_the_text_as_given():
    tokenizer = wordpiece("cafe", "ok", "的", "e", "##x", "\u1100", "##\u1161")
    text = "\x00cafe\u0301 o\u200bk\ue000 的\U0002b820 E\u0301\u0301X 가"
    assert shown(tokenizer.encode(text), text) == [
        ("cafe", "cafe"),
        ("[UNK]", "o\u200bk\ue000"),
        ("的", "的"),
        ("[UNK]", "\U0002b820"),
        ("e", "E"),
        ("##x", "X"),
        ("\u1100", "가"),
        ("##\u1161", "가"),
    ]


CHINESE = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)


def words_by_the_rules(text, *, lower):
    """The published rules one after the other, character by character."""
    cleaned = ""
    for character in text:
        if character in " \t\n\r" or unicodedata.category(character) == "Zs":
            cleaned += " "
        elif any(first <= ord(character) <= last for first, last in CHINESE):
            cleaned += f" {character} "
        elif unicodedata.category(character) not in ("Cc", "Cf") and character != "\ufffd":
            cleaned += character
    words = []
    for word in cleaned.split():
        if lower:
            decomposed = unicodedata.normalize("NFD", word.lower())
            word = "".join(part for part in decomposed if unicodedata.category(part) != "Mn")
        separate = "".join(f" {part} " if is_punctuation(part) else part for part in word)
        words += separate.split()
    return words


def is_punctuation(character):
    if character.isascii():
        return character.isprintable() and not character.isalnum() and character != " "
    return unicodedata.category(character).startswith("P")


CHANGED_SINCE = {
    "\u166d",  # Canadian full stop: punctuation until Unicode 11, then a symbol
    "\u1734",  # Hanunoo sign: no longer a nonspacing mark since Unicode 14
}


@pytest.mark.parametrize("lower", [True, False])
def test_every_character_of_unicode_3_splits_words_as_the_rules_say(lower):
    characters = [
        chr(code)
        for code in range(0x30000)
        if unicodedata.ucd_3_2_0.category(chr(code)) not in ("Cn", "Cs", "Co")
        and chr(code) not in CHANGED_SINCE
    ]
    assert len(characters) > 90_000
    different = [
        hex(ord(character))
        for character in characters
        for word in [f"a{character}b"]
        if split_words(word, do_lower_case=lower) != words_by_the_rules(word, lower=lower)
    ]
    assert different == []


texts = st.text(
    st.one_of(
        st.sampled_from(
            "中国𫠠豈aAéÉIİΣσςА가がﾞ09_-'“…～\u0301\u0345\u3099\ue000 \t\u3000\u2028\u200b\x00\x85"
        ),
        st.characters(min_codepoint=0x20, max_codepoint=0x2FF),
        st.characters(min_codepoint=0x3000, max_codepoint=0x30FF, exclude_categories=["Cn"]),
    ),
    max_size=40,
)


@given(texts, st.booleans())
@settings(max_examples=400)
def test_any_text_splits_as_the_rules_say(text, lower):
    assert split_words(text, do_lower_case=lower) == words_by_the_rules(text, lower=lower)


def assert_in_order(spans, text):
    places = [place for span in spans for place in span]
    assert all(0 <= start <= end <= len(text) for start, end in spans)
    starts, ends = places[::2], places[1::2]
    assert starts == sorted(starts)
    assert ends == sorted(ends)


@given(texts, st.booleans())
@settings(max_examples=200)
def test_spans_are_never_empty_and_in_order(text, lower):
    encoding = wordpiece("中", "国", "a", "##a", "é", do_lower_case=lower).encode(text)
    assert_in_order(encoding.spans, text)
    assert all(start < end for start, end in encoding.spans)
    assert len(encoding.ids) == len(encoding.tokens) == len(encoding.spans)


@given(st.lists(texts, max_size=5))
@settings(max_examples=50)
def test_batch_equals_one_by_one(batch):
    tokenizer = wordpiece("中", "国", "a", "##a")
    assert tokenizer.encode_batch(batch) == [tokenizer.encode(text) for text in batch]


def assert_flat_equals_one_by_one(tokenizer, batch):
    """The tokens of many texts are those of each text, with spans and without."""
    expected = FlatEncodings.join([tokenizer.encode(text) for text in batch])
    for with_spans in (True, False):
        found = tokenizer.encode_flat(batch, with_spans=with_spans)
        assert found.ids.tolist() == expected.ids.tolist()
        assert found.offsets.tolist() == expected.offsets.tolist()
        if with_spans:
            assert found.spans.tolist() == expected.spans.tolist()


@given(st.lists(texts, max_size=5), st.booleans())
@settings(max_examples=100)
def test_flat_tokens_of_a_batch_are_those_of_each_text(batch, lower):
    tokenizer = wordpiece("中", "国", "a", "##a", "…", "的", do_lower_case=lower)
    assert_flat_equals_one_by_one(tokenizer, [*batch, "的。国", "", "a中aa。", *batch])


def test_tokenizer_travels_to_other_processes():
    tokenizer = wordpiece("我", "a", "##b", do_lower_case=False)
    copy = pickle.loads(pickle.dumps(tokenizer))
    assert copy.encode("我ab A") == tokenizer.encode("我ab A")
    assert copy.vocab == tokenizer.vocab


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not fork")
def test_forking_after_a_batch_neither_warns_nor_hangs():
    program = """
        import multiprocessing, os
        from albert_zh.text.vocab import Vocab
        from albert_zh.text.wordpiece import WordPieceTokenizer

        special = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
        tokenizer = WordPieceTokenizer(Vocab((*special, "我")))
        tokenizer.encode_batch(["我我"] * 1000)
        with multiprocessing.get_context("fork").Pool(2) as pool:
            found = pool.map(tokenizer.encode_batch, [["我"] * 100] * 4)
        tokenizer.encode_batch(["我我"] * 1000)
        print(sum(len(encoding.ids) for batch in found for encoding in batch))
        print(os.environ.get("TOKENIZERS_PARALLELISM"))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.stderr) == ("400\nNone\n", "")


# --- SentencePiece -------------------------------------------------------------------------------


def train(**settings):
    """A tiny model of the letters of its corpus, and of `19,` and `hello` as whole pieces."""
    model = io.BytesIO()
    corpus = ["hello world of 19, 20 and 1,9 birds", "我 喜 欢 语 言", "a sky full of stars"] * 20
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(corpus),
        model_writer=model,
        minloglevel=2,
        **{
            "vocab_size": 60,
            "hard_vocab_limit": False,
            "pad_id": 0,
            "unk_id": 1,
            "bos_id": -1,
            "eos_id": -1,
            "control_symbols": ["[CLS]", "[SEP]", "[MASK]"],
            "user_defined_symbols": ["19,", "hello"],
            **settings,
        },
    )
    return model.getvalue()


@pytest.fixture(scope="module")
def model_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("spm") / "tiny.model"
    path.write_bytes(train())
    return str(path)


@pytest.fixture(scope="module")
def pieces(model_file):
    return load_tokenizer(None, spm_model_file=model_file)


def test_vocabulary_of_a_model_is_its_pieces(pieces):
    vocab = pieces.vocab
    assert vocab.tokens[:5] == ("<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]")
    assert (vocab.pad_id, vocab.unk_id, vocab.cls_id) == (0, 1, 2)
    assert (vocab.sep_id, vocab.mask_id) == (3, 4)


def test_pieces_are_joined_to_the_text_they_stand_for(pieces):
    text = "  Hello   wörld "
    found = shown(pieces.encode(text), text)
    assert found[:2] == [("▁", ""), ("hello", "Hello")]
    assert "".join(token for token, _ in found) == "▁hello▁world"
    assert "".join(part for _, part in found) == "Hellowörld"


def test_ids_are_those_of_the_pieces(pieces):
    encoding = pieces.encode("hello 我 Ж")
    assert encoding.tokens[-1] == "ж"
    assert encoding.ids == [pieces.vocab.ids.get(token, 1) for token in encoding.tokens]
    assert encoding.ids[-1] == pieces.vocab.unk_id


def test_comma_after_a_digit_is_a_piece_of_its_own(pieces, model_file):
    text = "of 19, x19,"
    encoding = pieces.encode(text)
    assert "".join(encoding.tokens) == "▁of▁19,▁x19,"
    assert "19," not in encoding.tokens
    assert [pair for pair in shown(encoding, text) if pair[0] == ","] == [(",", ",")] * 2
    assert encoding.spans[-1] == (10, 11)
    # Without the rule the pieces would be these.
    processor = sentencepiece.SentencePieceProcessor(model_file=model_file)
    assert "19," in processor.encode(text, out_type=str)


def test_capitals_and_accents_stay_where_not_asked_for(model_file):
    tokenizer = load_tokenizer(None, spm_model_file=model_file, do_lower_case=False)
    encoding = tokenizer.encode("HÉ ﬁ ｶﾞ")
    assert "".join(encoding.tokens) == "▁HE▁fi▁カ"


@given(st.text(max_size=30))
@settings(max_examples=200)
def test_spans_of_pieces_stand_in_order(text):
    assert_in_order(TINY.encode(text).spans, text)


TINY = SentencePieceTokenizer(sentencepiece.SentencePieceProcessor(model_proto=train()))


def test_batch_of_pieces_equals_one_by_one(pieces):
    batch = ["hello world", "", "我 喜 欢"]
    assert pieces.encode_batch(batch) == [pieces.encode(text) for text in batch]


@given(st.lists(st.text(max_size=20), max_size=4))
@settings(max_examples=100)
def test_flat_pieces_of_a_batch_are_those_of_each_text(batch):
    fixed = ["x19, of 1,9", " \thello\x1f WORLD\u2028 ", "我 9,,", "²,", "１9,", "ж,", "", *batch]
    assert_flat_equals_one_by_one(TINY, [*fixed, *fixed[:2]])


def test_published_model_has_its_published_pieces(test_data_dir):
    folder = test_data_dir / "vocab"
    tokenizer = load_tokenizer(
        str(folder / "30k-clean.vocab"), spm_model_file=str(folder / "30k-clean.model")
    )
    assert len(tokenizer.vocab) == 30000
    text = "The 19, wörld"
    encoding = tokenizer.encode(text)
    assert shown(encoding, text) == [
        ("▁the", "The"),
        ("▁19", "19"),
        (",", ","),
        ("▁world", "wörld"),
    ]
    assert encoding.ids == [14, 732, 15, 126]


# --- Files ---------------------------------------------------------------------------------------


def test_no_vocabulary_at_all_is_refused():
    with pytest.raises(ValueError, match="no vocabulary given; set --vocab_file"):
        load_tokenizer(None)


def test_vocabulary_of_another_model_is_refused(tmp_path, model_file):
    path = tmp_path / "vocab.txt"
    path.write_text("\n".join(SPECIAL))
    with pytest.raises(ValueError, match=rf"{path} does not list the \d+ pieces of {model_file}"):
        load_tokenizer(str(path), spm_model_file=model_file)


def test_missing_model_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no SentencePiece model at .*/no\.model"):
        load_tokenizer(None, spm_model_file=str(tmp_path / "no.model"))


def test_file_that_is_no_model_is_refused(tmp_path):
    path = tmp_path / "some.model"
    path.write_text("text")
    with pytest.raises(ValueError, match=rf"{path} is not a SentencePiece model"):
        load_tokenizer(None, spm_model_file=str(path))


def test_model_without_special_pieces_is_refused_with_the_way_to_train_it(tmp_path):
    path = tmp_path / "plain.model"
    path.write_bytes(train(control_symbols=[]))
    with pytest.raises(ValueError, match=r"plain\.model: no entry \[CLS\].*control_symbols"):
        load_tokenizer(None, spm_model_file=str(path))
