"""Reading of an export: from the directory to a model in use."""

import dataclasses
import functools
import json
import os
from collections.abc import Callable, Mapping

from albert_zh.checkpoint.meta import TaskMeta
from albert_zh.export.directory import MANIFEST
from albert_zh.export.filled_batches import any_size
from albert_zh.export.formats.table import FORMATS, ExportFormat
from albert_zh.inference.fill_mask import PROBABILITIES
from albert_zh.inference.predictor import Runner
from albert_zh.inference.sentence_encoder import MEAN, POOLED, VECTORS
from albert_zh.inference.text_files import find_text_files, tokenizer_of
from albert_zh.text.tokenizers import Tokenizer
from albert_zh.text.vocab import Vocab
from albert_zh.util.checksums import check_files

# Floating point before integers, which change results; then by the times in docs/export.md.
_FASTEST_FIRST = (
    "onnx",
    "tflite",
    "frozen_graph",
    "saved_model",
    "saved_model_text",
    "checkpoint",
    "transformers",
    "tflite_fp16",
    "onnx_int8",
    "tflite_int8",
    "tflite_full_int8",
)
_OF_VECTORS = "mean_output"  # a format that computes it computes all vectors


@dataclasses.dataclass(frozen=True)
class ExportedModel:
    """A model that was read from an export."""

    path: str  # the folder
    format_name: str
    outputs: frozenset[str]  # names of all that the format computes
    task: TaskMeta | None  # None: it has no task
    text_files: dict[str, str]  # standard name -> path
    do_lower_case: bool | None  # None: not noted, as True
    longest: int  # tokens of a text at most
    shape: tuple[int, int] | None  # [B, L] of all batches; None: any
    threads: int | None = None  # that compute; None: as many as there are cores

    @functools.cached_property
    def tokenizer(self) -> Tokenizer:
        return tokenizer_of(self.text_files, self.do_lower_case)

    @property
    def has_masked_lm(self) -> bool:
        return PROBABILITIES in self.outputs

    @property
    def runtime(self) -> str:
        return f"{self.format.runtime} ({self.format_name})"

    @property
    def format(self) -> ExportFormat:
        return FORMATS[self.format_name]

    def head_runner(self) -> Runner:
        """The named outputs of what the model is for."""
        return self._runner(self.format.load_first or self.format.load)

    def vector_runner(self, pooling: str, layer: int | None) -> Runner:
        """Vectors of texts, as `SentenceEncoder` describes them: mean and pooled ones alone.

        Raises:
            ValueError: The export does not compute these.
        """
        output = {MEAN: _OF_VECTORS, POOLED: "pooled_output"}.get(pooling)
        if output is None:
            raise ValueError(f"an export computes no vectors by {pooling}; load the checkpoint")
        if output not in self.outputs:
            raise ValueError(
                f"{self.format_name} of {self.path} holds the head alone; export the model again "
                "with --head=encoder, or load the checkpoint"
            )
        run = self._runner(self.format.load)
        return lambda batch: {VECTORS: run(batch)[output]}

    def _runner(self, load: Callable[..., Runner]) -> Runner:
        path = os.path.join(self.path, self.format.file)
        if self.threads and self.format.runtime == "TensorFlow":
            raise ValueError(
                f"threads are of ONNX and TFLite; {self.format_name} takes TF_NUM_INTRAOP_THREADS "
                "from the environment"
            )
        settings = {"threads": self.threads} if self.threads else {}
        return any_size(load(path, **settings), self.shape)


def is_export(path: str) -> bool:
    """True for a directory that an export filled."""
    return os.path.isfile(os.path.join(path, MANIFEST))


def check_is_no_part(path: str) -> None:
    """Fail if the path is a file or folder of an export instead of the export's folder.

    Raises:
        ValueError: It is; names the folder to give.
    """
    parts = {MANIFEST, *(each.file for each in FORMATS.values())}
    folder, name = os.path.split(os.path.normpath(path))
    if name not in parts:  # It may be the version in a SavedModel's folder.
        folder, name = os.path.split(folder)
    if is_export(folder) and name in parts:
        raise ValueError(
            f"{path} is a part of an export; give the export's folder: {folder or '.'}"
        )


def load_export(
    path: str,
    *,
    format_name: str | None = None,
    threads: int | None = None,
    with_vectors: bool = False,
) -> ExportedModel:
    """Read an export.

    Args:
        path: Its folder.
        format_name: One of its formats; None: the one that computes fastest of those that can be
            computed here, and of full precision if there is one.
        threads: That compute; None: as many as there are cores.
        with_vectors: Choose among the formats that compute vectors of texts.

    Raises:
        FileNotFoundError: A file of the export is missing.
        ValueError: A file is damaged, or the vocabulary is not the exported one. Or there is no
            such format, or nothing that computes it.
    """
    manifest_path = os.path.join(path, MANIFEST)
    with open(manifest_path, encoding="utf-8") as file:
        try:
            manifest = json.load(file)
            task = manifest["task"] and TaskMeta.from_json(manifest["task"])
            longest = manifest["config"]["max_position_embeddings"]
            fingerprint = manifest["vocabulary"]["fingerprint"]
            shape = manifest.get("shape")  # which exports of earlier versions lack
            rows = {name: row | {} for name, row in manifest["formats"].items()}
            outputs = {
                name: frozenset(row.get("largest_difference", ())) for name, row in rows.items()
            }
            sums = manifest.get("sha256", {})  # and these
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{manifest_path} is damaged ({error!r}); export again") from None
    unknown = set(rows) - set(FORMATS)
    if unknown or not rows:
        raise ValueError(
            f"{path} has the format {min(unknown)}, which this version does not know"
            if unknown
            else f"{manifest_path} is damaged (it lists no format); export again"
        )
    name = format_name or _fastest(path, outputs, with_vectors)
    if name not in rows:
        raise ValueError(f"{path} has no format {name}; it has {', '.join(rows)}")
    if not os.path.exists(os.path.join(path, FORMATS[name].file)):
        raise FileNotFoundError(f"{path} lacks {FORMATS[name].file}; export again")
    if not os.path.exists(vocab_path := os.path.join(path, "vocab.txt")):
        raise FileNotFoundError(f"there is no vocabulary at {vocab_path}; export again")
    text_files = find_text_files(path)
    vocab = Vocab.load(text_files["vocab.txt"])
    if vocab.fingerprint != fingerprint:
        raise ValueError(
            f"{text_files['vocab.txt']} is not the vocabulary that was exported; export again"
        )
    check_files(
        path,
        {**sums, **rows[name].get("sha256", {})},
        listed_in=MANIFEST,
        way_out="copy the folder again, or export again",
    )
    return ExportedModel(
        path=path,
        format_name=name,
        outputs=outputs[name],
        task=task,
        text_files=text_files,
        do_lower_case=manifest.get("do_lower_case", task and task.do_lower_case),
        longest=min(filter(None, [task and task.max_seq_length, shape and shape[1], longest])),
        shape=shape,
        threads=threads,
    )


def _fastest(path: str, outputs: Mapping[str, frozenset[str]], with_vectors: bool) -> str:
    """The first of `_FASTEST_FIRST` that can be computed here."""
    names = [name for name in outputs if not with_vectors or _OF_VECTORS in outputs[name]]
    if not names:
        raise ValueError(
            f"no format of {path} computes vectors; export the model again with --head=encoder, or "
            "load the checkpoint"
        )
    for name in (*_FASTEST_FIRST, *names):
        if name in names and FORMATS[name].can_run():
            return name
    packages = {FORMATS[name].package for name in names}
    raise ValueError(f"{path} needs one of the packages {', '.join(sorted(packages))}")
