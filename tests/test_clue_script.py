"""run_classifier_clue.sh, its table, and downloads of datasets.

The script runs in a copy of the project whose run_classifier.py prints its arguments and notes
scores.
"""

import io
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import zipfile

import clue_table
import pytest
from test_lcqmc_script import OFFLINE, served  # noqa: F401  # a fixture

from albert_zh.download.datasets import ARCHIVES, download_dataset
from albert_zh.util.files import sha256_of_file

ROOT = pathlib.Path(__file__).parent.parent
CLASSIFIER = """
import json, os, sys
print(*sys.argv[1:], sep="\\n")
flags = dict(argument[2:].split("=", 1) for argument in sys.argv[1:])
os.makedirs(flags["output_dir"])
best = {"checkpoint": "model.ckpt-9", "step": 9, "scores": {"accuracy": 0.5, "average": 40.0}}
metrics = {
    "task": flags["task_name"],
    "kind": "reading" if flags["task_name"] == "cmrc2018" else "classification",
    "metric": "average" if flags["task_name"] == "cmrc2018" else "accuracy",
    "best": best,
    "checkpoints": [best],
    "data": {"dev": {"rows": 3219 if flags["task_name"] == "cmrc2018" else 80}},
    "training_seconds": 12.4,
}
with open(os.path.join(flags["output_dir"], "metrics.json"), "w") as file:
    json.dump(metrics, file)
"""


@pytest.fixture
def project(tmp_path) -> pathlib.Path:
    root = tmp_path / "a [1] project"
    root.mkdir()
    for name in ("run_classifier_clue.sh", "requirements.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, root)
    for name in ("scripts", "albert_zh", "data/clue_sample"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "run_classifier.py").write_text(CLASSIFIER)
    return root


def run(project: pathlib.Path, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        ["bash", project / "run_classifier_clue.sh", *arguments],
        cwd=project.parent,
        env={"PATH": os.environ["PATH"], "VIRTUAL_ENV": sys.prefix, **OFFLINE},
        capture_output=True,
        text=True,
        timeout=120,
    )


def flags_of(done: subprocess.CompletedProcess) -> list[dict[str, str]]:
    """The flags of each call of run_classifier.py; of one given twice, the last."""
    assert done.returncode == 0, done.stderr
    calls = []
    for line in done.stdout.splitlines():
        if line == "--do_train=True":
            calls.append({})
        if line.startswith("--"):
            name, _, value = line[2:].partition("=")
            calls[-1][name] = value
    return calls


def test_sample_runs_all_tasks_from_our_model_and_ends_with_a_table(project):
    done = run(project, "--sample", "--random_seed=1", "--num_train_epochs=2")
    calls = flags_of(done)
    names = ["afqmc", "tnews", "iflytek", "ocnli", "cluewsc2020", "csl", "cmrc2018", "chid", "c3"]
    assert [call["task_name"] for call in calls] == names
    assert calls[1] == {
        "do_train": "True",
        "do_eval": "True",
        "do_predict": "True",
        "task_name": "tnews",
        "data_dir": f"{project}/data/clue_sample/tnews",
        "train_batch_size": "16",
        "max_seq_length": "128",
        "num_train_epochs": "2",
        "learning_rate": "2e-4",
        "warmup_proportion": "0.1",
        "save_checkpoints_steps": "50",
        "init_checkpoint": f"{project}/models/albert_tiny",
        "use_pooled_output": "False",
        "output_dir": f"{project}/clue_sample_output/tnews",
        "random_seed": "1",
    }
    table = (project / "clue_sample_output" / "results.md").read_text()
    assert table in done.stdout
    assert table.splitlines()[2].split("|")[1:4] == [" afqmc       ", " accuracy ", " 50.00 "]
    assert "| cmrc2018    | average  | 40.00 |     61.13 |" in table
    picture = (project / "clue_sample_output" / "results.png").read_bytes()
    assert picture.startswith(b"\x89PNG")


def test_table_without_matplotlib_names_no_picture(tmp_path, monkeypatch, capsys):
    flags = ["--task_name=afqmc", f"--output_dir={tmp_path}/afqmc"]
    subprocess.run([sys.executable, "-c", CLASSIFIER, *flags], check=True)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    clue_table.main(clue_table.TableOptions(directory=str(tmp_path)))
    *_, reason, where = capsys.readouterr().out.splitlines()
    assert reason.startswith("no results.png: ")
    assert where == f"the table is in {tmp_path}: results.md"
    assert sorted(os.listdir(tmp_path)) == ["afqmc", "results.md"]


def test_version_1_0_predicts_its_own_test_files(project):
    calls = flags_of(run(project, "--sample", "--version=1.0", "tnews", "afqmc"))
    assert calls[0]["input_file"] == f"{project}/data/clue_sample/tnews/test1.0.json"
    assert "input_file" not in calls[1]


def test_own_data_is_trained_with_the_published_settings_and_given_weights(project, tmp_path):
    shutil.move(project / "data" / "clue_sample", tmp_path / "mine")
    (tmp_path / "mine" / "cluewsc2020").rename(tmp_path / "mine" / "wsc")
    done = run(
        project,
        f"--data_dir={tmp_path}/mine",
        "--init_checkpoint=my_albert",
        f"--output_dir={tmp_path}/out",
        "wsc",
        "csl",
    )
    wsc, csl = flags_of(done)
    assert (wsc["data_dir"], wsc["task_name"]) == (f"{tmp_path}/mine/wsc", "cluewsc2020")
    assert [wsc[name] for name in ("train_batch_size", "num_train_epochs", "learning_rate")] == [
        *("8", "50", "0.0001")
    ]
    # A tenth of 5 epochs of 96 examples.
    assert (csl["train_batch_size"], csl["save_checkpoints_steps"]) == ("4", "12")
    assert csl["init_checkpoint"] == "my_albert"
    assert not {"bert_config_file", "vocab_file"} & {*csl}
    assert csl["output_dir"] == f"{tmp_path}/out/csl"


def test_missing_test_files_do_not_keep_a_task_from_training(project):
    folder = project / "data" / "clue_sample"
    (folder / "tnews" / "test1.0.json").unlink()
    (folder / "csl" / "test.json").unlink()
    done = run(project, "--sample", "--version=1.0", "tnews", "csl")
    tnews, csl = flags_of(done)
    assert (tnews["do_predict"], csl["do_predict"]) == ("True", "False")
    assert "input_file" not in tnews
    assert (
        f"data: {folder}/tnews/test.json is predicted instead: no test file for tn" in done.stderr
    )
    assert (
        "data: nothing is predicted: task csl has no test file: looked for test.json" in done.stderr
    )


def test_data_that_cannot_be_downloaded_ends_the_script_before_any_training(project):
    shutil.copytree(project / "data" / "clue_sample" / "afqmc", project / "CLUEdataset" / "afqmc")
    done = run(project, "afqmc", "tnews")
    assert (done.returncode, done.stdout) == (1, "")
    assert "error: cannot reach https://storage.googleapis.com/cluebenchmark/tasks/tnews_public.zip"
    assert f"put them into {project}/CLUEdataset/tnews, or run on the samples: " in done.stderr
    assert [path.name for path in (project / "CLUEdataset").iterdir()] == ["afqmc"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--sample", "tnevs"], "unknown task 'tnevs'"),
        (
            ["--data_dir=nowhere", "tnews"],
            "there is no folder nowhere/tnews with the files of tnews",
        ),
        (["--sample", "--data_dir=x"], "give either --sample or --data_dir"),
        (["--data_dir", "x"], "the value of a flag follows after an equals sign: --data_dir=..."),
        (["--sample", "--version=2"], "version"),
        (["--data_dir=", "tnews"], "--data_dir= has no value; give one, or leave the flag out"),
        (["--output_dir=", "tnews"], "--output_dir= has no value"),
        (["--version=", "tnews"], "--version= has no value"),
    ],
)
def test_mistakes_are_one_line(project, arguments, reason):
    done = run(project, *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1].startswith("error: ")
    assert reason in done.stderr.splitlines()[-1]


def test_training_that_is_stopped_ends_the_script(project):
    (project / "run_classifier.py").write_text(
        "import signal, time\n"
        "signal.signal(signal.SIGTERM, lambda number, _: exit(0))\n"
        "print('at work', flush=True)\n"
        "time.sleep(60)\n"
    )
    process = subprocess.Popen(
        ["bash", project / "run_classifier_clue.sh", "--sample", "tnews", "afqmc"],
        env={"PATH": os.environ["PATH"], "VIRTUAL_ENV": sys.prefix},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "at work\n"
    process.send_signal(signal.SIGTERM)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output) == (0, "")
    assert errors.endswith("== tnews\nstopped; the same command resumes\n")


# ---- downloads


def archive_of(task: str) -> bytes:
    """The sample of a task, as CLUE packs its data."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for path in sorted((ROOT / "data" / "clue_sample" / task).iterdir()):
            archive.write(path, f"{task}_public/{path.name}")
        archive.writestr(f"__MACOSX/{task}_public/._train.json", "")
        archive.writestr(".DS_Store", "")
    return content.getvalue()


def test_dataset_with_the_right_sum_is_unpacked(served, tmp_path, monkeypatch):  # noqa: F811
    folder, address = served
    (folder / "afqmc.zip").write_bytes(archive_of("afqmc"))
    known = (os.path.getsize(folder / "afqmc.zip"), sha256_of_file(folder / "afqmc.zip"))
    monkeypatch.setitem(ARCHIVES, "afqmc", known)
    target = tmp_path / "CLUEdataset" / "afqmc"
    download_dataset("afqmc", folder=str(target), url=f"{address}/afqmc.zip")
    assert sorted(path.name for path in target.iterdir()) == ["dev.json", "test.json", "train.json"]
    with pytest.raises(FileExistsError, match="holds files already; move it away"):
        download_dataset("afqmc", folder=str(target), url=f"{address}/afqmc.zip")


@pytest.mark.parametrize(
    ("task", "reason"),
    [
        (
            "afqmc",
            r"has [\d,]+ bytes with the SHA-256 .*, the published archive 1,195,044 with",
        ),
        (
            "cluener",
            r"train of .* has 210 examples, the published one 10,748; nothing was kept",
        ),
    ],
)
def test_other_datasets_are_not_kept(served, tmp_path, task, reason):  # noqa: F811
    folder, address = served
    (folder / "x.zip").write_bytes(archive_of(task))
    with pytest.raises((ValueError, FileNotFoundError), match=reason):
        download_dataset(task, folder=str(tmp_path / "new"), url=f"{address}/x.zip")
    assert not (tmp_path / "new").exists()


def test_dataset_that_is_not_offered_tells_where_it_is():
    with pytest.raises(ValueError, match="lcqmc cannot be downloaded from here; http"):
        download_dataset("lcqmc", folder="x")


def test_one_of_model_and_task_is_downloaded():
    script = ROOT / "scripts" / "download.py"
    done = subprocess.run([sys.executable, script, "--to=x"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, "error: give either --model or --task\n")
