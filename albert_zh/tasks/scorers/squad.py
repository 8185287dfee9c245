"""Exact match and F1 of SQuAD 1.1 and 2.0, as their evaluations compute them.

```
answer   The  Eiffel-Tower, in 1889!      lower case, ASCII punctuation deleted, the words
         eiffeltower in 1889              a, an, the deleted, blanks joined
```
F1 counts common words, each as often as both have it. A question without an answer has the empty
one. (https://rajpurkar.github.io/SQuAD-explorer)
"""

import collections
import re
import string
from collections.abc import Mapping, Sequence

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLES = re.compile(r"\b(a|an|the)\b")


def scores(predicted: Mapping[str, str], answers: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """`exact_match` and `f1` in percent.

    Where some questions have an answer and others have none, also `has_answer_exact_match`,
    `has_answer_f1`, `no_answer_exact_match`, `no_answer_f1`, over the questions of each.

    Args:
        predicted: Id of a question -> answer, empty for none; a missing one counts as wrong.
        answers: Id of every question -> the right answers; none if the context has no answer.
    """
    exact: dict[str, float] = {}
    f1: dict[str, float] = {}
    for number, right in answers.items():
        # As in the evaluation of 2.0, an answer that is nothing but articles is none.
        right = [each for each in right if answer_text(each)] or [""]
        answer = predicted.get(number)
        exact[number] = 0.0 if answer is None else max(_equals(answer, each) for each in right)
        f1[number] = 0.0 if answer is None else max(_f1(answer, each) for each in right)
    groups = {"": list(answers)}
    with_answer = [number for number, right in answers.items() if any(map(answer_text, right))]
    if 0 < len(with_answer) < len(answers):
        groups["has_answer_"] = with_answer
        groups["no_answer_"] = [number for number in answers if number not in {*with_answer}]
    return {
        f"{group}{name}": 100 * sum(values[number] for number in numbers) / max(len(numbers), 1)
        for group, numbers in groups.items()
        for name, values in (("exact_match", exact), ("f1", f1))
    }


def answer_text(answer: str) -> str:
    """An answer as it is compared.

    >>> answer_text("The  Eiffel-Tower, in 1889!")
    'eiffeltower in 1889'
    """
    return " ".join(_ARTICLES.sub(" ", answer.lower().translate(_PUNCTUATION)).split())


def _equals(predicted: str, right: str) -> float:
    return float(answer_text(predicted) == answer_text(right))


def _f1(predicted: str, right: str) -> float:
    ours, theirs = answer_text(predicted).split(), answer_text(right).split()
    if not ours or not theirs:
        return float(ours == theirs)
    common = sum((collections.Counter(ours) & collections.Counter(theirs)).values())
    if not common:
        return 0.0
    precision, recall = common / len(ours), common / len(theirs)
    return 2 * precision * recall / (precision + recall)
