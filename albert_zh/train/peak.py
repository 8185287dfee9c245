"""The top speed of matrix products on this machine, to compare the speed of a training with."""

import time

import tensorflow as tf

from albert_zh.train.devices import local_devices

# If a product takes this long, the call adds little and the matrices do not fit into the caches.
_PRODUCT_SECONDS = 0.02
_SIZES = (512, 1024, 2048, 4096, 8192)
_SECONDS = 1.0  # The product is repeated this long: other programs slow some of them down.


def matmul_peak(dtype: tf.DType) -> float:
    """FLOP/s of one device in a large square product of `dtype`, measured in about a second.

    Training cannot be faster, since nearly all its work is in such products. On GPUs, float32
    products round their inputs (TF32) here as in training.
    """
    with tf.device(local_devices()[0].name):
        for size in _SIZES:
            matrix = tf.cast(tf.random.stateless_normal([size, size], [0, 0]), dtype)
            _seconds(matrix)  # The first call chooses the kernel.
            seconds = _seconds(matrix)
            if seconds > _PRODUCT_SECONDS:
                break
        deadline = time.monotonic() + _SECONDS
        while time.monotonic() < deadline:
            seconds = min(seconds, _seconds(matrix))
    return 2 * size**3 / seconds


def _seconds(matrix: tf.Tensor) -> float:
    started = time.perf_counter()
    # Once an element has been fetched, the product is done.
    tf.matmul(matrix, matrix)[0, 0].numpy()
    return time.perf_counter() - started
