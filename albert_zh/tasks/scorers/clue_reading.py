"""Exact match and F1 of CMRC 2018 and DRCD, as CLUE's evaluation computes them.

```
answer      《三国志》 1889年       for EM: marks of _MARKS deleted, lower case, ends stripped
F1 tokens   三 国 志 1889 年        Chinese characters one by one, other runs by NLTK's tokenizer
overlap     the longest common run of tokens
```
The metric is not SQuAD's: F1 counts a common run, not a bag of tokens.
(https://github.com/ymcui/cmrc2018/blob/master/squad-style-data/cmrc2018_evaluate.py)
"""

import functools
import re
from collections.abc import Mapping, Sequence

from albert_zh.util.optional_packages import load_extra

# The script also lists the ellipsis of two characters, but compares single ones with its list.
_MARKS = re.compile(r"[-:_*^/\\~`+=，。：？！“”；’《》·、「」（）－～『』]")
NEEDS = "nltk.tokenize"
_CHINESE = re.compile(r"[\u4e00-\u9fa5]")


def scores(predicted: Mapping[str, str], answers: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """`exact_match`, `f1` and `average`, the mean of both, in percent.

    Args:
        predicted: Id of a question -> answer; a missing one counts as wrong.
        answers: Id of every question -> the right answers, none where no answer is right.
    """
    exact = f1 = 0.0
    for number, right in answers.items():
        if not right:  # CLUE's files have an answer to every question; those of users need not
            is_right = predicted.get(number) == ""
            exact, f1 = exact + is_right, f1 + is_right
            continue
        if number not in predicted:
            continue
        answer = predicted[number]
        exact += max(float(answer_text(answer) == answer_text(each)) for each in right)
        f1 += max(_f1(answer, each) for each in right)
    count = max(len(answers), 1)
    exact, f1 = 100 * exact / count, 100 * f1 / count
    return {"exact_match": exact, "f1": f1, "average": (exact + f1) / 2}


def answer_text(answer: str) -> str:
    """An answer as it is compared for an exact match.

    >>> answer_text(" 《三国志》、1889年 ")
    '三国志1889年'
    """
    return _MARKS.sub("", answer.lower().strip())


def answer_tokens(answer: str) -> list[str]:
    """Tokens of an answer for F1."""
    tokens: list[str] = []
    for run in re.split(f"({_CHINESE.pattern})", answer_text(answer)):
        tokens += [run] if _CHINESE.fullmatch(run) else _words(run)
    return tokens


def _words(run: str) -> list[str]:
    return _tokenizer().tokenize(run) if run.strip() else []


@functools.cache
def _tokenizer():
    return load_extra(NEEDS, purpose="the F1 of CMRC 2018 and DRCD").NLTKWordTokenizer()


def _f1(predicted: str, right: str) -> float:
    ours, theirs = answer_tokens(predicted), answer_tokens(right)
    common = longest_common_run(ours, theirs)
    if not common:
        return 0.0
    precision, recall = common / len(ours), common / len(theirs)
    return 2 * precision * recall / (precision + recall)


def longest_common_run(first: Sequence[str], second: Sequence[str]) -> int:
    """Length of the longest run of tokens that both have.

    >>> longest_common_run("abcde", "xbcdy")
    3
    """
    longest, before = 0, [0] * (len(second) + 1)
    for token in first:
        now = [0] * (len(second) + 1)
        for place, other in enumerate(second, start=1):
            if token == other:
                now[place] = before[place - 1] + 1
        longest, before = max(longest, *now), now
    return longest
