"""Files and texts that formats are made of, beside the model."""

import dataclasses
from collections.abc import Sequence

from albert_zh.inference.predictor import Arrays


@dataclasses.dataclass(frozen=True)
class Material:
    """Files and texts beside a model; a format takes the ones that it needs."""

    assets: Sequence[str] = ()  # files with the vocabulary, labels, task and configuration
    calibration: Sequence[Arrays] = ()  # batches of real texts
