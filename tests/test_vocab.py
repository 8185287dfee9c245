"""Reading a vocabulary, and what is refused."""

import hashlib
import json

import pytest

from albert_zh.text.vocab import Vocab

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def written(tmp_path, content):
    path = tmp_path / "vocab.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def test_id_is_the_number_of_the_line(tmp_path):
    vocab = Vocab.load(written(tmp_path, "\n".join(["的", *SPECIAL, "##ing"])))
    assert vocab.tokens == ("的", *SPECIAL, "##ing")
    assert vocab.ids == {
        "的": 0,
        "[PAD]": 1,
        "[UNK]": 2,
        "[CLS]": 3,
        "[SEP]": 4,
        "[MASK]": 5,
        "##ing": 6,
    }
    assert len(vocab) == 7
    assert (vocab.pad_id, vocab.unk_id, vocab.cls_id) == (1, 2, 3)
    assert (vocab.sep_id, vocab.mask_id) == (4, 5)


def test_only_line_feeds_end_lines(tmp_path):
    vocab = Vocab.load(written(tmp_path, "\n".join([*SPECIAL, "\u2028", "##\u2028", "的"])))
    assert vocab.tokens[5:] == ("", "##", "的")


@pytest.mark.parametrize(
    "content",
    [
        "\n".join([*SPECIAL, "的"]),
        "\n".join([*SPECIAL, "的"]) + "\n",
        "\r\n".join([*SPECIAL, "的"]) + "\r\n",
        "\ufeff" + "\n".join([*SPECIAL, "的"]),
        "\n".join(f"{token}\t-1.5" for token in [*SPECIAL, "的"]),
        "\n".join(f" {token} " for token in [*SPECIAL, "的"]),
    ],
    ids=["no final newline", "final newline", "windows", "mark", "second column", "spaces"],
)
def test_entry_is_the_first_field_of_its_line(tmp_path, content):
    assert Vocab.load(written(tmp_path, content)).tokens == (*SPECIAL, "的")


def test_lines_that_end_in_cr_are_named(tmp_path):
    with pytest.raises(ValueError, match=r"line 1: a CR inside the line.*tr '\\r' '\\n' <"):
        Vocab.load(written(tmp_path, "\r".join([*SPECIAL, "的"]) + "\r"))


def test_special_entries_of_sentencepiece_are_known():
    vocab = Vocab(("<unk>", "<pad>", "[CLS]", "[SEP]", "[MASK]"))
    assert (vocab.unk_id, vocab.pad_id) == (0, 1)


def test_fingerprint_is_the_sha256_of_the_joined_entries():
    tokens = (*SPECIAL, "的")
    expected = hashlib.sha256("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n的".encode()).hexdigest()
    assert Vocab(tokens).fingerprint == expected


def test_order_of_the_entries_changes_the_fingerprint():
    one, other = Vocab((*SPECIAL, "的", "一")), Vocab((*SPECIAL, "一", "的"))
    assert one.fingerprint != other.fingerprint


@pytest.mark.parametrize("content", ["", "\n\n", " \n"])
def test_empty_file_is_refused(tmp_path, content):
    path = written(tmp_path, content)
    with pytest.raises(ValueError, match=rf"{path} is empty"):
        Vocab.load(path)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no vocabulary at .*/nowhere\.txt"):
        Vocab.load(str(tmp_path / "nowhere.txt"))


def test_byte_that_is_not_utf8_is_located(tmp_path):
    content = "\n".join([*SPECIAL, "的"]).encode() + b"\n\xb5\xc4"
    path = written(tmp_path, content)
    with pytest.raises(
        ValueError, match=rf"{path}, line \d+: not UTF-8 at byte {len(content) - 2} "
    ):
        Vocab.load(path)


@pytest.mark.parametrize("missing", SPECIAL)
def test_missing_special_entry_is_named_with_the_file(tmp_path, missing):
    path = written(tmp_path, "\n".join(token for token in [*SPECIAL, "的"] if token != missing))
    with pytest.raises(ValueError, match=rf"{path}: no entry \{missing[:-1]}\]"):
        Vocab.load(path)


def test_repeated_entry_is_refused_with_both_lines(tmp_path):
    path = written(tmp_path, "\n".join([*SPECIAL, "的", "一", "的"]))
    with pytest.raises(ValueError, match=rf"{path}: entry '的' is on line 6 and again on line 8"):
        Vocab.load(path)


def test_published_vocabulary_loads_as_the_published_code_loads_it(golden_dir, test_data_dir):
    vocab = Vocab.load(str(test_data_dir / "vocab" / "bert_zh_vocab.txt"))
    facts = json.loads((golden_dir / "tokenizer" / "vocab_facts.json").read_text())
    assert len(vocab) == facts["size"] == 21128
    assert vocab.fingerprint == facts["sha256_of_tokens_joined_by_newline"]
    assert {token: vocab.ids[token] for token in facts["ids"]} == facts["ids"]
    assert vocab.tokens[-1] == facts["last"]
