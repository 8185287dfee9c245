"""Table of the published models, for people."""

import os

from albert_zh.config import ModelConfig
from albert_zh.download.models import MODELS
from albert_zh.estimates import parameters
from albert_zh.toolkit import FILES, ROOT
from albert_zh.util.tables import markdown_table

_FLOAT32 = 4  # bytes
_HEADER = ("--model", "lineage", "parameters", "float32", "published scores", "licence")


def list_models() -> str:
    """Print the published models: parameters, size, published scores and licence of each."""
    rows = []
    for name, model in MODELS.items():
        config = ModelConfig.from_json_file(os.path.join(ROOT, FILES, model.config))
        count = parameters(config)
        size = f"{count * _FLOAT32 / 1e6:,.0f} MB"
        rows.append((name, model.lineage, f"{count / 1e6:.1f}M", size, model.scores, model.licence))
    return markdown_table(_HEADER, rows).rstrip()
