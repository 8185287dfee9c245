"""Exports give what the checkpoint gives, explain themselves, and appear whole or not at all."""

import dataclasses
import functools
import importlib.util
import json
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import small
import tensorflow as tf
from goldens import GoldenCase
from test_exchange import small_config, write_model
from test_tokenizers import train as train_sentencepiece

import albert_zh
from albert_zh.checkpoint.files import write_checkpoint
from albert_zh.checkpoint.meta import TaskMeta
from albert_zh.checkpoint.paths import find_checkpoint
from albert_zh.config import ModelConfig, Pooling
from albert_zh.export import bundle as exporting
from albert_zh.export import reading
from albert_zh.export.check import TOLERANCE, varied_batches
from albert_zh.export.formats import frozen_graph
from albert_zh.export.formats.table import (
    DEFAULT_FORMATS,
    FORMATS,
    ExportFormat,
    parse_formats,
)
from albert_zh.export.source import load_source
from albert_zh.inference.load import FineTunedModel, load_model
from albert_zh.inference.predictor import INPUTS
from albert_zh.model.heads.pretraining import PretrainingModel
from albert_zh.model.heads.sequence import Classifier
from albert_zh.model.scope import named_variables
from albert_zh.text.tokenizers import load_tokenizer
from albert_zh.text.vocab import Vocab
from albert_zh.util.new_directory import new_directory

SCRIPT = pathlib.Path(__file__).parent.parent / "scripts" / "export_model.py"
LABELS = ("no", "perhaps", "yes")
POST_LN = "brightmart_postln"
POOLED = (POST_LN, "brightmart_preln", "google", "google_fast_groups2")
MEAN = "google, mean pooling"

# Operations and their attributes, out of the registry of TensorFlow 1.15.5.
KNOWN_TO_TF_1_15 = {
    "AddV2": {"T"},
    "BatchMatMulV2": {"T", "adj_x", "adj_y"},
    "BiasAdd": {"T", "data_format"},
    "Cast": {"DstT", "SrcT", "Truncate"},
    "ConcatV2": {"N", "T", "Tidx"},
    "Const": {"dtype", "value"},
    "Einsum": {"N", "T", "equation"},
    "Fill": {"T", "index_type"},
    "GatherV2": {"Taxis", "Tindices", "Tparams", "batch_dims"},
    "Identity": {"T"},
    "IdentityN": {"T"},
    "MatMul": {"T", "transpose_a", "transpose_b"},
    "Mean": {"T", "Tidx", "keep_dims"},
    "Mul": {"T"},
    "OneHot": {"T", "TI", "axis"},
    "Pack": {"N", "T", "axis"},
    "Pad": {"T", "Tpaddings"},
    "Placeholder": {"dtype", "shape"},
    "RealDiv": {"T"},
    "Relu": {"T"},
    "ExpandDims": {"T", "Tdim"},
    "Reshape": {"T", "Tshape"},
    "Rsqrt": {"T"},
    "Shape": {"T", "out_type"},
    "Sigmoid": {"T"},
    "Softmax": {"T"},
    "Square": {"T"},
    "StridedSlice": {
        *("Index", "T", "begin_mask", "ellipsis_mask"),
        *("end_mask", "new_axis_mask", "shrink_axis_mask"),
    },
    "Sub": {"T"},
    "Sum": {"T", "Tidx", "keep_dims"},
    "Tanh": {"T"},
    "Transpose": {"T", "Tperm"},
    "Unpack": {"T", "axis", "num"},
}


def load_script():
    spec = importlib.util.spec_from_file_location("export_model", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


export_model = load_script()


def write_vocabulary(path, size, *, prefix="字"):
    tokens = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
    tokens += tuple(f"{prefix}{number}" for number in range(size - len(tokens)))
    path.write_text("\n".join(tokens) + "\n", encoding="utf-8")
    return Vocab(tokens)


def weights_of(model):
    return {name: variable.numpy() for name, variable in named_variables(model).items()}


def write_run(directory, case, *, pooling=Pooling.POOLED, step=3, weights=None, labels=LABELS):
    """What fine-tuning leaves in its output directory, with the weights of a golden case."""
    directory.mkdir(exist_ok=True)
    config = case.config
    vocab = write_vocabulary(directory / "vocab.txt", config.vocab_size)
    meta = {
        "step": step,
        "config": config.to_dict(),
        "vocabulary": {"fingerprint": vocab.fingerprint, "size": len(vocab)},
        "task": {
            "name": "lcqmc",
            "labels": labels,
            "max_seq_length": 24,
            "pooling": pooling.value,
            "do_lower_case": True,
        },
    }
    weights = weights or weights_of(case.classifier("classifier.npz"))
    state = {"global_step": np.int64(step), "output_bias/adam_m": np.zeros(len(labels))}
    write_checkpoint(str(directory / f"model.ckpt-{step}"), {**weights, **state}, meta)
    return str(directory)


def options(checkpoint, export_dir, **others):
    return export_model.ExportOptions(
        checkpoint=str(checkpoint), export_dir=str(export_dir), **others
    )


class Exported:
    """An export of a golden case, and what it was made from."""

    def __init__(self, directory, case_name, pooling):
        self.case, self.directory = GoldenCase(case_name), directory / "export"
        run = write_run(directory / "run", self.case, pooling=pooling)
        self.manifest = export_model.export(options(run, self.directory))
        self.source = load_model(str(directory / "run" / "model.ckpt-3"))

    @property
    def graph(self):  # read anew for each: importing a graph fills in its attributes
        return tf.compat.v1.GraphDef.FromString((self.directory / "frozen_graph.pb").read_bytes())

    @functools.cached_property
    def signatures(self):
        return tf.saved_model.load(str(self.directory / "saved_model" / "1")).signatures

    def run(self, format_name, batch):
        """The outputs, as a program of a user would get them."""
        if format_name == "saved_model":
            inputs = {name: tf.constant(value) for name, value in batch.items()}
            results = [self.signatures[name](**inputs) for name in ("serving_default", "encode")]
            return {name: value.numpy() for row in results for name, value in row.items()}
        outputs = {
            "logits": "loss/BiasAdd:0",
            "probabilities": "loss/Softmax:0",
            "pooled_output": "bert/pooler/dense/Tanh:0",
            "sequence_output": "bert/encoder/sequence_output:0",
            "mean_output": "mean_output:0",
        }
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            tf.import_graph_def(self.graph, name="")
            return session.run(outputs, {f"{name}:0": value for name, value in batch.items()})


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    """Exports by case and pooling, each made once."""
    return functools.cache(
        lambda case_name, pooling: Exported(tmp_path_factory.mktemp("case"), case_name, pooling)
    )


@pytest.fixture(params=POOLED)
def pooled(request, exports):
    return exports(request.param, Pooling.POOLED)


@pytest.fixture(params=[*POOLED, MEAN])
def exported(request, exports):
    if request.param == MEAN:
        return exports("google", Pooling.MEAN)
    return exports(request.param, Pooling.POOLED)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The output directory of one fine-tuning, for tests that only read it."""
    return write_run(tmp_path_factory.mktemp("run"), GoldenCase(POST_LN))


@pytest.fixture
def frozen_only(run, tmp_path):
    """Options of a quick export to `tmp_path / "export"`."""
    return options(run, tmp_path / "export", formats="frozen_graph")


# --- what comes out -----------------------------------------------------------------------------


@pytest.mark.parametrize("format_name", DEFAULT_FORMATS)
def test_export_gives_published_results(pooled, format_name):
    inputs = pooled.case.arrays("inputs.npz")
    outputs = pooled.run(format_name, {name: inputs[name] for name in INPUTS})
    classifier, encoder = (pooled.case.arrays(f"{name}.npz") for name in ("classifier", "outputs"))
    last = max(name for name in encoder if name.startswith("layer_"))
    atol = pooled.case.tolerances.forward
    for name, expected in {
        "logits": classifier["logits"],
        "probabilities": classifier["probabilities"],
        "pooled_output": encoder["pooled_output"],
        "sequence_output": encoder[last],
    }.items():
        np.testing.assert_allclose(outputs[name], expected, atol=atol, rtol=2e-5, err_msg=name)


@pytest.mark.parametrize("format_name", DEFAULT_FORMATS)
def test_export_takes_batches_of_any_size_and_length(exported, format_name):
    random = np.random.default_rng(7)
    for rows, length in ((1, 1), (5, 7), (2, exported.case.config.max_position_embeddings)):
        shape = [rows, length]
        mask = (np.arange(length) < random.integers(1, length + 1, [rows, 1])).astype(np.int32)
        batch = {
            "input_ids": random.integers(0, 100, shape, np.int32) * mask,
            "input_mask": mask,
            "segment_ids": random.integers(0, 2, shape, np.int32) * mask,
        }
        expected = exported.source.outputs(batch)
        outputs = exported.run(format_name, batch)
        assert outputs.keys() == expected.keys()
        for name, value in outputs.items():
            np.testing.assert_allclose(value, expected[name], atol=2e-4, err_msg=name)


@pytest.mark.parametrize("format_name", DEFAULT_FORMATS)
def test_mean_pooled_export_classifies_the_mean_of_the_tokens(exports, format_name):
    exported = exports("google", Pooling.MEAN)
    batch = varied_batches(exported.case.config)[2]
    outputs = exported.run(format_name, batch)
    mask = batch["input_mask"][:, :, None]
    mean = (outputs["sequence_output"] * mask).sum(axis=1) / mask.sum(axis=1)
    head = exported.case.arrays("classifier.npz")
    expected = mean @ head["head/output_weights"].T + head["head/output_bias"]
    np.testing.assert_allclose(outputs["logits"], expected, atol=2e-5)


def test_measured_differences_are_reported(exported):
    for row in exported.manifest["formats"].values():
        assert set(row["largest_difference"]) == {
            *("logits", "probabilities", "pooled_output", "sequence_output", "mean_output")
        }
        assert all(0 <= value < TOLERANCE for value in row["largest_difference"].values())
    worst = max(exported.manifest["formats"]["saved_model"]["largest_difference"].values())
    lines = export_model.summary(exported.manifest, str(exported.directory))
    assert f"largest difference from the checkpoint {worst:.1e}" in lines[2]


def test_export_explains_itself(exported):
    directory, case = exported.directory, exported.case
    manifest = json.loads((directory / "export.json").read_text())
    assert manifest == exported.manifest
    assert manifest["checkpoint"] == exported.source.prefix
    assert manifest["step"] == 3
    assert manifest["config"] == case.config.to_dict()
    assert manifest["tensorflow"] == tf.__version__
    pooling = exported.source.task.pooling.value
    assert manifest["task"] == {
        "name": "lcqmc",
        "kind": "classification",
        "labels": list(LABELS),
        "max_seq_length": 24,
        "pooling": pooling,
        "do_lower_case": True,
    }
    vocab = Vocab.load(str(directory / "vocab.txt"))
    assert manifest["vocabulary"] == {"fingerprint": vocab.fingerprint, "size": len(vocab)}
    assert sorted(manifest["files"]) == sorted(
        path.name for path in directory.iterdir() if path.name != "export.json"
    )


def test_saved_model_carries_what_it_needs(exported):
    assets = exported.directory / "saved_model" / "1" / "assets"
    assert json.loads((assets / "albert_config.json").read_text()) == exported.manifest["config"]
    assert json.loads((assets / "task.json").read_text()) == exported.manifest["task"]
    assert (assets / "labels.txt").read_text() == "no\nperhaps\nyes\n"
    assert (assets / "vocab.txt").read_bytes() == (exported.directory / "vocab.txt").read_bytes()


def test_saved_model_serves_int32_of_unknown_size(exported):
    serving = exported.signatures["serving_default"]
    _, inputs = serving.structured_input_signature
    assert set(inputs) == set(INPUTS)
    for spec in inputs.values():
        assert spec.dtype == tf.int32
        assert spec.shape.as_list() == [None, None]
    assert set(serving.structured_outputs) == {"logits", "probabilities"}


# --- TensorFlow 1.15 ----------------------------------------------------------------------------


def assert_known_to_tf_1_15(graph):
    assert not graph.library.function
    assert graph.versions.producer <= 134
    for node in graph.node:
        assert set(node.attr) <= KNOWN_TO_TF_1_15.get(node.op, set()), (node.name, node.op)


def test_frozen_graph_holds_only_what_tf_1_15_knows(exported):
    assert_known_to_tf_1_15(exported.graph)


@pytest.mark.parametrize("activation", ["relu", "swish", "tanh", "linear"])
def test_every_activation_is_known_to_tf_1_15(activation):
    config = dataclasses.replace(GoldenCase(POST_LN).config, hidden_act=activation)
    model = Classifier(config, len(LABELS))
    task = TaskMeta("lcqmc", LABELS, 24, Pooling.POOLED, True)
    assert_known_to_tf_1_15(frozen_graph.freeze(FineTunedModel("", 0, config, task, model, {})))


def test_frozen_graph_stores_each_weight_once_and_under_its_name(exported):
    nodes = [node for node in exported.graph.node if node.op == "Const"]
    constants = {node.name: node.attr["value"].tensor for node in nodes}
    weights = weights_of(exported.source.model)
    for name, value in weights.items():
        np.testing.assert_array_equal(tf.make_ndarray(constants.pop(name)), value)
    assert max(np.size(tf.make_ndarray(tensor)) for tensor in constants.values()) < 10


# --- a wrong file is no export ------------------------------------------------------------------


def change_constant(path, name, delta):
    with open(path, "rb") as file:
        graph = tf.compat.v1.GraphDef.FromString(file.read())
    (node,) = (node for node in graph.node if node.name == name)
    value = tf.make_ndarray(node.attr["value"].tensor)
    value.flat[0] += delta
    node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value))
    with open(path, "wb") as file:
        file.write(graph.SerializeToString())


def write_changed_graph(name, delta):
    def write(source, path, material):
        frozen_graph.write(source, path, material)
        change_constant(path, name, delta)

    return write


def write_changed_saved_model(source, path, material):
    bias = named_variables(source.model)["output_bias"]
    value = bias.numpy()
    bias.assign(value + np.float32(0.01))
    FORMATS["saved_model"].write(source, path, material)
    bias.assign(value)


@pytest.mark.parametrize(
    ("format_name", "write", "message"),
    [
        ("frozen_graph", write_changed_graph("output_bias", 0.01), "frozen_graph.*logits"),
        ("frozen_graph", write_changed_graph("output_bias", np.nan), "logits by inf"),
        (
            "frozen_graph",
            write_changed_graph("bert/encoder/layer_shared/output/dense/kernel", 0.1),
            "sequence_output",
        ),
        ("saved_model", write_changed_saved_model, "saved_model.*logits"),
    ],
)
def test_wrong_file_is_detected_and_nothing_stays(
    monkeypatch, run, tmp_path, format_name, write, message
):
    wrong = dataclasses.replace(FORMATS[format_name], write=write)
    monkeypatch.setattr(exporting, "FORMATS", {**FORMATS, format_name: wrong})
    with pytest.raises(ValueError, match=message):
        export_model.export(options(run, tmp_path / "export", formats=format_name))
    assert list(tmp_path.iterdir()) == []


def test_diverged_checkpoint_is_not_exported(tmp_path):
    case = GoldenCase(POST_LN)
    weights = weights_of(case.classifier("classifier.npz"))
    weights["output_bias"] = np.full_like(weights["output_bias"], np.nan)
    run = write_run(tmp_path / "run", case, weights=weights)
    with pytest.raises(ValueError, match="not finite: its training diverged"):
        export_model.export(options(run, tmp_path / "export"))


# --- an export is whole or not there ------------------------------------------------------------


def test_export_is_not_overwritten_unless_asked(frozen_only, tmp_path):
    export_model.export(frozen_only)
    before = (tmp_path / "export" / "export.json").stat().st_mtime_ns
    with pytest.raises(ValueError, match=r"already holds an export; .*--overwrite"):
        export_model.export(frozen_only)
    assert (tmp_path / "export" / "export.json").stat().st_mtime_ns == before
    manifest = export_model.export(
        dataclasses.replace(frozen_only, formats="saved_model", overwrite=True)
    )
    assert list(manifest["formats"]) == ["saved_model"]
    assert not (tmp_path / "export" / "frozen_graph.pb").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["export"]


def test_failed_overwrite_keeps_the_old_export(monkeypatch, frozen_only, tmp_path):
    export_model.export(frozen_only)
    old = (tmp_path / "export" / "frozen_graph.pb").read_bytes()
    wrong = dataclasses.replace(
        FORMATS["frozen_graph"], write=write_changed_graph("output_bias", 1.0)
    )
    monkeypatch.setattr(exporting, "FORMATS", {"frozen_graph": wrong})
    with pytest.raises(ValueError, match="other results"):
        export_model.export(dataclasses.replace(frozen_only, overwrite=True))
    assert (tmp_path / "export" / "frozen_graph.pb").read_bytes() == old


def test_files_of_others_are_never_replaced(frozen_only, tmp_path):
    target = tmp_path / "export"
    target.mkdir()
    (target / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match="holds other files; choose a new folder"):
        export_model.export(dataclasses.replace(frozen_only, overwrite=True))
    (target / "notes.txt").unlink()
    export_model.export(frozen_only)  # an empty folder is as good as none
    (target / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"files that no export wrote, such as notes.txt"):
        export_model.export(dataclasses.replace(frozen_only, overwrite=True))
    assert (target / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("folder", [".", "..", ""])
def test_working_directory_is_never_replaced(folder, frozen_only, tmp_path, monkeypatch):
    here = tmp_path / "above" / "here"
    here.mkdir(parents=True)
    monkeypatch.chdir(here)
    message = "is the working directory or above it, and would be replaced; choose a new folder"
    with pytest.raises(ValueError, match=message):
        export_model.export(dataclasses.replace(frozen_only, export_dir=folder))
    assert here.samefile(".")
    assert not list(here.iterdir())


def test_export_that_appears_in_the_meantime_is_kept(tmp_path):
    target = tmp_path / "export"
    with (  # noqa: PT012 - the rename at the end of the block is meant
        pytest.raises(OSError, match="export"),
        new_directory(str(target), overwrite=False) as directory,
    ):
        (pathlib.Path(directory) / "late").write_text("")
        target.mkdir()
        (target / "early").write_text("")
    assert [path.name for path in tmp_path.rglob("*")] == ["export", "early"]


def test_target_that_is_no_local_folder_is_an_error(run, tmp_path):
    (tmp_path / "file").write_text("")
    for target, message in ((tmp_path / "file", "is a file"), ("gs://bucket/export", "not local")):
        with pytest.raises(ValueError, match=message):
            export_model.export(options(run, target))


def start_script(*flags):
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def test_two_exports_into_one_folder_do_not_mix(run, tmp_path):
    target = str(tmp_path / "export")
    with new_directory(target, overwrite=False) as first:
        pathlib.Path(first, "model").write_text("first")
        with pytest.raises(BlockingIOError, match=r"another process is at work in .*\.partial"):
            export_model.export(options(run, target))
    assert [path.name for path in tmp_path.iterdir()] == ["export"]
    assert (tmp_path / "export" / "model").read_text() == "first"
    assert [path.name for path in (tmp_path / "export").iterdir()] == ["model"]


def test_killed_script_leaves_no_export_and_the_next_run_succeeds(run, tmp_path):
    flags = (f"--checkpoint={run}", f"--export_dir={tmp_path / 'export'}")
    killed = start_script(*flags, "--formats=saved_model")
    while not list(tmp_path.iterdir()):
        assert killed.poll() is None
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert [path.name for path in tmp_path.iterdir()] == [".export.partial"]
    again = start_script(*flags, "--formats=frozen_graph")
    output, _ = again.communicate()
    assert again.returncode == 0
    assert "labels no, perhaps, yes" in output
    assert "largest difference from the checkpoint" in output
    assert [path.name for path in tmp_path.iterdir()] == ["export"]


# --- what goes in -------------------------------------------------------------------------------


def published_flags(directory, case):
    """Flags for a checkpoint of the published code, which has no meta file beside it."""
    write_vocabulary(directory / "vocab.txt", case.config.vocab_size)
    return {
        "config_file": case.path("config.json"),
        "vocab_file": str(directory / "vocab.txt"),
        "formats": "frozen_graph",
    }


def test_published_checkpoint_is_exported(tmp_path):
    case = GoldenCase("google")
    flags = published_flags(tmp_path, case)
    prefix = case.path("classifier.ckpt-3")
    manifest = export_model.export(options(prefix, tmp_path / "numbers", **flags))
    assert manifest["step"] == 3
    assert manifest["task"]["labels"] == ["0", "1", "2"]
    assert manifest["task"]["do_lower_case"] is None
    export = options(prefix, tmp_path / "named", labels="a, b,c", **flags)
    assert export_model.export(export)["task"]["labels"] == ["a", "b", "c"]
    export = options(prefix, tmp_path / "cased", do_lower_case=False, **flags)
    assert export_model.export(export)["task"]["do_lower_case"] is False
    with pytest.raises(ValueError, match="tells 3 classes apart, but there are 2 labels"):
        export_model.export(options(prefix, tmp_path / "two", labels="a,b", **flags))


def test_another_case_than_noted_is_refused(tmp_path):
    run = write_model(tmp_path / "run", small_config(), kind="classification")
    assert load_source(run, do_lower_case=True).do_lower_case
    for is_encoder in (False, True):
        with pytest.raises(ValueError, match=r"--do_lower_case=False differs from .*meta\.json"):
            load_source(run, do_lower_case=False, is_encoder=is_encoder)


def test_checkpoint_without_meta_needs_a_configuration(tmp_path):
    case = GoldenCase(POST_LN)
    prefix = case.path("classifier.ckpt-3")
    flags = {**published_flags(tmp_path, case), "config_file": None}
    with pytest.raises(ValueError, match=r"no classifier.ckpt-3.meta.json .*--config_file"):
        export_model.export(options(prefix, tmp_path / "export", **flags))
    flags["config_file"] = GoldenCase("google").path("config.json")
    with pytest.raises(ValueError, match="of the brightmart lineage"):
        export_model.export(options(prefix, tmp_path / "export", **flags))
    assert not (tmp_path / "export").exists()


def test_flags_that_contradict_the_meta_file_are_errors(frozen_only):
    config_file = GoldenCase("brightmart_preln").path("config.json")
    with pytest.raises(ValueError, match="--config_file differs"):
        export_model.export(dataclasses.replace(frozen_only, config_file=config_file))
    with pytest.raises(ValueError, match="--labels=a,b,c differs"):
        export_model.export(dataclasses.replace(frozen_only, labels="a,b,c"))


def test_damaged_meta_file_is_an_error(tmp_path):
    run = write_run(tmp_path / "run", GoldenCase(POST_LN))
    path = tmp_path / "run" / "model.ckpt-3.meta.json"
    meta = json.loads(path.read_text())
    del meta["task"]["pooling"]
    path.write_text(json.dumps(meta))
    with pytest.raises(ValueError, match=r"meta.json is damaged: 'pooling' is missing in task"):
        export_model.export(options(run, tmp_path / "export"))


def test_labels_of_a_model_without_classes_are_an_error(tmp_path):
    config = GoldenCase(POST_LN).config
    write_vocabulary(tmp_path / "vocab.txt", config.vocab_size)
    model = PretrainingModel(config)
    meta = {"config": config.to_dict()}
    write_checkpoint(str(tmp_path / "model.ckpt-0"), weights_of(model), meta)
    with pytest.raises(ValueError, match="has no classes that --labels could name"):
        export_model.export(options(tmp_path, tmp_path / "export", labels="a,b"))


def test_missing_weight_is_an_error(tmp_path):
    case = GoldenCase(POST_LN)
    weights = weights_of(case.classifier("classifier.npz"))
    del weights["bert/pooler/dense/bias"]
    run = write_run(tmp_path / "run", case, weights=weights)
    with pytest.raises(ValueError, match=r"missing *bert/pooler/dense/bias"):
        export_model.export(options(run, tmp_path / "export"))


def test_best_checkpoint_of_a_directory_is_taken_else_the_newest(tmp_path):
    case = GoldenCase(POST_LN)
    for step in (9, 10):
        write_run(tmp_path / "run", case, step=step)
    run = tmp_path / "run"
    assert find_checkpoint(str(run)) == str(run / "model.ckpt-10")
    assert find_checkpoint(str(run / "model.ckpt-9")) == str(run / "model.ckpt-9")
    best = run / "best_checkpoint.json"
    best.write_text('{"checkpoint": "model.ckpt-9"}')
    assert find_checkpoint(str(run)) == str(run / "model.ckpt-9")
    best.write_text('{"checkpoint": "model.ckpt-8"}')
    with pytest.raises(FileNotFoundError, match=r"names model.ckpt-8, which does not exist"):
        find_checkpoint(str(run))
    best.write_text("{")
    with pytest.raises(ValueError, match=r"best_checkpoint.json is damaged"):
        find_checkpoint(str(run))


def test_directory_without_checkpoint_is_told(tmp_path):
    with pytest.raises(FileNotFoundError, match="the folder holds no checkpoint"):
        find_checkpoint(str(tmp_path))
    with pytest.raises(FileNotFoundError, match="there is no checkpoint"):
        export_model.export(options(tmp_path / "gone", tmp_path / "export"))


def test_other_vocabulary_is_an_error(frozen_only, tmp_path):
    write_vocabulary(tmp_path / "other.txt", 100, prefix="词")
    with pytest.raises(ValueError, match="trained with another vocabulary"):
        export_model.export(
            dataclasses.replace(frozen_only, vocab_file=str(tmp_path / "other.txt"))
        )
    case = GoldenCase(POST_LN)
    flags = published_flags(tmp_path, case)
    write_vocabulary(tmp_path / "vocab.txt", 99)
    with pytest.raises(ValueError, match="has 99 entries"):
        export_model.export(options(case.path("classifier.ckpt-3"), tmp_path / "export", **flags))


def test_missing_vocabulary_is_an_error(tmp_path):
    run = write_run(tmp_path / "run", GoldenCase(POST_LN))
    (tmp_path / "run" / "vocab.txt").unlink()
    with pytest.raises(FileNotFoundError, match=r"no vocabulary at .*--vocab_file"):
        export_model.export(options(run, tmp_path / "export"))


def test_sentencepiece_model_travels_along(run, tmp_path):
    shutil.copytree(run, tmp_path / "run")
    (tmp_path / "run" / "spm.model").write_bytes(b"pieces")
    export = options(tmp_path / "run", tmp_path / "export", formats="frozen_graph")
    assert "spm.model" in export_model.export(export)["files"]
    assert (tmp_path / "export" / "spm.model").read_bytes() == b"pieces"


def test_published_model_of_sentencepiece_needs_no_other_vocabulary(tmp_path):
    pieces = tmp_path / "30k-clean.model"
    pieces.write_bytes(train_sentencepiece())
    size = len(load_tokenizer(None, spm_model_file=str(pieces)).vocab)
    config_file = small.write_config(tmp_path, vocab_size=size)
    model = Classifier(ModelConfig.from_json_file(config_file), 2)
    write_checkpoint(str(tmp_path / "model.ckpt-best"), weights_of(model), {})
    (tmp_path / "model.ckpt-best.meta.json").unlink()
    export = options(
        tmp_path,
        tmp_path / "export",
        config_file=config_file,
        spm_model_file=str(pieces),
        formats="frozen_graph",
    )
    export.check()
    assert {"vocab.txt", "spm.model"} <= set(export_model.export(export)["files"])
    answers = [
        predictor.predict([("hello world", "of birds")])
        for predictor in (
            albert_zh.load(str(tmp_path / "export")),
            load_model(tmp_path, config_file=config_file, spm_model_file=str(pieces)).predictor(),
        )
    ]
    assert answers[0][0].label == answers[1][0].label


@pytest.mark.parametrize("formats", ["tfjs", "frozen_graph,caffe", "", ","])
def test_unknown_format_is_an_error(formats):
    with pytest.raises(ValueError, match="some of frozen_graph, saved_model"):
        parse_formats(formats)


# --- the comparison -----------------------------------------------------------------------------


@pytest.mark.parametrize("longest", [16, 512])
def test_comparison_covers_sizes_lengths_and_padding(longest):
    config = dataclasses.replace(GoldenCase(POST_LN).config, max_position_embeddings=longest)
    batches = varied_batches(config)
    shapes = [batch["input_ids"].shape for batch in batches]
    assert len({rows for rows, _ in shapes}) > 2
    assert max(length for _, length in shapes) == longest
    row_lengths = [set(batch["input_mask"].sum(axis=1)) for batch in batches]
    assert max(map(len, row_lengths)) > 3
    for batch in batches:
        assert all(value.dtype == np.int32 for value in batch.values())
        assert batch["input_ids"].max() < config.vocab_size
        assert (batch["input_mask"].sum(axis=1) > 0).all()
        padding = batch["input_mask"] == 0
        assert not batch["input_ids"][padding].any()
        assert not batch["segment_ids"][padding].any()
    assert any((batch["input_mask"] == 0).any() for batch in batches)
    assert any(batch["segment_ids"].any() for batch in batches)


# --- a made-up format is a row and a file -------------------------------------------------------


def test_made_up_format_is_written_checked_listed_and_loaded(monkeypatch, run, tmp_path):
    """The weights as an .npz file, and the model of this process to run them."""

    def write(source, path, assets):
        np.savez(path, **weights_of(source.model))

    def load(path):
        source = load_model(str(run))
        for name, value in np.load(path).items():
            named_variables(source.model)[name].assign(value)
        return source.outputs

    made_up = ExportFormat("weights.npz", write, load, lambda source: {"arrays": "by name"})
    monkeypatch.setitem(FORMATS, "arrays", made_up)
    manifest = export_model.export(options(run, tmp_path / "export", formats="arrays"))
    row = manifest["formats"]["arrays"]
    assert (row["file"], row["arrays"]) == ("weights.npz", "by name")
    assert max(row["largest_difference"].values()) == 0.0
    batch = varied_batches(load_model(str(run)).config)[1]
    outputs = reading.load_export(str(tmp_path / "export")).head_runner()(batch)
    np.testing.assert_array_equal(outputs["logits"], load_model(str(run)).outputs(batch)["logits"])
