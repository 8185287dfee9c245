"""A paragraph becomes sentences, as the corpus has them: one a line.

    他来了。你呢？我……我也是！      他来了。 | 你呢？ | 我…… | 我也是！
    “你好。我走了。”他说。          “你好。我走了。” | 他说。
    他问“为什么？”就走了。          one sentence: the quotation is a part of it
    《你好吗？》是书（真的！）。    one sentence
    用Node.js 3.5版. OK?好。        用Node.js 3.5版. | OK? | 好。

A sentence ends after 。！？ and !?, after …… and after a full stop with white space behind it. The
quotes and brackets that close there belong to it. It goes on where a comma or the like follows, and
a semicolon ends none. What stands in quotes or brackets stays together if they close within
`LONGEST_KEPT` characters: otherwise a mark was forgotten, or a whole text is quoted.
"""

import bisect
import itertools
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping

# From a quotation's opening mark to its closing one, in characters: a few spoken sentences.
LONGEST_KEPT = 128

_CLOSING_OF = dict(zip("“‘「『（(【〔[《〈", "”’」』）)】〕]》〉", strict=True))
# These stand inside a sentence: their content ends none.
_ASIDES = frozenset("（(【〔[《〈")

_PAIRED = "".join(itertools.chain(_CLOSING_OF, _CLOSING_OF.values()))
# An apostrophe inside a word is no mark.
_MARK = re.compile(rf"[\"{re.escape(_PAIRED)}]|(?<![A-Za-z0-9])'|'(?![A-Za-z0-9])")
_END = re.compile(
    r"[。！？｡!?]+|[…⋯]{2,}"
    # The stop behind a number or a single letter counts or shortens: 3. 苹果, J. Smith, U.S.
    r"|(?:(?<=[A-Za-z]{2})|(?<=[^A-Za-z0-9.\s]))\.+"
)
_STAYS_AT_END = frozenset("。！？｡!?…⋯.").union(_CLOSING_OF.values())
# What follows when a sentence is not at its end, by the first mark of the end.
_GOES_ON = {
    ".": re.compile(r"\S|\s+[a-z，、；：,;:]"),
    "!": re.compile(r"[A-Z0-9=&/_]|\s*[a-z，、；：,;:]"),  # Yahoo! and a != b
    "?": re.compile(r"[A-Z0-9=&/_]|\s*[a-z，、；：,;:]"),  # index.html?page=2
}
_GOES_ON_ELSEWHERE = re.compile(r"\s*[，、；：,;:]")


def split_sentences(text: str) -> list[str]:
    """The sentences of a text in their order, without white space around them.

    >>> split_sentences("他说：“你好。我走了。”我问：“去哪儿？”，他没说。")
    ['他说：“你好。我走了。”', '我问：“去哪儿？”，他没说。']

    Nothing else is lost. Time grows with the length of the text, whatever stands in it.
    """
    places = [0, *_cuts(text), len(text)]
    parts = (text[start:end].strip() for start, end in itertools.pairwise(places))
    return [part for part in parts if part]


def _cuts(text: str) -> Iterator[int]:
    """Places between two sentences."""
    opened_at = _quotations(text)
    kept = {end: start for end, start in opened_at.items() if end - start <= LONGEST_KEPT}
    is_inside_kept = _inside(kept)
    cut = 0
    for match in _END.finditer(text):
        if match.start() < cut:
            continue
        cut = _end_of_marks(text, match.end(), opened_at)
        goes_on = _GOES_ON.get(text[match.start()], _GOES_ON_ELSEWHERE)
        if not (
            is_inside_kept(cut)
            or (cut - 1 in kept and _is_part_of_sentence(text, kept[cut - 1]))
            or goes_on.match(text, cut)
        ):
            yield cut


def _quotations(text: str) -> dict[int, int]:
    """For the place of every mark that closes a quote or bracket, where that was opened.

    >>> _quotations('“a”("b")')
    {2: 0, 6: 4, 7: 3}
    """
    opened_at: dict[int, int] = {}
    waiting: defaultdict[str, list[int]] = defaultdict(list)  # by closing mark
    for match in _MARK.finditer(text):
        mark, place = match[0], match.start()
        if mark in _CLOSING_OF:
            waiting[_CLOSING_OF[mark]].append(place)
        elif waiting[mark]:
            opened_at[place] = waiting[mark].pop()
        elif mark in "\"'":  # The same mark opens and closes.
            waiting[mark].append(place)
    return opened_at


def _inside(quotations: Mapping[int, int]) -> Callable[[int], bool]:
    """Tells of a cut at a place whether it is between the marks of a quotation."""
    starts = sorted(quotations.values())
    end_of = {start: end for end, start in quotations.items()}
    farthest = list(itertools.accumulate(map(end_of.get, starts), max))

    def is_inside(cut: int) -> bool:
        opened_before = bisect.bisect_left(starts, cut)
        return opened_before > 0 and cut <= farthest[opened_before - 1]

    return is_inside


def _end_of_marks(text: str, place: int, opened_at: Mapping[int, int]) -> int:
    """The place behind the marks from `place` on that still belong to the end of a sentence."""
    while place < len(text) and (text[place] in _STAYS_AT_END or place in opened_at):
        place += 1
    return place


def _is_part_of_sentence(text: str, opened: int) -> bool:
    """Whether what is quoted or bracketed from `opened` on ends no sentence, though it has an end.

    Speech stands after a sign, as in 他说：“好。”; in 他问“谁？”才走 the quotation is a part.
    """
    return text[opened] in _ASIDES or (opened > 0 and text[opened - 1].isalnum())
