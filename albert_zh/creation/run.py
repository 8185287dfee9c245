"""The whole of data creation: corpus files become shards of records."""

import contextlib
import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

from albert_zh.corpus.options import ReadingOptions
from albert_zh.corpus.paths import STANDARD_INPUT
from albert_zh.corpus.reading import CorpusReader
from albert_zh.creation.building import build_shards
from albert_zh.creation.inputs import find_inputs
from albert_zh.creation.options import DataOptions
from albert_zh.creation.outputs import Outputs, is_complete
from albert_zh.creation.plan import make_plan
from albert_zh.creation.summary import summary
from albert_zh.creation.work_directory import remove_leftovers
from albert_zh.masking.options import MaskingOptions
from albert_zh.util.files import WriteError, sha256_of_file
from albert_zh.util.process_pool import available_cores


def create_records(options: DataOptions, reading: ReadingOptions, masking: MaskingOptions) -> None:
    """Write the records that the flags describe; those that exist completely are left alone.

    Raises:
        ValueError, OSError: Flags contradict each other, or the corpus cannot be read.
    """
    outputs = Outputs.parse(options.output_file, num_shards=options.num_shards)
    paths = find_inputs(options.input_file, outputs)
    plan = make_plan(options, reading, masking)

    def has_all() -> bool:
        return is_complete(outputs, plan.record_set, lambda: list(map(_describe_input, paths)))

    result = None
    if has_all():
        remove_leftovers(outputs)
    else:
        with _told_to_resume(outputs):
            result = build_shards(
                CorpusReader(paths, reading.rules),
                plan.maker,
                outputs=outputs,
                record_set=plan.record_set,
                compressed=options.compress == "gzip",
                num_workers=options.num_workers or available_cores(),
                drop_duplicates=options.drop_duplicates,
                is_complete=has_all,
            )
    if result is None:
        print(f"complete already, nothing to do: {options.output_file}")
        return
    print(summary(Counter(result.counts), result.recipe))
    print(f"wrote {result.num_records:,} instances to {', '.join(outputs.labels(result.shards))}")


@contextlib.contextmanager
def _told_to_resume(outputs: Outputs) -> Iterator[None]:
    """Say in the error of a full disk that the work done so far, if any, is not lost."""
    try:
        yield
    except WriteError as error:
        if not os.path.isdir(outputs.work_directory):
            raise
        raise WriteError(
            f"{error}. What is done is kept in {outputs.work_directory}: the same command resumes"
            " from there"
        ) from None


def _describe_input(path: str) -> dict[str, Any]:
    """Name, size and hash of an input file."""
    if path == STANDARD_INPUT:
        raise ValueError(
            "the output exists already, and standard input cannot be compared with its inputs;"
            " delete it or choose another --output_file"
        )
    return {"file": path, "bytes": os.path.getsize(path), "sha256": sha256_of_file(path)}
