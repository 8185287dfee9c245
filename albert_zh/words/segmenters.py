"""The word segmenters for whole-word masking, by name.

    name      words of 研究生命的起源 iPhone14          user_dict
    jieba     研究 生命 的 起源 ␣ iPhone14              yes         default
    rjieba    the same in nearly every text, faster     yes         package rjieba
    spaces    研究生命的起源 ␣ iPhone14                 no          for segmented text
    none      研 究 生 命 的 起 源 ␣ i P h o n e 1 4    no          the tokenizer's own words

A segmenter gives the spans of all words of a text in order, without gaps, counted in characters. It
takes any text: white space, control characters and lone surrogates too. The words depend on the
text alone, so each worker process can load its own segmenter.

jieba's dictionary is in simplified characters. With `traditional` each character is looked up in
its simplified form. The text keeps its length, so the spans stay right:

    text      他們學習漢語        simplified   他们学习汉语        words   他們 學習 漢語
"""

import functools
import itertools
import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from albert_zh.text.encoding import UNKNOWN_CHARACTER
from albert_zh.util.files import read_lines
from albert_zh.util.optional_packages import load_extra
from albert_zh.words.jieba_segmenter import JiebaSegmenter
from albert_zh.words.names import SEGMENTERS
from albert_zh.words.word_starts import Segmenter, Span, consecutive_spans

UserWord = tuple[str, int | None]

_MOST_TRIED = 100_000  # user words, which takes two seconds
_MOST_NAMED = 10  # in a warning

_COUNT = re.compile("[1-9][0-9]{0,11}")
_TAG = re.compile("[a-z]+")
_SURROGATE = re.compile("[\ud800-\udfff]")
# Blocks of Chinese characters, those of later Unicode versions included.
_CHINESE = (*range(0x3400, 0xA000), *range(0xF900, 0xFB00), *range(0x20000, 0x40000))


def load_segmenter(
    name: str, *, user_dict: str | None = None, traditional: bool = False
) -> Segmenter:
    """The segmenter of that name.

    >>> text = "他来到了网易杭研大厦"
    >>> [text[start:end] for start, end in load_segmenter("jieba")(text)]
    ['他', '来到', '了', '网易', '杭研', '大厦']

    Args:
        name: One of `SEGMENTERS`.
        user_dict: File of further words for jieba and rjieba, one a line: `word [count] [tag]`, as
            in jieba. A word without a count gets one that is large enough to find it. Text is split
            at white space and signs first, so a word with one is never found; a warning names such
            words.
        traditional: Whether texts are in traditional characters. The words of `spaces` and `none`
            do not depend on it.

    Raises:
        ValueError: There is no such segmenter, its package is not installed, it has no dictionary
            to add words to, or a line of the dictionary is wrong; names file and line.
    """
    if name not in SEGMENTERS:
        raise ValueError(f"unknown segmenter {name!r}; choose one of: {', '.join(SEGMENTERS)}")
    if name in _WITHOUT_DICTIONARY:
        if user_dict is not None:
            raise ValueError(
                f"the segmenter {name!r} has no dictionary to add {user_dict} to; choose jieba or "
                "rjieba, or leave the user dictionary out"
            )
        return _WITHOUT_DICTIONARY[name]
    user_words = [] if user_dict is None else list(_read_user_words(user_dict))
    table = simplified_characters() if traditional else {}
    segmenter = _WITH_DICTIONARY[name](
        [(word.translate(table), count) for word, count in user_words]
    )
    if traditional:
        segmenter = functools.partial(_words_of_simplified, table=table, segmenter=segmenter)
    _warn_of_lost_words([word for word, _ in user_words], segmenter, user_dict)
    return segmenter


def jieba_words(text: str) -> list[Span]:
    """Words of jieba's default dictionary and its model for unknown words.

    Capitals are kept, because the dictionary has T恤 and AA制. Punctuation, spaces and characters
    unknown to jieba are words of one character.

    >>> text = "研究生命的起源"
    >>> [text[start:end] for start, end in jieba_words(text)]
    ['研究', '生命', '的', '起源']
    """
    return _default_jieba()(text)


def spaced_words(text: str) -> list[Span]:
    """The words of segmented text, and the white space between them.

    >>> spaced_words("研究 生命")
    [(0, 2), (2, 3), (3, 5)]
    """
    return [match.span() for match in re.finditer(r"\S+|\s+", text)]


def written_words(text: str) -> list[Span]:
    """Every character as a word; only the tokenizer's own words stay together.

    >>> written_words("abc")
    [(0, 1), (1, 2), (2, 3)]
    """
    return list(itertools.pairwise(range(len(text) + 1)))


def _load_jieba(user_words: Sequence[UserWord]) -> Segmenter:
    return JiebaSegmenter(user_words) if user_words else _default_jieba()


@functools.cache
def _default_jieba() -> JiebaSegmenter:
    return JiebaSegmenter()


def _load_rjieba(user_words: Sequence[UserWord]) -> Segmenter:
    library = load_extra("rjieba", purpose="the segmenter 'rjieba'").Jieba()
    for word, count in user_words:
        library.add_word(word, count, None)
    return functools.partial(_rjieba_words, cut=library.cut)


def _rjieba_words(text: str, *, cut: Callable[[str], list[str]]) -> list[Span]:
    try:
        words = cut(text)
    except UnicodeEncodeError:  # The library cannot take lone surrogates.
        words = cut(_SURROGATE.sub(UNKNOWN_CHARACTER, text))
    return consecutive_spans(map(len, words))


def _words_of_simplified(
    text: str, *, table: Mapping[int, str], segmenter: Segmenter
) -> list[Span]:
    return segmenter(text.translate(table))


@functools.cache
def simplified_characters() -> Mapping[int, str]:
    """The characters with another simplified form, and that form: a table for `str.translate`."""
    characters = list(map(chr, _CHINESE))
    converter = load_extra("opencc", purpose="text in traditional script").OpenCC("t2s")
    # One a line, so that neighbours do not form words, whose length could change.
    simplified = converter.convert("\n".join(characters)).split("\n")
    return {
        ord(character): simple
        for character, simple in zip(characters, simplified, strict=True)
        if simple != character and len(simple) == 1
    }


def _read_user_words(path: str) -> Iterator[UserWord]:
    """The words of a dictionary in jieba's format.

    Raises:
        ValueError: A line is not UTF-8 or not an entry, or the file has no entry.
    """
    is_empty = True
    for number, line in enumerate(read_lines(path), start=1):
        fields = line.split()
        if fields:
            is_empty = False
            yield _user_word(fields, place=f"{path}, line {number}")
    if is_empty:
        raise ValueError(f"{path} has no words; write one a line: word [count] [tag]")


def _warn_of_lost_words(words: Sequence[str], segmenter: Segmenter, path: str | None) -> None:
    """Warn of words that are not found even where they stand alone."""
    lost = [word for word in words[:_MOST_TRIED] if segmenter(word) != [(0, len(word))]]
    if lost:
        logging.getLogger(__name__).warning(
            "%s: %s never found in a text, because of white space or a sign in them or too small a "
            "count; such text keeps its other words: %s%s",
            path,
            f"{len(lost):,} words are" if len(lost) > 1 else "a word is",
            ", ".join(map(repr, lost[:_MOST_NAMED])),
            " ..." * (len(lost) > _MOST_NAMED),
        )


def _user_word(fields: list[str], *, place: str) -> UserWord:
    """
    >>> _user_word(["云计算", "5", "n"], place="")
    ('云计算', 5)
    """
    word = list(fields)
    if len(word) > 1 and _TAG.fullmatch(word[-1]):
        word.pop()
    count = int(word.pop()) if len(word) > 1 and _COUNT.fullmatch(word[-1]) else None
    # jieba would read "云计算 -5" as a word with a space.
    for field in filter(_is_number, word[1:]):
        raise ValueError(
            f"{place}: {field!r} is no count of a word; write: word [count] [tag], the count a "
            "whole number from 1 to 999999999999, the tag in small letters"
        )
    return " ".join(word), count


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


_WITHOUT_DICTIONARY: dict[str, Segmenter] = {"spaces": spaced_words, "none": written_words}
_WITH_DICTIONARY: dict[str, Callable[[Sequence[UserWord]], Segmenter]] = {
    "jieba": _load_jieba,
    "rjieba": _load_rjieba,
}
