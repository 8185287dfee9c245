"""A folder that is both corpus and place of the records: records are never read as text."""

import pathlib
import shutil

import pytest
import small
from processes import run_script

from albert_zh.creation.inputs import find_inputs
from albert_zh.creation.outputs import Outputs
from albert_zh.records.manifest import read_manifest

ROOT = pathlib.Path(__file__).parent.parent


@pytest.fixture
def folder(tmp_path):
    """A folder with one text, and a vocabulary in another folder."""
    (tmp_path / "vocab").mkdir()
    small.write_vocabulary(tmp_path / "vocab")
    (tmp_path / "corpus").mkdir()
    shutil.move(small.write_corpus(tmp_path), tmp_path / "corpus" / "a.txt")
    return tmp_path / "corpus"


def run(script, *flags):
    done = run_script(script, *flags)
    assert done.returncode == 0, done.stderr
    return done


def create(folder, name, *flags):
    return run(
        "create_pretraining_data.py",
        f"--input_file={folder}",
        f"--output_file={folder / name}",
        f"--vocab_file={folder.parent / 'vocab' / 'vocab.txt'}",
        "--max_seq_length=16",
        "--segmenter=none",
        "--num_workers=1",
        *flags,
    )


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_a_folder_that_takes_the_records_can_be_read_again(folder):
    create(folder, "first.tfrecord")
    first = contents(folder)
    assert "complete already" in create(folder, "first.tfrecord").stdout
    assert contents(folder) == first
    done = create(folder, "second-*.tfrecord")
    assert "as this program wrote them: " in done.stderr
    record_sets = read_manifest(str(folder))
    assert len(record_sets) == 2
    for record_set in record_sets:
        assert [entry["file"] for entry in record_set.inputs] == [str(folder / "a.txt")]
    assert "complete already" in create(folder, "second-*.tfrecord").stdout
    output = f"--output_file={folder.parent / 'new.txt'}"
    run("scripts/build_vocab.py", f"--input_file={folder}", "--vocab_size=2000", output)


def test_unfinished_runs_are_no_input(folder):
    outputs = Outputs.parse(str(folder / "b.tfrecord"))
    for name in ("b.tfrecord.unfinished", "other-all.tfrecord.unfinished"):
        (folder / name).mkdir()
        (folder / name / "recipe.json").write_text("{}")
        (folder / name / "slice-0000000").write_bytes(b"\xff")
    assert find_inputs(str(folder), outputs) == [str(folder / "a.txt")]
    assert find_inputs(f"{folder}/*") == [str(folder / "a.txt")]


def test_a_file_that_only_has_such_a_name_is_input(folder):
    (folder / "manifest.json").write_text('{"text": "春天来了。"}\n')
    (folder / "notes.unfinished").mkdir()
    (folder / "notes.unfinished" / "b.txt").write_text("text")
    names = ["a.txt", "manifest.json", "notes.unfinished/b.txt"]
    assert find_inputs(str(folder)) == [str(folder / name) for name in names]


def test_records_that_no_manifest_lists_are_refused_by_name(folder):
    create(folder, "first.tfrecord")
    (folder / "manifest.json").unlink()
    with pytest.raises(AssertionError, match=r"first\.tfrecord is a TFRecord file, which is not"):
        create(folder, "second.tfrecord")
