"""Precision of the layers. Weights, moments and losses are always float32. No TensorFlow."""

import enum


class Precision(enum.Enum):
    """Type of the layers' values and products."""

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"

    @property
    def scales_loss(self) -> bool:
        """True for float16, in which small gradients vanish unless the loss is scaled up."""
        return self is Precision.FLOAT16
