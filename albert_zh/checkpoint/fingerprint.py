"""Fingerprint of the weights of a checkpoint, whatever its name, place and training state."""

import hashlib

from albert_zh.checkpoint.files import read_arrays, read_shapes
from albert_zh.checkpoint.names import is_weight


def weights_fingerprint(prefix: str) -> str:
    """A hash of names, shapes and values; moments and counters do not matter.

    Raises:
        FileNotFoundError: There is no such checkpoint.
        ValueError: It is damaged.
    """
    shapes = read_shapes(prefix)
    digest = hashlib.sha256()
    for name, array in sorted(read_arrays(prefix, filter(is_weight, shapes)).items()):
        digest.update(f"{name} {array.dtype} {array.shape}\n".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()[:16]
