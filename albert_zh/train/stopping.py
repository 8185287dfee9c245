"""Requests to stop: the training drops the step that runs, saves a checkpoint and ends."""

import os
import signal
import threading
from collections.abc import Callable

import tensorflow as tf

# Time that a second Ctrl-C leaves Python to end by itself. It cannot while a device computes.
_SECONDS_TO_END = 1.0


class StopSignals:
    """Context manager that turns SIGTERM and SIGINT (Ctrl-C) into a request to stop:

    ```
    with StopSignals(strategy) as stop:
        while not stop.requested:
            step()
    save()
    ```
    Python handles signals between two lines of its own code, which may be minutes apart while a
    device computes. So a thread learns of them at once, and tells the user and the running step.

    A second Ctrl-C ends the process at once; the checkpoints are whole at any moment. Schedulers
    and clouds send SIGTERM before they take a machine back. On TPUs in Google's own clusters
    TensorFlow gets the notice, and that is a request too.

    Only the main thread may enter the block.
    """

    def __init__(
        self,
        strategy: tf.distribute.Strategy | None = None,
        *,
        on_request: Callable[[], None] = lambda: None,
    ):
        """
        Args:
            strategy: Strategy of the training; a TPU's may announce that the TPU is taken back.
            on_request: Called at the first signal, in a thread.
        """
        self._on_request = on_request
        self._received = False
        self._handled = False  # by Python, in the main thread
        self._interrupted = threading.Event()
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
        read_end, self._write_end = os.pipe()
        os.set_blocking(self._write_end, False)
        self._thread = threading.Thread(target=self._listen, args=(read_end,), daemon=True)
        self._thread.start()
        self._previous_fd = signal.set_wakeup_fd(self._write_end, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            self._previous[number] = signal.signal(number, self._receive)
        return self

    def __exit__(self, *exception) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._previous_fd)
        os.close(self._write_end)  # ends the thread
        self._thread.join()

    def _receive(self, number: int, frame) -> None:
        is_first, self._handled, self._received = not self._handled, True, True
        if number == signal.SIGINT and not is_first:
            self._interrupted.set()
            raise KeyboardInterrupt

    def _listen(self, read_end: int) -> None:
        """Read the number of every signal, which the operating system delivers at once."""
        is_told = False
        with os.fdopen(read_end, "rb", buffering=0) as numbers:
            while byte := numbers.read(1):
                number = byte[0]
                if number not in (signal.SIGTERM, signal.SIGINT):
                    continue
                if not is_told:
                    is_told = self._received = True
                    name = signal.Signals(number).name
                    _tell(f"{name}: stopping and saving; Ctrl-C ends at once, without saving")
                    self._on_request()
                elif number == signal.SIGINT and not self._interrupted.wait(_SECONDS_TO_END):
                    _tell("interrupted; the newest checkpoint is whole")
                    os._exit(130)


def _tell(line: str) -> None:
    # The signal may have interrupted a log call, and logging cannot be entered twice.
    os.write(2, f"{line}\n".encode())
