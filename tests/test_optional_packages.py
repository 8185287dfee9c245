"""A missing optional package is one line before any work, for every script and every package."""

import json
import pathlib
import subprocess
import sys

import pytest
import small
import zstandard

from albert_zh.util.optional_packages import load_extra, package_version

ROOT = pathlib.Path(__file__).parent.parent
# Python code that runs a script as if a package were not installed.
WITHOUT = """
import importlib.metadata, runpy, sys
package, *sys.argv = sys.argv[1:]
sys.modules[package] = None
version = importlib.metadata.version
def missing(name):
    if name == package:
        raise importlib.metadata.PackageNotFoundError(name)
    return version(name)
importlib.metadata.version = missing
sys.path.insert(0, sys.argv[0].rpartition("/")[0])
runpy.run_path(sys.argv[0], run_name="__main__")
"""
# No input exists: the package is missed before the files are.
DATA = ("--input_file=nosuch", "--output_file=out/a.tfrecord", "--vocab_file=vocab.txt")
CREATE, BEAM = "create_pretraining_data.py", "scripts/create_pretraining_data_beam.py"


# Files are known by their first bytes.
INPUTS = {
    "a.txt": "今天去京很冷。\n".encode(),
    "b.zst": zstandard.ZstdCompressor().compress("今天去京很冷。\n".encode()),
    "c.parquet": b"PAR1\x15\x04",
}


def run_without(package, script, *flags, folder):
    return subprocess.run(
        [sys.executable, "-c", WITHOUT, package, str(ROOT / script), *flags],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("package", "command", "purpose"),
    [
        ("rjieba", (CREATE, *DATA, "--segmenter=rjieba"), "the segmenter 'rjieba'"),
        ("opencc", (CREATE, *DATA, "--traditional"), "text in traditional script"),
        ("rjieba", (BEAM, *DATA, "--segmenter=rjieba"), "the segmenter 'rjieba'"),
        ("opencc", (BEAM, *DATA, "--traditional"), "text in traditional script"),
        ("apache_beam", (BEAM, *DATA), "a pipeline"),
        ("zstandard", (CREATE, "--input_file=a.txt,b.zst", *DATA[1:]), "a .zst file"),
        (
            "zstandard",
            ("scripts/build_vocab.py", "--input_file=a.txt,b.zst", "--output_file=out/v.txt"),
            "a .zst file",
        ),
        (
            "pyarrow",
            (CREATE, "--input_file=a.txt,c.parquet", *DATA[1:]),
            "the parquet file c.parquet",
        ),
        (
            "matplotlib",
            ("scripts/inspect_records.py", "--input_file=nosuch", "--histogram_file=out/a.png"),
            "a histogram",
        ),
        ("matplotlib", ("scripts/plot_history.py", "--dir=nosuch"), "a picture of the training"),
        (
            "nltk",
            (
                "run_classifier.py",
                *("--task_name=cmrc2018", "--data_dir=.", "--output_dir=out", "--do_train=True"),
                *("--do_eval=True", "--vocab_file=vocab.txt", "--bert_config_file=config.json"),
            ),
            "scoring cmrc2018",
        ),
    ],
)
def test_missing_package_is_one_line_before_any_work(package, command, purpose, tmp_path):
    small.write_vocabulary(tmp_path)
    small.write_config(tmp_path)
    for name, content in INPUTS.items():
        (tmp_path / name).write_bytes(content)
    done = run_without(package, *command, folder=tmp_path)
    name = package.replace("_", "-")
    assert done.returncode == 1
    assert done.stderr == (
        f"error: {purpose} needs the package {name}; install it: pip install {name}\n"
    )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("flags", [["--segmenter=none"], ["--segmenter=spaces", "--traditional"]])
def test_package_that_is_not_needed_is_not_missed(flags, tmp_path):
    small.write_vocabulary(tmp_path)
    corpus = small.write_corpus(tmp_path)
    done = run_without(
        "opencc", CREATE, f"--input_file={corpus}", *DATA[1:], *flags, folder=tmp_path
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("flags", "libraries"),
    [
        ([], {"jieba", "tokenizers"}),
        (["--segmenter=rjieba"], {"rjieba", "tokenizers"}),
        (["--segmenter=none"], {"tokenizers"}),
        (["--non_chinese"], {"tokenizers"}),
        (["--segmenter=spaces", "--traditional"], {"tokenizers"}),
        (["--traditional"], {"jieba", "opencc", "tokenizers"}),
    ],
)
def test_manifest_lists_the_packages_that_made_the_records_and_no_others(
    flags, libraries, tmp_path
):
    for package in libraries:
        pytest.importorskip(package)
    small.write_vocabulary(tmp_path)
    corpus = small.write_corpus(tmp_path)
    run_without("nosuch", CREATE, f"--input_file={corpus}", *DATA[1:], *flags, folder=tmp_path)
    (entry,) = json.loads((tmp_path / "out" / "manifest.json").read_text())["record_sets"]
    assert {*entry["versions"]} == {"albert_zh", "python", *libraries}


def test_broken_package_is_not_called_missing(tmp_path, monkeypatch):
    (tmp_path / "broken_one.py").write_text("import nosuch_part")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match="broken-one, which is installed but cannot be imported"):
        load_extra("broken_one", purpose="a test")


def test_version_of_a_package_from_another_distribution_is_its_own(tmp_path, monkeypatch):
    (tmp_path / "rebuilt.py").write_text("__version__ = '7'")
    (tmp_path / "silent.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    assert [package_version(name) for name in ("rebuilt", "silent")] == ["7", "unknown"]
