"""The embedded samples are what data/README.md says of them."""

import collections
import pathlib
import re

import pytest

from albert_zh.corpus.reading import CorpusReader
from albert_zh.tasks import custom
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


# ---- CLUE

CLUE = ROOT / "data" / "clue_sample"
# Folder -> examples of train, dev, test, and of the test file of CLUE 1.0 where it has its own.
CLUE_SIZES = {
    "afqmc": (600, 80, 80),
    "tnews": (338, 75, 45, 30),
    "iflytek": (140, 40, 40),
    "ocnli": (280, 58, 60),
    "cluewsc2020": (112, 24, 18, 14),
    "csl": (96, 24, 24),
    "cmrc2018": (240, 42, 36),
    "chid": (60, 20, 12, 8),
    "c3": (156, 36, 22, 20),
    "cluener": (210, 40, 40),
}


@pytest.fixture(scope="module", params=CLUE_SIZES)
def clue(request):
    """Task, and its splits by their names."""
    task, folder = find_task(request.param), CLUE / request.param
    splits = {
        name: read_split(task, data_dir=str(folder), split=name)
        for name in ("train", "dev", "test")
    }
    if (folder / "test1.0.json").exists():
        splits["test1.0"] = task.read(task, str(folder / "test1.0.json"), "test")
    return task, splits


def test_every_sample_of_clue_is_known():
    assert {path.name for path in CLUE.iterdir()} == {*CLUE_SIZES}


def test_samples_of_clue_are_read_whole(clue):
    task, splits = clue
    assert tuple(len(split.examples) for split in splits.values()) == CLUE_SIZES[task.name]
    left_out = {"ocnli": "2 rows with the label '-' are left out"}
    said = [note for split in splits.values() for note in split.notes if "beside it" not in note]
    assert [note.partition(": ")[2] for note in said] == [
        left_out[name] for name in [task.name] if name in left_out
    ]


def test_no_example_of_clue_stands_twice(clue):
    _, splits = clue
    texts = [example.texts for split in splits.values() for example in split.examples]
    assert len(set(texts)) == len(texts)


def test_examples_of_clue_are_labelled_but_for_those_of_test(clue):
    task, splits = clue
    for name, split in splits.items():
        assert all((each.label is None) == (name[:4] == "test") for each in split.examples)
    train, dev = splits["train"].examples, splits["dev"].examples
    if task.name == "cluener":
        types = [
            {entity.type for each in part for entity in each.entities} for part in (train, dev)
        ]
        assert types == [{*task.labels}] * 2
    elif task.labels:
        known = {each.label for each in train}
        assert {each.label for each in dev} <= known
        assert known == {*task.labels} or task.name == "iflytek"


def test_samples_of_clue_are_small():
    assert sum(path.stat().st_size for path in CLUE.rglob("*.json")) < 650_000


# ---- a user's own table


def test_reviews_are_a_task_of_three_classes():
    path = str(ROOT / "data" / "custom_sample" / "reviews.csv")
    task = custom.infer_task(path, text_columns="review", label_column="class")
    reviews = task.read(task, path, "train").examples
    counts = collections.Counter(each.label for each in reviews)
    assert len(reviews) == 300
    assert {*counts} == {"好评", "中评", "差评"}
    assert min(counts.values()) > 90
    numbers = custom.infer_task(
        path, text_columns="review", label_column="stars", kind="regression"
    )
    stars = {float(each.label) for each in numbers.read(numbers, path, "train").examples}
    assert stars == {1.0, 2.0, 3.0, 4.0, 5.0}
    new = task.read(task, path.replace("reviews.csv", "new_reviews.csv"), "test").examples
    assert len(new) == 20
    assert {each.texts for each in new}.isdisjoint(each.texts for each in reviews)
