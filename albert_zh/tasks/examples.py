"""Examples of a task, split into train, dev and test."""

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class Example:
    """One text or text pair. `text_b` is None for a single text, `label` where none is known."""

    text_a: str
    text_b: str | None = None
    label: str | None = None
    id: str | None = None  # of the file, which may have none

    @property
    def texts(self) -> tuple[str, ...]:
        """The one or two texts."""
        return (self.text_a,) if self.text_b is None else (self.text_a, self.text_b)


@dataclasses.dataclass(frozen=True)
class Split:
    """The examples of one file, in its order."""

    name: str  # train, dev or test
    path: str
    examples: tuple[Example, ...]
    header: str | None = None  # the first line, where it named the columns and was left out
    notes: tuple[str, ...] = ()  # decisions of the reader that a user should know, for the log
