"""Word vectors of a corpus: token files, co-occurrences, their factorization."""

import numpy as np
import pytest
from small import VOCABULARY, write_vocabulary

from albert_zh.text.tokenizers import load_tokenizer
from albert_zh.word_vectors import token_file
from albert_zh.word_vectors.cooccurrence import count_cooccurrences
from albert_zh.word_vectors.factorization import (
    low_rank_vectors,
    nearest,
    positive_mutual_information,
)

DOCUMENTS = [["今天去京", "坐车。"], ["很冷"], ["杭有雨吗"] * 3]


@pytest.mark.parametrize("num_workers", [1, 2])
def test_token_file_holds_the_documents_with_gaps(tmp_path, num_workers):
    tokenizer = load_tokenizer(write_vocabulary(tmp_path))
    path = str(tmp_path / "ids")
    with open(path, "wb") as file:
        counts = token_file.write_ids(DOCUMENTS, tokenizer, file, num_workers=num_workers)
    expected = []
    for texts in DOCUMENTS:
        expected += [VOCABULARY.index(character) for character in "".join(texts)]
        expected += [token_file.NO_TOKEN] * token_file.WINDOW
    assert token_file.count_ids(path) == len(expected)
    assert token_file.read_ids(path, 0, 1000).tolist() == expected
    assert token_file.read_ids(path, 3, 4).tolist() == expected[3:7]
    known = [each for each in expected if each >= 0]
    np.testing.assert_array_equal(counts, np.bincount(known, minlength=len(VOCABULARY)))


def naive_counts(ids, entries):
    counts = np.zeros((len(entries), len(entries)))
    rank = {entry: place for place, entry in enumerate(entries)}
    for place, first in enumerate(ids):
        for distance in range(1, token_file.WINDOW + 1):
            if place + distance < len(ids) and {first, ids[place + distance]} <= rank.keys():
                pair = rank[first], rank[ids[place + distance]]
                counts[pair] += token_file.WINDOW + 1 - distance
                counts[pair[::-1]] += token_file.WINDOW + 1 - distance
    return counts


@pytest.mark.parametrize("num_workers", [1, 2])
@pytest.mark.parametrize("ids_per_job", [7, 100, 1000])
def test_cooccurrences_are_those_of_a_naive_count(tmp_path, num_workers, ids_per_job):
    ids = np.random.default_rng(3).integers(-1, 12, 300).astype(np.int32)
    path = str(tmp_path / "ids")
    ids.tofile(path)
    entries = np.array([4, 0, 7, 11, 5])
    seen = []
    counts = count_cooccurrences(
        path,
        entries,
        vocab_size=12,
        num_workers=num_workers,
        ids_per_job=ids_per_job,
        on_progress=seen.append,
    )
    np.testing.assert_array_equal(counts, naive_counts(ids.tolist(), entries.tolist()))
    assert sum(seen) == len(ids)


def test_mutual_information_is_that_of_the_formula():
    counts = np.random.default_rng(5).integers(0, 4, (6, 6)).astype(np.float32)
    counts += counts.T
    counts[2] = counts[:, 2] = 0
    expected = np.zeros((6, 6))
    marginal = counts.sum(axis=1)
    smoothed = marginal**0.75 / (marginal**0.75).sum()
    for word in range(6):
        for context in range(6):
            if counts[word, context]:
                joint = counts[word, context] / counts.sum()
                by_chance = marginal[word] / counts.sum() * smoothed[context]
                expected[word, context] = max(0.0, np.log(joint / by_chance))
    np.testing.assert_allclose(positive_mutual_information(counts), expected, atol=1e-5)
    assert expected.max() > 0.5


def test_vectors_reproduce_a_matrix_of_their_rank():
    factors = np.random.default_rng(7).standard_normal((60, 5)).astype(np.float32)
    matrix = factors @ factors.T
    vectors = low_rank_vectors(matrix, 5, seed=1)
    assert vectors.shape == (60, 5)
    np.testing.assert_allclose(vectors @ vectors.T, matrix, atol=1e-3)


def test_vectors_are_the_best_of_their_rank():
    matrix = np.random.default_rng(8).random((90, 90), dtype=np.float32)
    left, values, _ = np.linalg.svd(matrix)
    vectors = low_rank_vectors(matrix, 4)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=0) ** 2, values[:4], rtol=2e-2)
    cosine = abs(left[:, 0] @ vectors[:, 0]) / np.linalg.norm(vectors[:, 0])
    assert cosine > 0.9999
    assert low_rank_vectors(matrix, 90).shape == (90, 90)


def test_nearest_rows_have_the_largest_cosine():
    vectors = np.array([[1, 0], [0, 1], [5, 1], [-1, 0], [0, 0]], np.float32)
    assert nearest(vectors, 0, 2).tolist() == [2, 1]
