"""Shards and their manifest: whole or not at all, and never over something else."""

import hashlib
import json
import multiprocessing
import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from albert_zh.records.manifest import RecordSet, add_set, find_sets, read_manifest
from albert_zh.records.shards import is_written, parse_output_files, write_shards
from albert_zh.records.tfrecord import read_records

RECORDS = [bytes([number]) * 9 for number in range(7)]
MADE_OF = RecordSet(
    recipe={"max_seq_length": 128, "masked_lm_prob": 0.15},
    vocabulary={"fingerprint": "f00d", "size": 9},
    inputs=[{"file": "news.txt", "bytes": 5, "sha256": "beef"}],
    counts={"documents": 2},
    versions={"python": "3.11"},
)


@pytest.fixture
def paths(tmp_path):
    return [str(tmp_path / "out" / name) for name in ("a.tfrecord", "b.tfrecord")]


def names_in(directory):
    return sorted(os.listdir(directory))


def test_records_go_round_robin_and_the_manifest_tells_all(paths):
    written = write_shards(RECORDS, paths=paths, described=MADE_OF)
    assert list(read_records(paths[0])) == RECORDS[0::2]
    assert list(read_records(paths[1])) == RECORDS[1::2]
    directory = os.path.dirname(paths[0])
    assert names_in(directory) == ["a.tfrecord", "b.tfrecord", "manifest.json"]
    with open(os.path.join(directory, "manifest.json"), encoding="utf-8") as file:
        manifest = json.load(file)
    contents = [open(path, "rb").read() for path in paths]  # noqa: SIM115
    assert manifest == {
        "record_sets": [
            {
                "recipe": {"max_seq_length": 128, "masked_lm_prob": 0.15},
                "vocabulary": {"fingerprint": "f00d", "size": 9},
                "inputs": [{"file": "news.txt", "bytes": 5, "sha256": "beef"}],
                "shards": [
                    {
                        "file": name,
                        "records": records,
                        "bytes": len(content),
                        "sha256": hashlib.sha256(content).hexdigest(),
                    }
                    for name, records, content in zip(
                        ("a.tfrecord", "b.tfrecord"), (4, 3), contents, strict=True
                    )
                ],
                "counts": {"documents": 2},
                "versions": {"python": "3.11"},
            }
        ]
    }
    assert read_manifest(directory) == [written]
    assert find_sets([*paths, "elsewhere.tfrecord"]) == [written, written, None]


def test_more_files_than_records_is_an_error(paths):
    with pytest.raises(ValueError, match="1 instances for 2 output files"):
        write_shards(RECORDS[:1], paths=paths, described=MADE_OF)


def test_same_set_is_found_complete_wherever_its_inputs_moved(paths):
    assert not is_written(paths, MADE_OF)
    write_shards(RECORDS, paths=paths, described=MADE_OF)
    moved = replace(MADE_OF, inputs=[{**MADE_OF.inputs[0], "file": "elsewhere/n.txt"}])
    assert is_written(paths, moved)


def test_missing_shard_of_the_same_set_may_be_written_again(paths):
    write_shards(RECORDS, paths=paths, described=MADE_OF)
    os.remove(paths[1])
    assert not is_written(paths, MADE_OF)


def test_shards_deleted_by_hand_make_way_for_any_other(paths):
    write_shards(RECORDS, paths=paths, described=MADE_OF)
    for path in paths:
        os.remove(path)
    other = replace(MADE_OF, recipe={"max_seq_length": 512})
    assert not is_written(paths, other)
    written = write_shards(RECORDS, paths=paths, described=other)
    assert read_manifest(os.path.dirname(paths[0])) == [written]


@pytest.mark.parametrize(
    ("wanted", "difference"),
    [
        (replace(MADE_OF, recipe={"max_seq_length": 512}), "max_seq_length is 128, not 512"),
        (replace(MADE_OF, recipe=MADE_OF.recipe | {"seed": 1}), "seed is None, not 1"),
        (replace(MADE_OF, vocabulary={"fingerprint": "0"}), "the vocabulary is another one"),
        (replace(MADE_OF, inputs=[]), "the input files are others"),
    ],
)
def test_other_recipe_in_the_same_place_is_an_error(paths, wanted, difference):
    write_shards(RECORDS, paths=paths, described=MADE_OF)
    with pytest.raises(ValueError, match=f"a.tfrecord stands .* {difference}. Delete it or choose"):
        is_written(paths, wanted)


def test_other_number_of_files_is_an_error(paths):
    write_shards(RECORDS, paths=paths, described=MADE_OF)
    with pytest.raises(ValueError, match=r"as one of 2 files: a\.tfrecord, b\.tfrecord"):
        is_written(paths[:1], MADE_OF)


def test_changed_shard_is_an_error(paths):
    write_shards(RECORDS, paths=paths, described=MADE_OF)
    with open(paths[1], "r+b") as file:
        file.seek(20)
        file.write(b"!")
    with pytest.raises(ValueError, match=r"b\.tfrecord stands there already, but changed"):
        is_written(paths, MADE_OF)


def test_file_without_a_manifest_is_an_error(paths, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "b.tfrecord").write_bytes(b"precious")
    with pytest.raises(ValueError, match=r"b\.tfrecord stands there already, and manifest\.json"):
        is_written(paths, MADE_OF)


def test_manifest_that_is_something_else_is_an_error(paths, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "manifest.json").write_text('{"name": "my web app"}')
    with pytest.raises(ValueError, match=r"manifest\.json is not a manifest of pretraining"):
        is_written(paths, MADE_OF)


def test_sets_of_one_directory_are_kept_apart(paths):
    first = write_shards(RECORDS, paths=paths[1:], described=MADE_OF)
    other = replace(MADE_OF, recipe={"max_seq_length": 512})
    assert not is_written(paths[:1], other)
    second = write_shards(RECORDS, paths=paths[:1], described=other)
    assert read_manifest(os.path.dirname(paths[0])) == [second, first]
    assert is_written(paths[1:], MADE_OF)


def _add(directory, name):
    shard = {"file": name, "records": 1, "bytes": 1, "sha256": "0"}
    add_set(directory, RecordSet.from_json({**vars(MADE_OF), "shards": [shard]}))


def test_processes_that_finish_together_lose_no_entry(tmp_path):
    names = [f"{number:02}.tfrecord" for number in range(12)]
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        pool.starmap(_add, [(str(tmp_path), name) for name in names], chunksize=1)
    assert [entry.shards[0].file for entry in read_manifest(str(tmp_path))] == names


SLOW_WRITER = """
import sys, time
from albert_zh.records.manifest import RecordSet
from albert_zh.records.shards import write_shards

class SlowRecords(list):
    def __getitem__(self, part):
        return SlowRecords(super().__getitem__(part))
    def __iter__(self):
        for record in super().__iter__():
            yield record
            print("writing", flush=True)
            time.sleep(60)

write_shards(SlowRecords([b"x"] * 9), paths=sys.argv[1:], described=RecordSet({}, {}, []))
"""


def test_kill_during_writing_leaves_no_shard_under_its_final_name(paths):
    writer = subprocess.Popen(
        [sys.executable, "-c", SLOW_WRITER, *paths], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout.readline() == "writing\n"
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    left = names_in(os.path.dirname(paths[0]))
    assert left
    assert all(name.startswith(".") and name.endswith(".tmp") for name in left)
    assert not is_written(paths, MADE_OF)
    write_shards(RECORDS, paths=paths, described=MADE_OF)
    assert is_written(paths, MADE_OF)


def test_failure_during_writing_leaves_nothing(paths):
    with pytest.raises(TypeError):
        write_shards([b"x", b"x", b"x", None], paths=paths, described=MADE_OF)
    assert names_in(os.path.dirname(paths[0])) == []


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (" , ", "output_file names no file"),
        ("a/x,a/./x", "names a file twice"),
        ("a/x,b/y", "the files of one run go to one directory"),
        ("{folder}", "is a directory"),
    ],
)
def test_impossible_output_files_are_errors(tmp_path, names, message):
    with pytest.raises(ValueError, match=message):
        parse_output_files(names.format(folder=tmp_path))
