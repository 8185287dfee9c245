"""Flags of the programs that answer lines of text."""

import dataclasses
import os
from typing import Any

from absl import logging

from albert_zh.export.any_model import load
from albert_zh.export.reading import is_export
from albert_zh.flags import REQUIRED, option
from albert_zh.inference.options import ModelOptions
from albert_zh.util.files import check_is_local, without_gz
from albert_zh.util.tensorflow_start import import_tensorflow


@dataclasses.dataclass(frozen=True)
class StreamOptions(ModelOptions):
    """The model, where its texts come from, and where the answers go."""

    checkpoint: str = option(
        REQUIRED,
        "Output directory of a training, which stands for its best checkpoint or else the newest; "
        "or one checkpoint, such as output/model.ckpt-200; or the folder of an export.",
        alias="model",
    )
    text: str | None = option(None, "One text to answer, instead of a file.")
    input_file: str | None = option(
        None,
        "Texts, one a line. Default, and for -: standard input, which answers each line as it "
        "comes; on a terminal, a prompt.",
    )
    input_format: str | None = option(
        None,
        "lines: a text a line, with a tab between the texts of one example; jsonl: a JSON string a "
        "line, or a list of them, for texts with tabs and line ends. Default: jsonl for files "
        "whose name ends with .json or .jsonl, or else lines.",
        choices=("lines", "jsonl"),
    )
    output_file: str | None = option(None, "File for the answers. Default: standard output.")
    output_format: str = option(
        "text",
        "text: for people; jsonl: an object a line; tsv: columns with a header.",
        choices=("text", "jsonl", "tsv"),
    )
    format: str | None = option(
        None,
        "Of an export with several formats, the one to use. Default: the fastest that runs here.",
    )
    threads: int | None = option(
        None, "Threads that compute, of ONNX and TFLite. Default: one for each core.", at_least=1
    )
    do_lower_case: bool | None = option(
        None,
        "Lower-case the texts and strip accents. Default: as noted with the model, or else True.",
    )

    def __post_init__(self):
        if self.text is not None and self.input_file is not None:
            raise ValueError("give a text with --text, or a file with --input_file, not both")
        if self.output_file:
            check_is_local(self.output_file)
        if self.input_format is None:
            form = _form_of(self.input_file) if self.input_file else "lines"
            object.__setattr__(self, "input_format", form)

    def check(self) -> None:
        if not is_export(self.checkpoint):
            super().check()

    def load(self, **settings: Any) -> Any:
        """The model, as of `albert_zh.load` with further settings."""
        if not is_export(self.checkpoint):
            import_tensorflow()
        names = ("config_file", "vocab_file", "spm_model_file", "do_lower_case", "threads")
        given = {name: getattr(self, name) for name in names}
        given = {**given, **settings, "format_name": self.format}
        model = load(
            self.checkpoint, **{name: value for name, value in given.items() if value is not None}
        )
        logging.info("%s is computed by %s", self.checkpoint, model.runtime)
        return model


def _form_of(path: str) -> str:
    """The form of a file's lines, by its name.

    >>> _form_of("new.jsonl"), _form_of("new.txt"), _form_of("-")
    ('jsonl', 'lines', 'lines')
    """
    ending = os.path.splitext(without_gz(path))[1].lower()
    if ending == ".csv":
        raise ValueError(
            f"--input_file={path} is a table, but here a line is a text; run_classifier.py "
            f"--do_predict=True --model=MODEL --input_file={path} reads tables "
            "(--input_format=lines takes the lines as they are)"
        )
    return "jsonl" if ending in (".json", ".jsonl") else "lines"
