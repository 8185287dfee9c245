"""Averages of the weights of several checkpoints."""

import json
import pathlib
import shutil

import numpy as np
import pytest
import small
from processes import run_script
from small import arrays, fine_tuning_options

import albert_zh
from albert_zh.checkpoint.averaging import average_checkpoints
from albert_zh.checkpoint.files import read_meta, write_checkpoint
from albert_zh.checkpoint.names import GLOBAL_STEP, is_weight
from albert_zh.checkpoint.options import AverageOptions
from albert_zh.checkpoint.several import find_several
from albert_zh.finetuning.run import fine_tune

pytestmark = pytest.mark.usefixtures("module_eager")

SCRIPT = pathlib.Path(__file__).parent.parent / "scripts" / "convert_checkpoint.py"


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    directory = tmp_path_factory.mktemp("averaging")
    small.write_vocabulary(directory)
    small.write_task(directory)
    return directory


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory):
    """Output directory of a run with checkpoints at steps 0, 4, 8."""
    directory = tmp_path_factory.mktemp("trained")
    fine_tune(fine_tuning_options(data, directory, do_eval=True))
    return directory


def average(checkpoints, output_dir) -> list[str]:
    options = AverageOptions(checkpoints=str(checkpoints), output_dir=str(output_dir))
    options.check()
    return average_checkpoints(options)


def test_weights_are_the_means_and_nothing_else_is_stored(trained, tmp_path):
    lines = average(trained / "model.ckpt-*", tmp_path / "out")
    steps = (0, 4, 8)
    assert lines[1:] == [f"  {trained}/model.ckpt-{step}" for step in steps]
    sources = [arrays(trained / f"model.ckpt-{step}") for step in steps]
    mean = arrays(tmp_path / "out" / "model.ckpt-8")
    assert mean.pop(GLOBAL_STEP) == 8
    assert set(mean) == set(filter(is_weight, sources[0]))
    for name, value in mean.items():
        expected = np.mean([each[name] for each in sources], axis=0, dtype=np.float64)
        np.testing.assert_array_equal(value, expected.astype(np.float32), err_msg=name)


def test_folder_is_used_like_that_of_a_run(data, trained, tmp_path):
    average(trained / "model.ckpt-*", tmp_path / "out")
    assert not (tmp_path / "out" / "best_checkpoint.json").exists(), "its scores are unknown"
    fine_tune(
        fine_tuning_options(data, tmp_path / "out", do_train=False, do_eval=True, do_predict=True)
    )
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert metrics["best"]["checkpoint"] == "model.ckpt-8"
    assert albert_zh.load(str(tmp_path / "out")).predict([("京冷", "热")])
    meta = read_meta(str(tmp_path / "out" / "model.ckpt-8"))
    assert meta["converted"] == {"average": [f"{trained}/model.ckpt-{step}" for step in (0, 4, 8)]}
    with pytest.raises(ValueError, match="does not fit the model and its optimizer"):
        fine_tune(fine_tuning_options(data, tmp_path / "out", num_train_epochs=2.0))


def test_script_averages_and_names_its_commands(trained, tmp_path):
    def run(*arguments):
        return run_script("scripts/convert_checkpoint.py", *arguments)

    source = f"--checkpoints={trained}/model.ckpt-4,{trained}/model.ckpt-8.index"
    done = run("average", source, f"--output_dir={tmp_path}/out")
    assert (done.returncode, done.stdout.splitlines()[0]) == (
        0,
        f"wrote {tmp_path}/out/model.ckpt-8, the average of",
    )
    done = run("averag", source)
    assert (done.returncode, done.stderr) == (
        1,
        "error: unknown command 'averag'; did you mean average?\n",
    )
    assert "--checkpoints" in run("average", "--help").stdout
    assert "--new_vocab_file" in run("--help").stdout
    assert "give --init_checkpoint" in run().stderr


def other_run(data, directory, **changes):
    fine_tune(fine_tuning_options(data, directory, num_train_epochs=0.5, **changes))
    return directory


def test_runs_that_began_differently_have_no_average(data, trained, tmp_path):
    other = other_run(data, tmp_path / "seed", random_seed=5)
    with pytest.raises(ValueError, match=r"began with different weights.*--ensemble"):
        average(f"{trained},{other}", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    begun = [
        other_run(data, tmp_path / f"begun{seed}", random_seed=seed, init_checkpoint=str(trained))
        for seed in (1, 2)
    ]
    average(",".join(map(str, begun)), tmp_path / "out")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda meta, values: values.pop("output_bias"), r"output_bias is \(2,\) .* missing"),
        (lambda meta, values: meta["task"].update(labels=["b", "a"]), "they differ in task"),
        (lambda meta, values: meta["vocabulary"].update(fingerprint="x"), "differ in vocabulary"),
    ],
)
def test_checkpoints_of_other_models_have_no_average(trained, tmp_path, change, message):
    other = str(tmp_path / "model.ckpt-4")
    meta, values = read_meta(str(trained / "model.ckpt-4")), arrays(trained / "model.ckpt-4")
    change(meta, values)
    write_checkpoint(other, values, meta)
    with pytest.raises(ValueError, match=message):
        average(f"{trained}/model.ckpt-8,{other}", tmp_path / "out")


def test_several_are_found_by_pattern_in_the_order_of_their_numbers(trained, tmp_path):
    for name in ("seed_9", "seed_10"):
        shutil.copytree(trained, tmp_path / name)
    best = json.loads((trained / "best_checkpoint.json").read_text())["checkpoint"]
    found = find_several(f"{tmp_path}/seed_*, {trained}/model.ckpt-4", flag="ensemble")
    assert found == [
        f"{tmp_path}/seed_9/{best}",
        f"{tmp_path}/seed_10/{best}",
        f"{trained}/model.ckpt-4",
    ]


def test_brackets_of_folders_are_no_pattern(trained, tmp_path):
    best = json.loads((trained / "best_checkpoint.json").read_text())["checkpoint"]
    for name in ("run[1]", "run[2]", "run1"):
        shutil.copytree(trained, tmp_path / name)
    for text in (f"{tmp_path}/run[[]1],{tmp_path}/run[2]", f"{tmp_path}/run[*"):
        found = find_several(text.replace("[[]", "["), flag="ensemble")
        assert found == [f"{tmp_path}/run[{number}]/{best}" for number in (1, 2)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", r"--ensemble=.* names one checkpoint, .*; name two or more"),
        ("{}/model.ckpt-8,{}/model.ckpt-8", "names .*model.ckpt-8 twice; leave one out"),
        ("{}/seed_*", "--ensemble: no folder and no checkpoint matches .*seed_"),
        ("{},nowhere", "--ensemble: there is no checkpoint nowhere"),
    ],
)
def test_too_few_checkpoints_are_refused(trained, text, message):
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        find_several(text.replace("{}", str(trained)), flag="ensemble")


def test_directory_in_use_is_refused(trained, tmp_path):
    with pytest.raises(FileExistsError, match="is not empty; choose a new one"):
        average(trained / "model.ckpt-*", trained)
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError, match=r"--output_dir=.*file is a file; name a folder"):
        average(trained / "model.ckpt-*", tmp_path / "file")
