"""A model of any form, from its path to an object that predicts: `albert_zh.load`."""

from typing import Any

from albert_zh.export.reading import check_is_no_part, is_export, load_export
from albert_zh.inference.predictors import ENCODER, make_predictor
from albert_zh.util.error_text import arguments_for_flags

_FILES = ("config_file", "vocab_file", "spm_model_file", "labels", "do_lower_case")


def load(
    path: str,
    *,
    use: str | None = None,
    pooling: str | None = None,
    layer: int | None = None,
    format_name: str | None = None,
    threads: int | None = None,
    **files: Any,
) -> Any:
    """As `albert_zh.load`."""
    if unknown := set(files) - set(_FILES):
        raise TypeError(f"load takes no {', '.join(sorted(unknown))}")
    if is_export(path):
        if files:
            raise ValueError(f"{path} is an export, which needs no {', '.join(files)}")
        model = load_export(
            path, format_name=format_name, threads=threads, with_vectors=use == ENCODER
        )
    else:
        check_is_no_part(path)
        if format_name or threads:
            raise ValueError(f"format_name and threads are of exports; {path} is none")
        # TensorFlow takes seconds to import, and an export may do without it.
        from albert_zh.export.source import load_source

        with arguments_for_flags(*_FILES):
            model = load_source(path, **files)
    return make_predictor(model, use, pooling=pooling, layer=layer)
