"""What every tokenizer gives for a text, and what counts as a Chinese character."""

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

# Stands for a lone surrogate, which the libraries cannot take: unknown in any sane vocabulary.
UNKNOWN_CHARACTER = "\ue000"


@dataclasses.dataclass(frozen=True)
class Encoding:
    """Tokens of one text; `spans[i]` is where token i stands, so that `text[start:end]` shows it.

    Spans count characters of the text as it was given, not of its normalised form. They follow
    one another; a character that becomes several tokens (Hangul, lower-cased) gives all of them
    its own span.
    """

    ids: list[int]
    tokens: list[str]
    spans: list[tuple[int, int]]


class Tokenizer(Protocol):
    vocab: Vocab

    def encode(self, text: str) -> Encoding: ...

    def encode_batch(self, texts: Sequence[str]) -> list[Encoding]: ...


def is_chinese(character: str) -> bool:
    """Whether the tokenizers make one token of the character: ideographs, but not kana or 。"""
    return _CHINESE.match(character) is not None


def has_chinese(text: str) -> bool:
    """Whether any character of the text is Chinese."""
    return _CHINESE.search(text) is not None
