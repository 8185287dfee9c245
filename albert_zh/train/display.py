"""Display of steps that take long, and of the time that a step and the whole run will take."""

import contextlib
import threading
import time
from collections.abc import Iterator

from absl import logging

from albert_zh.train.step_control import StepControl
from albert_zh.train.watchdog import Watchdog
from albert_zh.util.progress import Progress, duration

_LONG_CALL = 5.0  # seconds after which a call to the device is shown
_SHORTEST_MEASUREMENT = 2.0  # seconds of work from which its speed is told
_HOUR = 3600.0


class StepDisplay:
    """Context manager with a thread that looks at a running step once a second.

    ```
    train: 0/125,000 step, 0%, in step 1, micro batch 12 of 512
    ```
    The first call to the device compiles, so it does not tell how long a step takes; its micro
    batches do.
    """

    def __init__(
        self,
        progress: Progress,
        watchdog: Watchdog,
        *,
        until: int,
        save_every: int,
        control: StepControl | None = None,
        micro_batches: int = 1,
    ):
        """
        Args:
            progress: Bar or lines of the training.
            watchdog: Gets a tick after every micro batch.
            until: Last step of the training.
            save_every: Steps between checkpoints.
            control: Tells the micro batches of a step; without it only the step is shown.
            micro_batches: Their number in a step.
        """
        self._progress, self._watchdog, self._control = progress, watchdog, control
        self._until, self._save_every, self._micro_batches = until, save_every, micro_batches
        self._is_told = self._is_warm = False
        self._measured_steps, self._measured_seconds = 0, 0.0
        self._lock = threading.Lock()
        self._call: _Call | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="display", daemon=True)

    def __enter__(self) -> "StepDisplay":
        self._thread.start()
        return self

    def __exit__(self, *exception) -> None:
        self._ended.set()
        self._thread.join()

    @contextlib.contextmanager
    def call(self, step: int) -> Iterator[None]:
        """The time of a call to the device, which begins after `step` steps."""
        if self._control:
            self._control.begin()
        with self._lock:
            self._call = _Call(step)
        try:
            yield
        finally:
            with self._lock:
                self._call = None
            self._progress.forget("in")

    def measure(self, step: int, *, steps: int, seconds: float) -> None:
        """Learn from a call of `steps` steps that ended at `step`."""
        if not self._is_warm:
            self._is_warm = True
            return
        self._measured_steps += steps
        self._measured_seconds += seconds
        if self._measured_steps and self._measured_seconds >= _SHORTEST_MEASUREMENT:
            self._tell(step, self._measured_seconds / self._measured_steps)

    def _watch(self) -> None:
        while not self._ended.wait(1.0):
            with self._lock:
                if self._call:
                    self._look(self._call)

    def _look(self, call: "_Call") -> None:
        now, shown = time.monotonic(), f"step {call.step + 1:,}"
        if self._control and self._micro_batches > 1:
            done = self._control.micro_batches()
            shown += f", micro batch {done:,} of {self._micro_batches:,}"
            if done != call.done:
                self._watchdog.tick()
            if done and not call.first_done:
                call.first_done, call.first_time = done, now
            call.done = done
            seconds, number = now - call.first_time, done - call.first_done
            if call.first_done and number > 0 and seconds >= _SHORTEST_MEASUREMENT:
                self._tell(call.step, seconds / number * self._micro_batches)
        if now - call.started >= _LONG_CALL:
            self._progress.advance(0, **{"in": shown})

    def _tell(self, step: int, seconds: float) -> None:
        if self._is_told or step >= self._until:
            return
        self._is_told = True
        left, save_every = self._until - step, self._save_every
        logging.info(
            "a step takes about %s, the %s steps left about %s",
            duration(seconds),
            f"{left:,}",
            duration(left * seconds),
        )
        if min(left, save_every) * seconds > 2 * _HOUR:
            logging.warning(
                "a checkpoint after %s steps is one after %s, and a crash loses what came after "
                "it; --save_checkpoints_steps=%d saves every hour",
                f"{save_every:,}",
                duration(save_every * seconds),
                max(1, int(_HOUR / seconds)),
            )


class _Call:
    """A call to the device, as it was seen."""

    def __init__(self, step: int):
        self.step, self.started = step, time.monotonic()
        self.done = self.first_done = 0  # micro batches; those seen when one was seen first
        self.first_time = self.started
