"""Checkpoint files: published ones are read, ours hold the same, damage is told."""

import json
import os
import pathlib
import re

import numpy as np
import pytest
import tensorflow as tf
from goldens import CASES, CLASSIFIERS, golden_case

from albert_zh.checkpoint.files import (
    delete_checkpoint,
    read_arrays,
    read_meta,
    read_shapes,
    write_checkpoint,
)
from albert_zh.checkpoint.names import GLOBAL_STEP, detect_lineage, initial_plan
from albert_zh.config import ModelConfig, Pooling
from albert_zh.model.albert import Albert
from albert_zh.model.heads.pretraining import PretrainingModel
from albert_zh.model.heads.sequence import Classifier
from albert_zh.model.scope import named_variables
from albert_zh.train.optimizers import Optimizer, OptimizerOptions
from albert_zh.train.rules.table import ADAMW, LAMB

TESTS = pathlib.Path(__file__).parent
PUBLISHED = json.loads((TESTS / "published_names.json").read_text())


def _config(name: str) -> ModelConfig:
    return ModelConfig.from_json_file(str(TESTS.parent / "albert_config" / f"{name}.json"))


# checkpoint: our configuration of the same sizes, the lineage, and our model of the same parts
MODELS = {
    "albert_tiny_zh_A": ("albert_config_tiny", PretrainingModel),
    "albert_tiny_zh_google": ("albert_config_tiny_google", PretrainingModel),
    "albert_small_zh_google": ("albert_config_small_google", PretrainingModel),
    "albert_base_google_head": ("albert_config_base_google_zh", PretrainingModel),
    "albert_base_google_hist": ("albert_config_base_google_v2", PretrainingModel),
    "albert_tiny_zh_finetuned_jojolin": (
        "albert_config_tiny",
        lambda config: Classifier(config, 59, pooling=Pooling.MEAN),
    ),
    "albert_tiny_zh_google_lcqmc_finetuned": ("albert_config_tiny_google", Albert),
}


def _published_shapes(name: str) -> dict[str, tuple[int, ...]]:
    """Everything a published checkpoint holds."""
    facts = PUBLISHED[name]
    shapes = {weight: tuple(shape) for weight, shape in facts["weights"].items()}
    if facts["moments"]:
        for weight in shapes.keys() - set(facts["without_moments"]):
            shapes |= {f"{weight}/{slot}": shapes[weight] for slot in ("adam_m", "adam_v")}
    return {**shapes, GLOBAL_STEP: ()} if facts["global_step"] else shapes


def _shapes_of(variables) -> dict[str, tuple[int, ...]]:
    return {name: tuple(variable.shape) for name, variable in variables.items()}


def _synthetic(shapes: dict[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    random = np.random.default_rng(5)
    arrays = {
        name: random.random(shape, np.float32)
        for name, shape in shapes.items()
        if name != GLOBAL_STEP
    }
    return {**arrays, GLOBAL_STEP: np.int64(489000)} if GLOBAL_STEP in shapes else arrays


@pytest.mark.parametrize("name", PUBLISHED)
def test_checkpoint_of_published_names_and_shapes_loads_completely(name, tmp_path):
    config_name, make_model = MODELS[name]
    config, prefix = _config(config_name), str(tmp_path / "albert_model.ckpt")
    arrays = _synthetic(_published_shapes(name))
    write_checkpoint(prefix, arrays, {})

    stored = read_shapes(prefix)
    assert stored == _published_shapes(name)
    assert detect_lineage(stored) == config.lineage
    variables = named_variables(make_model(config))
    plan = initial_plan(_shapes_of(variables), stored, config, optional_parts=(), ignored_parts=())
    assert plan.complaint() == ""
    assert plan.loaded == {name: name for name in variables}
    for weight, array in read_arrays(prefix, plan.loaded.values()).items():
        np.testing.assert_array_equal(array, arrays[weight])


@pytest.mark.parametrize("name", PUBLISHED)
def test_our_model_writes_the_published_names_and_shapes(name):
    config_name, make_model = MODELS[name]
    model = make_model(_config(config_name))
    ours = _shapes_of(named_variables(model))
    if PUBLISHED[name]["moments"]:
        optimizer = Optimizer(model.trainable_variables, OptimizerOptions(ADAMW))
        ours |= _shapes_of(named_variables(optimizer))
    if PUBLISHED[name]["global_step"]:
        ours[GLOBAL_STEP] = ()
    assert ours == _published_shapes(name)


@pytest.mark.parametrize("name", PUBLISHED)
def test_real_index_holds_the_names_and_shapes_in_this_repository(name, test_data_dir):
    """The table of names is read without the data file, which may be hundreds of megabytes."""
    (index,) = (test_data_dir / "published_checkpoints" / name).glob("*.index")
    assert read_shapes(str(index.with_suffix(""))) == _published_shapes(name)


def test_real_configurations_tell_the_lineage_of_their_index(test_data_dir):
    paths = sorted((test_data_dir / "published_checkpoints").glob("*/*config*.json"))
    assert len(paths) == 5
    for path in paths:
        found = ModelConfig.from_json_file(str(path)).lineage
        assert found == detect_lineage(PUBLISHED[path.parent.name]["weights"])


def _dtypes(prefix: str) -> dict[str, tf.DType]:
    return tf.train.load_checkpoint(prefix).get_variable_to_dtype_map()


def _assert_same_table(prefix: str, expected_prefix: str) -> None:
    assert read_shapes(prefix) == read_shapes(expected_prefix)
    assert _dtypes(prefix) == _dtypes(expected_prefix)


def _write_state(prefix: str, model: tf.Module, options: OptimizerOptions | None) -> None:
    state = named_variables(model)
    if options:
        state |= named_variables(Optimizer(model.trainable_variables, options))
        state |= {GLOBAL_STEP: np.int64(3)}
    write_checkpoint(prefix, state, {})


@pytest.mark.parametrize("name", CASES)
def test_pretraining_checkpoint_has_the_table_of_the_published_code(name, tmp_path):
    case, prefix = golden_case(name), str(tmp_path / "model.ckpt-3")
    model = case.pretraining_model()
    _write_state(prefix, model, None)
    _assert_same_table(prefix, case.path("model.ckpt-0"))
    _write_state(prefix, model, OptimizerOptions(LAMB, case.config.variant.slots["lamb"]))
    _assert_same_table(prefix, case.path("model.ckpt-3"))


def _published_prefix(file: str) -> str:
    return file.replace(".npz", ".ckpt-3")


@pytest.mark.parametrize(
    ("name", "file"),
    [
        (name, file)
        for name, file in CLASSIFIERS
        if golden_case(name).has(_published_prefix(file) + ".index")
    ],
)
def test_classifier_checkpoint_has_the_table_of_the_published_code(name, file, tmp_path):
    case, prefix = golden_case(name), str(tmp_path / "model.ckpt-3")
    _write_state(prefix, case.classifier(file), OptimizerOptions(ADAMW))
    _assert_same_table(prefix, case.path(_published_prefix(file)))


@pytest.mark.parametrize("name", CASES)
def test_published_checkpoint_is_bit_identical_after_writing_and_reading(name, tmp_path):
    case, prefix = golden_case(name), str(tmp_path / "model.ckpt-3")
    arrays = case.checkpoint("model.ckpt-3")
    shapes = {name: array.shape for name, array in arrays.items()}
    assert detect_lineage(shapes) == case.facts["family"]
    write_checkpoint(prefix, arrays, {})
    again = read_arrays(prefix, arrays)
    assert int(again[GLOBAL_STEP]) == 3
    for key, array in arrays.items():
        assert again[key].dtype == array.dtype
        assert again[key].tobytes() == array.tobytes()


def test_model_of_one_group_fills_a_model_of_more():
    """`google` is stored with one group; the wanted model has two, of two inner groups each."""
    stored = golden_case("google")
    config = ModelConfig.from_dict(
        {**stored.config.to_dict(), "num_hidden_groups": 2, "inner_group_num": 2}
    )
    variables = named_variables(PretrainingModel(config))
    shapes = read_shapes(stored.path("model.ckpt-0"))
    plan = initial_plan(
        _shapes_of(variables),
        shapes,
        config,
        optional_parts=(),
        ignored_parts=(),
        from_group_0=True,
    )
    assert plan.complaint() == ""
    assert set(plan.loaded) == set(variables)
    assert set(plan.loaded.values()) == set(shapes)
    layer = "bert/encoder/transformer/group_{}/inner_group_{}/attention_1/self/key/kernel"
    for group, inner in ((0, 0), (0, 1), (1, 0), (1, 1)):
        assert plan.loaded[layer.format(group, inner)] == layer.format(0, 0)


ARRAYS = {"a": np.arange(2000, dtype=np.float32), "b/bias": np.float32([1, 2])}


def test_meta_comes_back(tmp_path):
    prefix, meta = str(tmp_path / "model.ckpt-1"), {"step": 1, "words": "词表", "none": None}
    write_checkpoint(prefix, ARRAYS, meta)
    assert read_meta(prefix) == meta


def test_published_checkpoints_have_no_meta():
    assert read_meta(golden_case("google").path("model.ckpt-0")) is None


@pytest.mark.parametrize("content", [b"{", b"", b"\xff\xfe\x00"])
def test_damaged_meta_is_named(content, tmp_path):
    (tmp_path / "model.ckpt-1.meta.json").write_bytes(content)
    with pytest.raises(
        ValueError, match=r"ckpt-1\.meta\.json is damaged: .* delete this file alone"
    ):
        read_meta(str(tmp_path / "model.ckpt-1"))


@pytest.mark.parametrize("ending", ["", ".index", ".data-00000-of-00001"])
def test_missing_checkpoint_says_how_to_name_one(ending, tmp_path):
    prefix = str(tmp_path / "model.ckpt") + ending
    for read in (read_shapes, lambda prefix: read_arrays(prefix, ["a"])):
        with pytest.raises(FileNotFoundError, match=f"{re.escape(prefix)}.* without the ending"):
            read(prefix)


def _damage(data: pathlib.Path, how: str) -> None:
    content = data.read_bytes()
    if how == "gone":
        data.unlink()
    elif how == "truncated":
        data.write_bytes(content[:100])
    elif how == "flipped bit":
        data.write_bytes(content[:50] + bytes([content[50] ^ 1]) + content[51:])
    else:
        data.write_bytes(how.encode() * 100)


@pytest.mark.parametrize("how", ["gone", "truncated", "flipped bit"])
def test_damaged_data_is_told(how, tmp_path):
    prefix = str(tmp_path / "model.ckpt-1")
    write_checkpoint(prefix, ARRAYS, {})
    _damage(tmp_path / "model.ckpt-1.data-00000-of-00001", how)
    with pytest.raises(ValueError, match=f"{re.escape(prefix)}: the checkpoint is damaged"):
        read_arrays(prefix, ARRAYS)


@pytest.mark.parametrize(
    ("step", "way_out"),
    [
        (60, r"; delete .*/model\.ckpt-60\.\* to resume from model\.ckpt-50$"),
        (50, r"; delete .*/model\.ckpt-50\.\* to go on without it$"),
        (None, "; restore it from a copy$"),
    ],
)
def test_way_out_of_a_damaged_checkpoint(step, way_out, tmp_path):
    for number in (40, 50, 60) if step else (60,):
        write_checkpoint(str(tmp_path / f"model.ckpt-{number}"), ARRAYS, {})
    prefix = str(tmp_path / f"model.ckpt-{step or 60}")
    _damage(tmp_path / f"{prefix}.data-00000-of-00001", "truncated")
    with pytest.raises(ValueError, match=way_out):
        read_arrays(prefix, ARRAYS)


@pytest.mark.parametrize("how", ["truncated", "flipped bit", "garbage"])
def test_damaged_index_is_told(how, tmp_path):
    prefix = str(tmp_path / "model.ckpt-1")
    write_checkpoint(prefix, ARRAYS, {})
    _damage(tmp_path / "model.ckpt-1.index", how)
    with pytest.raises(ValueError, match=f"{re.escape(prefix)}: the checkpoint is damaged"):
        read_arrays(prefix, ARRAYS)
    with pytest.raises(ValueError, match="the checkpoint is damaged"):
        read_shapes(prefix)


def test_writing_leaves_four_files_and_takes_the_place_of_an_older_one(tmp_path):
    prefix = str(tmp_path / "model.ckpt-1")
    write_checkpoint(prefix, {"old": np.float32([0])}, {"age": "old"})
    write_checkpoint(prefix, ARRAYS, {"age": "new"})
    assert sorted(os.listdir(tmp_path)) == [
        "model.ckpt-1.data-00000-of-00001",
        "model.ckpt-1.index",
        "model.ckpt-1.meta",
        "model.ckpt-1.meta.json",
    ]
    assert (tmp_path / "model.ckpt-1.meta").read_bytes() == b""
    assert set(read_shapes(prefix)) == set(ARRAYS)
    assert read_meta(prefix) == {"age": "new"}


def test_deleting_leaves_no_file_of_a_published_checkpoint(tmp_path):
    for ending in ("index", "data-00000-of-00002", "data-00001-of-00002", "meta"):
        (tmp_path / f"model.ckpt-1.{ending}").write_text("theirs")
    delete_checkpoint(str(tmp_path / "model.ckpt-1"))
    assert os.listdir(tmp_path) == []


def test_deleting_touches_no_neighbour(tmp_path):
    for step in (1, 10):
        write_checkpoint(str(tmp_path / f"model.ckpt-{step}"), ARRAYS, {})
    (tmp_path / "model.ckpt-1.txt").write_text("mine")
    delete_checkpoint(str(tmp_path / "model.ckpt-1"))
    left = {path.name for path in tmp_path.iterdir()}
    assert {name for name in left if not name.startswith("model.ckpt-10.")} == {"model.ckpt-1.txt"}
    assert set(read_arrays(str(tmp_path / "model.ckpt-10"), ARRAYS)) == set(ARRAYS)
