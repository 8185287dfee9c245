"""Requests computed together: order, limits, mistakes, the end."""

import threading
import time

import pytest

from albert_zh.serving.batcher import Batcher, QueueIsFull


class Gate:
    """A computation that waits until it is let through, and notes its batches."""

    def __init__(self):
        self.open, self.batches = threading.Event(), []

    def __call__(self, key, texts):
        self.batches.append((key, list(texts)))
        assert self.open.wait(30)
        if "bad" in texts:
            raise ValueError("a bad text")
        return [f"{key}:{text}" for text in texts]


@pytest.fixture
def gate():
    return Gate()


@pytest.fixture
def make(gate):
    made = []

    def batcher(**settings):
        made.append(Batcher(gate, **{"threads": 1, "longest_wait": 0.0, **settings}))
        return made[-1]

    yield batcher
    gate.open.set()
    for each in made:
        each.close()


def test_what_waits_is_computed_together_in_its_order(gate, make):
    batcher = make(largest_batch=4)
    futures = [batcher.submit("a", ["first"])]
    _await(lambda: gate.batches)
    for key, texts in (("a", ["1"]), ("a", ["2", "3"]), ("a", ["4", "5"]), ("b", ["6"])):
        futures.append(batcher.submit(key, texts))
    assert batcher.waiting == 6
    gate.open.set()
    answers = [future.result(30) for future in futures]
    assert answers == [["a:first"], ["a:1"], ["a:2", "a:3"], ["a:4", "a:5"], ["b:6"]]
    # No batch has more than four texts, or texts of two keys.
    batches = [("a", ["first"]), ("a", ["1", "2", "3"]), ("a", ["4", "5"]), ("b", ["6"])]
    assert gate.batches == batches
    assert batcher.waiting == 0


def test_a_job_waits_for_others_no_longer_than_it_may(gate, make):
    gate.open.set()
    batcher = make(longest_wait=0.3)
    first = batcher.submit("a", ["1"])
    second = batcher.submit("a", ["2"])
    assert (first.result(30), second.result(30)) == (["a:1"], ["a:2"])
    assert gate.batches == [("a", ["1", "2"])]
    assert batcher.submit("a", ["3"]).result(30) == ["a:3"]


def test_mistake_of_one_job_is_not_that_of_the_others(gate, make):
    batcher = make()
    futures = [batcher.submit("a", ["first"])]
    _await(lambda: gate.batches)
    futures += [batcher.submit("a", [text]) for text in ("1", "bad", "2")]
    gate.open.set()
    with pytest.raises(ValueError, match="a bad text"):
        futures.pop(2).result(30)
    assert [future.result(30) for future in futures] == [["a:first"], ["a:1"], ["a:2"]]


def test_queue_takes_no_more_than_it_may_but_one_large_job(gate, make):
    batcher = make(queue_size=3)
    batcher.submit("a", ["first"])
    _await(lambda: gate.batches)
    large = batcher.submit("a", ["1", "2", "3", "4"])
    with pytest.raises(QueueIsFull):
        batcher.submit("a", ["5"])
    gate.open.set()
    assert len(large.result(30)) == 4
    assert batcher.submit("a", ["5"]).result(30) == ["a:5"]


def test_cancelled_job_is_not_computed(gate, make):
    batcher = make()
    batcher.submit("a", ["first"])
    _await(lambda: gate.batches)
    assert batcher.submit("a", ["late"]).cancel()
    gate.open.set()
    assert batcher.submit("a", ["next"]).result(30) == ["a:next"]
    assert all("late" not in texts for _, texts in gate.batches)


def test_close_answers_what_waits_and_takes_no_more(gate, make):
    batcher = make(threads=2)
    futures = [batcher.submit(key, [key]) for key in "abcd"]
    gate.open.set()
    batcher.close()
    assert all(future.done() for future in futures)
    with pytest.raises(QueueIsFull):
        batcher.submit("a", ["1"])


def test_many_threads_get_their_own_answers(gate, make):
    gate.open.set()
    batcher = make(threads=3, longest_wait=0.001)
    wrong = []

    def ask(number):
        for index in range(50):
            texts = [f"{number}.{index}.{part}" for part in range(1 + index % 3)]
            found = batcher.submit(index % 2, texts).result(30)
            if found != [f"{index % 2}:{text}" for text in texts]:
                wrong.append(found)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not wrong
    assert sum(len(texts) for _, texts in gate.batches) == 16 * sum(1 + n % 3 for n in range(50))


def _await(condition) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)
