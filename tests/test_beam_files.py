"""Files of a pipeline: here and in a bucket, found by the same flags."""

import hashlib
from dataclasses import replace

import pytest

pytest.importorskip("apache_beam")

from buckets import BucketFileSystem

from albert_zh.creation.beam.files import (
    add_to_manifest,
    create,
    find_inputs,
    is_complete,
    open_stored,
    parse_outputs,
    path_exists,
    remove_directory,
)
from albert_zh.records.manifest import RecordSet, Shard, add_set, read_manifest

WANTED = RecordSet(recipe={"max_seq_length": 9}, vocabulary={"size": 3}, inputs=[])


@pytest.fixture
def bucket(tmp_path, monkeypatch):
    root = tmp_path / "bucket"
    monkeypatch.setattr(BucketFileSystem, "root", root, raising=False)
    for file in ("text/b.txt", "text/a.txt", "text/a.txt.gz", "text/more/c.txt", "other/d.txt"):
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text(file)
    return root


@pytest.mark.parametrize(
    ("patterns", "found"),
    [
        ("bucket://text/b.txt", ["text/b.txt"]),
        ("bucket://text/*.txt", ["text/a.txt", "text/b.txt"]),
        ("bucket://text/**.txt", ["text/a.txt", "text/b.txt", "text/more/c.txt"]),
        ("bucket://text/", ["text/a.txt", "text/a.txt.gz", "text/b.txt"]),
        ("bucket://other/d.txt, bucket://*/?.txt,", ["other/d.txt", "text/a.txt", "text/b.txt"]),
    ],
)
def test_remote_inputs_are_found_in_order(bucket, patterns, found):
    assert find_inputs(patterns) == [f"bucket://{path}" for path in found]


def test_inputs_may_be_here_and_there(bucket, tmp_path):
    (tmp_path / "here.txt").touch()
    here, there = str(tmp_path / "here.txt"), "bucket://text/b.txt"
    assert find_inputs(f"{there},{here}") == [there, here]


def test_local_inputs_are_told_apart_and_named_as_without_beam(bucket, tmp_path):
    here = str(tmp_path / "x,y.txt")
    (tmp_path / "x,y.txt").touch()
    with pytest.raises(FileNotFoundError, match=r"x,y\.txt cannot be named.*commas separate names"):
        find_inputs(f"bucket://text/b.txt,{here}")
    pattern = here.replace(",", "?")
    assert find_inputs(f"{tmp_path}/./x?y.txt,{pattern}") == [f"{tmp_path}/./x,y.txt"]


@pytest.mark.parametrize(
    ("patterns", "error", "message"),
    [
        ("bucket://text/*.csv", FileNotFoundError, r"no file matches 'bucket://text/\*\.csv'"),
        ("nowhere.txt", FileNotFoundError, r"no file matches 'nowhere\.txt'"),
        (" ,", FileNotFoundError, "the list of input files is empty"),
        ("bucket://text/*,-", ValueError, "have no standard input; name files"),
        ("nowhere://a", ValueError, "Unable to get filesystem"),
    ],
)
def test_inputs_that_cannot_be_read_are_errors(bucket, patterns, error, message):
    with pytest.raises(error, match=message):
        find_inputs(patterns)


def test_remote_outputs_have_paths_beside_each_other():
    named = parse_outputs("bucket://x/y/a, bucket://x/y/b", num_shards=None)
    assert [named.path(file) for file in named.files(num_bytes=0)] == [
        *("bucket://x/y/a", "bucket://x/y/b")
    ]
    assert named.work_directory == "bucket://x/y/a.unfinished"
    pattern = parse_outputs("bucket://x/a-*", num_shards=1)
    assert [pattern.path(file) for file in pattern.files(num_bytes=0)] == [
        "bucket://x/a-00000-of-00001"
    ]


def test_outputs_here_are_those_of_a_run_without_beam(tmp_path):
    assert parse_outputs(f"{tmp_path}/a,{tmp_path}/b", num_shards=None).directory == str(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("bucket://x/a,/x/b", "go to one directory"),
        ("bucket://x/a,bucket://y/b", "go to one directory"),
        ("bucket://x/a,other://x/b", "go to one directory"),
        (
            "bucket://x/a-*",
            r"the number of files of bucket://x/a-\* at .* --num_shards",
        ),
        ("here/a-*", r"needs the number of files of here/a-\* at its start; give --num_shards"),
        (",", "output_file names no file"),
    ],
)
def test_impossible_outputs_are_errors(text, message):
    with pytest.raises(ValueError, match=message):
        parse_outputs(text, num_shards=None)


@pytest.mark.parametrize(
    ("text", "num_shards"),
    [("bucket://out/a-*", 2), ("bucket://out/b,bucket://out/a-00000-of-00007", None)],
)
def test_remote_output_that_stands_there_is_an_error(bucket, text, num_shards):
    outputs = parse_outputs(text, num_shards=num_shards)
    (bucket / "out").mkdir()
    (bucket / "out/a-other").touch()
    assert not is_complete(outputs, WANTED, [])
    (bucket / "out/a-00000-of-00007").touch()
    with pytest.raises(ValueError, match="bucket://out/a-00000-of-00007 exists already"):
        is_complete(outputs, WANTED, [])


def test_outputs_here_are_complete_if_made_of_the_same_remote_text(bucket, tmp_path):
    outputs = parse_outputs(f"{tmp_path}/a", num_shards=None)
    content = b"text/b.txt"
    made_of = {"file": "b", "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    (tmp_path / "a").write_bytes(b"records")
    shard = Shard("a", 1, 7, hashlib.sha256(b"records").hexdigest())
    add_set(str(tmp_path), replace(WANTED, inputs=[made_of], shards=(shard,)))
    assert is_complete(outputs, WANTED, ["bucket://text/b.txt"])
    with pytest.raises(ValueError, match="the input files are others"):
        is_complete(outputs, WANTED, ["bucket://text/a.txt"])


def test_remote_manifest_keeps_what_other_runs_wrote(bucket):
    one, other = (replace(WANTED, shards=(Shard(name, 1, 7, "beef"),)) for name in "ab")
    (bucket / "out").mkdir()
    for written in (one, other, one):
        add_to_manifest("bucket://out", written)
    assert read_manifest(str(bucket / "out")) == [one, other]


def test_compressed_files_are_read_and_written_as_they_are(bucket):
    with create("bucket://new/a.gz") as file:
        file.write(b"plain")
    with open_stored("bucket://new/a.gz") as file:
        assert file.read() == b"plain"


@pytest.mark.parametrize("remote", [True, False])
def test_directory_is_removed_with_all_in_it(bucket, remote):
    directory = "bucket://text" if remote else str(bucket / "text")
    assert path_exists(directory)
    remove_directory(directory)
    assert not path_exists(directory)
    assert [path.name for path in bucket.iterdir()] == ["other"]
    remove_directory(directory)
