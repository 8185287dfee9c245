"""From a corpus to shards, with any number of workers, on disk rather than in memory.

```
corpus -> blocks of documents -> [workers] sorted blocks of records -> [workers] shards
          corpus.blocks                     creation.sorted_blocks                 outputs, manifest
                            <------ NAME.unfinished/ ------>
```
All that is made lies in a directory beside the outputs until everything is there. A killed run
that is started again goes on with what it finds there: a block counts as made if it was made of
the same text, a shard if it was made of the same blocks. Shards then get their names, and the
directory goes. What comes out does not hang on the number of workers, nor on kills.
"""

import contextlib
import hashlib
import json
import os
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import chain

from albert_zh.corpus.blocks import Block, blocks
from albert_zh.corpus.reading import CorpusReader
from albert_zh.creation.maker import RecordMaker
from albert_zh.creation.outputs import Outputs
from albert_zh.creation.shard_file import write_shard
from albert_zh.creation.sorted_blocks import (
    BlockFacts,
    in_order_of_keys,
    key_ranges,
    read_facts,
    write_block,
)
from albert_zh.records.manifest import RecordSet, Shard, add_set
from albert_zh.util.files import atomic_write, locked, write_json
from albert_zh.util.process_pool import run_jobs
from albert_zh.util.progress import Progress

_RECIPE, _BLOCK = "recipe.json", "block-"
_IDENTITY = ("recipe", "vocabulary", "versions")
_PATIENCE = 10.0  # seconds; workers of a run that was killed need one to notice it
_IN_MEMORY = 32 << 20  # bytes of records that a worker sorts at once


def build_shards(
    reader: CorpusReader,
    maker: RecordMaker,
    *,
    outputs: Outputs,
    described: RecordSet,
    compressed: bool,
    num_workers: int,
) -> RecordSet:
    """Makes the records of a corpus and writes them to their shards in random order.

    Args:
        reader: Gives the documents.
        maker: Makes their records.
        outputs: Where the shards go; `is_complete` found nothing else there.
        described: What the records are made of, without inputs.
        compressed: Whether shards are compressed by gzip.
        num_workers: Processes; 1 is this one alone.

    Returns:
        `described` with inputs, counts and shards, as the manifest now says it.

    Raises:
        ValueError: The text gives no instances, or too few for the files; another run is at work
            or has left something unfinished here; a worker was killed.
    """
    with _work_directory(outputs.work_directory, described) as directory:
        made = _make_blocks(reader, maker, directory, num_workers)
        counts = _total_counts(made, reader)
        if not counts["instances"]:
            shutil.rmtree(directory)
            raise no_instances(counts)
        files = outputs.files(num_bytes=sum(facts.bytes for facts in made.values()))
        shards = _write_shards(made, directory, files, compressed, num_workers)
        if not all(shard.records for shard in shards):
            shutil.rmtree(directory)
            raise too_many_files(counts["instances"], files)
        written = replace(described, inputs=reader.inputs, counts=dict(counts), shards=shards)
        add_set(outputs.directory, written)
        for file in files:
            # A run that was killed right here has moved some of them.
            with contextlib.suppress(FileNotFoundError):
                os.replace(os.path.join(directory, file), outputs.path(file))
        shutil.rmtree(directory)
    return written


def remove_leftovers(outputs: Outputs) -> None:
    """Removes what a run that was killed in its last moment, all shards in place, left behind."""
    if os.path.exists(os.path.join(outputs.work_directory, _RECIPE)):
        shutil.rmtree(outputs.work_directory)


@contextlib.contextmanager
def _work_directory(directory: str, described: RecordSet) -> Iterator[str]:
    """The directory for what is made, checked to be empty or of this very run; locked."""
    os.makedirs(directory, exist_ok=True)
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(locked(directory, patience=_PATIENCE))
        except BlockingIOError:
            raise ValueError(
                f"another process is at work in {directory}; wait for it or choose another"
                " --output_file"
            ) from None
        path = os.path.join(directory, _RECIPE)
        names = os.listdir(directory)
        if any(name.startswith(_BLOCK) for name in names):
            _check_same_run(path, described)
        else:
            write_json(path, {name: getattr(described, name) for name in _IDENTITY})
        for name in names:
            if name.endswith(".tmp"):
                os.remove(os.path.join(directory, name))
        yield directory


def _check_same_run(path: str, described: RecordSet) -> None:
    with open(path, encoding="utf-8") as file:
        begun = RecordSet(inputs=[], **json.load(file))
    difference = begun.difference(replace(described, inputs=[]))
    if begun.versions != described.versions:
        difference = difference or f"its software was {begun.versions}"
    if difference:
        raise ValueError(
            f"{os.path.dirname(path)} holds an unfinished run of another kind: {difference}."
            " Finish it with its own options, or delete the directory"
        )


@dataclass(frozen=True)
class _BlockWriter:
    """What a worker does with a block of documents."""

    maker: RecordMaker
    directory: str

    def path(self, number: int) -> str:
        return os.path.join(self.directory, f"{_BLOCK}{number:07}")

    def __call__(self, block: Block) -> tuple[int, BlockFacts]:
        path = self.path(block.number)
        facts = read_facts(path)
        if facts is None or facts.text != block.fingerprint:
            made = self.maker(block)
            facts = write_block(path, made.records, text=block.fingerprint, counts=made.counts)
        return block.number, facts


def _make_blocks(
    reader: CorpusReader, maker: RecordMaker, directory: str, num_workers: int
) -> dict[str, BlockFacts]:
    """Makes the records of all documents; returns the files in the order of the corpus."""
    maker.load()  # Before the workers are forked: they share it.
    writer = _BlockWriter(maker, directory)
    facts_of: dict[int, BlockFacts] = {}
    read_until: dict[int, int] = {-1: 0}

    def jobs() -> Iterator[Block]:
        for block in blocks(reader):
            read_until[block.number] = reader.position
            yield block

    with _corpus_progress(reader) as advance:
        for number, facts in run_jobs(writer, jobs(), num_workers=num_workers):
            facts_of[number] = facts
            advance(read_until[number] - read_until[number - 1], facts)
    return {writer.path(number): facts_of[number] for number in sorted(facts_of)}


@contextlib.contextmanager
def _corpus_progress(reader: CorpusReader):
    started, seen = time.monotonic(), Counter()
    with Progress(
        description="making instances", unit="B", total=reader.total, scaled=True
    ) as progress:

        def advance(num_bytes: int, facts: BlockFacts) -> None:
            seen.update(facts.counts)
            rate = seen["documents"] / max(1e-3, time.monotonic() - started)
            progress.advance(
                num_bytes, **{"documents/s": rate, "instances": f"{seen['instances']:,}"}
            )

        yield advance


def _total_counts(made: dict[str, BlockFacts], reader: CorpusReader) -> Counter[str]:
    counts = Counter(reader.counts)
    for facts in made.values():
        counts.update(facts.counts)
    return Counter(dict(sorted(counts.items())))


def _write_shards(
    made: dict[str, BlockFacts],
    directory: str,
    files: Sequence[str],
    compressed: bool,
    num_workers: int,
) -> tuple[Shard, ...]:
    texts = "".join(facts.text for facts in made.values())
    num_bytes = sum(facts.bytes for facts in made.values())
    writer = _ShardWriter(
        blocks=tuple(made),
        text=hashlib.sha256(texts.encode()).hexdigest(),
        directory=directory,
        slices=max(1, -(-num_bytes // len(files) // _IN_MEMORY)),
        compressed=compressed,
    )
    jobs = zip(files, key_ranges(len(files)), strict=True)
    shards: dict[str, Shard] = {}
    records = sum(facts.records for facts in made.values())
    with Progress(description="writing shards", unit="instance", total=records) as progress:
        for shard in run_jobs(writer, jobs, num_workers=min(num_workers, len(files))):
            shards[shard.file] = shard
            progress.advance(shard.records)
    return tuple(shards[file] for file in files)


def no_instances(counts: Counter[str]) -> ValueError:
    """The error of a corpus that gives no instances."""
    return ValueError(
        f"no instances: the input has {counts['documents']:,} documents, none with two"
        " words; give a text with one sentence a line and a blank line between documents"
    )


def too_many_files(records: int, files: Sequence[str]) -> ValueError:
    """The error of files that would be left without records."""
    return ValueError(
        f"{records:,} instances for {len(files):,} output files leave files without"
        " records; name fewer files or give more text"
    )


@dataclass(frozen=True)
class _ShardWriter:
    """What a worker does to write a shard."""

    blocks: tuple[str, ...]
    text: str  # fingerprint of the text of all blocks
    directory: str
    slices: int  # in which the records of a shard are sorted
    compressed: bool

    def __call__(self, job: tuple[str, range]) -> Shard:
        file, keys = job
        path = os.path.join(self.directory, file)
        facts_path = f"{path}.json"
        if os.path.exists(facts_path):
            with open(facts_path, encoding="utf-8") as facts:
                known = json.load(facts)
            if known["text"] == self.text:
                return Shard(**known["shard"])
        shard = self._write(file, keys)
        write_json(facts_path, {"text": self.text, "shard": asdict(shard)})
        return shard

    def _write(self, file: str, keys: range) -> Shard:
        parts = key_ranges(self.slices, within=keys)
        frames = chain.from_iterable(in_order_of_keys(self.blocks, part) for part in parts)
        with atomic_write(os.path.join(self.directory, file)) as raw:
            return write_shard(raw, file, frames, compressed=self.compressed)
