"""A table of similar words, as a file and in token ids.

```
漂亮 美丽 好看 可爱         (漂, 亮) -> (美, 丽), (好, 看), (可, 爱)
高兴 开心 喜出望外         (高, 兴) -> (开, 心)            喜出望外 has too many tokens
```
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from albert_zh.text.tokenizers import Tokenizer
from albert_zh.util.files import read_lines

Ids = tuple[int, ...]


@dataclass(frozen=True)
class SimilarWords:
    """Words and their similar words in token ids."""

    ids: dict[Ids, tuple[Ids, ...]]
    left_out: int  # similar words that cannot stand in the place of their word


@dataclass(frozen=True, eq=False)
class SimilarWordTable:
    """The words as sorted arrays, for many searches at once: W words of at most N tokens.

    A word's key is made of its tokens, the digits of a number to a base beyond all ids. Keys of
    five or more tokens wrap around, so that different words can have the same key.
    """

    powers: np.ndarray  # [N] int64, of the base
    keys: np.ndarray  # [W] int64, ascending
    tokens: np.ndarray  # [W, N] int32
    lengths: np.ndarray  # [W] int32, tokens of the word
    counts: np.ndarray  # [W] int32, number of its similar words
    offsets: np.ndarray  # [W] int32, start of its similar words in `others`
    others: np.ndarray  # int32, tokens of all similar words in a row

    @classmethod
    def of(cls, similar: Mapping[Ids, tuple[Ids, ...]]) -> "SimilarWordTable":
        flat = chain.from_iterable
        longest = max(map(len, similar))
        base = 1 + max(max(word) for word in similar)
        powers = np.cumprod([1, *[base] * (longest - 1)], dtype=np.int64)
        tokens = np.zeros((len(similar), longest), np.int64)
        for row, word in enumerate(similar):
            tokens[row, : len(word)] = word
        keys = tokens @ powers
        order = np.argsort(keys, kind="stable")
        sizes = np.array([len(word) * len(others) for word, others in similar.items()])
        return cls(
            powers=powers,
            keys=keys[order],
            tokens=tokens[order].astype(np.int32),
            lengths=np.array([len(word) for word in similar], np.int32)[order],
            counts=np.array([len(others) for others in similar.values()], np.int32)[order],
            offsets=(np.cumsum(sizes) - sizes).astype(np.int32)[order],
            others=np.array([*flat(flat(similar.values()))], np.int32),
        )


def read_similar_words(
    path: str, tokenizer: Tokenizer, *, batch_size: int = 10_000
) -> SimilarWords:
    """Read a word and its similar words from every line, separated by spaces or tabs.

    A similar word with another number of tokens, or with an unknown token, cannot take the place
    of the word and is left out. Words that the tokenizer makes equal (iPhone, iphone) share their
    similar words. A word is tokenized by itself: SentencePiece, whose tokens depend on the text
    before, then gives the words that follow a space.

    Args:
        path: The table.
        tokenizer: Gives the ids of the words.
        batch_size: Words tokenized at a time; an encoding takes far more memory than its ids.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: A line has no similar words, a word has two lines, or no line is of any use.
    """
    rows = _rows(path)
    words = chain.from_iterable((word, *others) for word, others in rows.items())
    ids = _token_ids(words, tokenizer, batch_size)
    table: dict[Ids, tuple[Ids, ...]] = {}
    left_out = 0
    for word, others in rows.items():
        fitting = _fitting(ids[word], map(ids.get, others), tokenizer.vocab.unk_id)
        left_out += len(others) - len(fitting)
        if fitting:
            table[ids[word]] = tuple(dict.fromkeys((*table.get(ids[word], ()), *fitting)))
    if not table:
        raise ValueError(
            f"{path}: no word has a similar one of as many tokens, all known to the vocabulary; "
            "each line should be a word and its similar words, separated by spaces or tabs"
        )
    return SimilarWords(table, left_out)


def _rows(path: str) -> dict[str, list[str]]:
    """Word -> its similar words; empty lines are skipped."""
    rows: dict[str, list[str]] = {}
    lines: dict[str, int] = {}
    for number, line in enumerate(_lines(path), 1):
        if not line.strip():
            continue
        word, *others = line.split()
        if not others:
            raise ValueError(f"{path}, line {number}: {word} has no similar word beside it")
        if word in rows:
            raise ValueError(
                f"{path}, line {number}: {word} has a line already, {lines[word]}; join the two"
            )
        rows[word], lines[word] = others, number
    return rows


def _lines(path: str) -> Iterator[str]:
    try:
        yield from read_lines(path)
    except FileNotFoundError:
        raise FileNotFoundError(
            f"no table of similar words at {path}; each line of it is a word and its similar words"
        ) from None


def _token_ids(words: Iterable[str], tokenizer: Tokenizer, batch_size: int) -> dict[str, Ids]:
    distinct = list(dict.fromkeys(words))
    ids: dict[str, Ids] = {}
    for begin in range(0, len(distinct), batch_size):
        batch = distinct[begin : begin + batch_size]
        encodings = tokenizer.encode_batch(batch)
        ids.update(zip(batch, (tuple(encoding.ids) for encoding in encodings), strict=True))
    return ids


def _fitting(word: Ids, others: Iterable[Ids], unknown: int) -> Sequence[Ids]:
    """The others that can stand in the place of the word; none if the word itself is unknown."""
    if unknown in word:
        return ()
    return [
        other
        for other in dict.fromkeys(others)
        if len(other) == len(word) and other != word and unknown not in other
    ]
