"""Watchdog: shows where a training hangs."""

import faulthandler
import sys
import threading
import time


class Watchdog:
    """Context manager that prints the stack of every thread if no `tick()` comes for too long.

        with Watchdog(minutes=10) as watchdog:
            while training:
                trainer.run(...)
                watchdog.tick()

    The stacks go to standard error, at most once in every `minutes`. The training is not stopped:
    it may be slow only, or recover.
    """

    def __init__(self, minutes: float):
        """Args: minutes without a tick before the stacks are printed; 0 switches it off."""
        if minutes < 0:
            raise ValueError(f"a watchdog cannot wait {minutes} minutes; 0 switches it off")
        self._seconds = 60.0 * minutes
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def __enter__(self) -> "Watchdog":
        self.tick()
        if self._seconds:
            self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._ended.set()
        if self._seconds:
            self._thread.join()

    def tick(self) -> None:
        """Report that a step has ended."""
        self._last_tick = time.monotonic()

    def _watch(self) -> None:
        wait = self._seconds
        while not self._ended.wait(wait):
            silence = time.monotonic() - self._last_tick
            wait = self._seconds - silence
            if wait <= 0:
                _show_stacks(silence)
                wait = self._seconds


def _show_stacks(silence: float) -> None:
    print(
        f"watchdog: no step has ended for {silence / 60:.3g} minutes. It may evaluate, compile, "
        "wait for data or for another worker, or hang; the training continues. Stacks of all "
        "threads:",
        file=sys.stderr,
        flush=True,
    )
    faulthandler.dump_traceback(file=sys.__stderr__)
