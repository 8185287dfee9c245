"""Predictor: a model ready for use, from texts to predictions.

```
texts -> features -> batches of similar length -> outputs -> predictions
```
"""

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from albert_zh.inference.kinds import KindModel
from albert_zh.tasks.batches import bucket_lengths, eval_batches, in_original_order
from albert_zh.tasks.features import Features, collate
from albert_zh.tasks.task import Kind
from albert_zh.text.tokenizers import Tokenizer
from albert_zh.util.progress import Progress

Arrays = dict[str, np.ndarray]
Runner = Callable[[Arrays], Arrays]  # inputs of a batch -> named outputs

INPUTS = ("input_ids", "input_mask", "segment_ids")  # [B, L] int32 each


@dataclasses.dataclass(frozen=True)
class Predictor:
    """A fine-tuned model with all that it needs to read texts."""

    run: Runner
    kind: Kind
    labels: tuple[str, ...]
    tokenizer: Tokenizer
    max_seq_length: int  # tokens of an example at most; longer ones are cut
    num_texts: int | None = None  # 1, or 2 for pairs; None: unknown

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
        if isinstance(texts, str):
            raise ValueError(f"predict takes a list of texts; for one text, write [{texts!r}]")
        if not isinstance(texts, Iterable):
            raise ValueError(f"predict takes a list of texts or of pairs of texts, not {texts!r}")
        return self.predict_examples([self._example(text) for text in texts], batch_size=batch_size)

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
        if len({len(example.texts) for example in examples}) > 1:
            raise ValueError("some of the texts are single, others are pairs; predict them apart")
        if self.num_texts not in (None, len(examples[0].texts)):
            form = {1: "single texts, such as 'a'", 2: "pairs of texts, such as ('a', 'b')"}
            raise ValueError(
                f"the model was trained on {form[self.num_texts]}; it cannot judge "
                f"{examples[0].texts[0]!r} "
                + ("alone" if self.num_texts == 2 else "with a second text")
            )
        features = self.kind.featurize(
            examples,
            labels=self.labels,
            tokenizer=self.tokenizer,
            max_seq_length=self.max_seq_length,
        )
        outputs = run_batches(
            self.run, features, batch_size=batch_size, buckets=bucket_lengths(self.max_seq_length)
        )
        return self.kind.decode(outputs, features, examples, self.labels)


def model_runner(
    model: tf.Module, kind_model: KindModel, strategy: tf.distribute.Strategy | None = None
) -> Runner:
    """The named outputs of a model, compiled; it follows when the model's weights change.

    Args:
        model: The model.
        kind_model: Names the outputs.
        strategy: Its devices in this process share the rows of each batch; None: one device.
    """
    is_shared = strategy and strategy.num_replicas_in_sync > 1
    if is_shared and len(strategy.extended.worker_devices) > 1:
        return _shared_runner(model, kind_model, strategy)
    shape = [None] * (3 if kind_model.rows_per_example else 2)
    specs = {name: tf.TensorSpec(shape, tf.int32) for name in INPUTS}

    @tf.function(autograph=False, input_signature=[specs])
    def compute(inputs):
        return kind_model.outputs(model(**inputs))

    def run(batch: Arrays) -> Arrays:
        outputs = compute({name: tf.constant(value) for name, value in batch.items()})
        return {name: value.numpy() for name, value in outputs.items()}

    return run


def _shared_runner(
    model: tf.Module, kind_model: KindModel, strategy: tf.distribute.Strategy
) -> Runner:
    """As `model_runner`, for the devices of this process; other processes do the same work."""
    num_devices = len(strategy.extended.worker_devices)

    @tf.function(autograph=False, reduce_retracing=True)
    def compute(inputs):
        return strategy.run(lambda each: kind_model.outputs(model(**each)), args=(inputs,))

    def run(batch: Arrays) -> Arrays:
        num_rows = len(batch[INPUTS[0]])
        share = -(-num_rows // num_devices)
        # Devices get as many rows each: the last row again where there are too few.
        rows = np.minimum(np.arange(share * num_devices), num_rows - 1)

        def part(context) -> dict[str, tf.Tensor]:
            first = context.replica_id_in_sync_group % num_devices * share
            own = rows[first : first + share]
            return {name: tf.constant(value[own]) for name, value in batch.items()}

        outputs = compute(strategy.experimental_distribute_values_from_function(part))
        parts = {name: strategy.experimental_local_results(outputs[name]) for name in outputs}
        return {
            name: np.concatenate([each.numpy() for each in parts[name]])[:num_rows]
            for name in parts
        }

    return run


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
