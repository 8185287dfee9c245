"""Limits of a number that a user gives."""

import math
from dataclasses import dataclass

# Most whole numbers go to TensorFlow, which takes them as 32 bits.
_LARGEST = 2**31 - 1


@dataclass(frozen=True)
class Bounds:
    """Limits of a number; what is None does not limit it, except that whole numbers
    fit into 32 bits unless a greater limit is stated.

    >>> Bounds(above=0, at_most=1)
    Bounds(at_least=None, above=0, below=None, at_most=1)
    >>> str(Bounds(above=0, at_most=1))
    'more than 0 and at most 1'
    """

    at_least: float | None = None
    above: float | None = None
    below: float | None = None
    at_most: float | None = None

    def __str__(self) -> str:
        limits = {
            "at least": self.at_least,
            "more than": self.above,
            "less than": self.below,
            "at most": self.at_most,
        }
        return " and ".join(
            f"{name} {_digits(limit)}" for name, limit in limits.items() if limit is not None
        )

    def problem(self, value: float) -> str | None:
        """The reason why a value is not allowed; None if it is.

        Infinity and NaN are never allowed.

        >>> Bounds(at_least=1).problem(0), Bounds().problem(math.nan), Bounds().problem(-5)
        ('it must be at least 1', 'it must be a finite number', None)
        >>> Bounds(at_least=1).problem(10**20)
        'it must be at most 2147483647'
        """
        if isinstance(value, float) and not math.isfinite(value):
            return "it must be a finite number"
        if (
            (self.at_least is not None and value < self.at_least)
            or (self.above is not None and value <= self.above)
            or (self.below is not None and value >= self.below)
            or (self.at_most is not None and value > self.at_most)
        ):
            return f"it must be {self}"
        if isinstance(value, int) and self.at_most is None and value > _LARGEST:
            return f"it must be at most {_LARGEST}"
        if isinstance(value, int) and value < -_LARGEST:
            return f"it must be at least {-_LARGEST}"
        return None


def _digits(limit: float) -> str:
    return str(limit) if isinstance(limit, int) else f"{limit:g}"
