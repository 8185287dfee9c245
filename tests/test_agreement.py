"""One worker decides for itself; two are tested in test_workers_loopback."""

import pytest
import tensorflow as tf

from albert_zh.train.agreement import any_worker, broadcast_from_chief


@pytest.mark.parametrize("flag", [False, True])
def test_one_worker_decides_alone(flag):
    assert any_worker(tf.distribute.get_strategy(), flag) is flag


def test_one_worker_is_the_chief():
    assert broadcast_from_chief(tf.distribute.get_strategy(), 7) == 7
