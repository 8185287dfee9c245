"""WordPiece with the results of the published code, by the library `tokenizers`.

If the library's Unicode tables or rules differ from those of the published code, the text is
adapted first (`_with_published_rules`). Two differences remain: code points whose properties have
changed since Unicode 11, for which the published code depends on the version of Python, and U+111C9
in texts that are not lower-cased.
"""

import functools
import itertools
import os
import re
import sys
import unicodedata
from collections.abc import Sequence

import numpy as np
from tokenizers import Tokenizer as LibraryTokenizer
from tokenizers import models, normalizers, pre_tokenizers

from albert_zh.text.encoding import UNKNOWN_CHARACTER, Encoding, FlatEncodings, is_chinese
from albert_zh.text.special_tokens import SpecialTokens
from albert_zh.text.vocab import Vocab

# Characters after normalisation. A longer word is a single [UNK].
MAX_WORD_LENGTH = 200

_PRE_TOKENIZER = pre_tokenizers.BertPreTokenizer()

# Each of these is always a token of its own, and the library gets only the runs between them. (Not
# ‘ ’ ：, because the form of a capital sigma depends on the letters before them.)
_SINGLE = re.compile("[\u4e00-\u9fff，。、；？！“”（）《》【】—…]")
_CODES = 2**16  # all of them are below it
_OF_RUN = -1  # in place of an id
_BORDER = "。"  # one of them, to keep texts apart

# Texts without any of these, nearly all, need no adaptation for the library.
_RARE = re.compile("[^\t\n\r -~\u2010-\u2027\u3000-\u9fff\uff01-\uff5e]")


class WordPieceTokenizer(SpecialTokens):
    """Splits words into the longest pieces of the vocabulary; pieces inside a word begin with `##`.

    >>> vocab = Vocab(("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "我", "爱", "al", "##bert"))
    >>> encoding = WordPieceTokenizer(vocab).encode("我爱 ALBERT！")
    >>> encoding.tokens
    ['我', '爱', 'al', '##bert', '[UNK]']
    >>> encoding.spans
    [(0, 1), (1, 2), (3, 5), (5, 9), (9, 10)]

    The names of special entries, such as "[MASK]", are plain text.
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
        return self.encode_flat(texts, with_spans=True).split(self.vocab)

    def encode_flat(self, texts: Sequence[str], *, with_spans: bool = False) -> FlatEncodings:
        """Tokens of all texts; no work for each character, and the library's on all cores."""
        whole = _BORDER.join(texts)
        codes = np.frombuffer(whole.encode("utf-32-le", "surrogatepass"), np.uint32)
        ids = self._ids_of_codes[np.minimum(codes, _CODES - 1)]  # [C], a character each
        lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        begins = np.cumsum(lengths + 1) - lengths - 1  # of the texts in `whole`
        counts = (ids != _OF_RUN).astype(np.int64)  # tokens that begin at each character
        counts[begins[1:] - 1] = 0  # borders
        run_begins, runs = _runs(ids, whole)
        run_ids, run_spans, counts[run_begins] = self._encode_runs(runs, with_spans)
        token_ids = np.repeat(ids, counts)  # [T]
        is_of_run = token_ids == _OF_RUN
        token_ids[is_of_run] = run_ids
        ends = np.append(0, np.cumsum(counts))  # tokens before each character
        offsets = np.append(ends[begins], ends[-1])
        spans = None
        if with_spans:
            places = np.repeat(np.arange(len(ids)), counts)
            places -= np.repeat(begins, np.diff(offsets))
            spans = np.stack([places, places + 1], axis=1).astype(np.int32)
            spans[is_of_run] = places[is_of_run, None] + run_spans
        return FlatEncodings(token_ids, offsets, spans)

    @property
    def do_lower_case(self) -> bool:
        return self._lower

    @functools.cached_property
    def _ids_of_codes(self) -> np.ndarray:
        table = np.full(_CODES, _OF_RUN, np.int32)
        for character in _SINGLE.findall("".join(map(chr, range(_CODES)))):
            table[ord(character)] = self.vocab.ids.get(character, self.vocab.unk_id)
        return table

    def _encode_runs(
        self, runs: Sequence[str], with_spans: bool
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Token ids `[T]`, spans `[T, 2]` and number of tokens of each run."""
        distinct = {run: number for number, run in enumerate(dict.fromkeys(runs))}
        adapted = [_adapt(run, lower=self._lower) for run in distinct]
        results = self._library.encode_batch([run for run, _ in adapted], add_special_tokens=False)
        of_run = [distinct[run] for run in runs]
        ids = [result.ids for result in results]
        counts = np.array([len(ids[number]) for number in of_run], np.int64)
        run_ids = list(itertools.chain.from_iterable(ids[number] for number in of_run))
        spans = []
        if with_spans:
            of_distinct = [
                _spans(result, origins)
                for result, (_, origins) in zip(results, adapted, strict=True)
            ]
            spans = list(itertools.chain.from_iterable(of_distinct[number] for number in of_run))
        return np.array(run_ids, np.int32), np.array(spans, np.int64).reshape(-1, 2), counts


def _runs(ids: np.ndarray, whole: str) -> tuple[np.ndarray, list[str]]:
    """Begins of the runs for the library, and the runs."""
    is_of_run = np.concatenate([[False], ids == _OF_RUN, [False]])
    edges = np.flatnonzero(is_of_run[1:] != is_of_run[:-1])
    begins, ends = edges[::2], edges[1::2]
    return begins, [
        whole[begin:end] for begin, end in zip(begins.tolist(), ends.tolist(), strict=True)
    ]


def split_words(text: str, *, do_lower_case: bool) -> list[str]:
    """The words of a text, which WordPiece splits into pieces one by one.

    >>> split_words("我爱 Café（x2）", do_lower_case=True)
    ['我', '爱', 'cafe', '（', 'x2', '）']
    """
    adapted_text, _ = _adapt(text, lower=do_lower_case)
    normalized = _normalizer(do_lower_case).normalize_str(adapted_text)
    return [word for word, _ in _PRE_TOKENIZER.pre_tokenize_str(normalized)]


@functools.cache
def character_rules(*, do_lower_case: bool) -> dict[str, str]:
    """Characters that change inside a word, and the text that they become.

    >>> rules = character_rules(do_lower_case=True)
    >>> rules["É"], rules["，"], rules["我"], rules["\u3000"], rules["\u200b"]
    ('e', ' ， ', ' 我 ', ' ', '')
    >>> "e" in rules
    False

    With them, and a split at spaces, other programs get the words of `split_words`, but for the
    form of a sigma at the end of a word.
    """
    rules = {}
    for character in map(chr, range(sys.maxunicode + 1)):
        if unicodedata.category(character) not in ("Cn", "Co", "Cs"):
            words = split_words(f"a{character}a", do_lower_case=do_lower_case)
            result = " ".join(words)[1:-1]
            if result != character:
                rules[character] = result
    return rules


@functools.cache
def _normalizer(lower: bool) -> normalizers.Normalizer:
    # clean_text would drop private-use characters; _with_published_rules cleans instead.
    return normalizers.BertNormalizer(
        clean_text=False, handle_chinese_chars=True, strip_accents=lower, lowercase=lower
    )


def _adapt(text: str, *, lower: bool) -> tuple[str, list[int] | None]:
    """The text for the library, and the origins of its characters; None if nothing changed."""
    if _RARE.search(text) is None:
        return text, None
    return _with_published_rules(text, lower=lower)


def _spans(result, origins: list[int] | None) -> list[tuple[int, int]]:
    if origins is None:
        return result.offsets
    return [(origins[start], origins[end - 1] + 1) for start, end in result.offsets]


def _with_published_rules(text: str, *, lower: bool) -> tuple[str, list[int]]:
    """A text for which the library gives the published code's result for `text`.

    Control characters are removed. Ideographs and punctuation get spaces around them, in case the
    library does not know them. Capital sigma at the end of a word becomes the final form.

    Returns:
        The new text, and the position of each of its characters in `text`.
    """
    kept = [place for place, character in enumerate(text) if not _is_dropped(character, lower)]
    adapted = "".join(text[place] for place in kept)
    if lower:
        adapted = _with_final_sigmas(adapted)
    characters: list[str] = []
    origins: list[int] = []
    for place, character in zip(kept, adapted, strict=True):
        replacement = _with_spaces(character)
        characters.append(replacement)
        origins += [place] * len(replacement)
    return "".join(characters), origins


def _is_dropped(character: str, lower: bool) -> bool:
    if character in "\t\n\r":
        return False
    category = unicodedata.category(character)
    return category in ("Cc", "Cf") or character == "\ufffd" or (lower and category == "Mn")


def _with_final_sigmas(text: str) -> str:
    # İ is the only character whose lower case is longer; beside a sigma, I has the same effect.
    lowered = text.replace("İ", "I").lower()
    return "".join("ς" if low == "ς" else given for given, low in zip(text, lowered, strict=True))


def _with_spaces(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cs":
        return UNKNOWN_CHARACTER
    if category.startswith("P") or is_chinese(character):
        return f" {character} "
    return character


def _work_without_threads_in_forked_children() -> None:
    """Let a process fork after `encode_batch` has used the library's threads.

    A child has none of these threads, and `tokenizers` 0.21 prints a warning in each child.
    Children use a single thread, as workers of a pool should. A value that is set already stays.
    """
    variable, is_ours = "TOKENIZERS_PARALLELISM", False

    def before() -> None:
        nonlocal is_ours
        is_ours = variable not in os.environ
        os.environ.setdefault(variable, "false")

    def after_in_parent() -> None:
        if is_ours:
            os.environ.pop(variable, None)

    os.register_at_fork(before=before, after_in_parent=after_in_parent)


if hasattr(os, "register_at_fork"):  # Windows has none, and does not fork.
    _work_without_threads_in_forked_children()
