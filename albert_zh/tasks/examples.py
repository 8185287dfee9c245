"""What a task's files hold: examples, split into train, dev and test."""

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class Example:
    """One text or text pair. `text_b` is None for a single text, `label` where none is known."""

    text_a: str
    text_b: str | None = None
    label: str | None = None


@dataclasses.dataclass(frozen=True)
class Split:
    """The examples of one file, in its order."""

    name: str  # train, dev or test
    path: str
    examples: tuple[Example, ...]
    header: str | None = None  # the first line, where it named the columns and was left out
