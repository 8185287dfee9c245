"""Requests to stop: a training saves where it stands and ends, instead of dying in mid-step."""

import os
import signal

import tensorflow as tf


class StopSignals:
    """Turns SIGTERM and SIGINT (Ctrl-C) into a request that the training loop asks for:

    ```
    with StopSignals(strategy) as stop:
        while not stop.requested:
            step()
    save()
    ```
    A second Ctrl-C interrupts at once. Outside of the block, signals do what they did before.
    Schedulers and clouds that take a machine back send SIGTERM first. Where TensorFlow itself
    hears of it (TPUs in Google's own clusters), that is a request too.

    Only the main thread may enter the block.
    """

    def __init__(self, strategy: tf.distribute.Strategy | None = None):
        """
        Args:
            strategy: Of the training; a TPU's is asked whether it is taken back.
        """
        self._received = False
        self._previous: dict[signal.Signals, object] = {}
        self._watcher = None
        if isinstance(strategy, tf.distribute.TPUStrategy):
            self._watcher = tf.distribute.experimental.PreemptionWatcher()

    @property
    def requested(self) -> bool:
        """Whether to stop. In a training of several workers, each has its own: see `agree`."""
        taken_back = self._watcher is not None and self._watcher.preemption_message is not None
        return self._received or taken_back

    def __enter__(self) -> "StopSignals":
        for number in (signal.SIGTERM, signal.SIGINT):
            self._previous[number] = signal.signal(number, self._receive)
        return self

    def __exit__(self, *exception) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _receive(self, number: int, frame) -> None:
        if self._received and number == signal.SIGINT:
            raise KeyboardInterrupt
        self._received = True
        # Logging may be at work where the signal interrupted it, and is not to be entered twice.
        message = f"{signal.Signals(number).name}: saving and stopping; Ctrl-C stops at once\n"
        os.write(2, message.encode())
