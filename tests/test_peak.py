"""The measured peak: a speed that this machine reaches and does not exceed."""

import time

import pytest
import tensorflow as tf

from albert_zh.train.peak import matmul_peak


@pytest.mark.parametrize("dtype", [tf.float32, tf.bfloat16])
def test_peak_is_no_slower_than_a_product_measured_by_hand(dtype):
    started = time.monotonic()
    peak = matmul_peak(dtype)
    assert time.monotonic() - started < 10
    matrix = tf.cast(tf.ones([1024, 1024]), dtype)
    started = time.perf_counter()
    for _ in range(4):
        product = tf.matmul(matrix, matrix)
    float(product[0, 0])
    by_hand = 4 * 2 * 1024**3 / (time.perf_counter() - started)
    assert 0.5 * by_hand < peak < 1e16
