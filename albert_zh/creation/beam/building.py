"""Creation of record shards on many machines: `creation.building` as an Apache Beam pipeline.

```
files -> Read -> slices -> Make -> (shard, record with key) -> Write -> NAME.unfinished/ -> move
         one worker        all workers                         all workers                launcher
```
One worker reads the corpus, because a record depends on the number of its document in the whole
corpus. Reading takes a small part of the time. Slices, records and keys are the same as in a local
run, so the shards are the same, byte for byte.

A runner may execute any step twice. So each attempt writes its own files and reports their paths
with the data, and the launcher moves the reported files. Workers need this package; the vocabulary
and other small files are sent with the pipeline.
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

from albert_zh.corpus.duplicates import DuplicateFilter
from albert_zh.corpus.reading import CorpusReader, ReadingRules
from albert_zh.corpus.slices import CorpusSlice, SliceSizes, slice_corpus
from albert_zh.creation.beam.files import (
    add_to_manifest,
    create,
    move,
    open_stored,
    path_exists,
    remove_directory,
)
from albert_zh.creation.building import no_instances, too_many_files
from albert_zh.creation.maker import RecordMaker
from albert_zh.creation.outputs import Outputs
from albert_zh.creation.shard_file import write_shard
from albert_zh.records.manifest import RecordSet, Shard
from albert_zh.records.tfrecord import frame

_FACTS = "facts.json"
_SMALL_FILES = ("vocab_file", "spm_model_file", "user_dict")  # fields of TextTools


def build_shards(
    paths: Sequence[str],
    rules: ReadingRules,
    maker: RecordMaker,
    *,
    outputs: Outputs,
    record_set: RecordSet,
    compressed: bool,
    options: PipelineOptions,
    drop_duplicates: bool = False,
    sizes: SliceSizes | None = None,
) -> RecordSet:
    """Run `creation.building.build_shards` as a pipeline.

    Raises:
        ValueError: The text gives no instances, or too few for the number of files; or another run
            is at work in the same place or was killed there.
    """
    # To fail here rather than on a worker.
    CorpusReader(paths, rules, open_file=open_stored)
    maker.load()
    directory, files = outputs.work_directory, outputs.files(num_bytes=0)
    if path_exists(directory):
        raise ValueError(
            f"another run is at work in {directory}, or was killed there; wait for it, or delete"
            " the directory"
        )
    try:
        with beam.Pipeline(options=options) as pipeline:
            _connect(
                pipeline,
                _ReadSlices(paths, rules, sizes, drop_duplicates),
                MakeRecords(maker, len(files)),
                _WriteShard(directory, files, compressed),
            )
        facts = _read_facts(directory, files)
    except Exception:
        remove_directory(directory)
        raise
    shards = tuple(Shard(**shard) for _, shard in facts["shards"])
    result = replace(record_set, inputs=facts["inputs"], counts=facts["counts"], shards=shards)
    add_to_manifest(outputs.directory, result)
    move([path for path, _ in facts["shards"]], [outputs.path(file) for file in files])
    remove_directory(directory)
    return result


class _ReadSlices(beam.DoFn):
    """Yield the slices of the corpus, then `counts` and `inputs`."""

    def __init__(
        self,
        paths: Sequence[str],
        rules: ReadingRules,
        sizes: SliceSizes | None,
        drop_duplicates: bool,
    ):
        self._paths, self._rules, self._sizes = paths, rules, sizes
        self._drop_duplicates = drop_duplicates

    def process(self, _):
        reader = CorpusReader(self._paths, self._rules, open_file=open_stored)
        duplicates = DuplicateFilter(drop=self._drop_duplicates)
        yield from slice_corpus(duplicates(reader), self._sizes)
        counts = reader.counts + duplicates.counts
        yield from (TaggedOutput("counts", count) for count in counts.items())
        yield TaggedOutput("inputs", reader.inputs)


class MakeRecords(beam.DoFn):
    """Yield the framed records of a slice, each with its shard and position, and `counts`."""

    def __init__(self, maker: RecordMaker, num_shards: int):
        self._maker, self._num_shards = maker, num_shards
        paths = {name: getattr(maker.tools, name) for name in _SMALL_FILES}
        self._files = {
            name: pathlib.Path(path).read_bytes() for name, path in paths.items() if path
        }

    def setup(self):
        with tempfile.TemporaryDirectory() as directory:
            places = {name: os.path.join(directory, name) for name in self._files}
            for name, content in self._files.items():
                pathlib.Path(places[name]).write_bytes(content)
            self._maker = replace(self._maker, tools=replace(self._maker.tools, **places))
            self._maker.load()

    def process(self, corpus_slice: CorpusSlice):
        result = self._maker(corpus_slice)
        for index, (key, record) in enumerate(result.records):
            shard = key * self._num_shards >> 64  # the shard of `sorted_slices.key_ranges`
            yield shard, (key, corpus_slice.number, index, frame(record))
        yield from (TaggedOutput("counts", count) for count in result.counts.items())


class _WriteShard(beam.DoFn):
    """Write the sorted records of a shard to a file; yield its number, path and Shard."""

    def __init__(self, directory: str, files: Sequence[str], compressed: bool):
        self.directory, self._files, self._compressed = directory, files, compressed

    def process(self, group: tuple[int, Iterable[tuple[int, int, int, bytes]]]):
        number, records = group
        path = _attempt_path(self.directory)
        with create(path) as raw:
            frames = (data for *_, data in sorted(records))
            shard = write_shard(raw, self._files[number], frames, compressed=self._compressed)
        yield number, path, asdict(shard)


def _connect(
    pipeline: beam.Pipeline, read: _ReadSlices, make: MakeRecords, write: _WriteShard
) -> None:
    text = pipeline | beam.Impulse() | "Read" >> _with_tags(read, "counts", "inputs")
    records = text.main | beam.Reshuffle() | "Make" >> _with_tags(make, "counts")
    shards = records.main | beam.GroupByKey() | "Write" >> beam.ParDo(write)
    counts = (text.counts, records.counts) | beam.Flatten() | beam.CombinePerKey(sum)
    facts = (AsDict(counts), AsSingleton(text.inputs), AsList(shards))
    _ = pipeline | beam.Create([write.directory]) | "Report" >> beam.Map(_write_facts, *facts)


def _with_tags(work: beam.DoFn, *tags: str) -> beam.PTransform:
    return beam.ParDo(work).with_outputs(*tags, main="main")


def _write_facts(directory, counts, inputs, shards) -> None:
    """Report the results to the launcher unless an earlier attempt has done so."""
    in_order = sorted(shards, key=lambda shard: shard[0])
    facts = {
        "counts": dict(sorted(counts.items())),
        "inputs": inputs,
        "shards": [(path, shard) for _, path, shard in in_order],
    }
    attempt = _attempt_path(directory)
    with create(attempt) as file:
        file.write(json.dumps(facts).encode())
    if not path_exists(f"{directory}/{_FACTS}"):
        move([attempt], [f"{directory}/{_FACTS}"])


def _read_facts(directory: str, files: Sequence[str]) -> dict[str, Any]:
    with open_stored(f"{directory}/{_FACTS}") as file:
        facts = json.load(file)
    counts = Counter(facts["counts"])
    if not counts["instances"]:
        raise no_instances(counts)
    if len(facts["shards"]) < len(files):
        raise too_many_files(counts["instances"], files)
    return facts


def _attempt_path(directory: str) -> str:
    return f"{directory}/{uuid.uuid4().hex}"
