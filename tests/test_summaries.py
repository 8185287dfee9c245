"""Event files, read back with TensorFlow's own reader."""

import tensorflow as tf

from albert_zh.train.summaries import SummaryWriter


def events(directory):
    """All events in the order of the files, as TensorBoard reads them."""
    for path in sorted(directory.iterdir()):
        yield from tf.compat.v1.train.summary_iterator(str(path))


def points(directory):
    return [
        (event.step, value.tag, round(value.simple_value, 6))
        for event in events(directory)
        for value in event.summary.value
    ]


def test_every_value_is_a_point_of_its_curve(tmp_path):
    writer = SummaryWriter(str(tmp_path / "new" / "logs"))
    writer.write(10, {"loss": 8.5, "learning_rate": 0.001})
    writer.write(20, {"loss": 7})
    assert points(tmp_path / "new" / "logs") == [
        (10, "loss", 8.5),
        (10, "learning_rate", 0.001),
        (20, "loss", 7.0),
    ]
    writer.close()


def test_file_has_the_name_and_head_that_tensorboard_looks_for(tmp_path):
    SummaryWriter(str(tmp_path)).close()
    (path,) = tmp_path.iterdir()
    assert path.name.startswith("events.out.tfevents.")
    (head,) = tf.compat.v1.train.summary_iterator(str(path))
    assert head.file_version == "brain.Event:2"
    assert head.wall_time > 1e9


def test_resumed_run_tells_from_which_step_older_points_are_void(tmp_path):
    for steps in ((10, 20, 30), (25, 35)):
        writer = SummaryWriter(str(tmp_path))
        for step in steps:
            writer.write(step, {"loss": 1.0})
        writer.close()
    start = tf.compat.v1.SessionLog.START
    starts = [event.step for event in events(tmp_path) if event.session_log.status == start]
    assert starts == [10, 25]


def test_two_runs_write_two_files(tmp_path):
    writers = [SummaryWriter(str(tmp_path)) for _ in range(2)]
    for writer in writers:
        writer.write(1, {"loss": 1.0})
        writer.close()
    assert len(list(tmp_path.iterdir())) == 2
