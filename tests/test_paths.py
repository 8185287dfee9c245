"""Paths of checkpoints as people write them, and folders of every program that writes some."""

import json
import pathlib
import re

import pytest

from albert_zh.checkpoint.paths import check_checkpoint_exists, find_checkpoint


def write(folder: pathlib.Path, *names: str, ours: bool = False) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        for ending in ("index", "data-00000-of-00001", "meta", *(["meta.json"] if ours else [])):
            (folder / f"{name}.{ending}").write_text("")


def write_state(folder: pathlib.Path, newest: str) -> None:
    (folder / "checkpoint").write_text(f'model_checkpoint_path: "{newest}"\nall_model_...: "x"\n')


def found(path) -> str:
    """Path of the checkpoint, from the folder that was asked for."""
    return str(pathlib.Path(find_checkpoint(str(path))).relative_to(path))


@pytest.mark.parametrize("ending", ["", ".index", ".data-00000-of-00001", ".meta", ".meta.json"])
def test_a_checkpoint_is_meant_by_its_name_and_by_each_of_its_files(ending, tmp_path):
    write(tmp_path, "albert_model.ckpt", ours=True)
    prefix = str(tmp_path / "albert_model.ckpt")
    assert find_checkpoint(prefix + ending) == prefix


def test_note_of_tensorflow_stands_for_the_checkpoint_that_it_names(tmp_path):
    write(tmp_path, "model.ckpt-1", "model.ckpt-2")
    write_state(tmp_path, "/home/somebody/else/model.ckpt-1")
    assert find_checkpoint(str(tmp_path / "checkpoint")) == str(tmp_path / "model.ckpt-1")
    write_state(tmp_path, "model.ckpt-3")
    with pytest.raises(FileNotFoundError, match="the checkpoint that it names is not in"):
        find_checkpoint(str(tmp_path / "checkpoint"))


# program and state of the folder: checkpoints, note of TensorFlow, the one that is meant
FOLDERS = {
    "a released model": (["albert_model.ckpt"], None, "albert_model.ckpt"),
    "google's released model": (["model.ckpt-best"], None, "model.ckpt-best"),
    "google's fine-tuning, evaluated": (
        ["model.ckpt-0", "model.ckpt-best"],
        "model.ckpt-1000",
        "model.ckpt-best",
    ),
    "google's pretraining, evaluated": (
        ["model.ckpt-900", "model.ckpt-1000", "model.ckpt-best"],
        "model.ckpt-1000",
        "model.ckpt-best",
    ),
    "an estimator": (["model.ckpt-0", "model.ckpt-9", "model.ckpt-10"], None, "model.ckpt-10"),
    "an estimator, set back": (["model.ckpt-9", "model.ckpt-10"], "model.ckpt-9", "model.ckpt-9"),
    "an estimator in the folder of a released model": (
        ["albert_model.ckpt", "model.ckpt-300"],
        "model.ckpt-300",
        "model.ckpt-300",
    ),
    "a note of another folder": (["model.ckpt-7"], "/elsewhere/model.ckpt-9", "model.ckpt-7"),
}


@pytest.mark.parametrize(("names", "newest", "meant"), FOLDERS.values(), ids=FOLDERS)
def test_folder_of_published_programs_stands_for_the_checkpoint_that_is_meant(
    names, newest, meant, tmp_path
):
    write(tmp_path, *names)
    if newest:
        write_state(tmp_path, newest)
    assert found(tmp_path) == meant


def test_files_of_our_folder_count_and_not_the_note_which_a_kill_leaves_behind(tmp_path):
    write(tmp_path, "model.ckpt-5", "model.ckpt-10", ours=True)
    write_state(tmp_path, "model.ckpt-5")
    assert found(tmp_path) == "model.ckpt-10"
    (tmp_path / "best_checkpoint.json").write_text(json.dumps({"checkpoint": "model.ckpt-5"}))
    assert found(tmp_path) == "model.ckpt-5"


def test_our_run_in_the_folder_of_a_released_model_comes_first(tmp_path):
    write(tmp_path, "albert_model.ckpt")
    write(tmp_path, "model.ckpt-300", ours=True)
    assert found(tmp_path) == "model.ckpt-300"


def test_saved_model_and_folder_of_an_exporter_stand_for_their_weights(tmp_path):
    for number in ("999", "1000"):
        write(tmp_path / "best" / number / "variables", "variables")
        (tmp_path / "best" / number / "saved_model.pb").write_text("")
    assert found(tmp_path / "best" / "999") == "variables/variables"
    assert found(tmp_path / "best") == "1000/variables/variables"


def test_several_checkpoints_without_a_hint_are_a_question(tmp_path):
    write(tmp_path, "albert_model.ckpt", "model.ckpt-2", "model.ckpt-3")
    question = (
        f"--checkpoint={tmp_path}: the folder holds several checkpoints; name one: "
        f"{tmp_path}/albert_model.ckpt or {tmp_path}/model.ckpt-3"
    )
    with pytest.raises(ValueError, match=re.escape(question)):
        find_checkpoint(str(tmp_path), flag="checkpoint")


def test_checkpoint_in_a_folder_below_is_proposed(tmp_path):
    write(tmp_path / "albert_tiny_zh", "albert_model.ckpt")
    with pytest.raises(FileNotFoundError, match=r"no checkpoint; did you mean .*/albert_tiny_zh\?"):
        find_checkpoint(str(tmp_path))


def test_a_model_of_transformers_is_to_be_converted(tmp_path):
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_text("")
    way = re.escape(f"convert_checkpoint.py from_transformers --model_dir={tmp_path}")
    with pytest.raises(
        FileNotFoundError, match=f"no checkpoint but a model of transformers; .*{way}"
    ):
        find_checkpoint(str(tmp_path))


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("model/albert_model.ckt", "did you mean model/albert_model.ckpt?"),
        ("model/albert_model", "did you mean model/albert_model.ckpt?"),
        ("modl/albert_model.ckpt", "there is no folder modl; did you mean model?"),
        ("model/vocab.txt/x", "model/vocab.txt is no folder"),
        ("nowhere", "(no file nowhere.index); name it without the ending, such as"),
    ],
)
def test_near_names_are_proposed(path, answer, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(pathlib.Path("model"), "albert_model.ckpt")
    pathlib.Path("model", "vocab.txt").write_text("")
    with pytest.raises(FileNotFoundError) as caught:
        check_checkpoint_exists(path, flag="init_checkpoint")
    assert str(caught.value).startswith(f"--init_checkpoint: there is no checkpoint {path} (")
    assert answer in str(caught.value)


@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin", "albert_tiny.zip"])
def test_file_of_another_kind_is_told_from_a_missing_checkpoint(name, tmp_path):
    path = tmp_path / name
    path.write_text("")
    with pytest.raises(ValueError, match=rf"^--checkpoint: {path} is no checkpoint of TensorFlow"):
        find_checkpoint(str(path), flag="checkpoint")


def test_weights_without_their_index_are_told(tmp_path):
    write(tmp_path, "model.ckpt-1")
    (tmp_path / "model.ckpt-1.index").unlink()
    with pytest.raises(FileNotFoundError, match=r"\(no file .*/model\.ckpt-1\.index\)"):
        find_checkpoint(str(tmp_path / "model.ckpt-1.data-00000-of-00001"))


def test_index_without_its_weights_is_told(tmp_path):
    write(tmp_path, "model.ckpt-1")
    (tmp_path / "model.ckpt-1.data-00000-of-00001").unlink()
    with pytest.raises(FileNotFoundError, match=r"data-00000-of-00001 is missing, which holds"):
        find_checkpoint(str(tmp_path / "model.ckpt-1"))


def test_object_stores_are_asked_through_tensorflow(tmp_path):
    """TensorFlow's file system in memory stands for a bucket."""
    import tensorflow as tf

    check_checkpoint_exists("ram://bucket/nowhere", flag="init_checkpoint")  # asked for later
    for step in (1, 2):
        for ending in ("index", "data-00000-of-00001"):
            with tf.io.gfile.GFile(f"ram://bucket/model.ckpt-{step}.{ending}", "w") as file:
                file.write("x")
    with tf.io.gfile.GFile("ram://bucket/checkpoint", "w") as file:
        file.write('model_checkpoint_path: "model.ckpt-1"\n')
    assert find_checkpoint("ram://bucket/checkpoint") == "ram://bucket/model.ckpt-1"
    assert find_checkpoint("ram://bucket/model.ckpt-2.index") == "ram://bucket/model.ckpt-2"
    assert find_checkpoint("ram://bucket") == "ram://bucket/model.ckpt-1"
    with pytest.raises(FileNotFoundError, match=r"did you mean ram://bucket/model\.ckpt-2"):
        find_checkpoint("ram://bucket/model.ckpt-20")
