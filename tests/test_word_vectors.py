"""Word vectors of a corpus: token files, neighbours, associations, their factorization."""

import numpy as np
import pytest
from small import VOCABULARY, write_vocabulary

from albert_zh.text.tokenizers import load_tokenizer
from albert_zh.word_vectors import token_file
from albert_zh.word_vectors.factorization import association, nearest, vectors_and_maps
from albert_zh.word_vectors.neighbours import count_neighbours

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
        expected += [token_file.NO_TOKEN] * token_file.GAP
    assert token_file.count_ids(path) == len(expected)
    assert token_file.read_ids(path, 0, 1000).tolist() == expected
    assert token_file.read_ids(path, 3, 4).tolist() == expected[3:7]
    known = [each for each in expected if each >= 0]
    np.testing.assert_array_equal(counts, np.bincount(known, minlength=len(VOCABULARY)))


def naive_counts(ids, entries, distance):
    counts = np.zeros((len(entries), len(entries)))
    rank = {entry: place for place, entry in enumerate(entries)}
    for first, second in zip(ids, ids[distance:], strict=False):
        if {first, second} <= rank.keys():
            counts[rank[first], rank[second]] += 1
    return counts


@pytest.mark.parametrize("num_workers", [1, 2])
@pytest.mark.parametrize("ids_per_job", [7, 100, 1000])
def test_neighbours_are_those_of_a_naive_count(tmp_path, num_workers, ids_per_job):
    ids = np.random.default_rng(3).integers(-1, 12, 300).astype(np.int32)
    path = str(tmp_path / "ids")
    ids.tofile(path)
    entries = np.array([4, 0, 7, 11, 5])
    seen = []
    counts = count_neighbours(
        path,
        entries,
        vocab_size=12,
        num_workers=num_workers,
        ids_per_job=ids_per_job,
        on_progress=seen.append,
    )
    assert list(counts) == [1, 2]
    for distance, matrix in counts.items():
        expected = naive_counts(ids.tolist(), entries.tolist(), distance)
        np.testing.assert_array_equal(matrix, expected)
    assert sum(seen) == len(ids)


def random_counts(size, seed=5):
    counts = np.random.default_rng(seed).integers(0, 40, (size, size)).astype(np.float32)
    counts[2] = counts[:, 2] = 0
    return counts


def test_association_is_that_of_the_formula():
    counts = random_counts(700)
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
    formula = np.log((counts + 1) / (expected + 1))
    np.testing.assert_allclose(association(counts), formula, atol=1e-4)
    assert abs(formula).max() > 0.5


def test_vectors_and_maps_reproduce_associations_of_their_rank():
    # M_1(w, c) = u_c T u_w, of rank 5 for both offsets together.
    rng = np.random.default_rng(7)
    factors, middle = rng.standard_normal((60, 5)), rng.standard_normal((5, 5))
    middle += middle.T
    after = (factors @ middle @ factors.T).astype(np.float32)
    frequencies = rng.random(60)
    frequencies /= frequencies.sum()
    vectors, maps = vectors_and_maps({1: after.copy()}, frequencies, 5, seed=1)
    assert vectors.shape == (60, 5)
    assert sorted(maps) == [-1, 1]
    np.testing.assert_allclose(vectors @ maps[1] @ vectors.T, after.T, atol=1e-3)
    np.testing.assert_allclose(vectors @ maps[-1] @ vectors.T, after, atol=1e-3)


def test_vectors_are_the_best_of_their_rank():
    rng = np.random.default_rng(8)
    after = rng.standard_normal((90, 90)).astype(np.float32)
    weights = np.sqrt(np.full(90, 1 / 90))
    side_by_side = np.concatenate([after.T, after], axis=1) / 90
    _, values, _ = np.linalg.svd(side_by_side)
    vectors, _ = vectors_and_maps({1: after.copy()}, weights**2, 90)
    np.testing.assert_allclose(
        np.linalg.norm(vectors * weights[:, None], axis=0) ** 2, values, rtol=1e-3
    )


def test_entry_without_neighbours_has_no_vector():
    counts = random_counts(30)
    frequencies = counts.sum(axis=0).astype(float)
    frequencies /= frequencies.sum()
    vectors, maps = vectors_and_maps({1: association(counts)}, frequencies, 4)
    assert not vectors[2].any()
    assert np.isfinite(vectors).all()
    assert all(np.isfinite(each).all() for each in maps.values())


def test_nearest_rows_have_the_largest_cosine():
    vectors = np.array([[1, 0], [0, 1], [5, 1], [-1, 0], [0, 0]], np.float32)
    assert nearest(vectors, 0, 2).tolist() == [2, 1]
