"""Histories: what is read from them, and what a picture of them shows."""

import importlib.util
import json
import pathlib
import struct

import pytest

from albert_zh.runs import plots as curves
from albert_zh.runs.plots import plot_histories, plot_history

SCRIPT = pathlib.Path(__file__).parent.parent / "scripts" / "plot_history.py"
PRETRAINING = [
    {"step": 10, "steps": 10, "loss": 8.0, "masked_lm_accuracy": 0.1, "seconds": 2.0},
    {"step": 20, "steps": 10, "loss": 7.0, "masked_lm_accuracy": 0.2, "seconds": 2.0},
    {"step": 20, "held_out_loss": 7.5, "held_out_masked_lm_accuracy": 0.15},
    {"step": 30, "steps": 10, "loss": 6.0, "masked_lm_accuracy": 0.3, "seconds": 2.0},
]


def write_history(directory, rows, tail=""):
    directory.mkdir(exist_ok=True)
    path = directory / "history.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) + tail)
    return str(path)


@pytest.fixture
def drawn(monkeypatch):
    """The lines that were drawn, (metric, steps, values), as recorded and held out."""
    found = []
    curve = curves._curve

    def recorded(rows, key):
        found.append((key, *curve(rows, key)))
        return found[-1][1:]

    monkeypatch.setattr(curves, "_curve", recorded)
    return found


def png_size(path):
    data = pathlib.Path(path).read_bytes()
    assert data.startswith(b"\x89PNG")
    return struct.unpack(">II", data[16:24])


def test_missing_history_is_an_error_that_says_what_to_name(tmp_path):
    with pytest.raises(FileNotFoundError, match="name the --output_dir of a training"):
        plot_history(str(tmp_path))


def test_picture_has_a_panel_for_every_metric_and_no_counter(tmp_path, drawn):
    write_history(tmp_path, PRETRAINING)
    path = plot_history(str(tmp_path))
    assert path == str(tmp_path / "curves.png")
    assert drawn == [
        ("loss", [10, 20, 30], [8.0, 7.0, 6.0]),
        ("held_out_loss", [20], [7.5]),
        ("masked_lm_accuracy", [10, 20, 30], [0.1, 0.2, 0.3]),
        ("held_out_masked_lm_accuracy", [20], [0.15]),
    ]
    width, height = png_size(path)
    assert width > 2 * height  # two panels in a row
    assert [file.name for file in tmp_path.iterdir() if ".tmp" in file.name] == []


def test_unknown_metrics_are_drawn_by_their_names(tmp_path, drawn):
    write_history(tmp_path, [{"step": 5, "steps": 5, "f1": 0.5, "loss": 1.0, "spike": True}])
    plot_history(str(tmp_path))
    assert [key for key, *_ in drawn] == ["loss", "held_out_loss", "f1", "held_out_f1"]


def test_history_without_numbers_is_an_error(tmp_path):
    write_history(tmp_path, [{"step": 0, "steps": 1}])
    with pytest.raises(ValueError, match="nothing to draw"):
        plot_history(str(tmp_path))


def test_diverged_and_single_points_are_drawn(tmp_path):
    write_history(tmp_path, [{"step": 1, "steps": 1, "loss": float("nan"), "learning_rate": 0.1}])
    assert png_size(plot_history(str(tmp_path)))


def test_runs_share_a_picture(tmp_path, drawn):
    for name, loss in (("one", 3.0), ("two", 2.0)):
        write_history(tmp_path / name, [{"step": 1, "steps": 1, "loss": loss}])
    path = tmp_path / "both.png"
    plot_histories([str(tmp_path / "one"), str(tmp_path / "two")], str(path))
    assert [values for key, _, values in drawn if key == "loss"] == [[3.0], [2.0]]
    assert png_size(path)


def test_script_draws_one_run_beside_its_history_and_several_where_told(
    tmp_path, monkeypatch, capsys
):
    spec = importlib.util.spec_from_file_location("plot_history", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)

    def run(**options):
        monkeypatch.setattr(script, "read_flags", lambda options_class: options_class(**options))
        script.main()
        return capsys.readouterr().out

    for name in ("one", "two"):
        write_history(tmp_path / name, PRETRAINING)
    one, both = str(tmp_path / "one"), f"{tmp_path / 'one'},{tmp_path / 'two'}"
    assert run(dir=one) == f"wrote {one}/curves.png\n"
    with pytest.raises(ValueError, match=r"--picture_file=NAME\.png"):
        run(dir=both)
    with pytest.raises(ValueError, match=r"end it in \.png"):
        run(dir=both, picture_file="both.pdf")
    assert run(dir=both, picture_file=f"{tmp_path}/both.png") == f"wrote {tmp_path}/both.png\n"
    assert png_size(tmp_path / "both.png")
