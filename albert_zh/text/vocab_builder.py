"""Builds a WordPiece vocabulary from counts of characters and words.

    0  [PAD]    1-99  [unused1..99]    100  [UNK]  [CLS]  [SEP]  [MASK]
    104  punctuation    letters and signs, alone and as ##    Chinese characters by frequency
    word pieces (ing, ##tion, 2019) by merging    what is left: rarer Chinese characters

The special entries stand where users of the published vocabulary know them; the rest is our own.
Two things differ on purpose. Quotes “ ” ‘ ’, dashes — and … have entries; the published one makes
them [UNK]. And there are no twins like `##的`: the tokenizer sets every Chinese character apart,
so none is ever inside a word, and 7,000 rows of the embedding table are better spent otherwise.
Every entry but the special ones is one that the tokenizer can give.
"""

import dataclasses
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from albert_zh.files import read_lines
from albert_zh.progress import Progress
from albert_zh.text.alphabets import (
    LATIN_WORDS,
    LETTERS,
    PUNCTUATION,
    SIGNS,
    other_chinese_characters,
)
from albert_zh.text.encoding import is_chinese
from albert_zh.text.merges import learn_pieces
from albert_zh.text.wordpiece import split_words
from albert_zh.text.words import jieba_dictionary

PUBLISHED_SIZE = 21128
_SPECIAL = (
    "[PAD]",
    *(f"[unused{number}]" for number in range(1, 100)),
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
)
# Word pieces get this share of the entries that are not fixed, where there are as many.
_PIECES_SHARE = 0.25


@dataclasses.dataclass(frozen=True)
class TextCounts:
    """How often Chinese characters, and words of other letters, stand in a text."""

    characters: Counter[str]
    words: Counter[str]

    def add(self, words: Iterable[str], *, times: int = 1) -> None:
        for word in words:
            counter = self.characters if is_chinese(word) else self.words
            counter[word] += times


def count_corpus(paths: Sequence[str], *, do_lower_case: bool = True) -> TextCounts:
    """Counts the words of text files, read line by line.

    Raises:
        ValueError: A file is not UTF-8, or there is no text at all.
    """
    counts = TextCounts(Counter(), Counter())
    with Progress(description="counting", unit="line") as progress:
        for path in paths:
            for line in read_lines(path):
                counts.add(split_words(line, do_lower_case=do_lower_case))
                progress.advance()
    if not counts.characters and not counts.words:
        raise ValueError(f"there is no text in {', '.join(paths)}")
    return counts


def count_dictionary(*, do_lower_case: bool = True) -> TextCounts:
    """Counts for a vocabulary without a corpus: jieba's dictionary, common words and numbers."""
    counts = TextCounts(dictionary_characters(), Counter())
    numbers = [*range(100), *range(2030, 1899, -1)]
    for rank, word in enumerate([*LATIN_WORDS.split(), *map(str, numbers)]):
        # Zipf's law: frequency falls with the rank. The numbers only have to leave gaps.
        counts.add(split_words(word, do_lower_case=do_lower_case), times=10**6 // (rank + 10))
    return counts


def dictionary_characters() -> Counter[str]:
    """Chinese characters with the counts that jieba's dictionary has for their words."""
    characters: Counter[str] = Counter()
    for word, count in jieba_dictionary():
        for character in word:
            characters[character] += count
    return Counter(
        {character: characters[character] for character in filter(is_chinese, characters)}
    )


def build_entries(counts: TextCounts, *, size: int, do_lower_case: bool = True) -> list[str]:
    """Exactly `size` entries in the order of their ids.

    Raises:
        ValueError: The size leaves no room beyond the fixed entries.
    """
    fixed = [*_SPECIAL, *_fixed_entries(do_lower_case)]
    room = size - len(fixed)
    if room <= 0:
        raise ValueError(
            f"a vocabulary of {size:,} entries is too small: special entries, punctuation and "
            f"letters take {len(fixed):,} already"
        )
    known = set(fixed)
    characters = _by_frequency(counts.characters)
    num_pieces = max(int(room * _PIECES_SHARE), room - len(characters))
    learned = learn_pieces(counts.words, limit=num_pieces + len(fixed))
    pieces = [piece for piece in learned if piece not in known][:num_pieces]
    counted = [*fixed, *characters[: room - len(pieces)], *pieces]
    fillers = itertools.islice(_fillers(known=set(counted)), size - len(counted))
    return [*counted, *fillers]


def _fixed_entries(do_lower_case: bool) -> list[str]:
    in_words = LETTERS + SIGNS
    entries = [*PUNCTUATION, *in_words, *(f"##{letter}" for letter in in_words)]
    return [
        entry
        for entry in dict.fromkeys(entries)
        if _is_reachable(entry.removeprefix("##"), do_lower_case)
    ]


def _is_reachable(word: str, do_lower_case: bool) -> bool:
    """Whether the tokenizer leaves the word as it is: not a capital it would lower, say."""
    return split_words(word, do_lower_case=do_lower_case) == [word]


def _by_frequency(counter: Counter[str]) -> list[str]:
    return sorted(counter, key=lambda item: (-counter[item], item))


def _fillers(known: set[str]) -> Iterator[str]:
    """Entries for room that is left: Chinese characters that were not counted, then unused ones."""
    for ranked in (_by_frequency(dictionary_characters()), other_chinese_characters()):
        for character in ranked:
            if character not in known:
                known.add(character)
                yield character
    yield from (f"[unused{number}]" for number in itertools.count(100))
