"""Histories: what is read from them, and what a picture of them shows."""

import importlib.util
import json
import pathlib
import struct

import pytest

from albert_zh.runs.plots import draw_histories, plot_histories, plot_history

pytestmark = pytest.mark.pictures

SCRIPT = pathlib.Path(__file__).parent.parent / "scripts" / "plot_history.py"
PRETRAINING = [
    {"step": 10, "steps": 10, "loss": 8.0, "masked_lm_accuracy": 0.1, "seconds": 2.0},
    {"step": 20, "steps": 10, "loss": 7.0, "masked_lm_accuracy": 0.2, "seconds": 2.0},
    {"step": 20, "validation_loss": 7.5, "validation_masked_lm_accuracy": 0.15},
    {"step": 30, "steps": 10, "loss": 6.0, "masked_lm_accuracy": 0.3, "seconds": 2.0},
]


def write_history(directory, rows, tail=""):
    directory.mkdir(exist_ok=True)
    path = directory / "history.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) + tail)
    return str(path)


def drawn(figure):
    """The points in a figure: (title, of the training, of the validation), steps with values."""

    def points(line):
        return [list(values) for values in line.get_data()]

    return [
        (axes.get_title(), points(axes.get_lines()[0]), points(axes.get_lines()[-1]))
        for axes in figure.axes
    ]


def png_size(path):
    data = pathlib.Path(path).read_bytes()
    assert data.startswith(b"\x89PNG")
    return struct.unpack(">II", data[16:24])


def test_missing_history_is_an_error_that_says_what_to_name(tmp_path):
    with pytest.raises(FileNotFoundError, match="name a run's --output_dir"):
        plot_history(str(tmp_path))


def test_picture_has_a_panel_for_every_metric_and_no_counter(tmp_path):
    write_history(tmp_path, PRETRAINING)
    path = plot_history(str(tmp_path))
    assert path == str(tmp_path / "curves.png")
    assert drawn(draw_histories({"run": PRETRAINING})) == [
        ("loss", [[10, 20, 30], [8.0, 7.0, 6.0]], [[20], [7.5]]),
        ("masked-LM accuracy", [[10, 20, 30], [0.1, 0.2, 0.3]], [[20], [0.15]]),
    ]
    width, height = png_size(path)
    assert width > 2 * height  # two panels in a row
    assert [file.name for file in tmp_path.iterdir() if ".tmp" in file.name] == []


def test_unknown_metrics_are_drawn_by_their_names():
    rows = [{"step": 5, "steps": 5, "f1": 0.5, "loss": 1.0, "spike": True}]
    assert [title for title, *_ in drawn(draw_histories({"run": rows}))] == ["loss", "f1"]


def test_history_without_numbers_is_an_error(tmp_path):
    write_history(tmp_path, [{"step": 0, "steps": 1}])
    with pytest.raises(ValueError, match="nothing to draw"):
        plot_history(str(tmp_path))


def test_diverged_and_single_points_are_drawn(tmp_path):
    write_history(tmp_path, [{"step": 1, "steps": 1, "loss": float("nan"), "learning_rate": 0.1}])
    assert png_size(plot_history(str(tmp_path)))


def test_runs_share_a_picture(tmp_path):
    for name, loss in (("one", 3.0), ("two", 2.0)):
        write_history(tmp_path / name, [{"step": 1, "steps": 1, "loss": loss}])
    path = tmp_path / "both.png"
    plot_histories([str(tmp_path / "one"), str(tmp_path / "two")], str(path))
    assert png_size(path)
    histories = {name: [{"step": 1, "loss": loss}] for name, loss in (("one", 3.0), ("two", 2.0))}
    (panel,) = draw_histories(histories).axes
    assert {float(y) for line in panel.get_lines() for y in line.get_ydata()} == {3.0, 2.0}


def test_script_draws_one_run_beside_its_history_and_several_where_told(tmp_path, capsys):
    spec = importlib.util.spec_from_file_location("plot_history", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)

    def run(**options):
        script.main(script.PlotOptions(**options))
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
