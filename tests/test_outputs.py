"""Where records go, and that nothing else is ever taken for them or overwritten."""

import hashlib
from dataclasses import replace

import pytest

from albert_zh.creation.outputs import Outputs, is_complete
from albert_zh.records.manifest import RecordSet, Shard, add_set

INPUTS = [{"file": "news.txt", "bytes": 5, "sha256": "beef"}]
WANTED = RecordSet(
    recipe={"max_seq_length": 128, "masked_lm_prob": 0.15},
    vocabulary={"fingerprint": "f00d", "size": 9},
    inputs=[],
)


@pytest.fixture
def outputs(tmp_path):
    return Outputs.parse(f"{tmp_path}/a.tfrecord,{tmp_path}/b.tfrecord")


def write(outputs, files, *, made_of=WANTED, inputs=INPUTS):
    """Puts shards in place, as a finished run leaves them."""
    shards = []
    for file in files:
        content = file.encode() * 9
        with open(outputs.path(file), "wb") as shard:
            shard.write(content)
        shards.append(Shard(file, 9, len(content), hashlib.sha256(content).hexdigest()))
    add_set(outputs.directory, replace(made_of, inputs=inputs, shards=tuple(shards)))


def complete(outputs, wanted=WANTED, inputs=INPUTS):
    return is_complete(outputs, wanted, lambda: inputs)


def unasked():
    raise AssertionError("the inputs were read without need")


def test_files_of_a_finished_run_are_complete_wherever_its_inputs_moved(outputs):
    assert not is_complete(outputs, WANTED, unasked)
    write(outputs, outputs.names)
    assert complete(outputs)
    assert complete(outputs, inputs=[{**INPUTS[0], "file": "elsewhere/n.txt"}])


def test_missing_file_of_the_same_run_may_be_written_again(outputs, tmp_path):
    write(outputs, outputs.names)
    (tmp_path / "b.tfrecord").unlink()
    assert not complete(outputs)


def test_files_deleted_by_hand_make_way_for_any_other(outputs, tmp_path):
    write(outputs, outputs.names)
    for name in outputs.names:
        (tmp_path / name).unlink()
    assert not is_complete(outputs, replace(WANTED, recipe={}), unasked)


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({"recipe": {"max_seq_length": 512}}, "max_seq_length is 128, not 512"),
        ({"recipe": WANTED.recipe | {"seed": 1}}, "seed is none, not 1"),
        ({"vocabulary": {"fingerprint": "0"}}, "the vocabulary is another one"),
    ],
)
def test_other_recipe_in_the_same_place_is_an_error_before_inputs_are_read(
    outputs, changes, difference
):
    write(outputs, outputs.names)
    with pytest.raises(ValueError, match=f"a.tfrecord exists .* {difference}. Delete it or choose"):
        is_complete(outputs, replace(WANTED, **changes), unasked)


def test_other_inputs_in_the_same_place_are_an_error(outputs):
    write(outputs, outputs.names)
    with pytest.raises(ValueError, match="the input files are others"):
        complete(outputs, inputs=[{**INPUTS[0], "sha256": "cafe"}])


def test_other_number_of_files_is_an_error(outputs, tmp_path):
    write(outputs, outputs.names)
    with pytest.raises(ValueError, match=r"as one of 2 files: a\.tfrecord, b\.tfrecord"):
        complete(Outputs.parse(f"{tmp_path}/a.tfrecord"))


def test_changed_file_is_an_error(outputs, tmp_path):
    write(outputs, outputs.names)
    (tmp_path / "b.tfrecord").write_bytes(b"!" * 90)
    with pytest.raises(ValueError, match=r"b\.tfrecord exists already, but changed"):
        complete(outputs)


def test_file_without_a_manifest_is_an_error(outputs, tmp_path):
    (tmp_path / "b.tfrecord").write_bytes(b"precious")
    with pytest.raises(ValueError, match=r"b\.tfrecord exists already, and there is no manif"):
        complete(outputs)
    (tmp_path / "manifest.json").write_text('{"record_sets": []}')
    with pytest.raises(ValueError, match=r"manifest\.json beside it does not list it"):
        complete(outputs)


def test_manifest_that_is_something_else_is_an_error(outputs, tmp_path):
    (tmp_path / "manifest.json").write_text('{"name": "my web app"}')
    with pytest.raises(ValueError, match=r"manifest\.json is not a manifest of pretraining"):
        complete(outputs)


def test_runs_of_one_directory_are_kept_apart(tmp_path):
    one, other = (Outputs.parse(f"{tmp_path}/{name}.tfrecord") for name in "ab")
    write(one, one.names)
    second = replace(WANTED, recipe={"max_seq_length": 512})
    assert not is_complete(other, second, unasked)
    write(other, other.names, made_of=second)
    assert complete(one)
    assert complete(other, wanted=second)


def test_pattern_finds_its_files_however_many(tmp_path):
    outputs = Outputs.parse(f"{tmp_path}/part-*.tfrecord")
    assert not is_complete(outputs, WANTED, unasked)
    write(outputs, outputs.files(num_bytes=200 << 20))
    assert complete(outputs)
    assert outputs.existing() == [f"part-0000{index}-of-00002.tfrecord" for index in range(2)]


def test_stray_file_of_a_pattern_is_an_error(tmp_path):
    outputs = Outputs.parse(f"{tmp_path}/part-*.tfrecord")
    write(outputs, outputs.files(num_bytes=1))
    (tmp_path / "part-00000-of-00007.tfrecord").write_bytes(b"precious")
    with pytest.raises(ValueError, match=r"part-00000-of-00007\.tfrecord exists already"):
        complete(outputs)


def test_neighbours_that_only_look_alike_are_left_alone(tmp_path):
    outputs = Outputs.parse(f"{tmp_path}/part-*.tfrecord")
    for name in ("part-a.tfrecord", "part-00000-of-00002.tfrecord.bak", "xpart-00000-of-00001"):
        (tmp_path / name).write_bytes(b"precious")
    assert not is_complete(outputs, WANTED, unasked)


def test_number_of_files_follows_the_data_or_the_flag():
    outputs = Outputs.parse("x/part-*")
    assert [len(outputs.files(num_bytes=size << 20)) for size in (0, 128, 129, 12800)] == [
        *(1, 1, 2, 100)
    ]
    assert len(Outputs.parse("x/part-*", num_shards=7).files(num_bytes=1)) == 7


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (" , ", "output_file names no file"),
        ("a/x,a/./x", "names a file twice"),
        ("a/x,b/y", "the files of one run go to one directory"),
        ("{folder}", "is a directory"),
        ("{folder}/file/b/a.tfrecord", "cannot be written: .*/file is no directory"),
        ("a/x-*,a/y", r"has one \* in its file"),
        ("a/x-*-*", r"has one \* in its file"),
        ("a*/x", r"has one \* in its file"),
    ],
)
def test_impossible_output_files_are_errors(tmp_path, names, message):
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=message):
        Outputs.parse(names.format(folder=tmp_path))


@pytest.mark.parametrize(("names", "count"), [("a/x", 2), ("a/x-*", 0)])
def test_number_of_files_needs_a_pattern_and_a_positive_one(names, count):
    with pytest.raises(ValueError, match="num_shards is the number of files a pattern stands for"):
        Outputs.parse(names, num_shards=count)


@pytest.mark.parametrize("path", ["gs://bucket/a.tfrecord", "s3://b/part-*.tfrecord"])
def test_object_stores_are_refused_with_the_script_that_writes_there(path, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        ValueError, match=r"is not on this machine.*create_pretraining_data_beam\.py"
    ):
        Outputs.parse(path)
    assert list(tmp_path.iterdir()) == []
