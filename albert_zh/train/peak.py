"""The fastest this machine multiplies matrices, against which a training's speed is judged."""

import time

import tensorflow as tf

from albert_zh.train.devices import local_devices

# A product of at least this many seconds hides the call, and its matrices overflow the caches.
_PRODUCT_SECONDS = 0.02
_SIZES = (512, 1024, 2048, 4096, 8192)
_SECONDS = 1.0  # to repeat the product for; other work on the machine slows single ones down


def matmul_peak(dtype: tf.DType) -> float:
    """FLOP/s of one device in a large square product of `dtype`, measured in about a second.

    It is what training can reach at best, since nearly all its work are such products; on GPUs in
    float32 with the rounded inputs (TF32) that training has too. Of several devices it is the
    speed of one.
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
    # One element, fetched, proves that the product is done.
    tf.matmul(matrix, matrix)[0, 0].numpy()
    return time.perf_counter() - started
