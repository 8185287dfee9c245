"""A new lineage is one row."""

import dataclasses
import json
import os

import numpy as np
import pytest
import small
from small_pretraining import LENGTHS, options, write_config

from albert_zh import estimates
from albert_zh.checkpoint.names import detect_lineage, is_weight
from albert_zh.config import ModelConfig
from albert_zh.pretraining.run import pretrain
from albert_zh.variants import VARIANTS

pytestmark = pytest.mark.usefixtures("eager")

LAYERS = "bert/stack/transformer/group_0/inner_group_0/"


@pytest.fixture
def made_up(monkeypatch) -> dict:
    """Google's lineage with other names; gives the keys of a configuration."""
    row = dataclasses.replace(
        VARIANTS["google"],
        name="made_up",
        json_key=None,
        json_value=None,
        has_groups=False,
        recognises=lambda stored: any(name.startswith("bert/stack/") for name in stored),
        mark="stack layers",
        renames=(("bert/encoder/", "bert/stack/"),),
        slots={"lamb": ("first", "second")},
        metric_renames=(("sentence_order_", "order_"),),
    )
    monkeypatch.setitem(VARIANTS, row.name, row)
    return {"lineage": "made_up", "num_hidden_groups": None}


def test_made_up_lineage_trains_saves_evaluates_and_loads(data, tmp_path, made_up):
    config = write_config(data, name="made_up.json", **made_up)
    run = options(
        data, tmp_path / "first", bert_config_file=config, do_eval=True, num_train_steps=2
    )
    pretrain(run)
    prefix = os.path.join(run.output_dir, "model.ckpt-2")
    stored = small.arrays(prefix)
    kernel = f"{LAYERS}ffn_1/intermediate/dense/kernel"
    assert {kernel, f"{kernel}/first", f"{kernel}/second"} <= set(stored)
    assert not any(name.startswith("bert/encoder/") for name in stored)
    assert detect_lineage({name: value.shape for name, value in stored.items()}) == "made_up"
    with open(tmp_path / "first" / "eval_results.json") as file:
        assert {"order_loss", "order_accuracy", "masked_lm_loss"} <= set(json.load(file))
    # Resumed, then loaded by another run.
    pretrain(dataclasses.replace(run, num_train_steps=3))
    again = options(
        data, tmp_path / "again", bert_config_file=config, init_checkpoint=prefix, num_train_steps=1
    )
    pretrain(again)
    start = small.arrays(tmp_path / "again" / "model.ckpt-0")
    for name in filter(is_weight, stored):
        np.testing.assert_array_equal(start[name], stored[name], err_msg=name)


def test_made_up_lineage_has_estimates_and_a_way_out_of_a_mistake(data, tmp_path, made_up):
    path = write_config(data, name="made_up.json", **made_up)
    config = ModelConfig.from_json_file(path)
    google = ModelConfig.from_json_file(write_config(data))
    assert estimates.parameters(config) == estimates.parameters(google)
    assert estimates.training_memory(config, **LENGTHS, micro_batch=1)
    pretrain(options(data, tmp_path / "run", bert_config_file=path, num_train_steps=1))
    prefix = str(tmp_path / "run" / "model.ckpt-1")
    with pytest.raises(ValueError, match=r'of the made_up lineage.*add "lineage": "made_up" to'):
        pretrain(options(data, tmp_path / "other", init_checkpoint=prefix))


def test_limits_of_a_lineage_hold_in_its_configurations(data, made_up):
    path = write_config(data, name="groups.json", lineage="made_up", num_hidden_groups=2)
    with pytest.raises(ValueError, match="num_hidden_groups is 2, but made_up models have one"):
        ModelConfig.from_json_file(path)
    path = write_config(data, name="preln.json", **made_up, ln_type="preln")
    with pytest.raises(ValueError, match="ln_type is preln, but made_up models are post-LN"):
        ModelConfig.from_json_file(path)
