"""From paths, globs and folders as people write them to the record files that they mean."""

import os
import random
import re
from collections.abc import Iterator, Sequence

from albert_zh.corpus.paths import distinct_files
from albert_zh.records.manifest import MANIFEST, UNFINISHED, RecordSet, find_sets
from albert_zh.records.tfrecord import is_record_file
from albert_zh.util.files import expand_patterns

# Files of this name are records, even if their first one is damaged.
_RECORD_NAME = re.compile("tf_?record")
_EVENTS = "tfevents"


def expand_records(patterns: str) -> tuple[list[str], list[str]]:
    """Record files named by a comma-separated list of files, globs and folders.

    A folder stands for the records in it and below it, without hidden files and unfinished runs.

    Returns:
        The record files, each once however it is named, and the other files of the folders.

    Raises:
        FileNotFoundError: An item names no record file.
    """
    records, others = [], []
    for item in filter(None, (item.strip() for item in patterns.split(","))):
        if not os.path.isdir(item):
            records += expand_patterns(item)
            continue
        files = sorted(_files_below(item))
        found = [
            path
            for path, owner in zip(files, find_sets(files), strict=True)
            if owner or _is_record_file(path)
        ]
        if not found:
            raise FileNotFoundError(f"no file in the folder {item} holds records")
        records += found
        others += [path for path in files if path not in found]
    if not records:
        raise FileNotFoundError("the list of input files is empty")
    return distinct_files(records), others


def _is_record_file(path: str) -> bool:
    name = os.path.basename(path)
    # TensorBoard's events have the same frames.
    return bool(_RECORD_NAME.search(name)) or (_EVENTS not in name and is_record_file(path))


def _files_below(folder: str) -> Iterator[str]:
    for path, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        folders[:] = [name for name in folders if not name.endswith(UNFINISHED)]
        files = [os.path.join(path, name) for name in names if not name.startswith((".", "_"))]
        yield from (
            file for file in files if os.path.isfile(file) and os.path.basename(file) != MANIFEST
        )


def split_files(paths: Sequence[str], fraction: float, *, seed: int) -> tuple[list[str], list[str]]:
    """Split into files to train on and a validation set of whole files.

    Args:
        paths: Record files, in any order.
        fraction: Share of the files in the validation set, between 0 and 1; at least one is.
        seed: Decides which.

    Raises:
        ValueError: There is only one file, or the fraction leaves none to train on.

    >>> split_files(["c", "a", "d", "b"], 0.25, seed=1)
    (['a', 'c', 'd'], ['b'])
    """
    if not 0 < fraction < 1:
        raise ValueError(f"--eval_fraction is a part of the files, between 0 and 1, not {fraction}")
    if len(paths) < 2:
        raise ValueError(
            f"--eval_fraction holds out whole files, but there is only {paths[0]}; create the"
            " records in several (--output_file='name-*.tfrecord' --num_shards=10), or give others"
            " with --eval_input_file"
        )
    count = min(max(1, round(fraction * len(paths))), len(paths) - 1)
    validation = random.Random(seed).sample(sorted(paths), count)
    return sorted(set(paths) - set(validation)), sorted(validation)


def unnamed_shards(paths: Sequence[str], owners: Sequence[RecordSet | None]) -> list[str]:
    """Shards of the same sets that are not among the paths; they may be missing.

    Args:
        paths: Record files.
        owners: The set of each, as of `find_sets`.
    """
    shards = {
        os.path.abspath(shard): shard
        for path, owner in zip(paths, owners, strict=True)
        if owner
        for shard in (os.path.join(os.path.dirname(path), each.file) for each in owner.shards)
    }
    named = set(map(os.path.abspath, paths))
    return [shard for place, shard in shards.items() if place not in named]
