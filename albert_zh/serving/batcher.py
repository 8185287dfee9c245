"""Requests of many clients computed together: a queue, and threads that take batches from it."""

import collections
import concurrent.futures
import dataclasses
import threading
import time
from collections.abc import Callable, Hashable, Sequence
from typing import Any

# Answers of some texts, one each; texts with the same key may be answered together.
Compute = Callable[[Hashable, Sequence[Any]], Sequence[Any]]


class QueueIsFull(Exception):
    """More texts are waiting than may; the client should come again later."""


@dataclasses.dataclass
class _Job:
    key: Hashable
    texts: Sequence[Any]
    future: concurrent.futures.Future
    arrival: float


class Batcher:
    """Computes what is submitted, in the order of arrival.

    A batch costs a little by itself, so texts that arrive within a millisecond share one. More is
    not gained by large batches: on a processor the time grows with the texts.
    """

    def __init__(
        self,
        compute: Compute,
        *,
        threads: int,
        largest_batch: int = 16,
        longest_wait: float = 0.001,
        queue_size: int = 1024,
        on_batch: Callable[[int], None] = lambda size: None,
    ):
        """
        Args:
            compute: Answers a batch. It is called by several threads at a time.
            threads: That compute.
            largest_batch: Texts of a batch at most; a job with more of them is one by itself.
            longest_wait: Seconds that a job waits for others at most.
            queue_size: Texts that may wait.
            on_batch: Told the number of texts of each batch.
        """
        self._compute, self._on_batch = compute, on_batch
        self._largest, self._wait, self._size = largest_batch, longest_wait, queue_size
        self._jobs: collections.deque[_Job] = collections.deque()
        self._waiting, self._is_open = 0, True
        self._changed = threading.Condition()
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    @property
    def waiting(self) -> int:
        """Texts that wait."""
        return self._waiting

    def submit(self, key: Hashable, texts: Sequence[Any]) -> concurrent.futures.Future:
        """The future answers of some texts. A cancelled one is not computed any more.

        Raises:
            QueueIsFull: Too many are waiting, or the batcher is closed.
        """
        with self._changed:
            # A request larger than the queue is taken when nothing else waits.
            is_full = self._waiting and self._waiting + len(texts) > self._size
            if is_full or not self._is_open:
                raise QueueIsFull
            job = _Job(key, texts, concurrent.futures.Future(), time.monotonic())
            self._jobs.append(job)
            self._waiting += len(texts)
            self._changed.notify()
        return job.future

    def close(self) -> None:
        """Answer what waits, and end the threads."""
        with self._changed:
            self._is_open = False
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while jobs := self._take():
            jobs = [job for job in jobs if job.future.set_running_or_notify_cancel()]
            if jobs:
                self._answer(jobs)

    def _take(self) -> list[_Job]:
        """The jobs of the next batch; none where there will be no more."""
        with self._changed:
            while not self._jobs:
                if not self._is_open:
                    return []
                self._changed.wait()
            jobs = [self._pop()]
            count, key = len(jobs[0].texts), jobs[0].key
            latest = jobs[0].arrival + self._wait
            while count < self._largest:
                if self._jobs:
                    following = self._jobs[0]
                    if following.key != key or count + len(following.texts) > self._largest:
                        break
                    jobs.append(self._pop())
                    count += len(following.texts)
                elif not self._is_open or not self._changed.wait(latest - time.monotonic()):
                    break
            if self._jobs:
                self._changed.notify()  # This thread may have been woken for a job of another.
            return jobs

    def _pop(self) -> _Job:
        job = self._jobs.popleft()
        self._waiting -= len(job.texts)
        return job

    def _answer(self, jobs: Sequence[_Job]) -> None:
        texts = [text for job in jobs for text in job.texts]
        self._on_batch(len(texts))
        try:
            answers = self._compute(jobs[0].key, texts)
        except Exception as error:
            if len(jobs) == 1:
                jobs[0].future.set_exception(error)
            else:  # One job's mistake is not the others'.
                for job in jobs:
                    self._answer([job])
            return
        first = 0
        for job in jobs:
            job.future.set_result(answers[first : first + len(job.texts)])
            first += len(job.texts)
