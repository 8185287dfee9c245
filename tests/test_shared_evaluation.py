"""Evaluation on several devices: each computes a part of every batch."""

from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest
import tensorflow as tf
from processes import PROCESSES

from albert_zh.inference.predictor import run_batches
from albert_zh.inference.runners import model_runner
from albert_zh.tasks.features import Features


def _two_virtual_processors() -> None:
    (cpu,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpu, 2 * [tf.config.LogicalDeviceConfiguration()])


class _Doubled(tf.Module):
    """Outputs that tell the tokens of a row and the device."""

    def __init__(self):
        super().__init__()
        self.factor = tf.Variable(2)
        self.traces = 0

    def __call__(self, input_ids, input_mask, segment_ids):
        self.traces += 1
        return self.factor * tf.reduce_sum(input_ids * input_mask, axis=1)


class _Sums:
    rows_per_example = False

    @staticmethod
    def outputs(sums):
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        return {"sums": sums, "replica": tf.zeros_like(sums) + replica}


def _outputs(features: Features, batch_size: int) -> tuple[dict, int]:
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    with strategy.scope():
        model = _Doubled()
    run = model_runner(model, _Sums(), strategy)
    outputs = run_batches(run, features, batch_size=batch_size, buckets=range(2, 20, 2))
    return outputs, model.traces


@pytest.mark.parametrize("batch_size", [1, 4, 5])
def test_devices_share_the_rows_of_every_batch(batch_size):
    lengths = np.array([3, 9, 5, 4, 18, 7, 6, 2, 11, 12, 13])
    features = Features(
        token_ids=np.arange(lengths.sum(), dtype=np.int32),
        offsets=np.append(0, np.cumsum(lengths)),
        first_lengths=np.int32(lengths),
        targets={},
        example_ids=np.arange(len(lengths)),
        num_truncated=0,
    )
    with ProcessPoolExecutor(
        1, mp_context=PROCESSES, initializer=_two_virtual_processors
    ) as process:
        outputs, traces = process.submit(_outputs, features, batch_size).result()
    expected = [2 * features.token_ids[features.row(row)].sum() for row in range(len(lengths))]
    assert outputs["sums"].tolist() == expected
    assert set(outputs["replica"].tolist()) == {0, 1}
    assert batch_size > 1 or outputs["replica"][np.argmax(lengths)] == 0  # a batch of its own
    assert traces <= 8  # Two devices each: not one for every length.
