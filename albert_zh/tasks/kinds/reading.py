"""Extractive reading: the answer to a question is a part of a context.

```
row          [CLS] question [SEP] window of the context [SEP]
windows      0 1 2 3 4 5 | 3 4 5 6 7 8 | 6 7 8 9     of tokens; they overlap by `_STRIDE`
targets      start, end of the answer in the row; [CLS] for both where the window has none
outputs      start_logits, end_logits [N, L]
predictions  TextPrediction("1889年", 0.83)
```
A long context becomes several windows (Devlin et al. 2019, section 4.2). The answer of an example
is the span of the largest sum of start and end over all its windows.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from albert_zh.tasks.examples import ReadingExample
from albert_zh.tasks.features import NO_CHARACTER, Features
from albert_zh.tasks.row_writer import RowWriter, Segments, encode_texts, room_for_text
from albert_zh.tasks.scorers import classes
from albert_zh.tasks.submissions import answer_object
from albert_zh.tasks.task import Kind, Outputs
from albert_zh.text.tokenizers import Tokenizer
from albert_zh.util.progress import Progress

LONGEST_ANSWER = 128  # tokens; in CMRC2018, one of 10,121 has more
_LONGEST_QUESTION = 64  # tokens; the rest of a row is context
_STRIDE = 128  # tokens from one window to the next, or less where the windows are short
_CANDIDATES = 20  # starts and ends of a window that are combined
_NEVER = -1e4  # logit of padding


@dataclasses.dataclass(frozen=True)
class TextPrediction:
    """The likeliest answer; empty for none."""

    text: str
    score: float  # sum of the logits of its start and end
    start: int | None = None  # place of its first character in the context; None: it is empty
    end: int | None = None  # place after its last


def featurize(
    examples: Sequence[ReadingExample],
    *,
    labels: Sequence[str],
    tokenizer: Tokenizer,
    max_seq_length: int,
    progress: Progress | None = None,
) -> Features:
    """Windows of the contexts, and where in them the first answer stands.

    Args:
        examples: Questions and contexts.
        labels: None, or the one for no answer; as of the other kinds.
        tokenizer: Turns texts into token ids and spans.
        max_seq_length: Longest window in tokens, with question and special tokens.
        progress: Told about every example done.

    Raises:
        ValueError: `max_seq_length` leaves no room for question and context.
    """
    limit = room_for_text(max_seq_length, 2)
    longest, num_truncated = longest_question(max_seq_length), 0
    rows = RowWriter(tokenizer.vocab)
    targets: list[tuple[int, int]] = []
    texts = [(example.question, example.context) for example in examples]
    for start, (questions, contexts) in encode_texts(texts, tokenizer, with_spans=(False, True)):
        lengths = np.diff(questions.offsets)
        num_truncated += int((lengths > longest).sum())
        asked = np.minimum(lengths, longest)
        parts: list[tuple[int, int, int]] = []  # question, begin and end of the window
        for number, num_asked in enumerate(asked.tolist()):
            place = contexts.text(number)
            answer = _answer_tokens(examples[start + number], contexts.spans[place])
            for begin, end in windows(place.stop - place.start, limit - num_asked):
                parts.append((number, begin, end))
                targets.append(_target(answer, begin, end, num_asked + 2))
        numbers, begins, ends = np.array(parts).T
        rows.add(
            [
                Segments(questions, questions.offsets[numbers], asked[numbers]),
                Segments(contexts, contexts.offsets[numbers] + begins, ends - begins),
            ],
            examples=start + numbers,
        )
        if progress is not None:
            progress.advance(len(asked))
    spans = np.array(targets, np.int32).reshape(-1, 2)
    return rows.features({"answer_spans": spans}, num_truncated=num_truncated)


def longest_question(max_seq_length: int) -> int:
    """Tokens of a question at most; what is beyond them is cut off."""
    return min(_LONGEST_QUESTION, room_for_text(max_seq_length, 2) // 2)


def windows(num_tokens: int, width: int) -> list[tuple[int, int]]:
    """Begin and end of each window over the tokens of a context.

    >>> windows(10, 6)
    [(0, 6), (3, 9), (6, 10)]
    """
    stride = min(_STRIDE, max(1, width // 2))
    begins = [0]
    while begins[-1] + width < num_tokens:
        begins.append(begins[-1] + stride)
    return [(begin, min(begin + width, num_tokens)) for begin in begins]


def _answer_tokens(example: ReadingExample, spans: np.ndarray) -> tuple[int, int] | None:
    """First and last token of the first answer; None where there is none."""
    if not example.answers:
        return None
    start = example.answers[0].start
    end = start + len(example.answers[0].text)
    inside = np.flatnonzero((spans[:, 0] < end) & (spans[:, 1] > start))
    return (int(inside[0]), int(inside[-1])) if len(inside) else None


def _target(answer: tuple[int, int] | None, begin: int, end: int, before: int) -> tuple[int, int]:
    """Places of the answer in the row; [CLS] twice where the window does not hold all of it."""
    if answer is None or answer[0] < begin or answer[1] >= end:
        return 0, 0
    return answer[0] - begin + before, answer[1] - begin + before


def decode(
    outputs: Outputs,
    features: Features,
    examples: Sequence[ReadingExample],
    labels: Sequence[str],
) -> list[TextPrediction]:
    """The answer of every example; the empty one where it is likelier and examples may lack one.

    They may if the task has the label "", which stands for no answer, or if one of them does.
    """
    may_be_empty = "" in labels or any(example.answers == () for example in examples)
    best = [TextPrediction("", -np.inf) for _ in examples]
    nothing = np.full(len(examples), np.inf)
    for row, example in enumerate(features.example_ids):
        starts, ends = (outputs[name][row] for name in ("start_logits", "end_logits"))
        nothing[example] = min(nothing[example], starts[0] + ends[0])
        found = _best_span(starts, ends, features.spans[features.row(row)])
        if found and found[0] > best[example].score:
            score, begin, end = found
            best[example] = TextPrediction(
                examples[example].context[begin:end], score, start=begin, end=end
            )
    if not may_be_empty:
        return best
    return [
        TextPrediction("", float(empty)) if empty > each.score else each
        for each, empty in zip(best, nothing, strict=True)
    ]


def _best_span(
    starts: np.ndarray, ends: np.ndarray, spans: np.ndarray
) -> tuple[float, int, int] | None:
    """Score and characters of the likeliest span of a window."""
    inside = spans[:, 0] != NO_CHARACTER
    length = len(spans)
    starts, ends = (np.where(inside, each[:length], -np.inf) for each in (starts, ends))
    firsts, lasts = (np.argsort(-each, kind="stable")[:_CANDIDATES] for each in (starts, ends))
    scores = starts[firsts][:, None] + ends[lasts]
    distance = lasts - firsts[:, None]
    scores = np.where((distance >= 0) & (distance < LONGEST_ANSWER), scores, -np.inf)
    first, last = np.unravel_index(scores.argmax(), scores.shape)
    if not np.isfinite(scores[first, last]):
        return None
    return float(scores[first, last]), int(spans[firsts[first], 0]), int(spans[lasts[last], 1])


def score(outputs: Outputs, features: Features, labels: Sequence[str]) -> dict[str, float]:
    """`span_accuracy`, the share of the windows whose start and end are both the likeliest ones.

    And the mean cross-entropy of starts and ends as `loss`.
    """
    places = features.targets["answer_spans"]
    hits, loss = np.ones(len(places), bool), 0.0
    for end, name in enumerate(("start_logits", "end_logits")):
        is_token = np.arange(outputs[name].shape[1]) < features.lengths[:, None]
        logits = np.where(is_token, outputs[name], _NEVER)
        hits &= logits.argmax(axis=1) == places[:, end]
        loss += classes.cross_entropy(logits, places[:, end]) / 2
    return {"span_accuracy": float(np.mean(hits)), "loss": loss}


def submission(
    examples: Sequence[ReadingExample], predictions: Sequence[TextPrediction], labels: Sequence[str]
) -> dict[str, str]:
    """One JSON object: id of the question -> answer; none where several questions have one id."""
    ids = [example.id for example in examples if example.id is not None]
    if len({*ids}) < len(ids):
        return {}
    return {"predictions_answers.json": answer_object(examples, predictions, labels)}


def row(
    example: ReadingExample, prediction: TextPrediction, labels: Sequence[str]
) -> dict[str, Any]:
    """Question, context, first answer, prediction, its place in the context and its score."""
    return {
        **example.named_texts,
        "label": example.label,
        "prediction": prediction.text,
        "start": prediction.start,
        "end": prediction.end,
        "score": prediction.score,
    }


def mistake(
    example: ReadingExample, prediction: TextPrediction
) -> tuple[float, dict[str, Any]] | None:
    """A text that is none of the answers, which is the worse the surer the model is."""
    right = [answer.text for answer in example.answers] or [""]
    return None if prediction.text in right else (prediction.score, {})


def _example(texts: tuple[str, ...]) -> ReadingExample:
    if len(texts) != 2:
        raise ValueError(f"{texts!r} is not a question and a context")
    return ReadingExample(*texts)


READING = Kind(
    name="reading",
    featurize=featurize,
    targets={"answer_spans": (2,)},
    decode=decode,
    score=score,
    submission=submission,
    example=_example,
    row=row,
    mistake=mistake,
    num_texts=lambda task: 2,
)
