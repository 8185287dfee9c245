"""The embedded samples are what data/README.md says of them."""

import pathlib
import re

import pytest

from albert_zh.corpus.reading import CorpusReader
from albert_zh.tasks.catalog import find_task
from albert_zh.tasks.report import report
from albert_zh.tasks.splits import read_split
from albert_zh.text.tokenizers import load_tokenizer

ROOT = pathlib.Path(__file__).parent.parent
CORPUS = ROOT / "data" / "news_zh_1.txt"
SIZES = {"train": 16_000, "dev": 400, "test": 400}


def test_corpus_has_many_documents_of_several_sentences():
    documents = list(CorpusReader([str(CORPUS)]))
    assert len(documents) == 87
    assert CORPUS.stat().st_size > 60_000
    assert min(map(len, documents)) >= 10
    sentences = [sentence for document in documents for sentence in document]
    assert len(set(sentences)) == len(sentences)


def test_our_vocabulary_knows_the_samples():
    tokenizer = load_tokenizer(str(ROOT / "albert_config" / "vocab.txt"))
    tokens = tokenizer.encode(CORPUS.read_text(encoding="utf-8")).tokens
    assert tokens.count("[UNK]") <= len(tokens) / 1000


@pytest.fixture(scope="module")
def splits():
    task = find_task("lcqmc")
    folder = str(ROOT / "data" / "lcqmc_sample")
    return {name: read_split(task, data_dir=folder, split=name) for name in SIZES}


def test_pairs_are_balanced_and_none_is_repeated(splits):
    counted = report(list(splits.values()), labels=("0", "1"))
    for split in counted.splits:
        assert split.labels == {"0": SIZES[split.name] // 2, "1": SIZES[split.name] // 2}
        assert split.num_repeated == 0
    assert not any(counted.shared.values())


def test_no_pair_stands_in_two_splits_in_any_guise(splits):
    def core(text):
        return re.sub("^(请问|我想知道)|[？呢]$", "", text)

    def cores(split):
        return {frozenset((core(row.text_a), core(row.text_b))) for row in split.examples}

    train, dev, test = (cores(split) for split in splits.values())
    assert train.isdisjoint(dev)
    assert test.isdisjoint(train | dev)
