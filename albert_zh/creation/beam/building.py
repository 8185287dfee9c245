"""From a corpus to shards on many machines: `creation.building` as an Apache Beam pipeline.

```
files -> Read -> blocks -> Make -> (shard, record with key) -> Write -> NAME.unfinished/ -> moved
         one worker        all workers                         all workers                 launcher
```
One worker reads, since records hang on the number of their document in the whole corpus; that
takes a small part of the time that making records takes. Blocks, records and keys are those of
the local run, and so are the shards, byte for byte.

A runner may do anything twice. So every attempt writes files of its own, what is known of them
travels with the data, and the launcher moves those files that it is told of. Workers need this
package; the vocabulary and the other small files travel with the pipeline.
"""

import json
import os
import pathlib
import tempfile
import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.pvalue import AsDict, AsList, AsSingleton, TaggedOutput

from albert_zh.corpus.blocks import Block, blocks
from albert_zh.corpus.reading import CorpusReader, ReadingRules
from albert_zh.creation.beam.files import (
    add_to_manifest,
    create,
    move,
    open_stored,
    remove_directory,
    stands,
)
from albert_zh.creation.building import no_instances, too_many_files
from albert_zh.creation.maker import RecordMaker
from albert_zh.creation.outputs import Outputs
from albert_zh.creation.shard_file import write_shard
from albert_zh.records.manifest import RecordSet, Shard
from albert_zh.records.tfrecord import frame

_FACTS = "facts.json"
_SMALL_FILES = ("vocab_file", "spm_model_file", "user_dict")  # those that TextTools names


def build_shards(
    paths: Sequence[str],
    rules: ReadingRules,
    maker: RecordMaker,
    *,
    outputs: Outputs,
    described: RecordSet,
    compressed: bool,
    options: PipelineOptions,
) -> RecordSet:
    """`creation.building.build_shards` as a pipeline.

    Raises:
        ValueError: The text gives no instances, or too few for the files; another run is at work
            or has left something unfinished here.
    """
    maker.load()  # Fails here rather than on a worker.
    directory, files = outputs.work_directory, outputs.files(num_bytes=0)
    if stands(directory):
        raise ValueError(
            f"another run is at work in {directory}, or was killed there; wait for it, or delete"
            " the directory"
        )
    try:
        with beam.Pipeline(options=options) as pipeline:
            _connect(
                pipeline,
                _ReadBlocks(paths, rules),
                _MakeRecords(maker, len(files)),
                _WriteShard(directory, files, compressed),
            )
        facts = _checked_facts(directory, files)
    except Exception:
        remove_directory(directory)
        raise
    shards = tuple(Shard(**shard) for _, shard in facts["shards"])
    written = replace(described, inputs=facts["inputs"], counts=facts["counts"], shards=shards)
    add_to_manifest(outputs.directory, written)
    move([path for path, _ in facts["shards"]], [outputs.path(file) for file in files])
    remove_directory(directory)
    return written


class _ReadBlocks(beam.DoFn):
    """Gives the blocks of the corpus, and then `counts` and `inputs`."""

    def __init__(self, paths: Sequence[str], rules: ReadingRules):
        self._paths, self._rules = paths, rules

    def process(self, _):
        reader = CorpusReader(self._paths, self._rules, open_file=open_stored)
        yield from blocks(reader)
        yield from (TaggedOutput("counts", count) for count in reader.counts.items())
        yield TaggedOutput("inputs", reader.inputs)


class _MakeRecords(beam.DoFn):
    """Gives the framed records of a block, each with its shard and its place; and `counts`."""

    def __init__(self, maker: RecordMaker, num_shards: int):
        self._maker, self._num_shards = maker, num_shards
        named = {name: getattr(maker.tools, name) for name in _SMALL_FILES}
        self._files = {
            name: pathlib.Path(path).read_bytes() for name, path in named.items() if path
        }

    def setup(self):
        with tempfile.TemporaryDirectory() as directory:
            places = {name: os.path.join(directory, name) for name in self._files}
            for name, content in self._files.items():
                pathlib.Path(places[name]).write_bytes(content)
            self._maker = replace(self._maker, tools=replace(self._maker.tools, **places))
            self._maker.load()

    def process(self, block: Block):
        made = self._maker(block)
        for index, (key, record) in enumerate(made.records):
            shard = key * self._num_shards >> 64  # as `sorted_blocks.key_ranges` has it
            yield shard, (key, block.number, index, frame(record))
        yield from (TaggedOutput("counts", count) for count in made.counts.items())


class _WriteShard(beam.DoFn):
    """Writes the records of a shard, in order, to a file; gives number, path and Shard."""

    def __init__(self, directory: str, files: Sequence[str], compressed: bool):
        self.directory, self._files, self._compressed = directory, files, compressed

    def process(self, group: tuple[int, Iterable[tuple[int, int, int, bytes]]]):
        number, records = group
        path, ordered = _path_of_attempt(self.directory), sorted(records)
        with create(path) as raw:
            frames = (framed for *_, framed in ordered)
            shard = write_shard(raw, self._files[number], frames, compressed=self._compressed)
        yield number, path, asdict(shard)


def _connect(
    pipeline: beam.Pipeline, read: _ReadBlocks, make: _MakeRecords, write: _WriteShard
) -> None:
    text = pipeline | beam.Impulse() | "Read" >> _with_tags(read, "counts", "inputs")
    made = text.main | beam.Reshuffle() | "Make" >> _with_tags(make, "counts")
    shards = made.main | beam.GroupByKey() | "Write" >> beam.ParDo(write)
    counts = (text.counts, made.counts) | beam.Flatten() | beam.CombinePerKey(sum)
    facts = (AsDict(counts), AsSingleton(text.inputs), AsList(shards))
    _ = pipeline | beam.Create([write.directory]) | "Tell" >> beam.Map(_write_facts, *facts)


def _with_tags(work: beam.DoFn, *tags: str) -> beam.PTransform:
    return beam.ParDo(work).with_outputs(*tags, main="main")


def _write_facts(directory, counts, inputs, shards) -> None:
    """Tells the launcher what came of the pipeline, unless an earlier attempt has told it."""
    in_order = sorted(shards, key=lambda shard: shard[0])
    facts = {
        "counts": dict(sorted(counts.items())),
        "inputs": inputs,
        "shards": [(path, shard) for _, path, shard in in_order],
    }
    attempt = _path_of_attempt(directory)
    with create(attempt) as file:
        file.write(json.dumps(facts).encode())
    if not stands(f"{directory}/{_FACTS}"):
        move([attempt], [f"{directory}/{_FACTS}"])


def _checked_facts(directory: str, files: Sequence[str]) -> dict[str, Any]:
    with open_stored(f"{directory}/{_FACTS}") as file:
        facts = json.load(file)
    counts = Counter(facts["counts"])
    if not counts["instances"]:
        raise no_instances(counts)
    if len(facts["shards"]) < len(files):
        raise too_many_files(counts["instances"], files)
    return facts


def _path_of_attempt(directory: str) -> str:
    return f"{directory}/{uuid.uuid4().hex}"
