"""Results of a tokenizer for a text and for many, and the definition of a Chinese character."""

import dataclasses
import itertools
import re
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from albert_zh.text.vocab import Vocab

_CHINESE_RANGES = (
    "\u4e00-\u9fff\u3400-\u4dbf\U00020000-\U0002a6df\U0002a700-\U0002b73f"
    "\U0002b740-\U0002b81f\U0002b820-\U0002ceaf\uf900-\ufaff\U0002f800-\U0002fa1f"
)
_CHINESE = re.compile(f"[{_CHINESE_RANGES}]")

# Replaces a lone surrogate, which the libraries reject: unknown to any reasonable vocabulary.
UNKNOWN_CHARACTER = "\ue000"


@dataclasses.dataclass(frozen=True)
class Encoding:
    """Tokens of one text; token i comes from `text[start:end]`, where (start, end) is `spans[i]`.

    Spans count characters of the original text, not of its normalised form. They are in order; if
    one character becomes several tokens (lower-cased Hangul), all of them have its span.
    """

    ids: list[int]
    tokens: list[str]
    spans: list[tuple[int, int]]


@dataclasses.dataclass(frozen=True)
class FlatEncodings:
    """Tokens of N texts, one after the other: much smaller and faster than N encodings.

    ```
    texts    我爱你          你好
    ids      我 爱 你 | 你 好
    offsets  0         3     5
    ```
    """

    ids: np.ndarray  # [T] int32
    offsets: np.ndarray  # [N + 1] int64, start of each text; the last is the end
    spans: np.ndarray | None = None  # [T, 2] int32, as those of an `Encoding`; None: not asked for

    @classmethod
    def join(cls, encodings: Sequence[Encoding]) -> "FlatEncodings":
        """The tokens of encodings."""
        ids = [number for encoding in encodings for number in encoding.ids]
        spans = [span for encoding in encodings for span in encoding.spans]
        offsets = np.cumsum([0, *(len(encoding.ids) for encoding in encodings)], dtype=np.int64)
        return cls(np.array(ids, np.int32), offsets, np.array(spans, np.int32).reshape(-1, 2))

    def split(self, vocab: Vocab) -> list[Encoding]:
        """An encoding for each text; needs spans."""
        offsets, ids = self.offsets.tolist(), self.ids.tolist()
        tokens = [vocab.tokens[number] for number in ids]
        spans = list(zip(*self.spans.T.tolist(), strict=True))
        return [
            Encoding(ids[start:end], tokens[start:end], spans[start:end])
            for start, end in itertools.pairwise(offsets)
        ]

    def text(self, number: int) -> slice:
        """Place of the tokens of a text."""
        return slice(self.offsets[number], self.offsets[number + 1])


class Tokenizer(Protocol):
    vocab: Vocab

    def encode(self, text: str) -> Encoding: ...

    def encode_batch(self, texts: Sequence[str]) -> list[Encoding]: ...

    def encode_flat(self, texts: Sequence[str], *, with_spans: bool = False) -> FlatEncodings: ...

    def save_vocabulary(self, directory: str) -> tuple[str, ...]: ...


def is_chinese(character: str) -> bool:
    """True for ideographs, each of which is a token of its own; False for kana and 。"""
    return _CHINESE.match(character) is not None


def has_chinese(text: str) -> bool:
    """True if any character of the text is Chinese."""
    return _CHINESE.search(text) is not None
