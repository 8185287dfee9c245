"""albert_zh.load: a run directory, a checkpoint, an export; all predict the same."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import small

import albert_zh
from albert_zh.export.bundle import export_model
from albert_zh.finetuning.run import fine_tune
from albert_zh.inference.load import load_model

PAIRS = [("京冷", "热"), ("汉远", "贵吗今天"), ("沪", "冷"), ("渝热很多钱", "远")]


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> str:
    """Output directory of a short fine-tuning that predicted its test split."""
    directory = tmp_path_factory.mktemp("run")
    small.write_vocabulary(directory)
    small.write_task(directory)
    out = directory / "out"
    stages = {"do_eval": True, "do_predict": True}
    fine_tune(small.fine_tuning_options(directory, out, **stages, num_train_epochs=2.0))
    return str(out)


@pytest.fixture(scope="module")
def predictor(run):
    return albert_zh.load(run)


def probabilities(predictor, texts) -> np.ndarray:
    return np.array([prediction.probabilities for prediction in predictor.predict(texts)])


def test_predictor_agrees_with_the_predictions_of_the_run(run, predictor):
    with open(os.path.join(run, "..", "test.txt"), encoding="utf-8") as file:
        pairs = [tuple(line.split("\t")[:2]) for line in file]
    written = np.loadtxt(os.path.join(run, "test_results.tsv"), delimiter="\t")
    np.testing.assert_allclose(probabilities(predictor, pairs), written, atol=1e-6)


def test_predictions_are_in_the_order_of_the_texts_whatever_the_batch(predictor):
    together = probabilities(predictor, PAIRS)
    alone = [predictor.predict([pair], batch_size=1)[0] for pair in PAIRS]
    np.testing.assert_allclose(together, [each.probabilities for each in alone], atol=1e-6)
    assert [each.label for each in alone] == [str(row.argmax()) for row in together]
    assert predictor.predict([]) == []
    with pytest.raises(ValueError, match="batch_size is 0"):
        predictor.predict(PAIRS, batch_size=0)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ([("京冷", "热", "远")], "neither a text nor a pair"),
        ([("京冷", 3)], "neither a text nor a pair"),
        ([()], "neither a text nor a pair"),
        (["京冷", ("沪", "冷")], "predict them apart"),
        ([None], "None is neither a text nor a pair"),
        ("京冷", "predict takes a list of texts"),
        (None, "predict takes a list of texts or of pairs of texts, not None"),
        (3, "predict takes a list of texts or of pairs of texts, not 3"),
        (["京冷"], r"trained on pairs of texts, such as .* it cannot judge '京冷' alone"),
    ],
)
def test_texts_of_another_form_are_errors(predictor, texts, message):
    with pytest.raises(ValueError, match=message):
        predictor.predict(texts)


def test_checkpoint_is_loaded_by_its_name(run, predictor):
    best = load_model(run).prefix
    named = albert_zh.load(best)
    np.testing.assert_array_equal(probabilities(named, PAIRS), probabilities(predictor, PAIRS))
    assert load_model(f"{run}/model.ckpt-0").step == 0


@pytest.mark.parametrize("format_name", ["frozen_graph", "saved_model"])
def test_export_predicts_like_its_checkpoint(run, predictor, tmp_path, format_name):
    target = str(tmp_path / "export")
    export_model(load_model(run), export_dir=target, formats=[format_name])
    shutil.move(target, tmp_path / "moved")
    moved = albert_zh.load(str(tmp_path / "moved"))
    np.testing.assert_allclose(
        probabilities(moved, PAIRS), probabilities(predictor, PAIRS), atol=1e-6
    )


@pytest.fixture
def export(run, tmp_path):
    export_model(load_model(run), export_dir=str(tmp_path / "export"), formats=["frozen_graph"])
    return tmp_path / "export"


@pytest.mark.parametrize(
    ("name", "content", "error", "message"),
    [
        ("export.json", "{", ValueError, r"export\.json is damaged"),
        ("vocab.txt", None, FileNotFoundError, "no vocabulary at"),
        ("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n", ValueError, "not the vocabulary"),
        ("frozen_graph.pb", None, FileNotFoundError, r"lacks frozen_graph\.pb"),
        ("frozen_graph.pb", "", ValueError, "holds no graph"),
        ("frozen_graph.pb", "graph", ValueError, "is damaged"),
    ],
)
@pytest.mark.parametrize("has_sums", [True, False], ids=["", "of an earlier version"])
def test_incomplete_exports_are_errors(export, name, content, error, message, has_sums):
    if has_sums:
        message = message.replace("holds no graph", "is damaged")
    else:
        manifest = json.loads((export / "export.json").read_text())
        del manifest["formats"]["frozen_graph"]["sha256"]
        (export / "export.json").write_text(json.dumps(manifest))
        albert_zh.load(export)
    if content is None:
        (export / name).unlink()
    else:
        (export / name).write_text(content)
    with pytest.raises(error, match=message):
        albert_zh.load(export)


@pytest.mark.parametrize(
    ("format_name", "file"),
    [
        ("frozen_graph", "frozen_graph.pb"),
        ("saved_model", "saved_model/1/variables/variables.data-00000-of-00001"),
    ],
)
def test_damaged_weights_of_an_export_are_found(run, tmp_path, format_name, file):
    export_model(load_model(run), export_dir=str(tmp_path / "export"), formats=[format_name])
    path = tmp_path / "export" / file
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 64] = bytes(64)
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"{file} is not the file that export.json lists"):
        albert_zh.load(tmp_path / "export")


@pytest.mark.parametrize("part", ["saved_model", "saved_model/", "saved_model/1", "export.json"])
def test_part_of_an_export_is_told_from_a_checkpoint(run, tmp_path, part):
    folder = tmp_path / "export"
    export_model(load_model(run), export_dir=str(folder), formats=["saved_model"])
    with pytest.raises(ValueError, match=rf"is a part of an export; give .* folder: {folder}"):
        albert_zh.load(f"{folder}/{part}")


def test_missing_vocabulary_is_told_with_the_arguments_of_load(run, tmp_path):
    shutil.copytree(run, tmp_path / "copy")
    (tmp_path / "copy" / "vocab.txt").unlink()
    with pytest.raises(FileNotFoundError, match="no vocabulary at") as caught:
        albert_zh.load(tmp_path / "copy")
    assert "with vocab_file=..., or its SentencePiece model with spm_model_file=..." in str(
        caught.value
    )
    with pytest.raises(ValueError, match=r"^labels=no,yes differs from .*meta\.json"):
        albert_zh.load(run, labels=["no", "yes"])


def test_formats_that_nobody_knows_are_named(export):
    manifest = json.loads((export / "export.json").read_text())
    manifest["formats"] = {"stone_tablet": {}}
    (export / "export.json").write_text(json.dumps(manifest))
    with pytest.raises(ValueError, match="the format stone_tablet"):
        albert_zh.load(export)
    with pytest.raises(ValueError, match="needs no labels"):
        albert_zh.load(export, labels=["no", "yes"])


def test_kinds_that_nobody_knows_are_named(run, tmp_path):
    shutil.copytree(run, tmp_path / "copy")
    for path in (tmp_path / "copy").glob("*.meta.json"):
        meta = json.loads(path.read_text())
        meta["task"]["kind"] = "telling"
        path.write_text(json.dumps(meta))
    with pytest.raises(ValueError, match="unknown kind of task 'telling'"):
        albert_zh.load(tmp_path / "copy")


def test_moved_run_directory_still_loads(run, predictor, tmp_path):
    shutil.copytree(run, tmp_path / "elsewhere")
    copied = albert_zh.load(str(tmp_path / "elsewhere"))
    np.testing.assert_array_equal(probabilities(copied, PAIRS), probabilities(predictor, PAIRS))


def test_directory_without_a_model_says_so(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no checkpoint"):
        albert_zh.load(str(tmp_path / "gone"))
    with pytest.raises(FileNotFoundError, match="holds no checkpoint"):
        albert_zh.load(str(tmp_path))


def test_importing_the_package_does_not_import_tensorflow():
    code = "import sys, albert_zh; print(callable(albert_zh.load), 'tensorflow' in sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert result.stdout == "True False\n"
