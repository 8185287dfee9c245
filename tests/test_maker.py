"""Corpus slices become records with keys: a function of the text and the recipe alone."""

import pickle
from dataclasses import replace

import pytest
import small

from albert_zh.corpus.instances import Pairing
from albert_zh.corpus.slices import CorpusSlice
from albert_zh.creation.maker import NEIGHBOURS, neighbours

DOCUMENTS = [[f"今天去{city}很冷吗。", f"{city}很远。坐车去多少钱。"] for city in small.CITIES]


@pytest.fixture
def maker(tmp_path):
    return small.record_maker(tmp_path)


def test_slices_may_have_any_size(maker):
    whole = maker(CorpusSlice(0, 0, DOCUMENTS))
    halves = [maker(CorpusSlice(0, 0, DOCUMENTS[:2])), maker(CorpusSlice(1, 2, DOCUMENTS[2:]))]
    assert whole.records == halves[0].records + halves[1].records
    assert whole.counts == halves[0].counts + halves[1].counts


def test_records_depend_on_the_number_of_their_document(maker):
    assert (
        maker(CorpusSlice(0, 0, DOCUMENTS)).records != maker(CorpusSlice(0, 1, DOCUMENTS)).records
    )


def test_keys_are_random_and_differ(maker):
    keys = [key for key, _ in maker(CorpusSlice(0, 0, DOCUMENTS * 20)).records]
    assert len(set(keys)) == len(keys) > 300
    assert 0.4 < sum(key < 1 << 63 for key in keys) / len(keys) < 0.6
    assert max(keys) < 1 << 64


def test_maker_travels_to_other_processes_by_names(maker):
    maker.load()
    sent = pickle.dumps(maker)
    assert len(sent) < 10_000
    assert pickle.loads(sent)(CorpusSlice(0, 0, DOCUMENTS)) == maker(CorpusSlice(0, 0, DOCUMENTS))


def test_lines_are_cut_into_sentences_when_asked(maker):
    cutting = replace(maker, tools=replace(maker.tools, split_sentences=True))
    assert maker(CorpusSlice(0, 0, DOCUMENTS)).counts["sentences"] == 12
    assert cutting(CorpusSlice(0, 0, DOCUMENTS)).counts["sentences"] == 18


def test_random_next_sentences_come_from_documents_near_by(maker):
    recipe = replace(maker.recipe, pairing=Pairing.NEXT_SENTENCE)
    counts = replace(maker, recipe=recipe)(CorpusSlice(0, 0, DOCUMENTS)).counts
    assert counts["tokens_borrowed"] > 0
    assert "without_other_document" not in counts
    alone = replace(maker, recipe=recipe)(CorpusSlice(0, 0, [DOCUMENTS[0] * 20])).counts
    assert alone["without_other_document"] > 0


def test_neighbours_are_those_before_and_after_but_not_the_document_itself():
    documents = list(range(200))
    found = neighbours(documents, 100)
    assert found == [*range(100 - NEIGHBOURS, 100), *range(101, 101 + NEIGHBOURS)]
    assert neighbours(documents, 0) == [*range(1, 1 + NEIGHBOURS)]
    assert neighbours(documents, 199) == [*range(199 - NEIGHBOURS, 199)]
