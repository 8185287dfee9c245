"""Numbers of a training as TensorBoard event files; the package tensorboard is not needed."""

import os
import socket
import time
from collections.abc import Mapping

import tensorflow as tf


class SummaryWriter:
    """Writes scalars into `directory/events.out.tfevents...`, one new file for every run.

    A resumed run repeats the steps since the last checkpoint. Its first event says where it
    starts, and TensorBoard then forgets what earlier files hold from there on.
    """

    def __init__(self, directory: str):
        """Args: directory, made where it is missing; any path that TensorFlow opens."""
        tf.io.gfile.makedirs(directory)
        # The name that TensorBoard looks for; the rest keeps runs and workers apart.
        name = f"events.out.tfevents.{time.time():.6f}.{socket.gethostname()}.{os.getpid()}"
        self._writer = tf.io.TFRecordWriter(os.path.join(directory, name))
        self._add(file_version="brain.Event:2")
        self._started = False

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Adds a point to the curve of every name; it can be seen at once."""
        if not self._started:
            log = tf.compat.v1.SessionLog(status=tf.compat.v1.SessionLog.START)
            self._add(step=step, session_log=log)
            self._started = True
        points = [
            tf.compat.v1.Summary.Value(tag=name, simple_value=value)
            for name, value in values.items()
        ]
        self._add(step=step, summary=tf.compat.v1.Summary(value=points))
        self._writer.flush()

    def close(self) -> None:
        """Ends the file."""
        self._writer.close()

    def _add(self, **content) -> None:
        event = tf.compat.v1.Event(wall_time=time.time(), **content)
        self._writer.write(event.SerializeToString())
