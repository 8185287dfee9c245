"""Estimates against what the model really holds and computes."""

import dataclasses
import glob
import math
import os
import pathlib

import goldens
import pytest
import tensorflow as tf

from albert_zh import estimates
from albert_zh.config import ModelConfig
from albert_zh.estimates import (
    activation_bytes,
    largest_micro_batch,
    memory_parts,
    parameters,
    training_flops,
    training_memory,
    training_seconds,
)
from albert_zh.model.heads.pretraining import PretrainingModel
from albert_zh.model.scope import named_variables
from albert_zh.objectives.pretraining import pretraining_objective
from albert_zh.train.optimizers import Optimizer, OptimizerOptions
from albert_zh.train.rules.table import LAMB

ROOT = pathlib.Path(__file__).parent.parent
CONFIGS = sorted(glob.glob(str(ROOT / "albert_config" / "*.json")))
SMALL = ModelConfig(
    vocab_size=1000,
    embedding_size=16,
    hidden_size=64,
    num_hidden_layers=3,
    num_attention_heads=4,
    intermediate_size=256,
    max_position_embeddings=64,
    lineage="brightmart",
)
LENGTHS = {"max_seq_length": 64, "max_predictions_per_seq": 8}
DROPOUT = {"hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1}


def base():
    return ModelConfig.from_json_file(str(ROOT / "albert_config" / "albert_config_base.json"))


def count_of_model(config):
    """Numbers in a traced model: nothing is allocated, xxlarge neither."""
    with tf.Graph().as_default():
        return sum(math.prod(v.shape) for v in PretrainingModel(config).variables)


@pytest.mark.parametrize("path", CONFIGS, ids=os.path.basename)
def test_parameters_of_published_sizes_are_those_of_the_model(path):
    config = ModelConfig.from_json_file(path)
    assert parameters(config) == count_of_model(config)


@pytest.mark.parametrize("name", goldens.CASES)
def test_parameters_of_golden_models_are_those_of_the_model(name):
    config = goldens.golden_case(name).config
    assert parameters(config) == count_of_model(config)


@pytest.mark.parametrize(
    "changes",
    [
        {"lineage": "google", "embedding_size": 64},
        {"lineage": "google", "num_hidden_groups": 2, "inner_group_num": 2},
        {"lineage": "google", "num_hidden_groups": 5},  # more groups than layers
        {"lineage": "google_fast", "num_hidden_groups": 3},
    ],
)
def test_parameters_of_other_shapes_are_those_of_the_model(changes):
    config = dataclasses.replace(SMALL, **changes)
    assert parameters(config) == count_of_model(config)


def test_base_has_the_published_number_of_parameters():
    assert parameters(base()) == 11_492_234


TRANSPOSED = {"MatMul": "transpose_a", "BatchMatMulV2": "adj_x"}
GIVEN = ("Placeholder", "Const", "ReadVariableOp")
SAME_MEMORY = ("Reshape", "Identity", "IdentityN", "ExpandDims", "Squeeze", "StopGradient")


def batch_of(config, examples):
    length, masks = LENGTHS["max_seq_length"], LENGTHS["max_predictions_per_seq"]
    tokens = tf.ones([examples, length], tf.int32)
    masked = tf.ones([examples, masks], tf.int32)
    return {
        "input_ids": tokens,
        "input_mask": tokens,
        "segment_ids": tokens,
        "masked_lm_positions": masked,
        "masked_lm_ids": masked,
        "masked_lm_weights": tf.cast(masked, tf.float32),
        "sentence_order": tf.ones([examples], tf.int32),
    }


class Traced:
    """The graph of a forward and backward pass, without anything computed."""

    def __init__(self, config, examples, **settings):
        model = PretrainingModel(config, **settings)

        def gradients(batch):
            with tf.GradientTape() as tape:
                outcome = pretraining_objective(model, batch, tf.constant([1, 2]))
                loss = tf.add_n([mean.result() for mean in outcome.losses.values()])
            self.forward = set(tf.compat.v1.get_default_graph().get_operations())
            return tape.gradient(loss, model.trainable_variables)

        traced = tf.function(gradients, autograph=False)
        # Kept, or the graph is gone.
        self._function = traced.get_concrete_function(batch_of(config, examples))
        self.operations = self._function.graph.get_operations()

    def matmul_flops(self):
        total = 0
        for operation in self.operations:
            if operation.type in TRANSPOSED:
                transposed = operation.get_attr(TRANSPOSED[operation.type])
                shared = operation.inputs[0].shape[-2 if transposed else -1]
                total += 2 * math.prod(operation.outputs[0].shape) * shared
        return total

    def kept_bytes(self):
        """Memory of all that the forward pass computes and the backward pass reads."""
        kept = {}
        for operation in self.operations:
            if operation not in self.forward:
                for tensor in operation.inputs:
                    source = memory_of(tensor)
                    if source.op in self.forward and source.op.type not in GIVEN:
                        kept[source.ref()] = math.prod(source.shape) * source.dtype.size
        return sum(kept.values())


def memory_of(tensor):
    while tensor.op.type in SAME_MEMORY:
        tensor = tensor.op.inputs[tensor.value_index if tensor.op.type == "IdentityN" else 0]
    return tensor


@pytest.mark.parametrize("lineage", ["brightmart", "google"])
def test_flops_are_those_of_the_matrix_products_in_the_step(lineage):
    config = dataclasses.replace(SMALL, lineage=lineage)
    counted = Traced(config, 2).matmul_flops() / 2
    # Token types, two rows each, and gradients that nobody needs are not in the estimate.
    assert training_flops(config, **LENGTHS) == pytest.approx(counted, rel=0.02)


@pytest.mark.parametrize(
    ("changes", "precision"),
    [
        ({}, "float32"),
        ({}, "bfloat16"),
        ({"hidden_act": "relu", **DROPOUT}, "float32"),
        ({"hidden_act": "swish", "lineage": "google", **DROPOUT}, "bfloat16"),
    ],
)
def test_what_is_kept_for_the_backward_pass_is_what_the_graph_keeps(changes, precision):
    config = dataclasses.replace(SMALL, **changes)
    one, two = (Traced(config, n, dtype=tf.as_dtype(precision)).kept_bytes() for n in (1, 2))
    kept = estimates.kept_bytes(config, **LENGTHS, precision=precision)
    assert kept == pytest.approx(two - one, rel=0.02)
    parts = memory_parts(config, **LENGTHS, micro_batch=0, precision=precision)
    assert parts["rounded kernels"] == pytest.approx(2 * one - two, rel=0.1, abs=1000)


def test_gradients_of_shared_layers_wait_for_each_other():
    shared = dataclasses.replace(SMALL, lineage="google")
    unshared = dataclasses.replace(shared, num_hidden_groups=3)
    blocks = 3 * 4 * (4 * 64 * 64 + 2 * 64 * 256)
    for config, waiting in ((shared, blocks), (unshared, 0)):
        parts = memory_parts(config, **LENGTHS, micro_batch=1)
        assert parts["gradients"] == 4 * parameters(config) + waiting


def test_moments_are_those_of_the_optimizer():
    model = PretrainingModel(SMALL)
    names = named_variables(Optimizer(model.trainable_variables, OptimizerOptions(LAMB)))
    moments = [names[name].shape for name in names if name.endswith(("_m", "_v"))]
    parts = memory_parts(SMALL, **LENGTHS, micro_batch=1)
    assert parts["moments"] == 4 * sum(math.prod(shape) for shape in moments)


# Bytes an example added to the peak of a process that trained base on two CPU cores.
@pytest.mark.parametrize(
    ("length", "masks", "precision", "measured"),
    [
        (128, 20, "float32", 94.1e6),
        (512, 77, "float32", 515.3e6),
        (128, 20, "bfloat16", 73.5e6),
    ],
)
def test_activations_come_within_a_tenth_of_measured_ones(length, masks, precision, measured):
    estimate = activation_bytes(
        base(), max_seq_length=length, max_predictions_per_seq=masks, precision=precision
    )
    assert 0.98 * measured < estimate < 1.1 * measured


def test_largest_micro_batch_fits_and_one_more_does_not():
    for settings in ({}, {"precision": "bfloat16"}, {"recompute": True}, {"accumulate": False}):
        settings |= LENGTHS
        most = largest_micro_batch(SMALL, memory=10**8, **settings)
        assert most > 1
        assert training_memory(SMALL, micro_batch=most, **settings) <= 10**8
        assert training_memory(SMALL, micro_batch=most + 1, **settings) > 10**8


def test_no_micro_batch_fits_into_too_little_memory():
    assert largest_micro_batch(SMALL, memory=10**6, **LENGTHS) == 0


def test_recompute_takes_less_memory_and_a_third_more_work():
    lengths = {"max_seq_length": 512, "max_predictions_per_seq": 77}
    assert training_flops(base(), **lengths, recompute=True) == pytest.approx(
        training_flops(base(), **lengths) * 4 / 3, rel=0.02
    )
    assert 4 * activation_bytes(base(), **lengths, recompute=True) < activation_bytes(
        base(), **lengths
    )


def test_unknown_precision_is_an_error():
    with pytest.raises(ValueError, match="'half' is none of float32, bfloat16, float16"):
        activation_bytes(SMALL, **LENGTHS, precision="half")


def test_time_is_work_over_speed():
    assert training_seconds(2e9, peak=1e12, mfu=0.5, steps=100, batch=50) == 20.0
