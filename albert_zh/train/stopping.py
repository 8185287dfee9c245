"""Requests to stop: the training finishes its step, saves a checkpoint and ends."""

import os
import signal

import tensorflow as tf


class StopSignals:
    """Context manager that turns SIGTERM and SIGINT (Ctrl-C) into a request to stop:

    ```
    with StopSignals(strategy) as stop:
        while not stop.requested:
            step()
    save()
    ```
    A second Ctrl-C interrupts at once. After the block, the earlier signal handlers are back.
    Schedulers and clouds send SIGTERM before they take a machine back. On TPUs in Google's own
    clusters TensorFlow gets the notice, and that is a request too.

    Only the main thread may enter the block.
    """

    def __init__(self, strategy: tf.distribute.Strategy | None = None):
        """
        Args:
            strategy: Strategy of the training; a TPU's may announce that the TPU is taken back.
        """
        self._received = False
        self._previous: dict[signal.Signals, object] = {}
        self._watcher = None
        if isinstance(strategy, tf.distribute.TPUStrategy):
            self._watcher = tf.distribute.experimental.PreemptionWatcher()

    @property
    def requested(self) -> bool:
        """True if this process should stop. Several workers decide together, by `any_worker`."""
        is_preempted = self._watcher is not None and self._watcher.preemption_message is not None
        return self._received or is_preempted

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
        # The signal may have interrupted a log call, and logging cannot be entered twice.
        message = f"{signal.Signals(number).name}: saving and stopping; Ctrl-C stops at once\n"
        os.write(2, message.encode())
