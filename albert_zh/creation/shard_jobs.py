"""Second stage of building: workers merge the sorted slices into shards."""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import chain

from albert_zh.creation.shard_file import write_shard
from albert_zh.creation.sorted_slices import SliceHeader, frames_by_key, key_ranges
from albert_zh.records.manifest import Shard
from albert_zh.util.files import atomic_write, write_json
from albert_zh.util.process_pool import run_jobs
from albert_zh.util.progress import Progress


def write_shards(
    slices: dict[str, SliceHeader],
    directory: str,
    final_directory: str,
    files: Sequence[str],
    *,
    compressed: bool,
    num_workers: int,
    sort_bytes: int,
) -> tuple[Shard, ...]:
    """Write the records of all slices to the files, in the order of their keys.

    Args:
        slices: The headers of the sorted slices by their paths.
        directory: The place of the shards until all are written.
        final_directory: Their place afterwards; a run that was killed may have moved some there.
        files: Their names.
        compressed: Whether shards are compressed by gzip.
        num_workers: Processes.
        sort_bytes: Records that a worker sorts at once.
    """
    texts = "".join(header.text for header in slices.values())
    num_bytes = sum(header.bytes for header in slices.values())
    job = _ShardJob(
        slices=tuple(slices),
        text=hashlib.sha256(texts.encode()).hexdigest(),
        directory=directory,
        final_directory=final_directory,
        num_sorts=max(1, -(-num_bytes // len(files) // sort_bytes)),
        compressed=compressed,
    )
    ranges = zip(files, key_ranges(len(files)), strict=True)
    shards: dict[str, Shard] = {}
    records = sum(header.records for header in slices.values())
    with Progress(description="writing shards", unit="instance", total=records) as progress:
        for shard in run_jobs(job, ranges, num_workers=min(num_workers, len(files))):
            shards[shard.file] = shard
            progress.advance(shard.records)
    return tuple(shards[file] for file in files)


@dataclass(frozen=True)
class _ShardJob:
    """The work on one shard: a file and its range of keys."""

    slices: tuple[str, ...]  # paths
    text: str  # fingerprint of the text of all slices
    directory: str
    final_directory: str  # has the shards that a run moved there before it was killed
    num_sorts: int  # parts of a shard, each sorted in memory
    compressed: bool

    def __call__(self, file_and_keys: tuple[str, range]) -> Shard:
        file, keys = file_and_keys
        path = os.path.join(self.directory, file)
        note_path = f"{path}.json"
        # With other output files a shard of the same name has other keys.
        origin = {"text": self.text, "keys": [keys.start, keys.stop]}
        if os.path.exists(note_path) and (
            os.path.exists(path) or os.path.exists(os.path.join(self.final_directory, file))
        ):
            with open(note_path, encoding="utf-8") as note_file:
                note = json.load(note_file)
            if note.get("origin") == origin:
                return Shard(**note["shard"])
            os.remove(note_path)
        parts = key_ranges(self.num_sorts, within=keys)
        frames = chain.from_iterable(frames_by_key(self.slices, part) for part in parts)
        with atomic_write(path) as raw:
            shard = write_shard(raw, file, frames, compressed=self.compressed)
        write_json(note_path, {"origin": origin, "shard": asdict(shard)})
        return shard
