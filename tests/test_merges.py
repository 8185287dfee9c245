"""Word pieces learned by merging neighbours."""

from albert_zh.vocabulary.merges import join, learn_pieces


def test_most_frequent_pair_is_merged_first():
    assert learn_pieces({"ab": 3, "cd": 5}, limit=6) == ["##d", "c", "##b", "a", "cd", "ab"]


def test_merged_pieces_are_merged_further():
    learned = learn_pieces({"newer": 6, "lower": 2, "low": 5}, limit=100)
    assert learned[:6] == ["##e", "##w", "##r", "##o", "l", "n"]
    assert learned[6:] == ["##er", "##wer", "lo", "##ewer", "newer", "low", "lower"]


def test_repeated_letters_are_counted_as_they_are_merged():
    # a ##a ##a ##a -> a ##aa ##a -> a ##aaa -> aaaa
    assert learn_pieces({"aaaa": 2}, limit=100) == ["##a", "a", "##aa", "##aaa", "aaaa"]


def test_words_read_in_another_order_give_the_same_pieces():
    words = {"banana": 3, "bandana": 3, "canal": 3, "panama": 3}
    backwards = dict(reversed(words.items()))
    assert learn_pieces(words, limit=100) == learn_pieces(backwards, limit=100)


def test_rare_letters_and_pairs_are_left_alone():
    assert learn_pieces({"ab": 2, "xy": 1}, limit=100) == ["##b", "a", "ab"]
    assert learn_pieces({"ab": 2, "xy": 1}, limit=100, min_count=3) == []


def test_limit_counts_letters_too():
    assert learn_pieces({"ab": 2}, limit=1) == ["##b"]


def test_joined_piece_is_inside_a_word_if_its_first_part_is():
    assert join(("a", "##b")) == "ab"
    assert join(("##a", "##b")) == "##ab"
