"""Sorted slices of records: together they give all records in the order of their keys."""

import random
import tracemalloc
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from albert_zh.creation.sorted_slices import (
    ALL_KEYS,
    frames_by_key,
    key_ranges,
    read_header,
    write_slice,
)
from albert_zh.records.tfrecord import frame


def write(directory, contents):
    paths = [str(directory / f"slice-{number}") for number in range(len(contents))]
    for path, records in zip(paths, contents, strict=True):
        write_slice(path, records, text="f00d", counts=Counter(documents=1))
    return paths


def random_records(rng, count):
    return [(rng.getrandbits(64), rng.randbytes(rng.randrange(30))) for _ in range(count)]


@pytest.mark.parametrize("num_ranges", [1, 2, 7])
def test_ranges_of_keys_give_all_records_in_order(tmp_path, num_ranges):
    rng = random.Random(1)
    contents = [random_records(rng, count) for count in (50, 0, 1, 200)]
    paths = write(tmp_path, contents)
    found = [
        bytes(framed) for keys in key_ranges(num_ranges) for framed in frames_by_key(paths, keys)
    ]
    everything = sorted(record for records in contents for record in records)
    assert found == [frame(payload) for _, payload in everything]


def test_smallest_and_largest_key_are_not_lost(tmp_path):
    paths = write(tmp_path, [[(ALL_KEYS[-1], b"last"), (0, b"first")]])
    first, last = ([bytes(f) for f in frames_by_key(paths, keys)] for keys in key_ranges(2))
    assert (first, last) == ([frame(b"first")], [frame(b"last")])


def test_equal_keys_keep_the_order_of_the_corpus(tmp_path):
    paths = write(tmp_path, [[(5, b"a"), (5, b"b")], [(5, b"c"), (4, b"d")]])
    found = [bytes(framed) for framed in frames_by_key(paths, ALL_KEYS)]
    assert found == [frame(payload) for payload in (b"d", b"a", b"b", b"c")]


@given(st.integers(1, 300), st.integers(0, 2**63), st.integers(300, 2**63))
def test_ranges_of_keys_are_equal_and_leave_no_gap(count, start, size):
    parts = key_ranges(count, within=range(start, start + size))
    assert (parts[0].start, parts[-1].stop, len(parts)) == (start, start + size, count)
    assert all(one.stop == other.start for one, other in pairwise(parts))
    sizes = {part.stop - part.start for part in parts}
    assert max(sizes) - min(sizes) <= 1


def test_header_is_read_back_and_a_missing_one_is_none(tmp_path):
    counts = Counter(documents=3, tokens=1_000_000_000)
    written = write_slice(str(tmp_path / "a"), [(1, b"xy")], text="beef", counts=counts)
    assert read_header(str(tmp_path / "a")) == written
    assert (written.text, written.records, written.bytes) == ("beef", 1, len(frame(b"xy")))
    assert read_header(str(tmp_path / "b")) is None


def test_memory_depends_on_the_range_of_keys_not_on_the_corpus(tmp_path):
    rng = random.Random(2)
    paths = write(tmp_path, [[(rng.getrandbits(64), b"") for _ in range(5000)] for _ in range(40)])
    tracemalloc.start()
    for _ in frames_by_key(paths, key_ranges(1000)[0]):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40 * 5000 * 8 / 2
