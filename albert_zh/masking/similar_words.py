"""A table of similar words, as a file and in token ids.

```
漂亮 美丽 好看 可爱         (漂, 亮) -> (美, 丽), (好, 看), (可, 爱)
高兴 开心 喜出望外         (高, 兴) -> (开, 心)            喜出望外 has too many tokens
```
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from albert_zh.text.tokenizers import Tokenizer
from albert_zh.util.files import read_lines

_BATCH = 10_000  # words tokenized at a time: an encoding takes far more memory than its ids

Ids = tuple[int, ...]


@dataclass(frozen=True)
class SimilarWords:
    """Words and their similar ones in token ids, and how many similar ones were of no use."""

    ids: dict[Ids, tuple[Ids, ...]]
    left_out: int


def read_similar_words(path: str, tokenizer: Tokenizer) -> SimilarWords:
    """Reads a word and its similar words from every line, parted by spaces or tabs.

    A similar word of another number of tokens, or with an unknown one, cannot take the place of
    the word: it is left out. Words that the tokenizer makes equal (iPhone, iphone) share their
    similar words. A word is tokenized by itself, so that SentencePiece, whose tokens depend on
    what stands before, gives the words that follow a space.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: A line has no similar words, a word has two lines, or no line is of any use.
    """
    rows = _rows(path)
    ids = _token_ids(
        chain.from_iterable((word, *others) for word, others in rows.items()), tokenizer
    )
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
            "each line should be a word and its similar words, parted by spaces or tabs"
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


def _token_ids(words: Iterable[str], tokenizer: Tokenizer) -> dict[str, Ids]:
    distinct = list(dict.fromkeys(words))
    ids: dict[str, Ids] = {}
    for begin in range(0, len(distinct), _BATCH):
        batch = distinct[begin : begin + _BATCH]
        encodings = tokenizer.encode_batch(batch)
        ids.update(zip(batch, (tuple(encoding.ids) for encoding in encodings), strict=True))
    return ids


def _fitting(word: Ids, others: Iterable[Ids], unknown: int) -> Sequence[Ids]:
    """Those that can stand in the place of the word; none if the word itself is unknown."""
    if unknown in word:
        return ()
    return [
        other
        for other in dict.fromkeys(others)
        if len(other) == len(word) and other != word and unknown not in other
    ]
