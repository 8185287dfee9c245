"""A corpus becomes shards in a pipeline: those of the local run, whatever is done twice."""

import gzip
import pathlib
import pickle
from dataclasses import replace

import pytest
import small

pytest.importorskip("apache_beam")

from buckets import BucketFileSystem

from albert_zh.corpus.reading import CorpusReader, ReadingRules
from albert_zh.corpus.slices import SliceSizes, slice_corpus
from albert_zh.creation import building
from albert_zh.creation.beam.building import MakeRecords, build_shards
from albert_zh.creation.beam.files import parse_outputs, pipeline_options
from albert_zh.creation.outputs import Outputs
from albert_zh.records.manifest import RecordSet, read_manifest
from albert_zh.records.tfrecord import frame

RECORD_SET = RecordSet(recipe={"max_seq_length": 24}, vocabulary={"size": 3}, inputs=[])
SIZES = SliceSizes(smallest=300)  # several slices of a small corpus
NAMES = ("a.tfrecord", "b.tfrecord", "c.tfrecord")
RUNNER = "--runner=FnApiRunner"  # What DirectRunner becomes where it finds no Prism.


@pytest.fixture
def corpus(tmp_path):
    return small.write_corpus(tmp_path)


@pytest.fixture
def maker(tmp_path):
    return small.record_maker(tmp_path, segmenter="none", random_next_sentence=True)


def joined(directory):
    return ",".join(f"{directory}/{name}" for name in NAMES)


def build_here(directory, corpus, maker, *, compressed=False):
    """The run without Beam."""
    return building.build_shards(
        CorpusReader([str(corpus)], ReadingRules()),
        maker,
        outputs=Outputs.parse(joined(directory)),
        record_set=RECORD_SET,
        compressed=compressed,
        num_workers=1,
        limits=building.BuildLimits(slices=SIZES),
    )


def build(directory, corpus, maker, *, compressed=False, flags=RUNNER):
    return build_shards(
        [str(corpus)],
        ReadingRules(),
        maker,
        outputs=parse_outputs(joined(directory), num_shards=None),
        record_set=RECORD_SET,
        compressed=compressed,
        options=pipeline_options(flags),
        sizes=SIZES,
    )


def contents(directory):
    """Everything in the directory but the manifest, whose counts may be in another order."""
    return {
        path.name: path.read_bytes()
        for path in pathlib.Path(directory).iterdir()
        if path.name != "manifest.json"
    }


@pytest.mark.parametrize("compressed", [False, True])
def test_shards_and_manifest_are_those_of_the_local_run(tmp_path, corpus, maker, compressed):
    assert len(list(slice_corpus(CorpusReader([corpus]), SIZES))) > 2
    build_here(tmp_path / "here", corpus, maker, compressed=compressed)
    written = build(tmp_path / "beam", corpus, maker, compressed=compressed)
    assert sorted(contents(tmp_path / "here")) == sorted(NAMES)
    assert contents(tmp_path / "beam") == contents(tmp_path / "here")
    assert read_manifest(str(tmp_path / "here")) == [written]
    assert read_manifest(str(tmp_path / "beam")) == [written]


def test_work_that_is_done_twice_does_no_harm(tmp_path, corpus, maker):
    once = build(tmp_path / "once", corpus, maker)
    twice = build(
        tmp_path / "twice", corpus, maker, flags=f"{RUNNER} --direct_runner_bundle_repeat=1"
    )
    assert twice == once
    assert contents(tmp_path / "twice") == contents(tmp_path / "once")


def test_shards_in_a_bucket_are_those_of_the_local_run(tmp_path, corpus, maker, monkeypatch):
    monkeypatch.setattr(BucketFileSystem, "root", tmp_path / "bucket", raising=False)
    (tmp_path / "bucket/text").mkdir(parents=True)
    stored = tmp_path / "bucket/text/corpus.txt.gz"
    stored.write_bytes(gzip.compress(pathlib.Path(corpus).read_bytes()))
    here = build_here(tmp_path / "here", stored, maker)
    written = build("bucket://out", "bucket://text/corpus.txt.gz", maker)
    assert contents(tmp_path / "bucket/out") == contents(tmp_path / "here")
    assert read_manifest(str(tmp_path / "bucket/out")) == [written]
    (source,) = here.inputs
    assert written == replace(here, inputs=[source | {"file": "bucket://text/corpus.txt.gz"}])


def test_workers_have_no_need_of_the_vocabulary_file(corpus, maker):
    (corpus_slice, *_) = slice_corpus(CorpusReader([corpus]), SIZES)
    sent = pickle.dumps(MakeRecords(maker, 1))
    wanted = maker(corpus_slice)
    pathlib.Path(maker.tools.vocab_file).unlink()
    worker = pickle.loads(sent)
    worker.setup()
    made = [element for element in worker.process(corpus_slice) if isinstance(element, tuple)]
    assert made == [
        (0, (key, 0, index, frame(record))) for index, (key, record) in enumerate(wanted.records)
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b" \n\n", r"corpus\.txt has only white space"),
        ("今天\n".encode(), "1 instances for 3 output files leave files without"),
        (b"\xff\n", r"corpus\.txt, line 1: not UTF-8"),
    ],
)
def test_bad_text_is_an_error_that_leaves_nothing(tmp_path, corpus, maker, text, message):
    pathlib.Path(corpus).write_bytes(text)
    with pytest.raises(ValueError, match=message):
        build(tmp_path / "out", corpus, replace(maker, recipe=replace(maker.recipe, dupe_factor=1)))
    assert not any((tmp_path / "out").glob("*"))


def test_unfinished_run_in_the_same_place_is_an_error(tmp_path, corpus, maker):
    unfinished = tmp_path / "out/a.tfrecord.unfinished"
    unfinished.mkdir(parents=True)
    (unfinished / "slice-0000000").touch()
    with pytest.raises(ValueError, match=r"another run is at work in .*a\.tfrecord\.unfinished"):
        build(tmp_path / "out", corpus, maker)
    assert [path.name for path in unfinished.iterdir()] == ["slice-0000000"]
