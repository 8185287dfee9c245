"""Splits a paragraph into sentences.

    他来了。你呢？我……我也是！      他来了。 | 你呢？ | 我…… | 我也是！
    “你好。我走了。”他说。          “你好。我走了。” | 他说。
    他问“为什么？”就走了。          one sentence, with a quotation inside
    《你好吗？》是书（真的！）。    one sentence
    用Node.js 3.5版. OK?好。        用Node.js 3.5版. | OK? | 好。

A sentence ends after 。！？ and !?, after …… and after a full stop before white space. Quotes and
brackets that close there are a part of it. It continues before a comma and the like, and never ends
at a semicolon. A quotation, in quotes or brackets, is not split if it closes within `LONGEST_KEPT`
characters: a longer one lacks a mark, or it is a whole text.
"""

import bisect
import itertools
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping

# From a quotation's opening mark to its closing one, in characters: a few spoken sentences.
LONGEST_KEPT = 128

_CLOSING_OF = dict(zip("“‘「『（(【〔[《〈", "”’」』）)】〕]》〉", strict=True))
# Brackets inside a sentence, whose content does not end it.
_ASIDES = frozenset("（(【〔[《〈")

_PAIRED = "".join(itertools.chain(_CLOSING_OF, _CLOSING_OF.values()))
# An apostrophe inside a word is not a quote.
_MARK = re.compile(rf"[\"{re.escape(_PAIRED)}]|(?<![A-Za-z0-9])'|'(?![A-Za-z0-9])")
_END = re.compile(
    r"[。！？｡!?]+|[…⋯]{2,}"
    # A stop after a number or a single letter is part of a list or abbreviation: 3. 苹果, J. Smith
    r"|(?:(?<=[A-Za-z]{2})|(?<=[^A-Za-z0-9.\s]))\.+"
)
_STAYS_AT_END = frozenset("。！？｡!?…⋯.").union(_CLOSING_OF.values())
# Text after the mark if the sentence continues, by the mark.
_CONTINUES = {
    ".": re.compile(r"\S|\s+[a-z，、；：,;:]"),
    "!": re.compile(r"[A-Z0-9=&/_]|\s*[a-z，、；：,;:]"),  # Yahoo! and a != b
    "?": re.compile(r"[A-Z0-9=&/_]|\s*[a-z，、；：,;:]"),  # index.html?page=2
}
_CONTINUES_AFTER_OTHERS = re.compile(r"\s*[，、；：,;:]")


def split_sentences(text: str) -> list[str]:
    """The sentences of a text in their order, without white space around them.

    >>> split_sentences("他说：“你好。我走了。”我问：“去哪儿？”，他没说。")
    ['他说：“你好。我走了。”', '我问：“去哪儿？”，他没说。']

    No other character is lost. The time is linear in the length of any text.
    """
    places = [0, *_cuts(text), len(text)]
    parts = (text[start:end].strip() for start, end in itertools.pairwise(places))
    return [part for part in parts if part]


def _cuts(text: str) -> Iterator[int]:
    """Places between two sentences."""
    opened_at = _quotations(text)
    short = {end: start for end, start in opened_at.items() if end - start <= LONGEST_KEPT}
    is_inside_short = _inside(short)
    cut = 0
    for match in _END.finditer(text):
        if match.start() < cut:
            continue
        cut = _end_of_marks(text, match.end(), opened_at)
        continuation = _CONTINUES.get(text[match.start()], _CONTINUES_AFTER_OTHERS)
        if not (
            is_inside_short(cut)
            or (cut - 1 in short and _is_part_of_sentence(text, short[cut - 1]))
            or continuation.match(text, cut)
        ):
            yield cut


def _quotations(text: str) -> dict[int, int]:
    """The place of every closing quote or bracket, with the place of its opening one.

    >>> _quotations('“a”("b")')
    {2: 0, 6: 4, 7: 3}
    """
    opened_at: dict[int, int] = {}
    open_marks: defaultdict[str, list[int]] = defaultdict(list)  # places by closing mark
    for match in _MARK.finditer(text):
        mark, place = match[0], match.start()
        if mark in _CLOSING_OF:
            open_marks[_CLOSING_OF[mark]].append(place)
        elif open_marks[mark]:
            opened_at[place] = open_marks[mark].pop()
        elif mark in "\"'":  # The same mark opens and closes.
            open_marks[mark].append(place)
    return opened_at


def _inside(quotations: Mapping[int, int]) -> Callable[[int], bool]:
    """A function that is True for a cut between the marks of a quotation."""
    starts = sorted(quotations.values())
    end_of = {start: end for end, start in quotations.items()}
    farthest = list(itertools.accumulate(map(end_of.get, starts), max))

    def is_inside(cut: int) -> bool:
        opened_before = bisect.bisect_left(starts, cut)
        return opened_before > 0 and cut <= farthest[opened_before - 1]

    return is_inside


def _end_of_marks(text: str, place: int, opened_at: Mapping[int, int]) -> int:
    """The place after the marks at `place` that are still part of the sentence's end."""
    while place < len(text) and (text[place] in _STAYS_AT_END or place in opened_at):
        place += 1
    return place


def _is_part_of_sentence(text: str, start: int) -> bool:
    """True if the quotation that starts there does not end the sentence around it.

    Speech follows a sign, as in 他说：“好。”; in 他问“谁？”才走 the quotation is a part.
    """
    return text[start] in _ASIDES or (start > 0 and text[start - 1].isalnum())
