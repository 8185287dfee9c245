"""The rows of a run, also after a kill."""

import pytest

from albert_zh.runs.history import History

ROWS = [{"step": 0, "validation_loss": 8.0}, {"step": 10, "steps": 10}, {"step": 20, "steps": 10}]


@pytest.fixture
def history(tmp_path):
    history = History(str(tmp_path))
    for row in ROWS:
        history.append(row)
    return history


def test_new_directory_has_no_rows(tmp_path):
    assert History(str(tmp_path)).rows() == History(str(tmp_path)).truncate(5) == []
    assert not list(tmp_path.iterdir())


def test_names_in_chinese_can_be_read_in_the_file(history, tmp_path):
    history.append({"step": 30, "validation_f1 地址": 0.5})
    assert '"validation_f1 地址"' in (tmp_path / "history.jsonl").read_text(encoding="utf-8")
    assert history.rows()[-1] == {"step": 30, "validation_f1 地址": 0.5}


def test_cutting_back_leaves_what_belongs_to_the_step(history):
    assert history.rows() == ROWS
    assert history.truncate(15) == history.rows() == ROWS[:2]


@pytest.mark.parametrize("line", ["{", "[1]", "7", '{"loss": 1.0}', '{"step": "ten"}', ""])
def test_bad_line_is_an_error_with_file_and_line(history, tmp_path, line):
    path = tmp_path / "history.jsonl"
    with open(path, "a") as file:
        file.write(f'{line}\n{{"step": 40}}\n')
    with pytest.raises(ValueError, match=rf"{path}, line 4: not a JSON object with a step"):
        history.rows()


@pytest.mark.parametrize("tail", ['{"step": 40, "ste', '{"step": 40}', "nonsense"])
def test_torn_last_line_is_left_out(history, tmp_path, tail):
    with open(tmp_path / "history.jsonl", "a") as file:
        file.write(tail)
    assert history.rows() == ROWS


def test_row_that_a_kill_tore_is_gone(history, tmp_path):
    with open(tmp_path / "history.jsonl", "a") as file:
        file.write('{"step": 30, "st')
    assert history.truncate(40) == ROWS
    history.append({"step": 30})
    assert history.rows() == [*ROWS, {"step": 30}]


def test_rows_of_earlier_versions_are_read_under_their_present_names(history, tmp_path):
    with open(tmp_path / "history.jsonl", "a") as file:
        file.write('{"step": 30, "held_out_loss": 7.0, "held_out_accuracy": 0.5}\n')
    assert history.rows()[-1] == {
        "step": 30,
        "validation_loss": 7.0,
        "validation_accuracy": 0.5,
    }


@pytest.mark.parametrize(
    ("tail", "is_said"),
    [
        ('{"step": 30, "steps": 10, "lo', True),
        ('{"step": 40, "steps": 10, "lo', True),
        ('{"step": 30, "validation_lo', True),
        ('{"step": 40, "validation_lo', False),  # a kill after the checkpoint of step 40
        ('{"step": 50, "steps": 10, "lo', False),
        ('{"st', False),
    ],
)
def test_row_that_no_kill_tore_is_said_to_be_lost(tail, is_said, history, tmp_path, caplog):
    with open(tmp_path / "history.jsonl", "a") as file:
        file.write(tail)
    history.truncate(40)
    assert ("is missing, so the row of step" in caplog.text) == is_said
