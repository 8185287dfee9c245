"""Blocks of documents: every document in one of them, cut by the text alone."""

import itertools
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from albert_zh.corpus.blocks import Block, _wanted_size, blocks

TEXTS = st.lists(st.text("我你他。 \ud800", min_size=1, max_size=9), min_size=1, max_size=3)


@given(st.lists(TEXTS, max_size=20))
def test_every_document_is_in_one_block_in_its_place(documents):
    made = [[text * 900 for text in texts] for texts in documents]
    found = list(blocks(iter(made)))
    assert [texts for block in found for texts in block.documents] == made
    assert [block.number for block in found] == [*range(len(found))]
    places = [
        block.first_document + index for block in found for index in range(len(block.documents))
    ]
    assert places == [*range(len(made))]


def test_blocks_grow_with_the_corpus_up_to_a_limit():
    document = ["字" * 1000]
    sizes = [1000 * len(block.documents) for block in blocks(itertools.repeat(document, 150_000))]
    assert (sizes[0], sizes[60], sizes[-2]) == (20_000, 49_000, 75_000)
    assert sizes[:-1] == sorted(sizes[:-1])
    assert [_wanted_size(10**power) for power in (0, 9, 12)] == [20_000, 350_000, 350_000]


def test_fingerprint_tells_texts_and_their_borders_apart():
    contents = [[["ab"]], [["a", "b"]], [["a"], ["b"]], [["ba"]], [["ab"], ["c"]]]
    found = {Block(0, 0, documents).fingerprint for documents in contents}
    assert len(found) == len(contents)


def test_fingerprint_hangs_on_the_text_alone():
    block = Block(0, 0, [["我", "你"], ["他"]])
    assert replace(block, number=3, first_document=9).fingerprint == block.fingerprint
