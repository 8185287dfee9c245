"""Exact duplicates of documents: counted always, left out on request."""

import random

import pytest

from albert_zh.corpus.duplicates import DuplicateFilter

DOCUMENTS = [["春。", "夏。"], ["秋。"], ["春。", "夏。"], ["春。夏。"], ["夏。", "春。"], ["秋。"]]


def test_documents_are_duplicates_if_all_their_texts_are_equal():
    duplicates = DuplicateFilter(drop=True)
    assert list(duplicates(DOCUMENTS)) == [
        ["春。", "夏。"],
        ["秋。"],
        ["春。夏。"],
        ["夏。", "春。"],
    ]
    assert duplicates.counts == {"documents_dropped": 2}


def test_duplicates_are_counted_but_used_unless_they_are_to_be_dropped():
    duplicates = DuplicateFilter(drop=False)
    assert list(duplicates(DOCUMENTS)) == DOCUMENTS
    assert duplicates.counts == {"documents_repeated": 2}


def test_each_reading_begins_anew():
    duplicates = DuplicateFilter(drop=True)
    assert list(duplicates(DOCUMENTS)) == list(duplicates(DOCUMENTS))
    assert duplicates.counts == {"documents_dropped": 2}


@pytest.mark.parametrize("count", [9_000, 70_000])
def test_many_documents_are_told_apart_as_a_set_does(count):
    rng = random.Random(1)
    documents = [[str(rng.randrange(count))] for _ in range(count)]
    kept = list(DuplicateFilter(drop=True)(documents))
    assert kept == [[text] for text in dict.fromkeys(text for (text,) in documents)]
