"""Counts of a text to build a vocabulary of: Chinese characters, and words of other letters.

```
我爱我家，OK        characters  我 2  爱 1  家 1        words  ， 1  ok 1
```
"""

import dataclasses
import re
from collections import Counter
from collections.abc import Iterable, Iterator

from albert_zh.text.encoding import UNKNOWN_CHARACTER, is_chinese
from albert_zh.text.wordpiece import MAX_WORD_LENGTH, split_words
from albert_zh.util.process_pool import run_jobs_in_order
from albert_zh.vocabulary.alphabets import LATIN_WORDS
from albert_zh.words.jieba_segmenter import jieba_dictionary

# Different words of other letters that are counted: under 100 MB.
_MOST_WORDS = 500_000
_BATCH = 1 << 18  # characters, half a second of work
# Nearly all Chinese characters of any text, and no rule changes their form.
_COMMON_CHINESE = re.compile("[\u4e00-\u9fff]+")


@dataclasses.dataclass(frozen=True)
class TextCounts:
    """Counts of a text."""

    characters: Counter[str]  # Chinese ones
    words: Counter[str]  # of other letters
    # Running words in neither: "unknowable" ones, which no vocabulary has, and "forgotten" ones,
    # which were rare and dropped to save memory.
    left_out: Counter[str] = dataclasses.field(default_factory=Counter)

    def add(self, words: Iterable[str], *, times: int = 1) -> None:
        for word in words:
            if is_chinese(word):
                self.characters[word] += times
            elif len(word) > MAX_WORD_LENGTH or UNKNOWN_CHARACTER in word:
                self.left_out["unknowable"] += times
            else:
                self.words[word] += times

    def update(self, other: "TextCounts") -> None:
        """Add the counts of another text."""
        for own, others in zip(vars(self).values(), vars(other).values(), strict=True):
            own.update(others)

    def total(self) -> int:
        """Words and Chinese characters of the text, without forgotten ones."""
        return self.characters.total() + self.words.total() + self.left_out["unknowable"]

    def forget_rare_words(self, keep: int) -> None:
        """Keep the `keep` most frequent words; among equals, the first in the order of Unicode."""
        for word in by_frequency(self.words)[keep:]:
            self.left_out["forgotten"] += self.words.pop(word)


def count_texts(
    texts: Iterable[str],
    *,
    do_lower_case: bool = True,
    most_words: int = _MOST_WORDS,
    batch_size: int = _BATCH,
    num_workers: int = 1,
) -> TextCounts:
    """Count the words of texts, split as by the tokenizer.

    >>> counts = count_texts(["我爱我家，OK", "ok"])
    >>> dict(counts.characters), dict(counts.words)
    ({'我': 2, '爱': 1, '家': 1}, {'，': 1, 'ok': 2})

    Args:
        texts: Iterated once, so that they need not be in memory together.
        do_lower_case: Lower-case the texts and strip accents first.
        most_words: If there are more different words, the rarer half of them is forgotten, so that
            a corpus of any size is counted in bounded memory.
        batch_size: Characters that a process counts at a time.
        num_workers: Processes; the counts do not depend on them.
    """
    counts = TextCounts(Counter(), Counter())
    job = _CountJob(do_lower_case)
    batches = _batches(texts, batch_size)
    # Which words are forgotten depends on the order.
    for batch in run_jobs_in_order(job, batches, num_workers=num_workers):
        counts.update(batch)
        if len(counts.words) > most_words:
            counts.forget_rare_words(keep=most_words // 2)
    return counts


@dataclasses.dataclass(frozen=True)
class _CountJob:
    """The counts of one batch of texts."""

    do_lower_case: bool

    def __call__(self, texts: list[str]) -> TextCounts:
        counts = TextCounts(Counter(), Counter())
        for text in texts:
            # Four times as fast as splitting everything by the tokenizer's rules.
            counts.characters.update("".join(_COMMON_CHINESE.findall(text)))
            rest = _COMMON_CHINESE.sub(" ", text)
            counts.add(split_words(rest, do_lower_case=self.do_lower_case))
        return counts


def _batches(texts: Iterable[str], size: int) -> Iterator[list[str]]:
    """Groups of texts of at least `size` characters; the last one may have fewer."""
    batch: list[str] = []
    length = 0
    for text in texts:
        batch.append(text)
        length += len(text)
        if length >= size:
            yield batch
            batch, length = [], 0
    if batch:
        yield batch


def count_dictionary(*, do_lower_case: bool = True) -> TextCounts:
    """Counts for a vocabulary without a corpus: jieba's dictionary, common words and numbers."""
    counts = TextCounts(dictionary_characters(), Counter())
    numbers = [*range(100), *range(2030, 1899, -1)]
    for rank, word in enumerate([*LATIN_WORDS.split(), *map(str, numbers)]):
        # Zipf's law: frequency falls with the rank. Any counts with gaps between them would do.
        counts.add(split_words(word, do_lower_case=do_lower_case), times=10**6 // (rank + 10))
    return counts


def dictionary_characters() -> Counter[str]:
    """Chinese characters with the sums of the counts of their words in jieba's dictionary."""
    characters: Counter[str] = Counter()
    for word, count in jieba_dictionary():
        for character in word:
            characters[character] += count
    return Counter(
        {character: characters[character] for character in filter(is_chinese, characters)}
    )


def by_frequency(counter: Counter[str]) -> list[str]:
    """The items, the most frequent first; among equals in the order of Unicode."""
    return sorted(counter, key=lambda item: (-counter[item], item))
