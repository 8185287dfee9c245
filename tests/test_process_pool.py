"""Jobs over processes: all of them done, bounded ahead, and no hang whatever happens."""

import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from albert_zh.util.process_pool import available_cores, run_jobs

ROOT = pathlib.Path(__file__).parent.parent


def double(number):
    return 2 * number


def process_of(number):
    time.sleep(0.05)
    return os.getpid()


def fail_on_three(number):
    if number == 3:
        raise ValueError("three is no good")
    return number


def die_on_three(number):
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


@pytest.mark.parametrize("num_workers", [1, 2, 5])
def test_every_job_is_done_once(num_workers):
    assert sorted(run_jobs(double, range(40), num_workers=num_workers)) == [*range(0, 80, 2)]


@pytest.mark.parametrize("num_workers", [1, 3])
def test_no_jobs_give_no_results(num_workers):
    assert list(run_jobs(double, [], num_workers=num_workers)) == []


def test_workers_are_processes_and_one_worker_is_this_one():
    found = set(run_jobs(process_of, range(12), num_workers=3))
    assert len(found) == 3
    assert os.getpid() not in found
    assert set(run_jobs(process_of, range(2), num_workers=1)) == {os.getpid()}


def test_jobs_are_not_taken_far_ahead():
    taken = []
    jobs = (taken.append(number) or number for number in range(1000))
    results = run_jobs(double, jobs, num_workers=2)
    next(results)
    assert len(taken) <= 4
    results.close()


@pytest.mark.parametrize("num_workers", [1, 2])
def test_error_of_a_job_reaches_the_caller(num_workers):
    with pytest.raises(ValueError, match="three is no good"):
        list(run_jobs(fail_on_three, range(100), num_workers=num_workers))


def test_killed_worker_is_a_clear_error():
    with pytest.raises(ValueError, match="one of 2 worker processes was killed, perhaps because"):
        list(run_jobs(die_on_three, range(100), num_workers=2))


def test_error_of_the_jobs_themselves_reaches_the_caller():
    def jobs():
        yield 1
        raise OSError("no such file")

    with pytest.raises(OSError, match="no such file"):
        list(run_jobs(double, jobs(), num_workers=2))


ORPHANS = """
import os, sys, time
from albert_zh.util.process_pool import run_jobs

def work(number):
    os.write(1, f"{os.getpid()}\\n".encode())  # at once: print writes the end of the line apart
    time.sleep(60)

list(run_jobs(work, range(4), num_workers=2))
"""


def test_workers_end_with_a_parent_that_is_killed():
    parent = subprocess.Popen(
        [sys.executable, "-c", ORPHANS], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    workers = [int(parent.stdout.readline()) for _ in range(2)]
    parent.kill()
    parent.wait()
    # The pipe closes when the last of its writers is gone.
    started = time.monotonic()
    parent.stdout.read()
    parent.stdout.close()
    assert time.monotonic() - started < 10
    assert len(set(workers)) == 2


def test_number_of_cores_is_that_of_this_process():
    assert 1 <= available_cores() <= os.cpu_count()
