"""Word pieces by merging frequent neighbours, as in byte-pair encoding.

    words      low 5, lower 2, newer 6
    letters    l ##o ##w   l ##o ##w ##e ##r   n ##e ##w ##e ##r
    merges     ##e + ##r -> ##er (8)    ##w + ##er -> ##wer (8)    l + ##o -> lo (7)    ...

`tokenizers` has trainers too; which of two equally frequent pairs they merge has changed between
versions and follows the order of a hash map. Here the result depends on the counts alone.
"""

import heapq
import itertools
from collections import Counter, defaultdict
from collections.abc import Mapping

Pair = tuple[str, str]


def learn_pieces(words: Mapping[str, int], *, limit: int, min_count: int = 2) -> list[str]:
    """The letters of the words, then what merging the most frequent pair again and again gives.

    >>> learn_pieces({"low": 5, "lower": 2, "newer": 6}, limit=9)
    ['##e', '##w', '##r', '##o', 'l', 'n', '##er', '##wer', 'lo']

    Args:
        words: Count of every word.
        limit: Most pieces to return.
        min_count: Letters and pairs that are rarer are left alone.
    """
    corpus = _Corpus(words)
    pieces = dict.fromkeys(corpus.frequent_letters(min_count))
    # Among equally frequent pairs the first in the order of text wins.
    heap = [(-count, pair) for pair, count in corpus.pairs.items()]
    heapq.heapify(heap)
    while heap and len(pieces) < limit:
        negative, pair = heapq.heappop(heap)
        if corpus.pairs[pair] != -negative:
            continue  # Its count has changed since; the new one is in the heap, too.
        if -negative < min_count:
            break
        pieces[joined(pair)] = None
        for changed in corpus.merge(pair):
            heapq.heappush(heap, (-corpus.pairs[changed], changed))
    return list(pieces)[:limit]


def joined(pair: Pair) -> str:
    """
    >>> joined(("lo", "##w"))
    'low'
    """
    return pair[0] + pair[1].removeprefix("##")


class _Corpus:
    """Words as pieces, and how often which pieces are neighbours."""

    def __init__(self, words: Mapping[str, int]):
        self._counts = list(words.values())
        self._words = [[word[0], *(f"##{letter}" for letter in word[1:])] for word in words]
        self.pairs: Counter[Pair] = Counter()
        self._places: defaultdict[Pair, set[int]] = defaultdict(set)
        for number in range(len(self._words)):
            self._count_pairs(number, sign=1)

    def frequent_letters(self, min_count: int) -> list[str]:
        letters: Counter[str] = Counter()
        for word, count in zip(self._words, self._counts, strict=True):
            for letter in word:
                letters[letter] += count
        frequent = [letter for letter, count in letters.items() if count >= min_count]
        return sorted(frequent, key=lambda letter: (-letters[letter], letter))

    def merge(self, pair: Pair) -> set[Pair]:
        """Joins the pair wherever it stands; returns the pairs whose counts changed."""
        changed: set[Pair] = set()
        for number in self._places.pop(pair):
            changed |= self._count_pairs(number, sign=-1)
            self._words[number] = _with_merged(self._words[number], pair)
            changed |= self._count_pairs(number, sign=1)
        return changed

    def _count_pairs(self, number: int, *, sign: int) -> set[Pair]:
        word = self._words[number]
        pairs = list(itertools.pairwise(word))
        for pair in pairs:
            self.pairs[pair] += sign * self._counts[number]
            if sign > 0:
                self._places[pair].add(number)
        return set(pairs)


def _with_merged(word: list[str], pair: Pair) -> list[str]:
    merged: list[str] = []
    for piece in word:
        if merged and (merged[-1], piece) == pair:
            merged[-1] = joined(pair)
        else:
            merged.append(piece)
    return merged
