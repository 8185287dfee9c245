"""Control of a step while it runs: other threads see how far it is, and end it early."""

import tensorflow as tf


class StepControl:
    """Two numbers that a compiled step and other threads of this process share.

    A step of many micro batches may take minutes, in one call that does not return to Python. After
    each micro batch it writes its number, and looks whether it should stop. A step that stops is
    dropped: it changes no variable of the training, the step counter included.
    """

    def __init__(self):
        # Beside the devices, as the condition of a loop is computed on the host.
        with tf.device("CPU:0"):
            self._should_stop = tf.Variable(False, trainable=False, name="should_stop")
            self._done = tf.Variable(0, trainable=False, name="micro_batches")

    def request_stop(self) -> None:
        """End the step that runs, and all later ones before they begin; from any thread."""
        self._should_stop.assign(True)

    def begin(self) -> None:
        """Note that a step begins."""
        self._done.assign(0)

    def micro_batches(self) -> int:
        """Micro batches of the running step that are computed, on the replica that wrote last."""
        return int(self._done.read_value())

    # For the compiled step.

    def should_stop(self) -> tf.Tensor:
        return self._should_stop.read_value()

    def note_micro_batches(self, number: tf.Tensor) -> None:
        self._done.assign(number)
