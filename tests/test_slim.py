"""Slim checkpoints and the checksums of models that are passed on."""

import dataclasses
import os
import shutil

import numpy as np
import pytest
import small
from small_pretraining import options, write_config

from albert_zh.checkpoint.checksums import SUMS, check_checksums, write_checksums
from albert_zh.checkpoint.files import read_arrays, read_meta, read_shapes, write_checkpoint
from albert_zh.checkpoint.names import POSITIONS, is_weight
from albert_zh.checkpoint.options import SlimOptions
from albert_zh.checkpoint.paths import find_checkpoint
from albert_zh.checkpoint.slim import slim_checkpoint
from albert_zh.pretraining.run import pretrain

pytestmark = pytest.mark.usefixtures("module_eager")


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory):
    run = options(data, tmp_path_factory.mktemp("run"), num_train_steps=2)
    pretrain(run)
    return run


@pytest.fixture(scope="module")
def slim(trained, tmp_path_factory):
    directory = str(tmp_path_factory.mktemp("slim") / "model")
    slim_checkpoint(slim_options(trained, directory))
    return directory


def slim_options(trained, directory, **changes):
    flags = {
        "init_checkpoint": trained.output_dir,
        "bert_config_file": trained.bert_config_file,
        "vocab_file": os.path.join(trained.output_dir, "vocab.txt"),
        "output_dir": directory,
    }
    return SlimOptions(**{**flags, **changes})


def test_weights_are_those_of_the_run_in_half_precision(trained, slim):
    source, prefix = find_checkpoint(trained.output_dir), find_checkpoint(slim)
    names = list(filter(is_weight, read_shapes(source)))
    assert list(read_shapes(prefix)) == names
    weights, halved = read_arrays(source, names), read_arrays(prefix, names)
    for name in names:
        assert halved[name].dtype == np.float32
        np.testing.assert_array_equal(halved[name], np.float32(np.float16(weights[name])))
    values = sum(weights[name].size for name in names)
    assert os.path.getsize(prefix + ".data-00000-of-00001") < 2 * values + 1000


def test_training_starts_from_the_folder(data, slim, tmp_path):
    pretrain(options(data, tmp_path, init_checkpoint=slim, num_train_steps=1))
    prefix = find_checkpoint(slim)
    stored = read_arrays(prefix, read_shapes(prefix))
    for name, array in read_arrays(str(tmp_path / "model.ckpt-0"), stored).items():
        np.testing.assert_array_equal(array, stored[name])


def test_weights_beyond_half_precision_are_refused(trained, tmp_path):
    source = find_checkpoint(trained.output_dir)
    arrays = read_arrays(source, read_shapes(source))
    arrays["bert/pooler/dense/bias"][0] = 1e6
    write_checkpoint(str(tmp_path / "model.ckpt"), arrays, read_meta(source))
    changes = {"init_checkpoint": str(tmp_path / "model.ckpt")}
    with pytest.raises(ValueError, match="bert/pooler/dense/bias has values that float16"):
        slim_checkpoint(slim_options(trained, str(tmp_path / "out"), **changes))
    assert not (tmp_path / "out").exists()


def test_positions_that_were_not_trained_continue_those_that_were(trained, slim, tmp_path):
    source = str(tmp_path / "model.ckpt")
    whole = small.write_half_trained(find_checkpoint(trained.output_dir), source)
    changes = {"init_checkpoint": source, "trained_positions": len(whole) // 2}
    slim_checkpoint(slim_options(trained, str(tmp_path / "out"), **changes))
    written, plain = (find_checkpoint(folder) for folder in (str(tmp_path / "out"), slim))
    for name, array in read_arrays(written, read_shapes(written)).items():
        expected = whole if name == POSITIONS else read_arrays(plain, [name])[name]
        np.testing.assert_allclose(array, expected, atol=2e-3 * (name == POSITIONS))


def test_positions_without_a_warm_start_are_not_continued(trained, tmp_path):
    changes = {"trained_positions": 8}
    message = r"model\.ckpt-2: the \d+ rows of the position table after row 8 are no sums of sines"
    with pytest.raises(ValueError, match=message):
        slim_checkpoint(slim_options(trained, str(tmp_path / "out"), **changes))
    assert not (tmp_path / "out").exists()


def test_slim_of_a_slim_checkpoint_knows_its_step(trained, slim, tmp_path):
    slim_checkpoint(slim_options(trained, str(tmp_path / "out"), init_checkpoint=slim))
    first, second = (read_meta(find_checkpoint(each)) for each in (slim, str(tmp_path / "out")))
    assert first["converted"] == second["converted"] == {"precision": "float16", "step": 2}


def test_folder_that_is_not_empty_is_refused(trained, slim):
    with pytest.raises(FileExistsError, match="is not empty"):
        slim_checkpoint(slim_options(trained, slim))
    file = os.path.join(slim, "vocab.txt")
    with pytest.raises(FileExistsError, match=r"--output_dir=.*vocab\.txt is a file; name a fol"):
        slim_checkpoint(slim_options(trained, file))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_attention_heads": 4}, "is of a model with num_attention_heads 2, and .* has 4"),
        ({"hidden_size": 32, "intermediate_size": 64}, "of a model with (hidden|intermediate)_"),
        ({"embedding_size": 4}, "word_embeddings"),
    ],
)
def test_configuration_of_another_model_is_refused(trained, tmp_path, changes, message):
    other = write_config(tmp_path, **changes)
    with pytest.raises(ValueError, match=message):
        slim_checkpoint(slim_options(trained, str(tmp_path / "out"), bert_config_file=other))
    assert not (tmp_path / "out").exists()


def test_dropout_may_be_another(trained, tmp_path):
    other = write_config(tmp_path, hidden_dropout_prob=0.25)
    slim_checkpoint(slim_options(trained, str(tmp_path / "out"), bert_config_file=other))


def test_vocabulary_of_another_model_is_refused(trained, tmp_path):
    lines = [*small.VOCABULARY[:-1], "别"]
    (tmp_path / "vocab.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    other = slim_options(trained, str(tmp_path / "o"), vocab_file=str(tmp_path / "vocab.txt"))
    with pytest.raises(ValueError, match="vocabulary"):
        slim_checkpoint(other)


@pytest.mark.parametrize("name", ["vocab.txt", "albert_model.ckpt.index", "albert_config.json"])
def test_other_and_missing_files_are_named(slim, tmp_path, name):
    folder = shutil.copytree(slim, tmp_path / "model")
    check_checksums(str(folder))
    path = folder / name
    path.write_bytes(path.read_bytes() + b"\n")
    for given in (str(folder), str(folder / "albert_model.ckpt")):
        with pytest.raises(ValueError, match=f"{name} is not the file that .*{SUMS} lists"):
            find_checkpoint(given)
    folder = shutil.copytree(slim, tmp_path / "second")
    (folder / name).unlink()
    with pytest.raises(FileNotFoundError, match=f"{name}|no checkpoint"):
        find_checkpoint(str(folder))
    folder = shutil.copytree(slim, tmp_path / "third")
    (folder / SUMS).write_text("nonsense\n")
    with pytest.raises(ValueError, match="line 1: no checksum"):
        find_checkpoint(str(folder))


def test_checksums_are_those_of_sha256sum(tmp_path):
    (tmp_path / "a b.txt").write_bytes(b"abc")
    write_checksums(str(tmp_path), ["a b.txt"])
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert (tmp_path / SUMS).read_text() == f"{digest}  a b.txt\n"
    check_checksums(str(tmp_path))


def test_training_exports_its_best_model(data, tmp_path):
    made = options(data, tmp_path / "run", num_train_steps=2, export_dir=str(tmp_path / "export"))
    made.check()
    pretrain(made)
    folder = str(tmp_path / "export" / "checkpoint")
    assert {"albert_config.json", "vocab.txt", SUMS} <= set(os.listdir(folder))
    prefix, source = find_checkpoint(folder), find_checkpoint(made.output_dir)
    assert not [name for name in read_shapes(prefix) if not is_weight(name)]
    for name, array in read_arrays(prefix, read_shapes(prefix)).items():
        original = read_arrays(source, [name])[name]
        np.testing.assert_array_equal(array, np.float32(np.float16(original)))
    assert (tmp_path / "export" / "saved_model" / "1" / "saved_model.pb").exists()

    pretrain(made)  # finished; exports again, in place of the first export
    (tmp_path / "export" / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"files that no export wrote, such as notes\.txt"):
        made.check()
    for changes, message in (
        ({"do_train": False, "do_eval": True}, "--export_dir needs --do_train=True"),
        ({"export_dir": made.output_dir}, "which is needed|holds other files"),
        ({"export_dir": str(tmp_path)}, "which is needed|holds other files"),
    ):
        with pytest.raises(ValueError, match=message):
            dataclasses.replace(made, **changes).check()
