"""WordPiece as the published code does it, by the `tokenizers` library.

Where the library's Unicode tables or rules differ from the published code's, the text is adapted
before (`_with_published_rules`). What may still differ are code points whose Unicode properties
changed after Unicode 11, on which the published code itself depends on the Python that runs it,
and U+111C9 in texts that are not lower-cased.
"""

import functools
import os
import re
import unicodedata
from collections.abc import Iterator, Sequence

from tokenizers import Tokenizer as LibraryTokenizer
from tokenizers import models, normalizers, pre_tokenizers

from albert_zh.text.encoding import UNKNOWN_CHARACTER, Encoding, is_chinese
from albert_zh.text.vocab import Vocab

# A longer word, in characters after normalisation, is unknown as a whole.
MAX_WORD_LENGTH = 200

_PRE_TOKENIZER = pre_tokenizers.BertPreTokenizer()

# All but these characters need the library; each of these is a token of its own, whatever stands
# beside it. (Not ‘ ’ ：, through which a capital sigma sees the letters before it.)
_OTHERS = re.compile("[^\u4e00-\u9fff，。、；？！“”（）《》【】—…]+")

# On texts of these characters alone the library and the published code agree; nearly all are such.
_RARE = re.compile("[^\t\n\r -~\u2010-\u2027\u3000-\u9fff\uff01-\uff5e]")


class WordPieceTokenizer:
    """Words into the longest pieces the vocabulary has; pieces inside a word begin with `##`.

    >>> vocab = Vocab(("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "我", "爱", "al", "##bert"))
    >>> encoding = WordPieceTokenizer(vocab).encode("我爱 ALBERT！")
    >>> encoding.tokens
    ['我', '爱', 'al', '##bert', '[UNK]']
    >>> encoding.spans
    [(0, 1), (1, 2), (3, 5), (5, 9), (9, 10)]

    Names of special entries in a text, such as "[MASK]", are plain text.
    """

    def __init__(self, vocab: Vocab, *, do_lower_case: bool = True):
        self.vocab = vocab
        self._lower = do_lower_case
        self._library = LibraryTokenizer(
            models.WordPiece(
                vocab.ids,
                unk_token=vocab.tokens[vocab.unk_id],
                max_input_chars_per_word=MAX_WORD_LENGTH,
            )
        )
        self._library.normalizer = _normalizer(do_lower_case)
        self._library.pre_tokenizer = _PRE_TOKENIZER

    def encode(self, text: str) -> Encoding:
        return self.encode_batch([text])[0]

    def encode_batch(self, texts: Sequence[str]) -> list[Encoding]:
        """Like `encode` for each text, on all processor cores."""
        prepared = [
            _prepared(part, lower=self._lower) for text in texts for part in _OTHERS.findall(text)
        ]
        found = self._library.encode_batch([part for part, _ in prepared], add_special_tokens=False)
        parts = (_encoding(one, origins) for one, (_, origins) in zip(found, prepared, strict=True))
        return [self._joined(text, parts) for text in texts]

    def _joined(self, text: str, parts: Iterator[Encoding]) -> Encoding:
        """The encoding of a text, whose parts of other than single characters are encoded."""
        joined = Encoding([], [], [])
        place = 0
        for other in _OTHERS.finditer(text):
            self._add_characters(joined, text, place, other.start())
            part, place = next(parts), other.start()
            joined.ids.extend(part.ids)
            joined.tokens.extend(part.tokens)
            joined.spans.extend((place + start, place + end) for start, end in part.spans)
            place = other.end()
        self._add_characters(joined, text, place, len(text))
        return joined

    def _add_characters(self, joined: Encoding, text: str, start: int, end: int) -> None:
        ids, unknown = self.vocab.ids, self.vocab.unk_id
        added = [ids.get(character, unknown) for character in text[start:end]]
        joined.ids.extend(added)
        joined.tokens.extend(map(self.vocab.tokens.__getitem__, added))
        joined.spans.extend(zip(range(start, end), range(start + 1, end + 1), strict=True))


def split_words(text: str, *, do_lower_case: bool) -> list[str]:
    """The words that WordPiece cuts into pieces, each on its own.

    >>> split_words("我爱 Café（x2）", do_lower_case=True)
    ['我', '爱', 'cafe', '（', 'x2', '）']
    """
    prepared, _ = _prepared(text, lower=do_lower_case)
    normalized = _normalizer(do_lower_case).normalize_str(prepared)
    return [word for word, _ in _PRE_TOKENIZER.pre_tokenize_str(normalized)]


@functools.cache
def _normalizer(lower: bool) -> normalizers.Normalizer:
    # clean_text would drop private-use characters; _with_published_rules cleans instead.
    return normalizers.BertNormalizer(
        clean_text=False, handle_chinese_chars=True, strip_accents=lower, lowercase=lower
    )


def _prepared(text: str, *, lower: bool) -> tuple[str, list[int] | None]:
    if _RARE.search(text) is None:
        return text, None
    return _with_published_rules(text, lower=lower)


def _encoding(found, origins: list[int] | None) -> Encoding:
    spans = found.offsets
    if origins is not None:
        spans = [(origins[start], origins[end - 1] + 1) for start, end in spans]
    return Encoding(found.ids, found.tokens, spans)


def _with_published_rules(text: str, *, lower: bool) -> tuple[str, list[int]]:
    """A text the library treats as the published code treats `text`.

    Control characters are dropped and the rest is kept; ideographs and punctuation stand apart
    also where the library does not know them as such; capital sigma becomes the final form at the
    end of a word.

    Returns:
        The text, and for each of its characters the position in the one given.
    """
    kept = [place for place, character in enumerate(text) if not _is_dropped(character, lower)]
    adapted = "".join(text[place] for place in kept)
    if lower:
        adapted = _with_final_sigmas(adapted)
    characters: list[str] = []
    origins: list[int] = []
    for place, character in zip(kept, adapted, strict=True):
        spaced = _spaced(character)
        characters.append(spaced)
        origins += [place] * len(spaced)
    return "".join(characters), origins


def _is_dropped(character: str, lower: bool) -> bool:
    if character in "\t\n\r":
        return False
    category = unicodedata.category(character)
    return category in ("Cc", "Cf") or character == "\ufffd" or (lower and category == "Mn")


def _with_final_sigmas(text: str) -> str:
    # İ is the one character whose lower case is longer; I serves as well around a sigma.
    lowered = text.replace("İ", "I").lower()
    return "".join("ς" if low == "ς" else given for given, low in zip(text, lowered, strict=True))


def _spaced(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cs":
        return UNKNOWN_CHARACTER
    if category.startswith("P") or is_chinese(character):
        return f" {character} "
    return character


def _work_without_threads_in_forked_children() -> None:
    """Lets a process fork after `encode_batch` has used the library's threads.

    The threads are not there in the child, on which `tokenizers` 0.21 prints a warning a child.
    Children work alone, as workers of a pool should. A value of the variable that somebody else
    set is left alone.
    """
    variable, added = "TOKENIZERS_PARALLELISM", False

    def before() -> None:
        nonlocal added
        added = variable not in os.environ
        os.environ.setdefault(variable, "false")

    def after_in_parent() -> None:
        if added:
            os.environ.pop(variable, None)

    os.register_at_fork(before=before, after_in_parent=after_in_parent)


if hasattr(os, "register_at_fork"):  # Windows has none, and does not fork.
    _work_without_threads_in_forked_children()
