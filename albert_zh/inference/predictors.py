"""From a model that was read to an object that predicts: a class for each use.

```
a fine-tuned model      its task: Classifier, Regressor, MultipleChoice, SpanReader, Tagger
                        "similarity", of a classifier of pairs: Similarity
a pretrained model      its masked words: FillMask
any                     "encoder", and where there is no head: SentenceEncoder
```
"""

from collections.abc import Mapping
from typing import Any, Protocol

from albert_zh.checkpoint.meta import TaskMeta
from albert_zh.inference.contributions import Explanation, explain
from albert_zh.inference.fill_mask import FillMask
from albert_zh.inference.predictor import Predictor, Runner
from albert_zh.inference.sentence_encoder import SentenceEncoder
from albert_zh.inference.similarity import Similarity
from albert_zh.tasks.kinds.classification import LabelPrediction
from albert_zh.tasks.kinds.reading import TextPrediction
from albert_zh.tasks.kinds.table import find_kind
from albert_zh.tasks.kinds.tagging import TagPrediction
from albert_zh.text.tokenizers import Tokenizer

SIMILARITY, FILL_MASK, ENCODER = USES = ("similarity", "fill_mask", "encoder")


class OpenModel(Protocol):
    """A model that was read from a checkpoint or from an export."""

    task: TaskMeta | None  # None: it has no task

    @property
    def has_masked_lm(self) -> bool: ...

    @property
    def tokenizer(self) -> Tokenizer: ...

    @property
    def longest(self) -> int: ...  # tokens of a text at most

    @property
    def runtime(self) -> str: ...  # what computes it, for people

    def head_runner(self) -> Runner:
        """The named outputs of what the model is for."""

    def vector_runner(self, pooling: str, layer: int | None) -> Runner:
        """`vectors [B, D]` of texts, as `SentenceEncoder` describes them."""


class Classifier(Predictor):
    """Labels of texts, or of pairs of texts."""

    def classify(self, text: str, second: str | None = None) -> LabelPrediction:
        """The likeliest label of a text, or of a pair, and the probabilities of all."""
        return self.predict([text if second is None else (text, second)])[0]

    def explain(self, text: str, second: str | None = None) -> Explanation:
        """The likeliest label, and how much each part of the texts speaks for it."""
        return explain(self, [text] if second is None else [text, second])


class Regressor(Predictor):
    """Numbers for texts, or for pairs of texts."""


class MultipleChoice(Predictor):
    """The right one of several answers to a question about a text."""

    def choose(self, text: str, question: str, *choices: str) -> LabelPrediction:
        """The likeliest choice, whose label is its number from 0, and the probabilities of all."""
        return self.predict([(text, question, *choices)])[0]


class SpanReader(Predictor):
    """Answers to questions, as parts of a context."""

    def answer(self, question: str, context: str) -> TextPrediction:
        """The likeliest answer, with its place: `context[start:end]`."""
        return self.predict([(question, context)])[0]


class Tagger(Predictor):
    """Marked parts of texts, such as names."""

    def tag(self, text: str) -> TagPrediction:
        """The marked parts, each with its place: `text[start:end]`."""
        return self.predict([text])[0]


PREDICTORS: Mapping[str, type[Predictor]] = {  # by kind of task
    "classification": Classifier,
    "regression": Regressor,
    "choice": MultipleChoice,
    "reading": SpanReader,
    "tagging": Tagger,
}


def task_predictor(model: OpenModel) -> Predictor:
    """The predictor of a fine-tuned model."""
    task = model.task
    return PREDICTORS.get(task.kind, Predictor)(
        run=model.head_runner(),
        kind=find_kind(task.kind),
        labels=task.labels,
        tokenizer=model.tokenizer,
        max_seq_length=task.max_seq_length or model.longest,
        num_texts=task.num_texts,
        runtime=model.runtime,
    )


def make_predictor(
    model: OpenModel,
    use: str | None = None,
    *,
    pooling: str | None = None,
    layer: int | None = None,
) -> Any:
    """An object that predicts.

    Args:
        model: The model.
        use: One of `USES`; None: what the model is for.
        pooling: Of an encoder, as of `SentenceEncoder`.
        layer: Of an encoder that pools a layer.

    Raises:
        ValueError: The model is not made for this use.
    """
    if use not in (None, *USES):
        raise ValueError(f"use={use!r} is unknown; known are {', '.join(USES)}, and None")
    if use == ENCODER or (use is None and model.task is None and not model.has_masked_lm):
        return SentenceEncoder.of(model, pooling=pooling, layer=layer)
    if pooling or layer is not None:
        raise ValueError("pooling and layer are of use='encoder'")
    if use == FILL_MASK or (use is None and model.task is None):
        if not model.has_masked_lm:
            raise ValueError(
                "the model has no masked-LM head; load what run_pretraining.py wrote, or a "
                "published checkpoint"
            )
        return FillMask.of(model)
    if model.task is not None:
        predictor = task_predictor(model)
        return predictor if use is None else Similarity.of(predictor)
    raise ValueError(
        "the model was never trained to compare two texts; fine-tune it on pairs, such as lcqmc, "
        "or compare vectors with use='encoder'"
    )
