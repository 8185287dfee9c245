"""Examples of a task, split into train, dev and test.

An example of any kind has `texts`, which tell whether two are alike, `shared_texts`, which are seen
either in training or in validation, `named_texts` for people, and `label`, None where it is not
known.
"""

import dataclasses
from typing import Any


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

    @property
    def shared_texts(self) -> tuple[str, ...]:
        return self.texts

    @property
    def named_texts(self) -> dict[str, Any]:
        return dict(zip(("text_a", "text_b"), self.texts, strict=False))


@dataclasses.dataclass(frozen=True, slots=True)
class ChoiceExample:
    """A choice between answers to a question about a text; the label is the number of one."""

    text: str
    question: str
    choices: tuple[str, ...]
    label: str | None = None
    id: str | None = None
    # Place in the text, in characters; what is around it is kept if the text is too long.
    kept: int = 0
    passage: str | None = None  # what several texts were made of, with a blank each

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.text, self.question, *self.choices)

    @property
    def shared_texts(self) -> tuple[str, ...]:
        passage = self.passage or self.text
        return (passage,) if passage else self.texts

    @property
    def named_texts(self) -> dict[str, Any]:
        return {"text": self.text, "question": self.question, "choices": list(self.choices)}


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """A part of a context, `context[start : start + len(text)]`."""

    text: str
    start: int  # in characters


@dataclasses.dataclass(frozen=True, slots=True)
class ReadingExample:
    """A question whose answer is a part of a context."""

    question: str
    context: str
    answers: tuple[Answer, ...] | None = None  # none: the context has no answer; None: not known
    id: str | None = None

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.question, self.context)

    @property
    def shared_texts(self) -> tuple[str, ...]:
        return (self.context,)

    @property
    def named_texts(self) -> dict[str, Any]:
        return {"question": self.question, "context": self.context}

    @property
    def label(self) -> str | None:
        """The first answer; empty where the context has none."""
        if self.answers is None:
            return None
        return self.answers[0].text if self.answers else ""


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Entity:
    """A marked part of a text, `text[start:end]`."""

    start: int  # in characters
    end: int
    type: str


@dataclasses.dataclass(frozen=True, slots=True)
class TaggingExample:
    """A text with marked parts."""

    text: str
    entities: tuple[Entity, ...] | None = None  # None: not known
    id: str | None = None

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.text,)

    @property
    def shared_texts(self) -> tuple[str, ...]:
        return self.texts

    @property
    def named_texts(self) -> dict[str, Any]:
        return {"text": self.text}

    @property
    def label(self) -> str | None:
        """The marked parts as a text."""
        if self.entities is None:
            return None
        return " ".join(f"{each.start}:{each.end}:{each.type}" for each in sorted(self.entities))


def text_example(texts: tuple[str, ...]) -> Example:
    """A text or a pair of texts, to be judged.

    Raises:
        ValueError: There are none or more.
    """
    if len(texts) not in (1, 2):
        raise ValueError(f"{texts!r} is neither a text nor a pair of texts")
    return Example(*texts)


@dataclasses.dataclass(frozen=True)
class Split:
    """The examples of one file, in its order; or of several, one after the other."""

    name: str  # train, dev or test
    path: str  # for messages
    examples: tuple[Any, ...]  # all of one class of this module
    header: str | None = None  # the first line, where it named the columns and was left out
    notes: tuple[str, ...] = ()  # decisions of the reader that a user should know, for the log
    sha256: str = ""  # of the file or files, see `splits.fingerprint`
    rows: int | None = None  # of the file, where an example is less than one

    @property
    def num_rows(self) -> int:
        """Number that the size of a dataset counts."""
        return len(self.examples) if self.rows is None else self.rows
