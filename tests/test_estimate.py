"""The script that estimates: what it prints for a model, and the published table."""

import importlib.util
import pathlib

import pytest
from absl import flags

from albert_zh.flags import parse_flags

ROOT = pathlib.Path(__file__).parent.parent
BASE = str(ROOT / "albert_config" / "albert_config_base.json")


def load_script():
    spec = importlib.util.spec_from_file_location("estimate", ROOT / "scripts" / "estimate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


script = load_script()


@pytest.fixture
def run(capsys):
    """Runs the script in this process; gives what it prints."""

    def run(**options):
        script.main(script.EstimateOptions(**options))
        return capsys.readouterr().out

    return run


def test_report_tells_parameters_work_memory_and_time(run):
    shown = run(bert_config_file=BASE, max_seq_length="128", peak_tflops=100.0, mfu=0.5)
    assert shown.startswith(f"{BASE}: 11,492,234 parameters\n\nlength 128, 19 prediction targets\n")
    assert "  63.6 GFLOPs per example, forward and backward\n" in shown
    # 63.6e9 * 4096 * 125000 / 50e12 seconds
    assert shown.endswith("125,000 steps of 4,096 examples at 50% of 100 TFLOP/s: 7.5 days\n")
    sizes = [float(line.split()[0]) for line in shown.splitlines() if " GiB  " in line]
    assert sum(sizes[:-1]) == pytest.approx(sizes[-1], abs=0.005)
    assert 15.5 < sizes[-1] < 16  # what --device_memory says


def test_every_length_has_a_part(run):
    shown = run(bert_config_file=BASE, max_seq_length="128,512", max_predictions_per_seq=20)
    assert shown.count("20 prediction targets") == 2
    assert "TFLOP/s" not in shown


def test_micro_batch_is_no_larger_than_the_batch(run):
    shown = run(bert_config_file=BASE, max_seq_length="128", train_batch_size=8)
    assert "micro batch of 8 in 16 GiB" in shown


def test_too_little_memory_is_said(run):
    shown = run(bert_config_file=BASE, max_seq_length="512", device_memory=1.0)
    assert "a single example needs more than 1 GiB" in shown


@pytest.mark.parametrize("lengths", ["1024", "128,", "0", "long", "128;512"])
def test_bad_lengths_are_an_error_with_the_limit(run, lengths):
    with pytest.raises(ValueError, match="numbers from 1 to 512"):
        run(bert_config_file=BASE, max_seq_length=lengths)


@pytest.mark.parametrize(
    ("flag", "limits"),
    [
        ("--mfu=0.0", "more than 0 and at most 1"),
        ("--mfu=40.0", "more than 0 and at most 1"),
        ("--train_batch_size=-4", "at least 1"),
        ("--num_train_steps=0", "at least 1"),
        ("--peak_tflops=-1.0", "more than 0"),
        ("--device_memory=nan", "a finite number"),
        ("--max_predictions_per_seq=-1", "at least 0"),
    ],
)
def test_numbers_that_cannot_be_are_refused(flag, limits):
    with pytest.raises(ValueError, match=f"{flag}: it must be {limits}$"):
        parse_flags(["estimate", flag], script.EstimateOptions, flag_values=flags.FlagValues())


def test_without_a_model_the_error_says_what_to_give(run):
    with pytest.raises(ValueError, match="--bert_config_file, or use --published"):
        run()


def test_published_table_stands_beside_estimates_and_measured_points(run):
    lines = run(published=True).splitlines()
    assert lines[0].split()[:5] == ["model", "length", "published", "estimate", "measured"]
    rows = {tuple(line.split()[:2]): line.split()[2:] for line in lines[1 : lines.index("")]}
    published = {key: row[0] for key, row in rows.items()}
    assert published["base", "64"] == "64"
    assert published["large", "512"] == "0"
    assert published["xlarge", "128"] == "-"
    measured = {key: row for key, row in rows.items() if "*" in row}
    assert set(measured) == {("base", "128"), ("base", "512"), ("large", "128")}
    for row in measured.values():
        estimate, point = int(row[1]), int(row[2])
        assert 0.85 * point <= estimate <= point  # rather too small a batch than one too many
