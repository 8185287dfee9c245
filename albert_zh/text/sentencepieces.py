"""SentencePiece with the rules of the published English ALBERT models, and with spans."""

import functools
import itertools
import os
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import sentencepiece

from albert_zh.text.encoding import UNKNOWN_CHARACTER, Encoding, FlatEncodings
from albert_zh.text.special_tokens import SpecialTokens
from albert_zh.text.vocab import Vocab
from albert_zh.util.files import atomic_write

_SPACE_MARK = "\u2581"  # begins a piece that follows a space


class _Piece(NamedTuple):
    token: str
    start: int
    end: int


class SentencePieceTokenizer(SpecialTokens):
    """Pieces of a SentencePiece model, with the rules of the published ALBERT v2 models.

    Spaces are collapsed, compatibility forms are resolved, combining marks are removed and, with
    `do_lower_case`, letters are lower-cased. A piece that ends in a digit and a comma ("1," of
    "1,000") is split again.
    """

    def __init__(
        self, processor: sentencepiece.SentencePieceProcessor, *, do_lower_case: bool = True
    ):
        self._processor = processor
        self._lower = do_lower_case
        self.vocab = Vocab(
            tuple(processor.id_to_piece(number) for number in range(processor.get_piece_size()))
        )

    @classmethod
    def load(cls, path: str, *, do_lower_case: bool = True) -> "SentencePieceTokenizer":
        if not os.path.isfile(path):
            raise FileNotFoundError(f"no SentencePiece model at {path}")
        try:
            processor = sentencepiece.SentencePieceProcessor(model_file=path)
        except RuntimeError as error:
            raise ValueError(f"{path} is not a SentencePiece model: {error}") from None
        try:
            return cls(processor, do_lower_case=do_lower_case)
        except ValueError as error:
            raise ValueError(
                f"{path}: {error} Train it with --pad_piece=<pad> --pad_id=0 --unk_id=1 "
                "--control_symbols=[CLS],[SEP],[MASK]"
            ) from None

    def encode(self, text: str) -> Encoding:
        plain, origins = _with_plain_characters(text, lower=self._lower)
        origins.append(len(text))
        encoding = Encoding([], [], [])
        for token, start, end in self._pieces(plain):
            encoding.ids.append(self.vocab.ids.get(token, self.vocab.unk_id))
            encoding.tokens.append(token)
            start += len(plain[start:end]) - len(plain[start:end].lstrip(" "))
            last = origins[end - 1] + 1 if end > start else origins[start]
            encoding.spans.append((origins[start], last))
        return encoding

    def encode_batch(self, texts: Sequence[str]) -> list[Encoding]:
        return [self.encode(text) for text in texts]

    def encode_flat(self, texts: Sequence[str], *, with_spans: bool = False) -> FlatEncodings:
        """Tokens of all texts; without spans, the library finds them on all cores."""
        if with_spans:
            encodings = {text: self.encode(text) for text in dict.fromkeys(texts)}
            return FlatEncodings.join([encodings[text] for text in texts])
        rows = self._processor.encode([self._plain_text(text) for text in texts], out_type=int)
        for number, ids in enumerate(rows):
            if not self._not_final.isdisjoint(ids):
                rows[number] = self.encode(texts[number]).ids
        offsets = np.cumsum([0, *map(len, rows)], dtype=np.int64)
        return FlatEncodings(np.fromiter(itertools.chain(*rows), np.int32, offsets[-1]), offsets)

    def save_vocabulary(self, directory: str) -> tuple[str, ...]:
        path = os.path.join(directory, "spm.model")
        with atomic_write(path) as file:
            file.write(self._processor.serialized_model_proto())
        return (*super().save_vocabulary(directory), path)

    def _plain_text(self, text: str) -> str:
        if not text.isascii():
            return _with_plain_characters(text, lower=self._lower)[0]
        collapsed = " ".join(text.split())
        return collapsed.lower() if self._lower else collapsed

    @functools.cached_property
    def _not_final(self) -> frozenset[int]:
        """Ids of the library that `encode` may replace."""
        numbers = (number for token, number in self.vocab.ids.items() if _ends_in_comma(token))
        return frozenset([self.vocab.unk_id, *numbers])

    def _pieces(self, text: str) -> Iterator[_Piece]:
        for piece in self._library_pieces(text):
            if _ends_in_comma(piece.token):
                yield from self._split_at_comma(piece)
            else:
                yield piece

    def _encode_as_proto(self, text: str):
        # sentencepiece 0.2.2 renamed it.
        processor = self._processor
        encode = getattr(processor, "EncodeAsProto", None) or processor.EncodeAsImmutableProto
        return encode(text)

    def _library_pieces(self, text: str) -> Iterator[_Piece]:
        place = 0
        # Surfaces are searched in their order, because the begin and end of a piece are characters
        # in some versions of the library and bytes in others.
        for piece in self._encode_as_proto(text).pieces:
            start = text.index(piece.surface, place)
            place = start + len(piece.surface)
            yield _Piece(piece.piece, start, place)

    def _split_at_comma(self, piece: _Piece) -> Iterator[_Piece]:
        number = piece.token[:-1].replace(_SPACE_MARK, "")
        start = piece.end - 1 - len(number)
        for part in self._library_pieces(number):
            token = part.token
            if part.start == 0 and not piece.token.startswith(_SPACE_MARK):
                token = token.removeprefix(_SPACE_MARK)
            if token:
                yield _Piece(token, start + part.start, start + part.end)
        yield _Piece(",", piece.end - 1, piece.end)


def _ends_in_comma(token: str) -> bool:
    return token[-1:] == "," and token[-2:-1].isdigit()


def _with_plain_characters(text: str, *, lower: bool) -> tuple[str, list[int]]:
    """The text as prepared for the published models, and the origin of each of its characters."""
    characters: list[str] = []
    origins: list[int] = []
    for word in re.finditer(r"\S+", text):
        if characters:
            characters.append(" ")
            origins.append(word.start() - 1)
        for place in range(*word.span()):
            plain = _plain(text[place])
            characters.append(plain)
            origins += [place] * len(plain)
    resolved = "".join(characters)
    return resolved.lower() if lower else resolved, origins


def _plain(character: str) -> str:
    if unicodedata.category(character) == "Cs":
        return UNKNOWN_CHARACTER
    parts = unicodedata.normalize("NFKD", character)
    return "".join(part for part in parts if not unicodedata.combining(part))
