"""Predictor: a model ready for use, from texts to predictions.

```
texts -> features -> batches of similar length -> outputs -> predictions
```
"""

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from albert_zh.tasks.batches import bucket_lengths, eval_batches, in_original_order
from albert_zh.tasks.features import Features, collate
from albert_zh.tasks.task import Kind
from albert_zh.text.tokenizers import Tokenizer
from albert_zh.util.progress import Progress

Arrays = dict[str, np.ndarray]
Row = dict[str, Any]  # name of a cell -> what is in it
Runner = Callable[[Arrays], Arrays]  # inputs of a batch -> named outputs

INPUTS = ("input_ids", "input_mask", "segment_ids")  # [B, L] int32 each
POSITIONS = "masked_lm_positions"  # [B, P] int32, of tokens to predict


@dataclasses.dataclass(frozen=True)
class Predictor:
    """A fine-tuned model with all that it needs to read texts."""

    run: Runner
    kind: Kind
    labels: tuple[str, ...]
    tokenizer: Tokenizer
    max_seq_length: int  # tokens of an example at most; longer ones are cut
    num_texts: int | None = None  # 1, or 2 for pairs; None: unknown
    runtime: str = "TensorFlow"  # what computes it, for people

    def predict(self, texts: Sequence[str | Sequence[str]], *, batch_size: int = 64) -> list[Any]:
        """Predictions for texts, in their order.

        ```
        predictor = albert_zh.load("lcqmc_output")
        predictor.predict([("我的手机丢了", "手机不见了怎么办")])[0].label
        ```

        Args:
            texts: A text each, or a pair of texts each, as the model was trained.
            batch_size: Examples of the greatest length computed at a time; of shorter ones, more.

        Returns:
            Predictions of the kind of task, such as `LabelPrediction`; one for each text or pair.

        Raises:
            ValueError: One of the texts is neither a text nor a pair, or not as the model was
                trained, or single texts and pairs are mixed, or `texts` is no list of them, or
                `batch_size` is less than 1.
        """
        return self.predict_examples(self._examples(texts), batch_size=batch_size)

    def rows(self, texts: Sequence[str | Sequence[str]], *, batch_size: int = 64) -> list[Row]:
        """The same as cells by name: the texts, `prediction`, and what the kind of task has beside.

        ```
        {"text_a": "手机丢了", "text_b": "手机不见了", "prediction": "1", "probabilities": {...}}
        ```
        """
        examples = self._examples(texts)
        predictions = self.predict_examples(examples, batch_size=batch_size)
        rows = [
            self.kind.row(example, prediction, self.labels)
            for example, prediction in zip(examples, predictions, strict=True)
        ]
        return [{name: row[name] for name in row if name != "label"} for row in rows]

    def _examples(self, texts: Sequence[str | Sequence[str]]) -> list[Any]:
        if isinstance(texts, str):
            raise ValueError(f"predict takes a list of texts; for one text, write [{texts!r}]")
        if not isinstance(texts, Iterable):
            raise ValueError(f"predict takes a list of texts or of pairs of texts, not {texts!r}")
        return [self._example(text) for text in texts]

    def _example(self, text: str | Sequence[str]) -> Any:
        is_one = isinstance(text, str) or not isinstance(text, Iterable)
        texts = (text,) if is_one else tuple(text)
        if not all(isinstance(each, str) for each in texts):
            raise ValueError(f"{text!r} is neither a text nor a pair of texts")
        return self.kind.example(texts)

    def predict_examples(self, examples: Sequence[Any], *, batch_size: int = 64) -> list[Any]:
        """Predictions for examples as a task's files hold them, in their order."""
        if batch_size < 1:
            raise ValueError(f"batch_size is {batch_size}; it must be at least 1")
        if not examples:
            return []
        features = self.features(examples)
        outputs = run_batches(
            self.run, features, batch_size=batch_size, buckets=bucket_lengths(self.max_seq_length)
        )
        return self.kind.decode(outputs, features, examples, self.labels)

    def features(self, examples: Sequence[Any]) -> Features:
        """Token ids of examples.

        Raises:
            ValueError: Their texts are not as the model was trained, or some single, others pairs.
        """
        if len({len(example.texts) for example in examples}) > 1:
            raise ValueError("some of the texts are single, others are pairs; predict them apart")
        if self.num_texts not in (None, len(examples[0].texts)):
            form = {1: "single texts, such as 'a'", 2: "pairs of texts, such as ('a', 'b')"}
            raise ValueError(
                f"the model was trained on {form[self.num_texts]}; it cannot judge "
                f"{examples[0].texts[0][:60]!r} "
                + ("alone" if self.num_texts == 2 else "with a second text")
            )
        return self.kind.featurize(
            examples,
            labels=self.labels,
            tokenizer=self.tokenizer,
            max_seq_length=self.max_seq_length,
        )


def run_batches(
    run: Runner,
    features: Features,
    *,
    batch_size: int,
    buckets: Sequence[int],
    progress: Progress | None = None,
) -> Arrays:
    """Outputs of all rows, in the order of the features.

    Args:
        run: Computes a batch.
        features: The rows.
        batch_size: Rows of the longest padded length computed at a time; of shorter ones, more.
        buckets: Padded lengths, as of `bucket_lengths`.
        progress: Told about every row done.
    """
    batches = eval_batches(features.lengths, batch_size=batch_size, buckets=buckets)
    results = []
    for padded in batches:
        batch = collate(features, padded.indices, padded_length=padded.padded_length)
        results.append(run({name: batch[name] for name in INPUTS}))
        if progress is not None:
            progress.advance(len(padded.indices))
    return {
        name: in_original_order(batches, [outputs[name] for outputs in results])
        for name in results[0]
    }
