"""Builds a WordPiece vocabulary from counts of characters and words.

    0  [PAD]    1-99  [unused1..99]    100  [UNK]  [CLS]  [SEP]  [MASK]
    104  punctuation    letters and signs, alone and as ##    Chinese characters by frequency
    word pieces (ing, ##tion, 2019) by merging    room that is left: rarer Chinese characters

The special entries have the ids of the published vocabulary; the rest is our own. Two differences
are on purpose. Quotes “ ” ‘ ’, dashes — and … have entries; with the published one they are [UNK].
And there are no `##` pieces of Chinese characters, such as `##的`: the tokenizer splits at every
Chinese character, so none is ever inside a word, and the embedding table has better uses for 7,000
rows. The tokenizer can give every entry except the special ones.
"""

import itertools
from collections.abc import Iterator

from albert_zh.text.wordpiece import split_words
from albert_zh.vocabulary.alphabets import LETTERS, PUNCTUATION, SIGNS, other_chinese_characters
from albert_zh.vocabulary.counting import TextCounts, by_frequency, dictionary_characters
from albert_zh.vocabulary.merges import learn_pieces

PUBLISHED_SIZE = 21128
_UNUSED = [f"[unused{number}]" for number in range(1, 100)]
_SPECIAL = ["[PAD]", *_UNUSED, "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
# Share of word pieces in the entries that are not fixed, if there are as many.
_PIECES_SHARE = 0.25
# Words from which pieces are learnt, the most frequent: some 500 MB at worst.
_MOST_LEARNT = 100_000


def build_entries(counts: TextCounts, *, size: int, do_lower_case: bool = True) -> list[str]:
    """Exactly `size` entries in the order of their ids.

    Raises:
        ValueError: The fixed entries leave no room.
    """
    fixed = [*_SPECIAL, *_fixed_entries(do_lower_case)]
    room = size - len(fixed)
    if room <= 0:
        raise ValueError(
            f"a vocabulary of {size:,} entries is too small: special entries, punctuation and "
            f"letters take {len(fixed):,} already"
        )
    fixed_set = set(fixed)
    characters = by_frequency(counts.characters)
    num_pieces = max(int(room * _PIECES_SHARE), room - len(characters))
    learnt = learn_pieces(frequent_words(counts), limit=num_pieces + len(fixed))
    pieces = [piece for piece in learnt if piece not in fixed_set][:num_pieces]
    entries = [*fixed, *characters[: room - len(pieces)], *pieces]
    fillers = itertools.islice(_fillers(set(entries)), size - len(entries))
    return [*entries, *fillers]


def frequent_words(counts: TextCounts) -> dict[str, int]:
    """The words to learn pieces from, with their counts."""
    return {word: counts.words[word] for word in by_frequency(counts.words)[:_MOST_LEARNT]}


def is_reachable(word: str, do_lower_case: bool) -> bool:
    """True if the tokenizer leaves the word unchanged: it has no capital to lower, for example."""
    return split_words(word, do_lower_case=do_lower_case) == [word]


def _fixed_entries(do_lower_case: bool) -> list[str]:
    in_words = LETTERS + SIGNS
    entries = [*PUNCTUATION, *in_words, *(f"##{letter}" for letter in in_words)]
    return [
        entry
        for entry in dict.fromkeys(entries)
        if is_reachable(entry.removeprefix("##"), do_lower_case)
    ]


def _fillers(entries: set[str]) -> Iterator[str]:
    """Further entries: Chinese characters that are not in the counts, then unused ones."""
    for ranked in (by_frequency(dictionary_characters()), other_chinese_characters()):
        for character in ranked:
            if character not in entries:
                entries.add(character)
                yield character
    yield from (f"[unused{number}]" for number in itertools.count(100))
