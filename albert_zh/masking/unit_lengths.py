"""Numbers of words of the units that a run of words is cut into.

```
run of words     我 爱 北京 天安门 今天 真 大            7 words
units           (我 爱)(北京)(天安门 今天 真)(大)       2 + 1 + 3 + 1, always the whole run
```
Lengths that are drawn one after the other do not end with the run, and whatever is done with the
last one changes the proportions: cut, it is a shorter unit; dropped, long ones are missing. So each
length is drawn under the condition that the rest of the run can still be filled. That alone would
favour short units, which fill a run in more ways. It is made up for by the first unit, which is
drawn in proportion to its length: then units have the lengths that are asked for, to 0.1 % in runs
of twice the words of the longest one; and every word is in a unit, those at the ends of a run, too.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

LONGEST_RUN = 512  # words; longer ones begin as runs of so many

# Share of lengths that are not asked for, where a run could not be filled otherwise: by pairs
# alone, a run of three words.
_MAKESHIFT = 1e-9


@dataclass(frozen=True)
class UnitLengths:
    """Probabilities of units of at most 1, 2, ... words, where n words are left of a run.

    Row n has them for all lengths but the longest; they are 1 from n on.
    """

    first: list[list[float]]  # for the first unit of a run
    later: list[list[float]]

    @classmethod
    def of(cls, asked: Sequence[float]) -> "UnitLengths":
        """The tables for units of 1, 2, ... words with the given probabilities.

        >>> tables = UnitLengths.of((0.5, 0.5))
        >>> [round(tables.later[words][0], 3) for words in (1, 2, 3, 4, 500)]
        [1.0, 0.333, 0.6, 0.455, 0.5]
        """
        shares = [share + _MAKESHIFT for share in asked]
        # Of a run of n words: the probability that lengths drawn one after the other fill it.
        fills, first, later = [1.0], [[1.0] * (len(asked) - 1)], [[1.0] * (len(asked) - 1)]
        for words in range(1, LONGEST_RUN + 1):
            longest = min(words, len(shares))
            ways = [shares[size - 1] * fills[words - size] for size in range(1, longest + 1)]
            fills.append(sum(ways))
            later.append(_up_to(ways, len(shares)))
            first.append(_up_to([size * way for size, way in enumerate(ways, 1)], len(shares)))
        return cls(first, later)


def _up_to(weights: Sequence[float], longest: int) -> list[float]:
    """Shares of lengths of at most 1, 2, ... of all, without that of at most `longest`."""
    total = sum(weights)
    shares = [weight / total for weight in itertools.accumulate(weights[:-1])]
    return shares + [1.0] * (longest - 1 - len(shares))
