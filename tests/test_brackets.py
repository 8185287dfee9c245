"""Paths with characters that TensorFlow and globs take for patterns."""

import dataclasses
import os
import shutil

import pytest
import small
from small_pretraining import options

import albert_zh
from albert_zh.checkpoint.manager import CheckpointManager
from albert_zh.corpus.paths import expand_inputs
from albert_zh.export.bundle import export_model
from albert_zh.export.formats.table import FORMATS
from albert_zh.finetuning.run import fine_tune
from albert_zh.inference.load import load_model
from albert_zh.pretraining.run import pretrain
from albert_zh.util.files import expand_patterns
from albert_zh.util.object_files import write_text
from albert_zh.util.plain_paths import plain_path


@pytest.mark.usefixtures("eager")
def test_whole_way_in_a_folder_with_brackets(data, tmp_path):
    shutil.copytree(data, tmp_path / "run[1]")
    (tmp_path / "run1").mkdir()  # into which TensorFlow looks for run[1]
    folder = os.path.join(tmp_path, "run[1]")
    pretraining = options(
        folder,
        os.path.join(folder, "a*b?"),
        input_file=f"{folder}/rec*.tfrecord",
        num_train_steps=1,
        do_eval=True,
    )
    pretrain(pretraining)
    pretrain(dataclasses.replace(pretraining, num_train_steps=2))  # resumes
    small.write_task(folder)
    fine_tuning = small.fine_tuning_options(
        folder,
        os.path.join(folder, "tuned"),
        init_checkpoint=pretraining.output_dir,
        do_eval=True,
        do_predict=True,
    )
    fine_tune(fine_tuning)
    fine_tune(dataclasses.replace(fine_tuning, num_train_epochs=1.25))
    assert CheckpointManager(fine_tuning.output_dir).steps()[-1] == 10
    export_dir = os.path.join(folder, "export")
    export_model(
        load_model(fine_tuning.output_dir),
        export_dir=export_dir,
        formats=list(FORMATS),
        eval_data=os.path.join(folder, "dev.txt"),
        calibration_data=os.path.join(folder, "train.txt"),
        largest_loss=1.0,
    )
    answers = [
        albert_zh.load(path).predict([("京冷", "热")])[0]
        for path in (fine_tuning.output_dir, export_dir)
    ]
    assert answers[0].label == answers[1].label
    assert os.listdir(tmp_path / "run1") == []


@pytest.mark.parametrize("expand", [expand_patterns, expand_inputs])
def test_folders_that_exist_stand_for_themselves_in_globs(expand, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in ("a[1]/x.txt", "a[1]/y[2].txt", "a1/z.txt", "a2/z.txt"):
        write_text(str(tmp_path / path), "text")
    for pattern, files in {
        "a[1]/*.txt": ["a[1]/x.txt", "a[1]/y[2].txt"],
        "a[1]/y[2].txt": ["a[1]/y[2].txt"],
        "a[12]/*.txt": ["a1/z.txt", "a2/z.txt"],
        "a*/z.txt": ["a1/z.txt", "a2/z.txt"],
        f"{tmp_path}/a[1]/[xy]*.txt": [f"{tmp_path}/a[1]/x.txt", f"{tmp_path}/a[1]/y[2].txt"],
    }.items():
        assert expand(pattern) == files


def test_plain_path_is_the_path_where_nothing_is_a_pattern(tmp_path):
    with plain_path(str(tmp_path / "model.ckpt-1")) as path:
        assert path == str(tmp_path / "model.ckpt-1")


def test_pattern_in_an_object_store_is_named():
    with pytest.raises(ValueError, match="for a pattern; rename it"), plain_path("gs://a[1]/b"):
        pass


def test_failed_write_removes_its_own_temporary_file_only(tmp_path):
    (tmp_path / "a[1]").mkdir()
    (tmp_path / "a1").mkdir()
    (tmp_path / "a1" / "x.tmp").write_text("another's")
    os.mkdir(tmp_path / "a[1]" / "x")  # a folder cannot be replaced by a file
    with pytest.raises(OSError, match="cannot write"):
        write_text(str(tmp_path / "a[1]" / "x"), "text")
    assert os.listdir(tmp_path / "a[1]") == ["x"]
    assert os.listdir(tmp_path / "a1") == ["x.tmp"]
