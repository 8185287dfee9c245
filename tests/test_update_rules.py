"""A new update rule is one row and one file."""

import dataclasses
import os

import numpy as np
import pytest
import small
import small_pretraining
from small_pretraining import LENGTHS, options

from albert_zh import estimates
from albert_zh.checkpoint.names import is_weight
from albert_zh.config import ModelConfig
from albert_zh.pretraining.run import pretrain
from albert_zh.runs.spec import optimizer_options
from albert_zh.train.rules.table import LAMB, RULES, Rule, find_rule

pytestmark = pytest.mark.usefixtures("eager")


@pytest.fixture
def momentum(monkeypatch) -> Rule:
    rule = Rule("momentum", slots=("momentum",), module="momentum")
    monkeypatch.setitem(RULES, rule.name, rule)
    return rule


def test_made_up_rule_trains_saves_resumes_and_gives_its_weights(data, tmp_path, momentum):
    run = options(data, tmp_path / "whole", optimizer="momentum", learning_rate=0.1)
    pretrain(run)
    end, start = (small.arrays(f"{run.output_dir}/model.ckpt-{step}") for step in (6, 0))
    kernel = "bert/pooler/dense/kernel"
    assert end[f"{kernel}/momentum"].any()
    assert not start[f"{kernel}/momentum"].any()
    assert not any(name.endswith(("_m", "_v")) for name in end)
    rows = small_pretraining.history(run.output_dir)
    assert rows[-1]["loss"] < rows[0]["loss"]
    # Killed and resumed, it ends with the same bits.
    parts = dataclasses.replace(run, output_dir=str(tmp_path / "parts"))
    with small.killed_at(5) as on_row:
        pretrain(parts, on_row=on_row)
    pretrain(parts)
    small_pretraining.assert_same_runs(parts.output_dir, run.output_dir)
    # Another run takes the weights and leaves the moments.
    prefix = os.path.join(run.output_dir, "model.ckpt-6")
    pretrain(options(data, tmp_path / "next", init_checkpoint=prefix, num_train_steps=1))
    first = small.arrays(tmp_path / "next" / "model.ckpt-0")
    np.testing.assert_array_equal(first[kernel], end[kernel])
    assert f"{kernel}/momentum" not in first


def test_slots_of_a_rule_are_no_weights_and_take_memory(data, momentum):
    assert not is_weight("bert/pooler/dense/kernel/momentum")
    config = ModelConfig.from_json_file(small_pretraining.write_config(data))
    parts = estimates.memory_parts(config, **LENGTHS, micro_batch=1, optimizer="momentum")
    assert parts["moments"] == 4 * estimates.parameters(config)
    assert optimizer_options(momentum, config).slots is None  # no lineage knows of it


def test_lineages_apply_and_store_lamb_in_their_own_way(data):
    config = ModelConfig.from_json_file(small_pretraining.write_config(data))
    google = optimizer_options(LAMB, config)
    assert (google.slots, google.undecayed) == (("adam_m", "adam_v"), {"adapt": False})
    path = small_pretraining.write_config(data, name="brightmart.json", **small.BRIGHTMART)
    brightmart = optimizer_options(LAMB, ModelConfig.from_json_file(path))
    assert (brightmart.slots, brightmart.undecayed) == (("lamb_m", "lamb_v"), {})


def test_unknown_rule_is_named_with_the_known_ones():
    with pytest.raises(ValueError, match=r"--optimizer=adam .*choose one of adamw, lamb, muon"):
        find_rule("adam")
