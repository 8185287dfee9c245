"""Vocabularies counted from text, and the one that comes with the project."""

import math
import pathlib
import random
import subprocess
import sys
from collections import Counter

import pytest

from albert_zh.text.alphabets import LATIN_WORDS, LETTERS, PUNCTUATION, SIGNS
from albert_zh.text.encoding import is_chinese
from albert_zh.text.tokenizers import load_tokenizer
from albert_zh.text.vocab import Vocab
from albert_zh.text.vocab_builder import (
    TextCounts,
    build_entries,
    count_corpus,
    count_dictionary,
)
from albert_zh.text.wordpiece import WordPieceTokenizer, split_words

ROOT = pathlib.Path(__file__).parent.parent
OWN = str(ROOT / "albert_config" / "vocab.txt")
SCRIPT = str(ROOT / "scripts" / "build_vocab.py")


def counts(characters="", words=()):
    return TextCounts(Counter(characters), Counter(words))


def script(*arguments):
    return subprocess.run(
        [sys.executable, SCRIPT, *arguments], capture_output=True, text=True, timeout=120
    )


def corpus(tmp_path, text, name="corpus.txt"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


@pytest.fixture(scope="module")
def own():
    return Vocab.load(OWN)


# --- Counting ------------------------------------------------------------------------------------


def test_corpus_is_counted_in_words_as_the_tokenizer_splits_them(tmp_path):
    one = corpus(tmp_path, "我爱我家，Café OK\nok 5℃\n", "a.txt")
    other = corpus(tmp_path, "我\u2028爱", "b.txt")
    counted = count_corpus([one, other])
    assert counted.characters == {"我": 3, "爱": 2, "家": 1}
    assert counted.words == {"，": 1, "cafe": 1, "ok": 2, "5℃": 1}
    cased = count_corpus([one], do_lower_case=False)
    assert cased.words == {"，": 1, "Café": 1, "OK": 1, "ok": 1, "5℃": 1}


def test_byte_of_a_corpus_that_is_not_utf8_is_located(tmp_path):
    path = corpus(tmp_path, "我爱\n".encode() + "北京".encode("gb18030"))
    with pytest.raises(ValueError, match=rf"{path}, line 2: not UTF-8 at byte 7 "):
        count_corpus([path])


def test_corpus_without_text_is_refused(tmp_path):
    path = corpus(tmp_path, " \n\n")
    with pytest.raises(ValueError, match=f"there is no text in {path}"):
        count_corpus([path])


# --- Building ------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [2000, 21128, 30000])
def test_vocabulary_has_exactly_the_size_asked_for_and_no_entry_twice(size):
    entries = build_entries(counts("我我爱", {"hello": 5}), size=size)
    assert len(entries) == len(set(entries)) == size


def test_special_entries_stand_where_users_know_them():
    entries = build_entries(counts("我"), size=2000)
    assert entries[0] == "[PAD]"
    assert entries[1:100] == [f"[unused{number}]" for number in range(1, 100)]
    assert entries[100:104] == ["[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    assert not any(entry.startswith("[un") for entry in entries[104:])


def test_frequent_characters_come_first_and_ties_follow_unicode():
    entries = build_entries(counts("三三三一二我我"), size=2000)
    start = entries.index("三")
    assert entries[start : start + 4] == ["三", "我", "一", "二"]


def test_order_of_counting_does_not_matter():
    characters, words = list("我爱北京天安门" * 2), ["hello", "yellow", "help", "self"] * 3
    one = build_entries(counts(characters, words), size=2500)
    random.Random(1).shuffle(characters)
    random.Random(2).shuffle(words)
    assert build_entries(counts(characters, words), size=2500) == one


def test_frequent_words_become_entries():
    entries = build_entries(counts("我", {"hello": 5, "℃": 2, "ⴰⴱ": 3}), size=2000)
    assert {"hello", "ⴰ", "##ⴱ", "ⴰⴱ"} <= set(entries)
    assert "##elloo" not in entries


def test_pieces_get_a_quarter_of_the_room_and_what_characters_leave():
    words = Counter(f"{a}{b}{c}" for a in "abcdefgh" for b in "ijklmnop" for c in "qrstuvwx" * 2)
    many, few = ("".join(map(chr, range(0x4E00, 0x4E00 + number))) for number in (5000, 1000))
    full, spare = (build_entries(counts(text, words), size=3000) for text in (many, few))
    first = full.index("一")
    assert list(map(is_chinese, full[first:])).index(False) == math.ceil(0.75 * (3000 - first))
    assert not any(map(is_chinese, full[first + math.ceil(0.75 * (3000 - first)) :]))
    assert list(map(is_chinese, spare[first:])).index(False) == 1000


def test_room_beyond_the_corpus_goes_to_other_chinese_characters():
    entries = build_entries(counts("我"), size=21128)
    assert entries.index("我") < entries.index("的") < entries.index("龘")


def test_room_beyond_all_characters_goes_to_unused_entries():
    entries = build_entries(counts("我"), size=30000)
    assert sum(map(is_chinese, entries)) == 0x9FFF - 0x4E00 + 1
    assert entries[-1] == f"[unused{30000 - entries.index('[unused100]') + 99}]"


def test_too_small_a_size_is_refused_with_the_least_one():
    with pytest.raises(ValueError, match=r"of 500 entries is too small: .* take 1,\d\d\d already"):
        build_entries(counts("我"), size=500)


@pytest.mark.parametrize("do_lower_case", [True, False])
def test_every_entry_is_one_the_tokenizer_can_give(do_lower_case):
    built = build_entries(
        count_dictionary(do_lower_case=do_lower_case), size=21128, do_lower_case=do_lower_case
    )
    words = [entry.removeprefix("##") for entry in built[104:]]
    assert [w for w in words if split_words(w, do_lower_case=do_lower_case) != [w]] == []
    assert ("A" in built) == ("が" in built) == (not do_lower_case)


def test_signs_and_letters_stand_inside_words_and_punctuation_apart():
    for sign in SIGNS + LETTERS:
        assert split_words(f"a{sign}b", do_lower_case=False) == [f"a{sign}b"], sign
    for sign in PUNCTUATION:
        assert split_words(f"a{sign}b", do_lower_case=False) == ["a", sign, "b"], sign


@pytest.mark.parametrize("listed", [PUNCTUATION, SIGNS, LETTERS, LATIN_WORDS.split()])
def test_nothing_is_listed_twice(listed):
    assert [item for item, times in Counter(listed).items() if times > 1] == []


# --- The project's vocabulary --------------------------------------------------------------------


def test_own_vocabulary_is_what_the_script_builds(tmp_path):
    path = tmp_path / "vocab.txt"
    done = script(f"--output_file={path}")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"wrote 21,128 entries to {path}\n"
    assert path.read_bytes() == pathlib.Path(OWN).read_bytes()


def test_own_vocabulary_has_the_published_size_and_layout(own):
    assert len(own) == 21128
    assert (own.pad_id, own.unk_id, own.cls_id) == (0, 100, 101)
    assert (own.sep_id, own.mask_id) == (102, 103)


def test_own_vocabulary_knows_typographic_signs_and_has_no_twins(own):
    assert set("“”‘’…—·《》，。！？、；：（）") <= set(own.tokens)
    assert not any(entry.startswith("##") and is_chinese(entry[2:]) for entry in own.tokens)


def test_any_ascii_word_can_be_written_with_own_vocabulary(own):
    tokenizer = WordPieceTokenizer(own)
    text = "Zq0xJ9 " + "".join(map(chr, range(33, 127)))
    assert "[UNK]" not in tokenizer.encode(text).tokens


def test_own_vocabulary_is_not_the_published_one(own, test_data_dir):
    published = Vocab.load(str(test_data_dir / "vocab" / "bert_zh_vocab.txt"))
    same = [one for one, other in zip(own.tokens, published.tokens, strict=True) if one == other]
    assert len(same) < 110  # the special entries, and few by chance


def test_own_vocabulary_covers_chinese_text(test_data_dir):
    tokenizer = load_tokenizer(OWN)
    text = (test_data_dir / "corpus" / "valid.txt").read_text(encoding="utf-8")
    encodings = tokenizer.encode_batch(text.split("\n"))
    unknown = sum(
        end - start
        for encoding in encodings
        for token, (start, end) in zip(encoding.tokens, encoding.spans, strict=True)
        if token == "[UNK]"
    )
    assert unknown / len("".join(text.split())) < 0.001


# --- The script ----------------------------------------------------------------------------------


def test_script_counts_a_corpus(tmp_path):
    corpus(tmp_path, "量子纠缠 quantumly quantumly\n" * 3, "a.txt")
    path = tmp_path / "vocab.txt"
    done = script(f"--input_file={tmp_path}/*.txt", f"--output_file={path}", "--vocab_size=1600")
    assert done.returncode == 0, done.stderr
    tokens = load_tokenizer(str(path)).encode("量子纠缠 Quantumly").tokens
    assert tokens == ["量", "子", "纠", "缠", "quantumly"]


def test_script_overwrites_nothing(tmp_path):
    path = tmp_path / "vocab.txt"
    path.write_text("mine")
    done = script(f"--output_file={path}")
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {path} exists; choose another --output_file")
    assert path.read_text() == "mine"


def test_script_leaves_nothing_behind_when_the_corpus_is_bad(tmp_path):
    path = corpus(tmp_path, b"\xff\xfe")
    done = script(f"--input_file={path}", f"--output_file={tmp_path}/new/vocab.txt")
    assert done.returncode == 1
    assert f"error: {path}, line 1: not UTF-8 at byte 0" in done.stderr
    assert not (tmp_path / "new").exists()
