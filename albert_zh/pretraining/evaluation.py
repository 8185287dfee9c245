"""Metrics of a pretraining model on records: losses, perplexity, accuracies."""

import functools
import math
from collections.abc import Callable, Iterable

import numpy as np
import tensorflow as tf

from albert_zh.input.batches import evaluation_batches, named_read_errors
from albert_zh.model.heads.pretraining import PretrainingModel
from albert_zh.objectives.pretraining import pretraining_metrics
from albert_zh.pretraining.data import Records
from albert_zh.pretraining.options import PretrainingOptions
from albert_zh.runs.spec import VALIDATION_DATA, ValidationStopped
from albert_zh.train import agreement
from albert_zh.train.metrics import add_means, results
from albert_zh.train.step import make_evaluation_step
from albert_zh.train.strategy import distribute_batches
from albert_zh.util.progress import Progress


class Evaluation:
    """Measures the model on records, in batches over all replicas."""

    def __init__(
        self,
        options: PretrainingOptions,
        model: PretrainingModel,
        records: Records,
        *,
        strategy: tf.distribute.Strategy,
    ):
        """
        Args:
            options: Sizes of batches, weights of losses.
            model: Measured as it stands when `metrics` is called.
            records: The validation set.
            strategy: Where the model is.
        """
        self._options, self._records, self._strategy = options, records, strategy
        self._latest: tuple[int, dict[str, float]] | None = None
        replicas = strategy.num_replicas_in_sync
        self._batch_size = math.ceil(options.eval_batch_size / replicas) * replicas
        needed = math.ceil(records.files.num_records / self._batch_size)
        self._num_batches = min(options.max_eval_steps, needed)
        objective = functools.partial(
            pretraining_metrics,
            model,
            sentence_order=bool(options.sentence_order_weight) and records.files.has_pairs,
            mask_id=records.mask_id,
        )
        self._evaluate = make_evaluation_step(objective, strategy)

    @functools.cached_property
    def _batches(self) -> Iterable:
        """The same batches at every validation; to build their graph takes a while."""
        batches = evaluation_batches(
            self._records.files, batch_size=self._batch_size, masking=self._records.masking
        )
        return distribute_batches(self._strategy, batches.take(self._num_batches))

    @property
    def records(self) -> dict[str, str]:
        """The records that are measured: their name for people, and a fingerprint.

        Scores on more or fewer of the same records are those of another validation set.
        """
        files, measured = self._records.files, self._num_batches * self._batch_size
        part = f", {measured} records" if measured < files.num_records else ""
        return {"records": files.name, VALIDATION_DATA: f"{files.fingerprint}{part}"}

    def metrics(
        self, step: int, should_stop: Callable[[], bool] = lambda: False
    ) -> dict[str, float]:
        """Losses, perplexity and accuracies of the model as it stands, which is at this step.

        Raises:
            ValidationStopped: The run is to stop.
        """
        if self._latest and self._latest[0] == step:
            return self._latest[1]
        means: dict = {}
        with (
            named_read_errors(self._records.files),
            Progress(description="evaluate", unit="batch", total=self._num_batches) as progress,
        ):
            for batch in self._batches:
                if agreement.any_worker(self._strategy, should_stop()):
                    raise ValidationStopped
                batch_means = tf.nest.map_structure(np.float64, self._evaluate(batch))
                means = add_means([means, batch_means])
                progress.advance()
        self._latest = step, self._with_loss(results(means))
        return self._latest[1]

    def _with_loss(self, metrics: dict[str, float]) -> dict[str, float]:
        weighted = self._options.masked_lm_weight * metrics["masked_lm_loss"]
        weighted += self._options.sentence_order_weight * metrics.get("sentence_order_loss", 0.0)
        perplexity = float(np.exp(metrics["masked_lm_loss"]))
        return {"loss": weighted, **metrics, "masked_lm_perplexity": perplexity}
