"""TensorBoard event files with the numbers of a training. Needs no package tensorboard."""

import os
import socket
import time
from collections.abc import Mapping

import tensorflow as tf


class SummaryWriter:
    """Writer of scalars to `directory/events.out.tfevents...`, a new file for every run.

    A resumed run repeats the steps since the last checkpoint. Its first event names the step at
    which it starts, and TensorBoard discards later points of earlier files.
    """

    def __init__(self, directory: str):
        """Args: directory, any path that TensorFlow opens; created if it is missing."""
        tf.io.gfile.makedirs(directory)
        # TensorBoard looks for "tfevents" in the name; the rest differs between runs and workers.
        name = f"events.out.tfevents.{time.time():.6f}.{socket.gethostname()}.{os.getpid()}"
        self._writer = tf.io.TFRecordWriter(os.path.join(directory, name))
        self._add(file_version="brain.Event:2")
        self._started = False

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Add a point to the curve of every name, visible at once."""
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
        """Close the file."""
        self._writer.close()

    def _add(self, **content) -> None:
        event = tf.compat.v1.Event(wall_time=time.time(), **content)
        self._writer.write(event.SerializeToString())
