"""Word pieces by merging frequent pairs of neighbours: byte-pair encoding.

    words      low 5, lower 2, newer 6
    letters    l ##o ##w   l ##o ##w ##e ##r   n ##e ##w ##e ##r
    merges     ##e + ##r -> ##er (8)    ##w + ##er -> ##wer (8)    l + ##o -> lo (7)    ...

The result depends on the counts alone. The trainers of `tokenizers` are no substitute: which of two
equally frequent pairs they merge first depends on the order of a hash map, so that two runs on
jieba's dictionary differ in 14 of 2,677 pieces (0.23.3). They also take no counts: every word has
to be repeated, which takes 50 times as long as this module for that dictionary.
"""

import heapq
import itertools
from collections import Counter, defaultdict
from collections.abc import Mapping

Pair = tuple[str, str]


def learn_pieces(words: Mapping[str, int], *, limit: int, min_count: int = 2) -> list[str]:
    """The letters of the words, then the pieces from merging the most frequent pair repeatedly.

    >>> learn_pieces({"low": 5, "lower": 2, "newer": 6}, limit=9)
    ['##e', '##w', '##r', '##o', 'l', 'n', '##er', '##wer', 'lo']

    Args:
        words: The count of every word.
        limit: Most pieces to return.
        min_count: Least count of a letter or a pair.
    """
    corpus = _Corpus(words)
    pieces = dict.fromkeys(corpus.frequent_letters(min_count))
    # Among equally frequent pairs the first in the order of Unicode wins.
    heap = [(-count, pair) for pair, count in corpus.pairs.items()]
    heapq.heapify(heap)
    while heap and len(pieces) < limit:
        negative, pair = heapq.heappop(heap)
        if corpus.pairs[pair] != -negative:
            continue  # Its count has changed since then; the heap has the new one too.
        if -negative < min_count:
            break
        pieces[join(pair)] = None
        for changed in corpus.merge(pair):
            heapq.heappush(heap, (-corpus.pairs[changed], changed))
    return list(pieces)[:limit]


def join(pair: Pair) -> str:
    """The piece of a pair.

    >>> join(("lo", "##w"))
    'low'
    """
    return pair[0] + pair[1].removeprefix("##")


class _Corpus:
    """Words as pieces, and the counts of neighbouring pairs."""

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
        """Merge the pair in all words; return the pairs whose counts changed."""
        changed: set[Pair] = set()
        for number in self._places.pop(pair):
            changed |= self._count_pairs(number, sign=-1)
            self._words[number] = _merge_in_word(self._words[number], pair)
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


def _merge_in_word(word: list[str], pair: Pair) -> list[str]:
    pieces: list[str] = []
    for piece in word:
        if pieces and (pieces[-1], piece) == pair:
            pieces[-1] = join(pair)
        else:
            pieces.append(piece)
    return pieces
