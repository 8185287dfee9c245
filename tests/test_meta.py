"""Meta files: what was written is read, and written again, and damage is named."""

import json

import pytest

from albert_zh.checkpoint.loading import load_meta
from albert_zh.checkpoint.meta import CheckpointMeta, TaskMeta, VocabularyIdentity
from albert_zh.config import ModelConfig, Pooling

CONFIG = {
    "vocab_size": 28,
    "embedding_size": 8,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "lineage": "google",
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
    "max_position_embeddings": 32,
    "type_vocab_size": 2,
    "initializer_range": 0.02,
    "num_hidden_groups": 1,
    "inner_group_num": 1,
}
TASK = {
    "name": "lcqmc",
    "labels": ["0", "1"],
    "max_seq_length": 16,
    "pooling": "mean",
    "do_lower_case": True,
    "kind": "classification",
}
STATE = {
    "batch_plan": {"global_batch": 8, "num_replicas": 1, "micro_batch": 8},
    "options": {"output_dir": "run", "eval_steps": None},
    "unrecorded": {"steps": 2, "seconds": 0.5, "metrics": {"loss": [1.5, 2.0]}},
}
VOCABULARY = {"fingerprint": "98c0", "size": 28}
PRETRAINING = {
    "step": 20,
    "config": CONFIG,
    "vocabulary": None,  # records without a manifest
    "init_checkpoint": None,
    "train_batch_size": 8,
    "training_data": {"files": 1, "records": 9, "fingerprint": "ab"},
    "masking": None,
    **STATE,
}
FINE_TUNING = {
    "step": 4,
    "stays": False,
    "awaiting_since": 12.5,
    "config": CONFIG,
    "vocabulary": VOCABULARY,
    "task": TASK,
    "training_data": "ab",
    "random_seed": 7,
    **STATE,
}
CONVERTED = {
    "config": CONFIG,
    "vocabulary": VOCABULARY,
    "converted": {"vocabulary": VOCABULARY, "random_seed": 1},
}


def read(tmp_path, values) -> CheckpointMeta:
    (tmp_path / "model.ckpt-1.meta.json").write_text(json.dumps(values))
    return load_meta(str(tmp_path / "model.ckpt-1"))


@pytest.mark.parametrize("values", [PRETRAINING, FINE_TUNING, CONVERTED, {"step": 3}, {}])
def test_a_meta_file_is_written_as_it_was_read(tmp_path, values):
    meta = read(tmp_path, values)
    assert list(meta.to_json()) == list(values)
    assert json.dumps(meta.to_json()) == json.dumps(values)


def test_fields_are_typed(tmp_path):
    meta = read(tmp_path, FINE_TUNING)
    assert meta.config == ModelConfig.from_dict(CONFIG)
    assert meta.vocabulary == VocabularyIdentity("98c0", 28)
    assert meta.task == TaskMeta("lcqmc", ("0", "1"), 16, Pooling.MEAN, True)
    assert meta.training == {"training_data": "ab", "random_seed": 7}
    assert (meta.step, meta.stays, meta.awaiting_since) == (4, False, 12.5)


def test_tasks_of_earlier_files_are_of_the_first_kind(tmp_path):
    earlier = {key: value for key, value in TASK.items() if key != "kind"}
    assert read(tmp_path, {**FINE_TUNING, "task": earlier}).task == TaskMeta.from_json(TASK)


def test_checkpoints_of_other_toolkits_have_no_meta_file(tmp_path):
    assert load_meta(str(tmp_path / "albert_model.ckpt")) is None


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ([], r"the file is \[\]"),
        ({"step": "3"}, "step is '3', which has another type"),
        ({"config": {"vocab_size": 3}}, "config: missing keys embedding_size, hidden_size"),
        ({"config": {**CONFIG, "hidden_size": "16"}}, "config: hidden_size is '16'"),
        ({"vocabulary": {"size": 3}}, "'fingerprint' is missing in vocabulary"),
        ({"vocabulary": "98c0"}, "vocabulary is '98c0', which has another type"),
        ({"task": {**TASK, "labels": None}}, "task: labels are None; expected a list of texts"),
        ({"task": {**TASK, "labels": "ab"}}, "task: labels are 'ab'; expected a list of texts"),
        ({"task": {**TASK, "max_seq_length": "32"}}, "task: max_seq_length is '32'"),
        ({"task": {"name": "lcqmc"}}, "'labels' is missing in task"),
        ({"batch_plan": 8}, "batch_plan is 8, which has another type"),
    ],
)
def test_damage_is_an_error_that_names_the_file(tmp_path, values, complaint):
    with pytest.raises(ValueError, match=rf"model\.ckpt-1\.meta\.json is damaged: {complaint}"):
        read(tmp_path, values)
