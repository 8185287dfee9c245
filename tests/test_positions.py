"""Position vectors that continue those of a shorter training."""

import numpy as np
import pytest

from albert_zh.checkpoint.positions import continue_positions

TRAINED = 128
FREQUENCIES = np.array([0.1, 0.45, 1.2, 2.9])


def continued_rows(table, num_trained):
    return continue_positions(table, num_trained, source="a model")


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def sines(rng, *, number=512, width=24):
    """Sums of sines as of a warm start, and the sines themselves, `[number, 2F]`."""
    angles = np.arange(number)[:, None] * FREQUENCIES
    features = np.concatenate([np.sin(angles), np.cos(angles)], axis=1)
    return features @ rng.standard_normal((features.shape[1], width)), features


def test_rows_are_continued_by_the_map_that_training_made(rng):
    start, features = sines(rng)
    trained = 2 + features @ rng.standard_normal((8, 24))
    table = np.concatenate([trained[:TRAINED], 0.3 * start[TRAINED:]]).astype(np.float32)
    continued = continued_rows(table, TRAINED)
    assert continued.dtype == np.float32
    np.testing.assert_array_equal(continued[:TRAINED], table[:TRAINED])
    np.testing.assert_allclose(continued, trained, atol=1e-3)


def test_rows_continue_half_precision_and_ignore_both_ends(rng):
    start, features = sines(rng)
    trained = 2 + features @ rng.standard_normal((8, 24))
    table = np.concatenate([trained[:TRAINED], 0.3 * start[TRAINED:]])
    table[:8] += 3
    table[TRAINED - 8 : TRAINED] -= 3
    continued = continued_rows(np.float16(table), TRAINED)
    np.testing.assert_allclose(continued[TRAINED:], trained[TRAINED:], atol=0.05)


def test_rows_are_as_long_as_those_of_a_training_that_no_sines_explain(rng):
    start, features = sines(rng)
    trained = features @ rng.standard_normal((8, 24)) + 2 * rng.standard_normal((512, 24))
    table = np.concatenate([trained[:TRAINED], 0.3 * start[TRAINED:]])
    continued = continued_rows(table, TRAINED)
    length = np.linalg.norm(trained[8:120] - trained[8:120].mean(axis=0), axis=1)
    lengths = np.linalg.norm(continued[TRAINED:] - trained[8:120].mean(axis=0), axis=1)
    assert (lengths**2).mean() == pytest.approx((length**2).mean(), rel=0.1)


@pytest.mark.parametrize("kind", ["random", "zero", "trained too far", "too short"])
def test_rows_that_are_no_sines_are_refused(rng, kind):
    table, _ = sines(rng)
    num_trained = TRAINED
    if kind == "random":
        table = rng.standard_normal(table.shape)
    elif kind == "zero":
        table[TRAINED:] = 0
    elif kind == "trained too far":
        table[: TRAINED + 1] += 1
    else:
        num_trained = 500
    with pytest.raises(ValueError, match=rf"a model: .* row {num_trained} are no sums of sines"):
        continued_rows(table, num_trained)


@pytest.mark.parametrize("num_trained", [512, 600])
def test_nothing_is_left_to_continue(rng, num_trained):
    table, _ = sines(rng)
    with pytest.raises(ValueError, match=rf"a model: .* has 512 rows, .* {num_trained} trained"):
        continued_rows(table, num_trained)


def test_too_few_trained_rows_are_refused(rng):
    table, _ = sines(rng)
    with pytest.raises(ValueError, match=r"a model: 17 .* too few to continue 4 frequencies"):
        continued_rows(table, 17)
