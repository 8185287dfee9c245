"""One worker decides for itself; two are tested in test_workers_loopback."""

import pytest
import tensorflow as tf

from albert_zh.train.agreement import agree, of_chief


@pytest.mark.parametrize("wanted", [False, True])
def test_one_worker_agrees_with_itself(wanted):
    assert agree(tf.distribute.get_strategy(), wanted) is wanted


def test_one_worker_is_the_chief():
    assert of_chief(tf.distribute.get_strategy(), 7) == 7
