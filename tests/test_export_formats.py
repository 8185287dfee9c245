"""TFLite and ONNX: every head and lineage, names, free sizes, scores, damaged files, packages."""

import dataclasses
import os
import sys

import numpy as np
import onnx
import pytest
import small
from ai_edge_litert.interpreter import Interpreter
from goldens import GoldenCase
from test_exchange import LABELS, small_config, write_model

import albert_zh
from albert_zh.config import Pooling
from albert_zh.export import bundle
from albert_zh.export.bundle import export_model
from albert_zh.export.check import varied_batches
from albert_zh.export.formats.table import FORMATS
from albert_zh.export.formats.tflite import narrow_scores
from albert_zh.export.source import inputs_of, load_source
from albert_zh.finetuning.run import fine_tune
from albert_zh.inference.fill_mask import FillMask
from albert_zh.inference.functions import run_functions
from albert_zh.model.scope import named_variables

LIVELY = {"initializer_range": 0.1}
EIGHT_BITS = ("tflite_int8", "onnx_int8")


def export(source, directory, *formats, **settings):
    return export_model(source, export_dir=str(directory), formats=formats, **settings)


def largest(manifest, name):
    return max(manifest["formats"][name]["largest_difference"].values())


@pytest.mark.parametrize("head", [None, *LABELS, "encoder"])
@pytest.mark.parametrize("lineage", ["google", "brightmart", "google_fast"])
def test_every_head_has_a_form_in_onnx(lineage, head, tmp_path):
    kind = head if head in LABELS else None
    run = write_model(tmp_path / "run", small_config(lineage, **LIVELY), kind=kind)
    source = load_source(run, is_encoder=head == "encoder")
    manifest = export(source, tmp_path / "export", "onnx")
    assert largest(manifest, "onnx") < 1e-5
    row = manifest["formats"]["onnx"]
    assert set(row["outputs"]) == set(row["largest_difference"])


@pytest.mark.parametrize("head", [None, *LABELS, "encoder"])
def test_every_head_has_a_form_in_tflite(head, tmp_path):
    kind = head if head in LABELS else None
    run = write_model(tmp_path / "run", small_config("brightmart", **LIVELY), kind=kind)
    source = load_source(run, is_encoder=head == "encoder")
    manifest = export(source, tmp_path / "export", "tflite")
    assert largest(manifest, "tflite") < 1e-5


@pytest.mark.parametrize("case_name", ["brightmart_preln", "google_groups2_inner2"])
@pytest.mark.parametrize("pooling", [Pooling.POOLED, Pooling.MEAN])
def test_pre_ln_groups_and_mean_pooling_have_a_form_in_onnx(case_name, pooling, tmp_path):
    config = GoldenCase(case_name).config
    run = write_model(tmp_path / "run", config, kind="classification", pooling=pooling)
    assert largest(export(load_source(run), tmp_path / "export", "onnx"), "onnx") < 1e-5


@pytest.mark.parametrize("activation", ["relu", "swish", "tanh", "linear"])
def test_every_activation_has_a_form_in_onnx(activation, tmp_path):
    run = write_model(tmp_path / "run", small_config(hidden_act=activation, **LIVELY))
    assert largest(export(load_source(run), tmp_path / "export", "onnx"), "onnx") < 1e-5


def test_pretrained_model_is_exported_with_its_published_output_name(tmp_path):
    run = write_model(tmp_path / "run", small_config("brightmart", **LIVELY))
    manifest = export(load_source(run), tmp_path / "export", "frozen_graph", "saved_model")
    row = manifest["formats"]["frozen_graph"]
    assert row["outputs"]["masked_lm_probabilities"] == "cls/predictions/truediv:0"
    assert row["inputs"]["masked_lm_positions"] == "masked_lm_positions:0"
    assert not (tmp_path / "export" / "task.json").exists()
    assert max(largest(manifest, name) for name in manifest["formats"]) < 1e-5
    assert isinstance(albert_zh.load(str(tmp_path / "export")), FillMask)


def test_smaller_numbers_make_smaller_files(tmp_path):
    config = small_config("brightmart", vocab_size=2000, hidden_size=128, intermediate_size=256)
    run = write_model(tmp_path / "run", config, kind="classification")
    formats = ("tflite", "tflite_fp16", "tflite_int8", "onnx", "onnx_int8")
    export(load_source(run), tmp_path / "export", *formats)
    sizes = {name: os.path.getsize(tmp_path / "export" / FORMATS[name].file) for name in formats}
    assert sizes["tflite_fp16"] < 0.6 * sizes["tflite"]
    assert sizes["tflite_int8"] < 0.45 * sizes["tflite"]
    assert sizes["onnx_int8"] < 0.45 * sizes["onnx"]


@pytest.mark.parametrize("format_name", ["tflite", "onnx"])
def test_runner_takes_batches_of_any_size_in_any_order_of_inputs(format_name, tmp_path):
    run = write_model(tmp_path / "run", small_config(**LIVELY), kind="tagging")
    source = load_source(run)
    export(source, tmp_path / "export", format_name)
    runner = FORMATS[format_name].load(str(tmp_path / "export" / FORMATS[format_name].file))
    for batch in varied_batches(source.config, inputs_of(source.functions(source.model))):
        turned = dict(reversed(batch.items()))
        expected = source.outputs(batch)["tag_logits"]
        np.testing.assert_allclose(runner(turned)["tag_logits"], expected, atol=1e-5)


def test_onnx_file_names_its_axes_and_stores_each_weight_once(tmp_path):
    config = small_config("brightmart", num_hidden_layers=6)
    run = write_model(tmp_path / "run", config, kind="classification")
    source = load_source(run)
    export(source, tmp_path / "export", "onnx")
    model = onnx.load(tmp_path / "export" / "model.onnx")
    onnx.checker.check_model(model, full_check=True)
    axes = {
        value.name: [axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim]
        for value in (*model.graph.input, *model.graph.output)
    }
    assert axes == {
        **{name: ["batch", "length"] for name in ("input_ids", "input_mask", "segment_ids")},
        **{name: ["batch", 3] for name in ("logits", "probabilities")},
    }
    stored = sum(np.prod(tensor.dims) for tensor in model.graph.initializer)
    weights = sum(np.prod(each.shape) for each in named_variables(source.model).values())
    assert stored < weights + 100  # shapes and places


@pytest.fixture(scope="module")
def fine_tuned(tmp_path_factory):
    directory = tmp_path_factory.mktemp("task")
    task = small.write_task(directory)
    small.write_vocabulary(directory)
    options = small.fine_tuning_options(task, directory / "out", num_train_epochs=6.0)
    fine_tune(options)
    return options


def test_formats_are_scored_on_labelled_data(fine_tuned, tmp_path):
    dev = os.path.join(fine_tuned.data_dir, "dev.txt")
    source = load_source(fine_tuned.output_dir)
    manifest = export(source, tmp_path / "export", *EIGHT_BITS, eval_data=dev, largest_loss=1.0)
    with open(dev, encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file]
    predictions = source.predictor().predict([(first, second) for first, second, _ in rows])
    right = sum(each.label == row[2] for each, row in zip(predictions, rows, strict=True))
    for name in EIGHT_BITS:
        scores = manifest["formats"][name]["scores"]
        assert (scores["metric"], scores["examples"]) == ("accuracy", 16)
        assert scores["checkpoint"] == right / 16
        assert scores["format"] == pytest.approx(right / 16, abs=0.2)


def test_outputs_on_labelled_data_are_compared_with_those_of_the_checkpoint(fine_tuned, tmp_path):
    dev = os.path.join(fine_tuned.data_dir, "dev.txt")
    source = load_source(fine_tuned.output_dir)
    manifest = export(source, tmp_path / "export", "onnx", "saved_model", eval_data=dev)
    for row in manifest["formats"].values():
        assert row["scores"]["same_predictions"] == 1.0
        assert set(row["scores"]["largest_difference"]) == {"logits", "probabilities"}
        assert max(row["scores"]["largest_difference"].values()) < 1e-5


def test_integers_have_the_ranges_of_real_texts(fine_tuned, tmp_path):
    dev, train = (os.path.join(fine_tuned.data_dir, f"{name}.txt") for name in ("dev", "train"))
    source = load_source(fine_tuned.output_dir)
    before = source.outputs(varied_batches(source.config)[1])
    data = {"eval_data": dev, "calibration_data": train, "largest_loss": 1.0}
    manifest = export(source, tmp_path / "export", "tflite_full_int8", "tflite", **data)
    row = manifest["formats"]["tflite_full_int8"]
    assert row["scores"]["same_predictions"] >= 0.8
    assert 1e-4 < max(row["scores"]["largest_difference"].values()) < 1.0
    ids = Interpreter(str(tmp_path / "export" / row["file"])).get_signature_runner()
    assert {each["dtype"] for each in ids.get_input_details().values()} == {np.int32}
    assert largest(manifest, "tflite") < 1e-5  # The scores of padding are back.
    after = source.outputs(varied_batches(source.config)[1])
    np.testing.assert_array_equal(after["logits"], before["logits"])


def test_a_small_score_of_padding_gives_the_same_results(fine_tuned):
    source = load_source(fine_tuned.output_dir)
    batch = varied_batches(source.config)[2]
    expected = run_functions(source.functions(source.model), batch)
    with narrow_scores(source.model):
        actual = run_functions(source.functions(source.model), batch)
    for name, value in expected.items():
        np.testing.assert_array_equal(actual[name], value)


def test_integers_need_data(fine_tuned, tmp_path):
    dev = os.path.join(fine_tuned.data_dir, "dev.txt")
    source = load_source(fine_tuned.output_dir)
    for given in ("eval_data", "calibration_data"):
        with pytest.raises(ValueError, match="tflite_full_int8 needs --calibration_data"):
            export(source, tmp_path / "export", "tflite_full_int8", **{given: dev})
    with pytest.raises(ValueError, match=r"--calibration_data=.* is for formats such as"):
        export(source, tmp_path / "export", "tflite", calibration_data=dev)
    assert not (tmp_path / "export").exists()


def test_card_tells_model_training_scores_and_files(fine_tuned, tmp_path):
    dev = os.path.join(fine_tuned.data_dir, "dev.txt")
    source = load_source(fine_tuned.output_dir)
    manifest = export(
        source, tmp_path / "export", "onnx", "saved_model", eval_data=dev, command="python3 x.py"
    )
    card = (tmp_path / "export" / "MODEL_CARD.md").read_text(encoding="utf-8")
    parameters = sum(np.prod(each.shape) for each in named_variables(source.model).values())
    for part in (
        f"# {source.task.name}: classification",
        f"{parameters:,} parameters. Step {source.step} of its training, from",
        "- labels: 0, 1",
        f"`--learning_rate={fine_tuned.learning_rate}`",
        f"`--train_batch_size={fine_tuned.train_batch_size}`",
        "python3 x.py",
        "ms, 32 tokens",
    ):
        assert part in card, part
    row = manifest["formats"]["onnx"]
    assert f"{row['sha256']['model.onnx']}  model.onnx" in card
    assert f"{row['scores']['format']:.4f}" in card
    assert row["milliseconds"]["32 tokens"] > 0


def test_card_of_a_model_whose_training_is_unknown(tmp_path):
    source = load_source(write_model(tmp_path / "run", small_config()))
    export(source, tmp_path / "export", "onnx")
    card = (tmp_path / "export" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert card.startswith("# A pretrained Chinese encoder\n")
    assert "## Training" not in card
    assert "## Command" not in card


def test_format_that_loses_too_much_is_refused(fine_tuned, tmp_path, monkeypatch):
    dev = os.path.join(fine_tuned.data_dir, "dev.txt")
    source = load_source(fine_tuned.output_dir)

    def load(path):
        run = FORMATS["onnx"].load(path)

        def turned(batch):
            return {name: value[:, ::-1] for name, value in run(batch).items()}

        return turned

    wrong = dataclasses.replace(FORMATS["onnx"], load=load, tolerance=100.0)
    monkeypatch.setattr(bundle, "FORMATS", {"onnx": wrong})
    with pytest.raises(ValueError, match=r"onnx has accuracy .* the checkpoint .*--largest_loss"):
        export(source, tmp_path / "export", "onnx", eval_data=dev)
    assert not (tmp_path / "export").exists()


def test_data_that_give_no_score_are_refused(fine_tuned, tmp_path):
    pretrained = load_source(write_model(tmp_path / "run", small_config()))
    with pytest.raises(ValueError, match="there is no head of a task for --eval_data"):
        export(pretrained, tmp_path / "a", "onnx", eval_data="dev.txt")
    unknown = load_source(write_model(tmp_path / "other", small_config(), kind="classification"))
    with pytest.raises(ValueError, match="the files of the task task are not known"):
        export(unknown, tmp_path / "b", "onnx", eval_data="dev.txt")
    source = load_source(fine_tuned.output_dir)
    with pytest.raises(FileNotFoundError, match=r"nosuch\.txt"):
        export(source, tmp_path / "c", "onnx", eval_data="nosuch.txt")


@pytest.mark.parametrize("format_name", ["tflite", "onnx"])
def test_damaged_file_is_refused(format_name, tmp_path):
    for content in (b"", b"no model", b"\0" * 1000):
        path = tmp_path / "model"
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"is damaged: .*; export again"):
            FORMATS[format_name].load(str(path))


@pytest.mark.parametrize(
    ("package", "format_name"),
    [("onnx", "onnx"), ("onnxruntime", "onnx"), ("onnxruntime", "onnx_int8")],
)
def test_missing_package_is_named(package, format_name, tmp_path, monkeypatch):
    run = write_model(tmp_path / "run", small_config(), kind="classification")
    source = load_source(run)
    for name in [each for each in sys.modules if each.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    # Nothing is computed before.
    monkeypatch.setattr("albert_zh.export.bundle.reference_outputs", None)
    with pytest.raises(ValueError, match=f"needs the package {package}; install it"):
        export(source, tmp_path / "export", "saved_model", format_name)
    assert not (tmp_path / "export").exists()


def test_changed_label_file_is_refused(fine_tuned, tmp_path):
    source = load_source(fine_tuned.output_dir)
    export(source, tmp_path / "export", "onnx")
    with open(tmp_path / "export" / "labels.txt", "a", encoding="utf-8") as file:
        file.write("2\n")
    with pytest.raises(ValueError, match=r"labels\.txt is not the file that export\.json lists"):
        albert_zh.load(str(tmp_path / "export"))


def test_export_never_replaces_what_it_is_made_of(tmp_path):
    source = load_source(write_model(tmp_path / "run", small_config()))
    export(source, tmp_path / "export", "checkpoint", "onnx")
    inside = load_source(str(tmp_path / "export" / "checkpoint"))
    with pytest.raises(ValueError, match=r"holds .*albert_model.ckpt, which is needed; choose"):
        export(inside, tmp_path / "export", "onnx", overwrite=True)
    assert (tmp_path / "export" / "checkpoint" / "albert_model.ckpt.index").exists()
