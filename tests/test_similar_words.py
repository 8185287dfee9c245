"""The table of similar words: what is of use in it, and what is wrong with a file."""

import pytest

from albert_zh.masking.similar_words import read_similar_words
from albert_zh.text.vocab import Vocab
from albert_zh.text.wordpiece import WordPieceTokenizer

_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
TOKENIZER = WordPieceTokenizer(Vocab((*_SPECIAL, *"漂亮美丽好看高兴", "app", "##le", "pear")))


def ids(word):
    return tuple(TOKENIZER.vocab.ids[token] for token in word)


@pytest.fixture
def table(tmp_path):
    def write(text):
        path = tmp_path / "similar.txt"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def test_words_are_parted_by_spaces_or_tabs_and_read_as_token_ids(table):
    found = read_similar_words(table("漂亮 美丽 好看\n\n高兴\t美丽\n"), TOKENIZER)
    assert found.ids == {
        ids("漂亮"): (ids("美丽"), ids("好看")),
        ids("高兴"): (ids("美丽"),),
    }
    assert found.left_out == 0


@pytest.mark.parametrize(
    "useless",
    ["好", "好看看", "好龘", "漂亮"],
    ids=["shorter", "longer", "unknown", "the word itself"],
)
def test_similar_word_that_cannot_stand_there_is_left_out_and_counted(table, useless):
    found = read_similar_words(table(f"漂亮 {useless} 美丽\n"), TOKENIZER)
    assert found.ids == {ids("漂亮"): (ids("美丽"),)}
    assert found.left_out == 1


def test_tokens_count_and_not_characters(table):
    found = read_similar_words(table("apple 美丽 pear\n"), TOKENIZER)
    assert found.ids == {ids(("app", "##le")): (ids("美丽"),)}


def test_unknown_words_are_left_out_though_their_tokens_are_equal(table):
    found = read_similar_words(table("龘 好\n靐 看\n高 兴\n"), TOKENIZER)
    assert found.ids == {ids("高"): (ids("兴"),)}
    assert found.left_out == 2


def test_words_that_are_equal_in_lower_case_share_their_similar_words(table):
    found = read_similar_words(table("App 好 看\napp 看 兴\n"), TOKENIZER)
    assert found.ids == {ids(("app",)): (ids("好"), ids("看"), ids("兴"))}


def test_large_tables_are_tokenized_part_by_part(table):
    path = table("漂亮 美丽 好看\n高兴 美丽 漂亮\n")
    whole = read_similar_words(path, TOKENIZER)
    assert read_similar_words(path, TOKENIZER, batch_size=2) == whole


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("漂亮 美丽\n高兴\n", "similar.txt, line 2: 高兴 has no similar word beside it"),
        (
            "漂亮 美丽\n高兴 好看\n漂亮 好看\n",
            "similar.txt, line 3: 漂亮 has a line already, 1; join",
        ),
        ("漂亮 好\n龘 美\n", "similar.txt: no word has a similar one of as many tokens"),
        ("", "similar.txt: no word has a similar one of as many tokens"),
    ],
    ids=["a word alone", "a word twice", "nothing of use", "empty file"],
)
def test_faulty_table_is_an_error_with_its_place(table, text, message):
    with pytest.raises(ValueError, match=message):
        read_similar_words(table(text), TOKENIZER)


def test_missing_table_is_an_error_that_says_what_to_give(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no table of similar words at .*none\.txt"):
        read_similar_words(str(tmp_path / "none.txt"), TOKENIZER)


def test_lines_that_end_in_cr_are_refused(table):
    with pytest.raises(ValueError, match=r"similar\.txt, line 1: a CR inside the line.*convert"):
        read_similar_words(table("漂亮 美丽\r高兴 好看\r"), TOKENIZER)
