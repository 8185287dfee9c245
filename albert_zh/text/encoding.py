"""The result of a tokenizer for a text, and the definition of a Chinese character."""

import dataclasses
import re
from collections.abc import Sequence
from typing import Protocol

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


class Tokenizer(Protocol):
    vocab: Vocab

    def encode(self, text: str) -> Encoding: ...

    def encode_batch(self, texts: Sequence[str]) -> list[Encoding]: ...


def is_chinese(character: str) -> bool:
    """True for ideographs, each of which is a token of its own; False for kana and 。"""
    return _CHINESE.match(character) is not None


def has_chinese(text: str) -> bool:
    """True if any character of the text is Chinese."""
    return _CHINESE.search(text) is not None
