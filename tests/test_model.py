"""Whole models: published numbers, sizes, padding, dropout, compilation."""

import dataclasses
import pathlib

import numpy as np
import pytest
import tensorflow as tf
from goldens import CASES, golden_case

from albert_zh.config import ModelConfig, NormOrder, Pooling
from albert_zh.model.albert import Albert
from albert_zh.model.heads.pretraining import PretrainingModel
from albert_zh.model.heads.sequence import Classifier, masked_mean
from albert_zh.model.layers import DropoutSeeds
from albert_zh.model.scope import named_variables

CONFIGS = pathlib.Path(__file__).parent.parent / "albert_config"

SMALL = ModelConfig(
    vocab_size=5000,
    embedding_size=16,
    hidden_size=32,
    num_hidden_layers=2,
    num_attention_heads=4,
    intermediate_size=64,
    max_position_embeddings=32,
    lineage="google",
)
IDS = [[101, 2769, 1599, 3614, 102, 0, 0, 0], [101, 872, 102, 2769, 4263, 872, 102, 0]]
SEGMENTS = [[0] * 8, [0, 0, 0, 1, 1, 1, 1, 0]]

# Printed by the published code from sine weights: model, number of variables,
# pooled[0, :4], pooled[1, :4], sequence[1, 3, :4], sum of |sequence|.
PUBLISHED = {
    "brightmart post-LN": (
        {"lineage": "brightmart"},
        24,
        [0.006030, -0.085882, -0.165042, -0.220797],
        [0.006507, -0.085546, -0.164892, -0.220844],
        [1.127074, 1.462845, 1.570531, 1.409232],
        453.2539,
    ),
    "brightmart pre-LN": (
        {"lineage": "brightmart", "norm_order": NormOrder.PRE},
        24,
        [0.106265, 0.030354, -0.050009, -0.123063],
        [0.106306, 0.030509, -0.049762, -0.122761],
        [1.499330, 1.715358, 1.696632, 1.445681],
        459.2702,
    ),
    "google": (
        {},
        25,
        [-0.050931, -0.023805, 0.006579, 0.036061],
        [-0.050929, -0.023765, 0.006650, 0.036155],
        [-1.421053, -1.435628, -1.263597, -0.947488],
        449.9289,
    ),
    "google_fast, two groups": (
        {"lineage": "google_fast", "num_hidden_groups": 2},
        41,
        [-0.011728, -0.060031, -0.100009, -0.126326],
        [-0.011828, -0.060152, -0.100132, -0.126435],
        [-1.470666, -1.507115, -1.344098, -1.014131],
        461.7742,
    ),
}


def _fill_with_sines(model: tf.Module) -> int:
    """Fills the k-th variable by name with 0.05 sin(0.37 n + k), gammas around 1; their number."""
    variables = named_variables(model)
    for k, (name, variable) in enumerate(variables.items()):
        values = 0.05 * np.sin(0.37 * np.arange(variable.shape.num_elements()) + k)
        values = values.reshape(variable.shape) + name.endswith("gamma")
        variable.assign(values.astype(np.float32))
    return len(variables)


@pytest.mark.parametrize("name", PUBLISHED)
def test_output_of_sine_weights_matches_published_numbers(name):
    changes, count, first, second, token, total = PUBLISHED[name]
    model = Albert(dataclasses.replace(SMALL, **changes))
    assert _fill_with_sines(model) == count
    output = model(tf.constant(IDS), tf.cast(tf.not_equal(IDS, 0), tf.int32), tf.constant(SEGMENTS))
    np.testing.assert_allclose(output.pooled[0, :4], first, atol=2e-6)
    np.testing.assert_allclose(output.pooled[1, :4], second, atol=2e-6)
    np.testing.assert_allclose(output.sequence[1, 3, :4], token, atol=5e-6)
    assert float(tf.reduce_sum(tf.abs(output.sequence))) == pytest.approx(total, abs=1e-3)


# file: variables with heads, parameters of encoder and pooler, with heads
SIZES = {
    "albert_config_tiny": (31, 4_175_152, 4_295_186),
    "albert_config_base": (31, 10_877_440, 11_492_234),
    "albert_config_large": (31, 17_009_664, 18_084_490),
    "albert_config_xlarge": (31, 58_577_920, 62_803_594),
    "albert_config_xxlarge": (31, 223_503_360, 240_322_186),
    "albert_config_tiny_google": (32, 4_080_520, 4_142_594),
    "albert_config_small_google": (32, 4_742_272, 4_813_706),
    "albert_config_tiny_google_fast": (80, 4_976_608, 5_041_802),
    "albert_config_base_google_fast": (208, 35_430_400, 35_551_754),
}


@pytest.mark.parametrize("name", SIZES)
def test_parameter_counts_are_the_published_ones(name):
    config = ModelConfig.from_json_file(str(CONFIGS / f"{name}.json"))
    with tf.Graph().as_default():  # shapes alone: xxlarge would take a gigabyte
        model = PretrainingModel(config)
    counts = [variable.shape.num_elements() for variable in model.variables]
    encoder = [variable.shape.num_elements() for variable in model.albert.variables]
    assert (len(counts), sum(encoder), sum(counts)) == SIZES[name]


def test_only_groups_that_a_layer_uses_are_stored():
    config = dataclasses.replace(SMALL, num_hidden_layers=4, num_hidden_groups=12)
    assert sorted(map(int, Albert(config).encoder.groups)) == [0, 3, 6, 9]


def _padded(batch: dict[str, tf.Tensor], length: int) -> dict[str, tf.Tensor]:
    return {
        name: tf.pad(batch[name], [[0, 0], [0, length - batch[name].shape[1]]])
        for name in ("input_ids", "input_mask", "segment_ids")
    }


@pytest.mark.parametrize("name", CASES)
def test_padding_changes_nothing_at_the_tokens(name):
    case = golden_case(name)
    model = case.pretraining_model().albert
    batch = _padded(case.batch(), case.facts["S"])
    length = batch["input_ids"].shape[1]
    short, long = model(**batch), model(**_padded(batch, length + 6))
    mask = batch["input_mask"].numpy().astype(bool)
    np.testing.assert_allclose(
        long.sequence.numpy()[:, :length][mask], short.sequence.numpy()[mask], atol=2e-5
    )
    np.testing.assert_allclose(long.pooled, short.pooled, atol=2e-5)


@pytest.mark.parametrize("name", CASES)
def test_last_layer_of_chosen_tokens_is_that_of_all(name):
    case = golden_case(name)
    model, batch = case.pretraining_model().albert, _padded(case.batch(), case.facts["S"])
    chosen = case.batch()["masked_lm_positions"]
    some, whole = model(**batch, positions=chosen), model(**batch)
    expected = tf.gather(whole.sequence, chosen, batch_dims=1)
    np.testing.assert_allclose(some.sequence, expected, atol=2e-5)
    np.testing.assert_allclose(some.pooled, whole.pooled, atol=2e-5)
    for one, other in zip(some.layers[:-1], whole.layers[:-1], strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("pooling", Pooling)
def test_classifier_classifies_what_it_encoded(pooling):
    """It may leave out what it does not read."""
    case = golden_case("brightmart_preln")
    model, batch = Classifier(case.config, 3, pooling=pooling), _padded(case.batch(), 24)
    whole = model.logits_of(model.albert(**batch), batch["input_mask"])
    np.testing.assert_allclose(model(**batch), whole, atol=1e-5)


@pytest.mark.parametrize(("dtype", "rtol"), [(tf.bfloat16, 0.02), (tf.float16, 0.003)])
@pytest.mark.parametrize("name", ["brightmart_preln", "google_fast_groups2"])
def test_half_precision_is_near_float32_and_heads_answer_in_float32(name, dtype, rtol):
    case = golden_case(name)
    wide, narrow = case.pretraining_model(), PretrainingModel(case.config, dtype=dtype)
    for variable, value in zip(narrow.variables, wide.variables, strict=True):
        assert variable.dtype == tf.float32
        variable.assign(value)
    batch = _padded(case.batch(), case.facts["S"])
    encoded = [model.albert(**batch) for model in (narrow, wide)]
    assert encoded[0].sequence.dtype == encoded[0].pooled.dtype == dtype
    atol = rtol * np.abs(encoded[1].sequence).max()
    np.testing.assert_allclose(
        tf.cast(encoded[0].sequence, tf.float32), encoded[1].sequence, atol=atol
    )
    logits = narrow.masked_lm(encoded[0].sequence), narrow.sentence_order(encoded[0].pooled)
    assert [values.dtype for values in logits] == [tf.float32, tf.float32]


@pytest.mark.parametrize("pooling", Pooling)
def test_padding_changes_no_classification(pooling):
    case = golden_case("google")
    model, batch = Classifier(case.config, 3, pooling=pooling), _padded(case.batch(), 24)
    np.testing.assert_allclose(model(**_padded(batch, 30)), model(**batch), atol=1e-6)


def test_masked_mean_leaves_padding_out():
    sequence = tf.constant([[[1.0], [3.0], [99.0]], [[5.0], [99.0], [99.0]]])
    mean = masked_mean(sequence, tf.constant([[1, 1, 0], [1, 0, 0]]))
    np.testing.assert_array_equal(mean, [[2.0], [5.0]])


def test_masked_mean_of_bfloat16_is_taken_in_float32():
    """bfloat16 has neither 259 nor 257."""
    sequence = tf.concat([tf.ones([1, 256, 1]), 3 * tf.ones([1, 44, 1])], axis=1)
    mask = tf.sequence_mask([257], 300, tf.int32)
    mean = masked_mean(tf.cast(sequence, tf.bfloat16), mask)
    assert float(mean[0, 0]) == pytest.approx(259 / 257, rel=1e-6)


@pytest.mark.parametrize("name", ["brightmart_preln", "google_fast_groups2"])
def test_compiled_by_xla_the_output_is_the_same(name):
    case = golden_case(name)
    model, batch = case.pretraining_model().albert, _padded(case.batch(), case.facts["S"])
    compiled = tf.function(lambda **inputs: model(**inputs)._asdict(), jit_compile=True)
    plain = model(**batch)._asdict()
    tf.nest.map_structure(
        lambda actual, expected: np.testing.assert_allclose(actual, expected, atol=5e-5),
        compiled(**batch),
        plain,
    )


def _dropout_case(**rates: float):
    case = golden_case("google")
    model = Albert(dataclasses.replace(case.config, **rates), seed=1)
    batch = _padded(case.batch(), case.facts["S"])

    def sequence(seed: list[int] | None) -> np.ndarray:
        seeds = None if seed is None else DropoutSeeds(tf.constant(seed))
        return model(**batch, seeds=seeds).sequence.numpy()

    return sequence


@pytest.mark.parametrize("rate", ["hidden_dropout_prob", "attention_probs_dropout_prob"])
def test_dropout_acts_in_training_alone_and_follows_its_seed(rate):
    sequence = _dropout_case(**{rate: 0.1})
    np.testing.assert_array_equal(sequence([1, 2]), sequence([1, 2]))
    assert np.abs(sequence([1, 2]) - sequence([1, 3])).max() > 1e-3
    assert np.abs(sequence([1, 2]) - sequence(None)).max() > 1e-3
    np.testing.assert_array_equal(sequence(None), _dropout_case()(None))


@pytest.mark.parametrize(
    ("rates", "count"),
    [
        # after the embeddings, and in each of three layers after both sublayers
        ({"hidden_dropout_prob": 0.1}, 1 + 3 * 2),
        ({"attention_probs_dropout_prob": 0.1}, 3 * 1),
        ({"hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1}, 1 + 3 * 3),
    ],
)
@pytest.mark.parametrize("name", ["brightmart_postln", "brightmart_preln", "google"])
def test_dropout_acts_in_the_published_places(name, rates, count, monkeypatch):
    case, drawn = golden_case(name), []
    draw = tf.random.stateless_uniform
    monkeypatch.setattr(
        tf.random,
        "stateless_uniform",
        lambda *args, **kw: drawn.append(draw(*args, **kw)) or drawn[-1],
    )
    model = Albert(dataclasses.replace(case.config, **rates))
    seeds = DropoutSeeds(tf.constant([1, 2]))
    output = model(**_padded(case.batch(), case.facts["S"]), seeds=seeds)
    assert len(drawn) == count
    # Each place, and each layer, draws numbers of its own.
    assert len({numbers.numpy().tobytes()[:64] for numbers in drawn}) == count
    zeros = np.mean(output.embedding.numpy() == 0.0)
    assert zeros == pytest.approx(rates.get("hidden_dropout_prob", 0.0), abs=0.03)


def test_classifier_drops_out_its_input_whatever_the_configuration_says():
    case = golden_case("google")
    assert case.config.hidden_dropout_prob == 0.0
    model, batch = Classifier(case.config, 3), _padded(case.batch(), case.facts["S"])
    trained = [model(**batch, seeds=DropoutSeeds(tf.constant([1, k]))) for k in (2, 3)]
    assert np.abs(trained[0] - trained[1]).max() > 1e-5


@pytest.mark.parametrize(("pooling", "trainable"), [(Pooling.POOLED, True), (Pooling.MEAN, False)])
def test_pooler_that_nothing_reads_is_not_trained(pooling, trainable):
    model = Classifier(golden_case("google").config, 3, pooling=pooling)
    names = {variable.name for variable in model.trainable_variables}
    assert ("bert/pooler/dense/kernel:0" in names) is trainable
    assert "bert/pooler/dense/kernel" in named_variables(model)


def test_only_a_pre_ln_classifier_normalises_its_input():
    post, pre = (
        set(named_variables(Classifier(golden_case(name).config, 3)))
        for name in ("brightmart_postln", "brightmart_preln")
    )
    assert pre - post == {"loss/LayerNorm/beta", "loss/LayerNorm/gamma"}
    assert post <= pre
