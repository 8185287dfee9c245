"""Slices of a corpus: every document is in one of them, and the text alone decides in which."""

import itertools
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from albert_zh.corpus.slices import CorpusSlice, SliceSizes, slice_corpus

TEXTS = st.lists(st.text("我你他。 \ud800", min_size=1, max_size=9), min_size=1, max_size=3)


@given(st.lists(TEXTS, max_size=20))
def test_every_document_is_in_one_slice_in_its_place(documents):
    corpus = [[text * 900 for text in texts] for texts in documents]
    slices = list(slice_corpus(iter(corpus)))
    assert [texts for part in slices for texts in part.documents] == corpus
    assert [part.number for part in slices] == [*range(len(slices))]
    places = [
        part.first_document + index for part in slices for index in range(len(part.documents))
    ]
    assert places == [*range(len(corpus))]


def test_slices_grow_with_the_corpus_up_to_a_limit():
    document = ["字" * 1000]
    slices = slice_corpus(itertools.repeat(document, 150_000))
    sizes = [1000 * len(part.documents) for part in slices]
    assert (sizes[0], sizes[60], sizes[-2]) == (20_000, 49_000, 75_000)
    assert sizes[:-1] == sorted(sizes[:-1])
    assert [SliceSizes().after(10**power) for power in (0, 9, 12)] == [20_000, 350_000, 350_000]


def test_fingerprint_tells_texts_and_their_borders_apart():
    contents = [[["ab"]], [["a", "b"]], [["a"], ["b"]], [["ba"]], [["ab"], ["c"]]]
    found = {CorpusSlice(0, 0, documents).fingerprint for documents in contents}
    assert len(found) == len(contents)


def test_fingerprint_depends_on_the_place_in_the_corpus_as_the_seeds_do():
    part = CorpusSlice(0, 0, [["我", "你"], ["他"]])
    assert replace(part, number=3).fingerprint == part.fingerprint
    assert replace(part, first_document=9).fingerprint != part.fingerprint
