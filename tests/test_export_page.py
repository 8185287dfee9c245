"""Python code of docs/export.md, run as it stands there."""

import importlib.util
import pathlib
import re

import numpy as np
import pytest
from test_exchange import small_config, write_model

from albert_zh.export.bundle import export_model
from albert_zh.export.source import load_source

PAGE = pathlib.Path(__file__).parent.parent / "docs" / "export.md"
BATCH, *SNIPPETS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
FORMATS = ("onnx", "tflite", "saved_model", "saved_model_text", "frozen_graph")
NEEDS_TEXT = pytest.mark.skipif(
    not importlib.util.find_spec("tensorflow_text"), reason="needs the package tensorflow-text"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    directory = tmp_path_factory.mktemp("page")
    run = write_model(
        directory / "run", small_config("brightmart"), kind="classification", num_texts=2
    )
    formats = [name for name in FORMATS if name != "saved_model_text" or not NEEDS_TEXT.args[0]]
    export_model(load_source(run), export_dir=str(directory / "my_export"), formats=formats)
    return directory


def test_page_loads_each_format_once():
    assert len(SNIPPETS) == len(FORMATS)


@pytest.mark.parametrize(
    "snippet",
    [
        pytest.param(snippet, id=name, marks=[NEEDS_TEXT] if name == "saved_model_text" else [])
        for name, snippet in zip(FORMATS, SNIPPETS, strict=True)
    ],
)
def test_snippet_gives_the_probabilities_of_the_checkpoint(snippet, folder, monkeypatch):
    monkeypatch.chdir(folder)
    values = {}
    exec(BATCH + snippet, values)
    source = load_source(str(folder / "run"))
    if "texts" in values:
        pair = tuple(each.numpy()[0].decode() for each in values["texts"].values())
        expected = [each.probabilities for each in source.predictor().predict([pair])]
    else:
        expected = source.outputs(values["batch"])["probabilities"]
    np.testing.assert_allclose(values["probabilities"], expected, atol=1e-5)
