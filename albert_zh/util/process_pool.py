"""Jobs spread over worker processes.

```
jobs   1 2 3 4 5 ...      taken from the iterator a few ahead, never all of them
       | | |
work   A B A              one process each, or this one if it is the only worker
       | | |
results 2 1 3 ...         as they are ready
```
"""

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, as_completed, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Any, TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")

_AHEAD = 2  # jobs a worker, one at work and one waiting
_work: Callable[[Any], Any]  # of this worker process


def available_cores() -> int:
    """Processor cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_jobs(
    work: Callable[[Job], Result], jobs: Iterable[Job], *, num_workers: int
) -> Iterator[Result]:
    """Call `work` on every job and yield the results as they become ready.

    Where processes are forked, they share what `work` has loaded; elsewhere it is pickled, once
    a worker. Workers end with this process, however it ends.

    Raises:
        ValueError: A worker was killed, as the system does when memory runs out.
        Exception: What `work` raised; jobs that wait are dropped.
    """
    if num_workers == 1:
        yield from map(work, jobs)
        return
    method = "fork" if sys.platform.startswith("linux") else "spawn"
    pool = ProcessPoolExecutor(
        num_workers,
        mp_context=multiprocessing.get_context(method),
        initializer=_start_worker,
        initargs=(work, os.getpid()),
    )
    try:
        yield from _results(pool, iter(jobs), ahead=_AHEAD * num_workers)
    except BrokenProcessPool:
        raise ValueError(
            f"one of {num_workers} worker processes was killed, perhaps because memory ran out;"
            " run the same command again to resume, with a smaller --num_workers if it recurs"
        ) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def run_jobs_in_order(
    work: Callable[[Job], Result], jobs: Iterable[Job], *, num_workers: int
) -> Iterator[Result]:
    """Like `run_jobs`, with the results in the order of the jobs."""
    waiting: dict[int, Result] = {}
    following = 0
    for number, result in run_jobs(_Numbered(work), enumerate(jobs), num_workers=num_workers):
        waiting[number] = result
        while following in waiting:
            yield waiting.pop(following)
            following += 1


@dataclass(frozen=True)
class _Numbered:
    """Passes the number of a job on to its result."""

    work: Callable[[Any], Any]

    def __call__(self, numbered: tuple[int, Any]) -> tuple[int, Any]:
        number, job = numbered
        return number, self.work(job)


def _results(pool: ProcessPoolExecutor, jobs: Iterator, *, ahead: int) -> Iterator:
    running: set[Future] = set()
    for job in jobs:
        running.add(pool.submit(_run, job))
        if len(running) >= ahead:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)
    yield from (future.result() for future in as_completed(running))


def _start_worker(work: Callable, parent: int) -> None:
    global _work
    _work = work
    # Ctrl-C reaches the whole group; the parent decides what becomes of its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _run(job: Any) -> Any:
    return _work(job)


def _end_with(parent: int) -> None:
    """End this process when its parent is gone; a killed parent cannot do that."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)
