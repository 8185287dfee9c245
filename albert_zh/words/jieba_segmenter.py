"""jieba's words, from jieba's own tables, in less than half of its time.

    text            他来到了网易杭研大厦。
    runs            他来到了网易杭研大厦  。
    best path       他 来到 了 网易 杭 研 大厦      the likeliest words of the dictionary
    unknown words   他 来到 了 网易 杭研 大厦       found among single neighbours

jieba computes the logarithm of every count again for every text, and keeps whole paths in its model
of unknown words. Here logarithms are computed once. Sums are added in jieba's order, so the words
are the same even if two paths are equally likely; the tests compare them with the package.
"""

import itertools
import math
import re
import warnings
from collections.abc import Iterable, Iterator

from albert_zh.words.word_starts import Span, consecutive_spans

with warnings.catch_warnings():
    # jieba 0.42.1 has string literals that newer Pythons warn of, and imports pkg_resources.
    warnings.simplefilter("ignore")
    import jieba
    from jieba import finalseg

# Runs of characters that words consist of; every other character is a word of its own.
_WORD_RUN = re.compile(r"[\u4e00-\u9fd5a-zA-Z0-9+#&._%\-]+|\r\n|.", re.DOTALL)
# Group 1: characters for the model of unknown words. Everything else is one word.
_UNKNOWN_PART = re.compile(
    r"([\u4e00-\u9fd5]+)|[a-zA-Z0-9]+(?:\.\d+)?%?|[^\u4e00-\u9fd5a-zA-Z0-9]+"
)

_IMPOSSIBLE = -math.inf

# States of a character in its word, and the log-probabilities of their transitions.
_BEGIN, _MIDDLE, _END, _SINGLE = range(4)
_STATES = "BMES"
_BEGIN_TO_END, _BEGIN_TO_MIDDLE = finalseg.trans_P["B"]["E"], finalseg.trans_P["B"]["M"]
_MIDDLE_TO_END, _MIDDLE_TO_MIDDLE = finalseg.trans_P["M"]["E"], finalseg.trans_P["M"]["M"]
_END_TO_BEGIN, _END_TO_SINGLE = finalseg.trans_P["E"]["B"], finalseg.trans_P["E"]["S"]
_SINGLE_TO_BEGIN, _SINGLE_TO_SINGLE = finalseg.trans_P["S"]["B"], finalseg.trans_P["S"]["S"]
_UNSEEN = (finalseg.MIN_FLOAT,) * len(_STATES)
_EMISSIONS: dict[str, tuple[float, ...]] = {
    character: tuple(finalseg.emit_P[state].get(character, finalseg.MIN_FLOAT) for state in _STATES)
    for character in itertools.chain.from_iterable(map(finalseg.emit_P.get, _STATES))
}


def jieba_dictionary() -> Iterator[tuple[str, int]]:
    """The words of jieba's default dictionary with their counts, in its order."""
    with jieba.Tokenizer().get_dict_file() as lines:
        for line in lines:
            word, count = line.decode().split()[:2]
            yield word, int(count)


class JiebaSegmenter:
    """Words of jieba's default dictionary and its model for unknown words.

    >>> text = "他来到了网易杭研大厦"
    >>> [text[start:end] for start, end in JiebaSegmenter()(text)]
    ['他', '来到', '了', '网易', '杭研', '大厦']

    It does not depend on words that were added to `jieba.cut`.
    """

    def __init__(self, user_words: Iterable[tuple[str, int | None]] = ()):
        """
        Args:
            user_words: Words to add, with their counts; None is a count that is large enough to
                find the word.
        """
        tokenizer = jieba_tokenizer()
        for word, count in user_words:
            tokenizer.add_word(word, count)
        log_total = math.log(tokenizer.total)
        weights = {
            count: math.log(count) - log_total if count else _IMPOSSIBLE
            for count in dict.fromkeys(tokenizer.FREQ.values())
        }
        # Log-probability of every word; a beginning of words that is no word is impossible.
        self._weights = {word: weights[count] for word, count in tokenizer.FREQ.items()}
        self._unknown = math.log(1) - log_total

    def __call__(self, text: str) -> list[Span]:
        lengths: list[int] = []
        for run in _WORD_RUN.findall(text):
            lengths += self._lengths(run)
        return consecutive_spans(lengths)

    def _lengths(self, run: str) -> list[int]:
        """Lengths of the words of a run; neighbouring single characters go to the model."""
        ends = self._best_ends(run)
        lengths: list[int] = []
        start = first_single = 0  # single characters from `first_single` to `start`
        while start < len(run):
            end = ends[start]
            if end - start > 1:
                if first_single < start:
                    lengths += self._unknown_lengths(run[first_single:start])
                lengths.append(end - start)
                first_single = end
            start = end
        if first_single < start:
            lengths += self._unknown_lengths(run[first_single:start])
        return lengths

    def _best_ends(self, run: str) -> list[int]:
        """For every place in the run the end of the next word on the best path from there."""
        weight_of, unknown, length = self._weights.get, self._unknown, len(run)
        ends = list(range(1, length + 1))
        totals = [0.0] * (length + 1)
        best = 0.0
        for start in range(length - 1, -1, -1):
            best += weight_of(run[start], unknown)
            end = start + 2
            while end <= length:
                weight = weight_of(run[start:end])
                if weight is None:
                    break
                weight += totals[end]
                if weight >= best:  # among equals the longer word
                    best, ends[start] = weight, end
                end += 1
            if best == _IMPOSSIBLE:
                best, ends[start] = unknown + totals[start + 1], start + 1
            totals[start] = best
        return ends

    def _unknown_lengths(self, characters: str) -> list[int]:
        """Lengths of words that are not in the dictionary, from single characters."""
        if len(characters) == 1:
            return [1]
        if self._weights.get(characters, _IMPOSSIBLE) != _IMPOSSIBLE:
            return [1] * len(characters)  # a word of the dictionary, but not on the best path
        lengths: list[int] = []
        for match in _UNKNOWN_PART.finditer(characters):
            lengths += _hidden_lengths(match[0]) if match[1] else [len(match[0])]
        return lengths


def _hidden_lengths(characters: str) -> list[int]:
    """Lengths of the words of Chinese characters by the hidden Markov model."""
    states = _likeliest_states(characters)
    ends = [place for place, state in enumerate(states, start=1) if state in (_END, _SINGLE)]
    return [end - start for start, end in itertools.pairwise([0, *ends])]


def _likeliest_states(characters: str) -> list[int]:
    """Viterbi's algorithm. Among equals jieba takes the state with the greater letter."""
    emitted = _EMISSIONS.get(characters[0], _UNSEEN)
    begin, middle, end, single = (
        finalseg.start_P[state] + emission for state, emission in zip(_STATES, emitted, strict=True)
    )
    steps: list[tuple[int, int, int, int]] = []  # for each state the one before it
    for character in characters[1:]:
        to_begin, to_middle, to_end, to_single = _EMISSIONS.get(character, _UNSEEN)
        begin_from_end = end + _END_TO_BEGIN + to_begin
        begin_from_single = single + _SINGLE_TO_BEGIN + to_begin
        middle_from_begin = begin + _BEGIN_TO_MIDDLE + to_middle
        middle_from_middle = middle + _MIDDLE_TO_MIDDLE + to_middle
        end_from_begin = begin + _BEGIN_TO_END + to_end
        end_from_middle = middle + _MIDDLE_TO_END + to_end
        single_from_end = end + _END_TO_SINGLE + to_single
        single_from_single = single + _SINGLE_TO_SINGLE + to_single
        steps.append(
            (
                _SINGLE if begin_from_single >= begin_from_end else _END,
                _MIDDLE if middle_from_middle >= middle_from_begin else _BEGIN,
                _MIDDLE if end_from_middle >= end_from_begin else _BEGIN,
                _SINGLE if single_from_single >= single_from_end else _END,
            )
        )
        begin = max(begin_from_single, begin_from_end)
        middle = max(middle_from_middle, middle_from_begin)
        end = max(end_from_middle, end_from_begin)
        single = max(single_from_single, single_from_end)
    states = [_SINGLE if single >= end else _END]
    for step in reversed(steps):
        states.append(step[states[-1]])
    return states[::-1]


def jieba_tokenizer() -> jieba.Tokenizer:
    """jieba's default dictionary, read without its cache file and its log lines.

    jieba caches the parsed dictionary under a fixed name in the shared temporary directory, and
    trusts that file whichever user or version wrote it. Parsing takes no longer than reading the
    cache: half a second.
    """
    tokenizer = jieba.Tokenizer()
    tokenizer.FREQ, tokenizer.total = tokenizer.gen_pfdict(tokenizer.get_dict_file())
    tokenizer.initialized = True
    return tokenizer
