"""From a corpus to shards, with any number of workers, on disk rather than in memory.

```
corpus -> corpus slices -> [workers] sorted slices of records -> [workers] shards
          corpus.slices              creation.slice_jobs                   creation.shard_jobs
                           <------ NAME.unfinished/ ------>                + manifest
```
All results lie in a directory beside the outputs until the last shard is written. A killed run that
is started again resumes from there: it skips each slice with the same text at the same place in the
corpus, and each shard that was written from the same slices. At the end shards get their names, and
the directory is removed. The bytes depend neither on the number of workers nor on kills, even if
the corpus was edited in between.
"""

import contextlib
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from albert_zh.corpus.counts import left_out
from albert_zh.corpus.duplicates import DuplicateFilter
from albert_zh.corpus.reading import CorpusReader
from albert_zh.corpus.slices import SliceSizes
from albert_zh.creation.maker import RecordMaker
from albert_zh.creation.outputs import Outputs
from albert_zh.creation.shard_jobs import write_shards
from albert_zh.creation.slice_jobs import make_slices
from albert_zh.creation.sorted_slices import SliceHeader
from albert_zh.creation.work_directory import (
    LOCK_SECONDS,
    clear,
    open_work_directory,
    start_or_resume,
)
from albert_zh.records.manifest import RecordSet, add_set


@dataclass(frozen=True)
class BuildLimits:
    """Sizes and times of a run, which do not change its shards."""

    slices: SliceSizes = field(default_factory=SliceSizes)
    sort_bytes: int = 32 << 20  # records that a worker sorts at once
    lock_seconds: float = LOCK_SECONDS


def build_shards(
    reader: CorpusReader,
    maker: RecordMaker,
    *,
    outputs: Outputs,
    record_set: RecordSet,
    compressed: bool,
    num_workers: int,
    drop_duplicates: bool = False,
    is_complete: Callable[[], bool] = lambda: False,
    limits: BuildLimits | None = None,
) -> RecordSet | None:
    """Make the records of a corpus and write them to their shards in random order.

    Args:
        reader: The documents.
        maker: Makes their records.
        outputs: The places of the shards.
        record_set: The recipe of the records, without inputs.
        compressed: Whether shards are compressed by gzip.
        num_workers: Processes; with 1 no further process is started.
        drop_duplicates: Leave out documents with the texts of an earlier one. They are counted in
            any case.
        is_complete: True if the shards exist; raises ValueError if other files have their names.
            Called when other runs are locked out, as one may just have ended, and before the
            shards get their names.
        limits: The usual ones when left out.

    Returns:
        `record_set` with inputs, counts and shards, as in the manifest. None if the shards exist.

    Raises:
        ValueError: The text gives no instances, or too few for the files; another run works here
            or left something unfinished here; a worker was killed.
    """
    limits = limits or BuildLimits()
    directory = outputs.work_directory
    with open_work_directory(directory, lock_seconds=limits.lock_seconds):
        if is_complete():
            clear(directory)
            return None
        start_or_resume(directory, record_set)
        duplicates = DuplicateFilter(drop=drop_duplicates)
        slices = make_slices(
            reader,
            maker,
            directory,
            num_workers=num_workers,
            sizes=limits.slices,
            duplicates=duplicates,
        )
        counts = _total_counts(slices, reader.counts + duplicates.counts)
        if not counts["instances"]:
            clear(directory)
            raise no_instances(counts)
        files = outputs.files(num_bytes=sum(header.bytes for header in slices.values()))
        shards = write_shards(
            slices,
            directory,
            outputs.directory,
            files,
            compressed=compressed,
            num_workers=num_workers,
            sort_bytes=limits.sort_bytes,
        )
        if not all(shard.records for shard in shards):
            clear(directory)
            raise too_many_files(counts["instances"], files)
        result = replace(record_set, inputs=reader.inputs, counts=dict(counts), shards=shards)
        is_complete()  # Another run may have made files of the same names in another directory.
        add_set(outputs.directory, result)
        for file in files:
            # A run that was killed right here has moved some of them.
            with contextlib.suppress(FileNotFoundError):
                os.replace(os.path.join(directory, file), outputs.path(file))
        clear(directory)
    return result


def no_instances(counts: Counter[str]) -> ValueError:
    """The error for a corpus that gives no instances."""
    lost = left_out(counts)
    return ValueError(
        f"no instances: the input has {counts['documents']:,} documents, none with two words"
        f"{f' (left out: {lost})' if lost else ''}; give a text with one sentence a line and a"
        " blank line between documents"
    )


def too_many_files(records: int, files: Sequence[str]) -> ValueError:
    """The error for output files that would have no records."""
    return ValueError(
        f"{records:,} instances for {len(files):,} output files leave files without"
        " records; name fewer files or give more text"
    )


def _total_counts(slices: dict[str, SliceHeader], corpus: Counter[str]) -> Counter[str]:
    counts = Counter(corpus)
    for header in slices.values():
        counts.update(header.counts)
    return Counter(dict(sorted(counts.items())))
