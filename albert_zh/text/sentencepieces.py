"""SentencePiece with the rules of the published English ALBERT models, and with spans."""

import os
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import sentencepiece

from albert_zh.text.encoding import UNKNOWN_CHARACTER, Encoding
from albert_zh.text.vocab import Vocab

_SPACE_MARK = "\u2581"  # begins a piece that follows a space


class _Piece(NamedTuple):
    token: str
    start: int
    end: int


class SentencePieceTokenizer:
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

    def _pieces(self, text: str) -> Iterator[_Piece]:
        for piece in self._library_pieces(text):
            if piece.token[-1:] == "," and piece.token[-2:-1].isdigit():
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
