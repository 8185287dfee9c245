"""Vocabularies counted from text, and the one that comes with the project."""

import gzip
import math
import pathlib
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from processes import run_script

from albert_zh.text.encoding import is_chinese
from albert_zh.text.tokenizers import load_tokenizer
from albert_zh.text.vocab import Vocab
from albert_zh.text.wordpiece import WordPieceTokenizer, split_words
from albert_zh.util.files import read_lines
from albert_zh.vocabulary.alphabets import LATIN_WORDS, LETTERS, PUNCTUATION, SIGNS
from albert_zh.vocabulary.builder import build_entries
from albert_zh.vocabulary.counting import TextCounts, count_dictionary, count_texts
from albert_zh.vocabulary.extension import count_unknown, new_entries

ROOT = pathlib.Path(__file__).parent.parent
OWN = str(ROOT / "albert_config" / "vocab.txt")


def counts(characters="", words=()):
    return TextCounts(Counter(characters), Counter(words))


def script(*arguments, text=""):
    return run_script("scripts/build_vocab.py", *arguments, text=text)


def base_vocab(entries):
    return Vocab(("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *entries))


def corpus(tmp_path, text, name="corpus.txt"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


@pytest.fixture(scope="module")
def own():
    return Vocab.load(OWN)


# --- Counting ------------------------------------------------------------------------------------


def test_texts_are_counted_in_words_as_the_tokenizer_splits_them():
    texts = ["我爱我家，Café OK", "ok 5℃", "我\u2028爱"]
    counted = count_texts(texts)
    assert counted.characters == {"我": 3, "爱": 2, "家": 1}
    assert counted.words == {"，": 1, "cafe": 1, "ok": 2, "5℃": 1}
    assert counted.total() == 11
    cased = count_texts(texts[:2], do_lower_case=False)
    assert cased.words == {"，": 1, "Café": 1, "OK": 1, "ok": 1, "5℃": 1}


# 丽 in its compatibility form, which becomes the common one; a rare character; a combining accent.
@given(st.text("我爱，aΣ。\u0301 \uf9d1\U00020000é\n"), st.booleans())
def test_counting_agrees_with_the_tokenizer_whatever_the_text(text, lower):
    counted = count_texts([text], do_lower_case=lower)
    words = Counter(split_words(text, do_lower_case=lower))
    assert +(counted.characters + counted.words) == words
    assert all(map(is_chinese, counted.characters))
    assert not any(map(is_chinese, counted.words))


def test_words_no_vocabulary_can_know_are_told_apart():
    counted = count_texts(["a" * 200, "b" * 201, "x\ud800y"])
    assert list(counted.words) == ["a" * 200]
    assert counted.left_out == {"unknowable": 2}
    assert counted.total() == 3


def test_memory_is_bounded_by_forgetting_rare_words():
    texts = ["often often", "once twice twice", "other"]
    counted = count_texts(texts, most_words=3)
    assert counted.words == {"often": 2}
    assert counted.left_out == {"forgotten": 4}
    assert count_texts(texts, most_words=4).left_out == {}


@pytest.mark.parametrize("most_words", [5, 50, 500])
def test_counts_do_not_depend_on_the_number_of_workers(most_words):
    rng = random.Random(1)
    texts = [" ".join(f"w{int(rng.paretovariate(0.5))} 我" for _ in range(9)) for _ in range(300)]
    alone, together = (
        count_texts(texts, most_words=most_words, batch_size=200, num_workers=workers)
        for workers in (1, 3)
    )
    assert alone == together
    assert alone.characters == {"我": 2700}
    assert alone.words.total() + alone.left_out["forgotten"] == 2700


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


# --- Extending -----------------------------------------------------------------------------------


def extension(base, counted, *, limit=100, min_count=1):
    return new_entries(base_vocab(base), counted, limit=limit, min_count=min_count)


def test_new_entries_are_what_the_base_lacks_by_frequency():
    counted = counts("我" * 9 + "囧" * 4 + "槑" * 6, {"of": 7, "，": 5})
    base = ["我", "o", "f", "##f"]
    assert extension(base, counted) == ["of", "槑", "，", "囧"]
    assert extension([*base, "of", "槑"], counted) == ["，", "囧"]


def test_rare_ones_and_those_beyond_the_limit_are_left_out():
    counted = counts("囧" * 4 + "槑" * 6 + "龘", {"，": 5})
    assert extension([], counted, min_count=5) == ["槑", "，"]
    assert extension([], counted, limit=1) == ["槑"]


def test_pieces_count_as_often_as_the_tokenizer_would_give_them():
    # "qua" and "quan" are as frequent as "quant", but never given once "quant" is there.
    counted = counts("", {"quantum": 6, "quantize": 5})
    entries = extension("quantmize" + "我", counted, min_count=5)
    assert {"quantum", "quantize"} <= set(entries)
    assert not {"qua", "quan"} & set(entries)


def test_letters_the_base_lacks_count_wherever_they_stand():
    counted = counts("", {"жa": 3, "aж": 2, "bж": 2})
    base = ["a", "b", "##a", "##b"]
    assert extension(base, counted) == ["##ж", "ж", "жa", "aж", "bж"]
    assert extension(base, counted, min_count=3) == ["##ж", "ж", "жa"]


def test_order_of_counting_does_not_matter_to_an_extension():
    characters, words = list("我爱北京天安门" * 2), ["hello", "yellow", "help", "self"] * 3
    one = extension("elo", counts(characters, words))
    random.Random(1).shuffle(characters)
    random.Random(2).shuffle(words)
    assert extension("elo", counts(characters, words)) == one


@pytest.mark.parametrize("lower", [True, False])
def test_every_new_entry_is_one_the_tokenizer_can_give(lower):
    text = "Größe ΟΔΟΣ ÅNGSTRÖM İstanbul 한국어 が 囧“5℃” x\ue000y e\u0301"
    counted = count_texts([text] * 5, do_lower_case=lower)
    base = base_vocab("abc")
    entries = new_entries(base, counted, limit=1000, min_count=1, do_lower_case=lower)
    assert len(entries) == len(set(entries)) > 20
    words = [entry.removeprefix("##") for entry in entries]
    assert [w for w in words if split_words(w, do_lower_case=lower) != [w]] == []
    tokenizer = WordPieceTokenizer(Vocab((*base.tokens, *entries)), do_lower_case=lower)
    tokens = tokenizer.encode(text).tokens
    assert tokens.count("[UNK]") == 1  # the private-use character


def test_unknown_words_are_counted_before_and_after():
    counted = count_texts(["我囧囧 of off，", "z" * 300])
    base = base_vocab(["我", "o", "##f"])
    assert count_unknown(counted, base) == 4  # 囧 囧 ， zzz
    assert count_unknown(counted, Vocab((*base.tokens, "囧", "，"))) == 1
    assert counted.total() == 7


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
    path = corpus(tmp_path, "我\n".encode() + b"\xff")
    done = script(f"--input_file={path}", f"--output_file={tmp_path}/new/vocab.txt")
    assert done.returncode == 1
    assert f"error: {path}, line 2: not UTF-8 at byte 4" in done.stderr
    assert not (tmp_path / "new").exists()


def test_script_skips_and_counts_bad_lines_when_told_to(tmp_path):
    path = corpus(tmp_path, "量子\n".encode() + b"\xff\n")
    output = f"--output_file={tmp_path}/vocab.txt"
    done = script(f"--input_file={path}", "--on_bad_text=skip", output, "--vocab_size=1600")
    assert done.returncode == 0, done.stderr
    assert "lines not utf8: 1\n" in done.stdout


def test_script_reads_json_lines_of_a_folder_and_packed_files_alike(tmp_path):
    (tmp_path / "in").mkdir()
    lines = '{"body": "量子量子纠缠"}\n{"body": "quantumly quantumly"}\n'
    (tmp_path / "in" / "a.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    corpus(tmp_path / "in", lines, "b.jsonl")
    first, second = tmp_path / "first.txt", tmp_path / "second.txt"
    done = script(
        f"--input_file={tmp_path}/in",
        "--input_format=json",
        "--json_key=body",
        f"--output_file={first}",
        "--vocab_size=1600",
    )
    assert done.returncode == 0, done.stderr
    text = "量子量子纠缠\nquantumly quantumly\n" * 2
    done = script("--input_file=-", f"--output_file={second}", "--vocab_size=1600", text=text)
    assert done.returncode == 0, done.stderr
    assert first.read_bytes() == second.read_bytes()


def test_script_refuses_a_corpus_without_text(tmp_path):
    path = corpus(tmp_path, " \n\n")
    done = script(f"--input_file={path}", f"--output_file={tmp_path}/vocab.txt")
    assert done.returncode == 1
    assert path in done.stderr
    assert not (tmp_path / "vocab.txt").exists()


def test_script_extends_a_vocabulary_and_says_by_what(tmp_path):
    # As the published file: a line of white space is an entry, and the last line has no end.
    entries = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "\u2028", "##\u2028", "我"]
    base = tmp_path / "base.txt"
    base.write_bytes("\n".join(entries).encode())
    path = corpus(tmp_path, "我囧囧囧 quantum quantum 龘\n")
    extended = tmp_path / "extended.txt"
    done = script(
        f"--base_vocab_file={base}",
        f"--input_file={path}",
        f"--output_file={extended}",
        "--num_new_entries=2",
        "--min_count=2",
    )
    assert done.returncode == 0, done.stderr
    assert list(read_lines(str(extended))) == [*entries, "##u", "囧"]
    assert Vocab.load(str(extended)).tokens == (*Vocab.load(str(base)).tokens, "##u", "囧")
    assert done.stdout.splitlines() == [
        f"wrote 10 entries to {extended}: the 8 of {base} and 2 new ones",
        "  1 Chinese characters: 囧",
        "  1 symbols and ## pieces: ##u",
        "unknown among 7 words and Chinese characters: 6 before, 3 now",
    ]


@pytest.mark.parametrize(
    ("more", "wanted", "said"),
    [
        (
            [],
            ["[PAD]", "囧", "[UNK]", "龘", "[CLS]", "[SEP]", "[MASK]", "我"],
            "the 6 of {base} and 2 new ones, 2 of them in the place of [unused] entries",
        ),
        (
            ["--num_new_entries=3"],
            ["[PAD]", "囧", "[UNK]", "龘", "[CLS]", "[SEP]", "[MASK]", "我", "##v"],
            "the 6 of {base} and 3 new ones, 2 of them in the place of [unused] entries",
        ),
        (
            ["--num_new_entries=1"],
            ["[PAD]", "囧", "[UNK]", "[unused_2]", "[CLS]", "[SEP]", "[MASK]", "我"],
            "the 7 of {base} and 1 new ones, 1 of them in the place of [unused] entries",
        ),
    ],
)
def test_script_fills_unused_entries_so_that_the_table_keeps_its_size(tmp_path, more, wanted, said):
    entries = ["[PAD]", "[unused1]", "[UNK]", "[unused_2]", "[CLS]", "[SEP]", "[MASK]", "我"]
    base, filled = tmp_path / "base.txt", tmp_path / "filled.txt"
    base.write_text("\n".join(entries) + "\n", encoding="utf-8")
    path = corpus(tmp_path, "我囧囧囧囧 龘龘龘 vv\n")
    done = script(
        f"--base_vocab_file={base}",
        f"--input_file={path}",
        f"--output_file={filled}",
        "--min_count=1",
        "--fill_unused",
        *more,
    )
    assert done.returncode == 0, done.stderr
    assert list(read_lines(str(filled))) == wanted
    assert said.format(base=base) in done.stdout


def test_script_says_when_no_unused_entry_is_there_to_be_filled(tmp_path):
    base = corpus(tmp_path, "\n".join(base_vocab("我").tokens), "base.txt")
    path = corpus(tmp_path, "囧囧囧囧囧\n")
    done = script(
        f"--base_vocab_file={base}",
        f"--input_file={path}",
        f"--output_file={tmp_path}/new.txt",
        "--fill_unused",
    )
    assert done.returncode == 1
    assert "has no entry such as [unused1]; leave out --fill_unused" in done.stderr


def test_script_says_when_there_is_nothing_to_add(tmp_path):
    path = corpus(tmp_path, "我我我我我囧囧囧囧\n")
    base = corpus(tmp_path, "\n".join(base_vocab("我").tokens), "base.txt")
    done = script(
        f"--base_vocab_file={base}", f"--input_file={path}", f"--output_file={tmp_path}/new.txt"
    )
    assert done.returncode == 1
    assert "at least 5 times, so it needs no extension; lower --min_count" in done.stderr


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        (["--base_vocab_file=albert_config/vocab.txt"], "give --input_file"),
        (
            ["--base_vocab_file=albert_config/vocab.txt", "--input_file=c", "--vocab_size=9"],
            "leave out --vocab_size",
        ),
        (["--min_count=2"], "--min_count needs --base_vocab_file"),
        (["--num_new_entries=2"], "--num_new_entries needs --base_vocab_file"),
        (
            ["--base_vocab_file=albert_config/vocab.txt", "--input_file=c", "--min_count=0"],
            "--min_count=0: it must be at least 1",
        ),
    ],
)
def test_flags_that_contradict_each_other_are_refused(tmp_path, flags, complaint):
    corpus(tmp_path, "我", "b.txt")
    flags = [flag.replace("=b.txt", f"={tmp_path}/b.txt") for flag in flags]
    done = script(f"--output_file={tmp_path}/vocab.txt", *flags)
    assert done.returncode == 1
    assert complaint in done.stderr


def test_published_vocabulary_is_extended_by_what_a_corpus_has(tmp_path, test_data_dir):
    published = str(test_data_dir / "vocab" / "bert_zh_vocab.txt")
    extended = tmp_path / "vocab.txt"
    done = script(
        f"--base_vocab_file={published}",
        f"--input_file={test_data_dir / 'corpus' / 'valid.txt'}",
        f"--output_file={extended}",
        "--num_new_entries=100",
    )
    assert done.returncode == 0, done.stderr
    base, new = Vocab.load(published).tokens, Vocab.load(str(extended)).tokens
    assert new[: len(base)] == base
    assert {"“", "”", "—"} <= set(new[len(base) :])  # unknown to the published vocabulary


def test_standard_input_is_called_so_in_errors(tmp_path):
    output = f"--output_file={tmp_path / 'v.txt'}"
    done = script("--input_file=-", f"--base_vocab_file={OWN}", output, text="春天\n")
    assert done.returncode == 1
    assert "all entries that occur in standard input at least 5 times" in done.stderr
