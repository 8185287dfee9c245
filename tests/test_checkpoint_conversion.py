"""Rows of a checkpoint's tables for another vocabulary."""

import numpy as np
import pytest

from albert_zh.checkpoint.conversion import (
    OUTPUT_BIAS,
    WORD_TABLE,
    check_tables,
    make_rows,
    plan_rows,
    with_new_rows,
)
from albert_zh.config import ModelConfig

OLD = ["[PAD]", "的", "量", "子"]
TABLE = np.array([[0, 0], [1, 2], [3, 4], [5, 8]], np.float32)
BIAS = np.array([0, 9, 4, -1], np.float32)
ARRAYS = {WORD_TABLE: TABLE, OUTPUT_BIAS: BIAS, "bert/pooler/dense/bias": np.ones(2, np.float32)}


def plan(new, old=OLD):
    ids = {entry: number for number, entry in enumerate(old)}
    known = {entry: [ids[letter] for letter in entry if letter in ids] for entry in new}
    return plan_rows(old, new, pieces=known.get)


def converted(new, arrays=ARRAYS, *, old=OLD, seed=1):
    return with_new_rows(arrays, plan(new, old), initializer_range=0.02, seed=seed)


def test_same_vocabulary_gives_identical_arrays():
    arrays = converted(OLD)
    assert arrays.keys() == ARRAYS.keys()
    for name, value in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], value)


def test_rows_follow_their_entries_to_other_ids():
    arrays = converted(["子", "[PAD]", "的"])
    np.testing.assert_array_equal(arrays[WORD_TABLE], TABLE[[3, 0, 1]])
    np.testing.assert_array_equal(arrays[OUTPUT_BIAS], BIAS[[3, 0, 1]])
    assert plan(["子", "[PAD]", "的"]).dropped == ["量"]


def test_entry_of_known_pieces_gets_their_mean():
    arrays = converted([*OLD, "量子", "子子量"])
    np.testing.assert_allclose(arrays[WORD_TABLE][4:], [[4, 6], [13 / 3, 20 / 3]], rtol=1e-6)
    np.testing.assert_allclose(arrays[OUTPUT_BIAS][4:], [1.5, 2 / 3], rtol=1e-6)


def test_other_entries_start_at_random_with_the_mean_bias():
    arrays = {**ARRAYS, WORD_TABLE: np.zeros((4, 5000), np.float32)}
    row = converted([*OLD, "囧"], arrays)[WORD_TABLE][4]
    assert np.abs(row).max() <= 2 * 0.02
    assert abs(row.mean()) < 0.002
    # Cutting at two standard deviations leaves 0.88 of one.
    np.testing.assert_allclose(row.std(), 0.88 * 0.02, rtol=0.05)
    assert converted([*OLD, "囧"])[OUTPUT_BIAS][4] == 3


def test_random_rows_depend_on_seed_and_entry_alone():
    one, moved, reseeded = (
        converted(["囧", "槑", *OLD]),
        converted([*OLD, "槑", "囧"]),
        converted(["囧", "槑", *OLD], seed=2),
    )
    np.testing.assert_array_equal(one[WORD_TABLE][0], moved[WORD_TABLE][5])
    assert (one[WORD_TABLE][0] != one[WORD_TABLE][1]).all()
    assert (one[WORD_TABLE][0] != reseeded[WORD_TABLE][0]).all()


def test_extension_and_back_gives_the_same_arrays():
    extended = converted(["囧", *OLD, "量子"])
    back = converted(OLD, extended, old=["囧", *OLD, "量子"])
    for name, value in ARRAYS.items():
        np.testing.assert_array_equal(back[name], value)


def test_tables_keep_their_type():
    half = make_rows(TABLE.astype(np.float16), plan(["子", "量子"]), start=lambda entry: 0.0)
    assert half.dtype == np.float16


def test_checkpoint_without_a_masked_lm_head_is_converted_too():
    arrays = converted(["的", "囧"], {WORD_TABLE: TABLE})
    assert arrays.keys() == {WORD_TABLE}
    assert arrays[WORD_TABLE].shape == (2, 2)


# --- Checks --------------------------------------------------------------------------------------

SIZES = {"hidden_size": 4, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
CONFIG = ModelConfig.from_dict({"vocab_size": 9, "embedding_size": 2, "ln_type": "postln", **SIZES})
STORED = {
    WORD_TABLE: (9, 2),
    OUTPUT_BIAS: (9,),
    "bert/embeddings/word_embeddings_2": (2, 4),
    "bert/embeddings/word_embeddings/adam_m": (9, 2),
    "global_step": (),
}


def test_checkpoint_of_the_configuration_passes():
    check_tables(STORED, CONFIG)
    check_tables({name: STORED[name] for name in STORED if name != OUTPUT_BIAS}, CONFIG)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({WORD_TABLE: (8, 2)}, rf"misshapen  {WORD_TABLE}: the model has \(9, 2\), .* \(8, 2\)"),
        ({OUTPUT_BIAS: (8,)}, rf"misshapen  {OUTPUT_BIAS}"),
        ({WORD_TABLE: None}, rf"missing    {WORD_TABLE}"),
        ({"bert/embeddings/word_embeddings_2": None}, "holds no ALBERT"),
    ],
)
def test_checkpoint_that_does_not_fit_is_refused(changes, complaint):
    stored = {**STORED, **changes}
    with pytest.raises(ValueError, match=complaint):
        check_tables({name: stored[name] for name in stored if stored[name]}, CONFIG)


def test_checkpoint_of_another_lineage_is_refused():
    google = {"vocab_size": 9, "embedding_size": 2, "num_hidden_groups": 1, **SIZES}
    with pytest.raises(ValueError, match="of the brightmart lineage, the configuration of"):
        check_tables(STORED, ModelConfig.from_dict(google))
