"""Python code of docs/export.md, run as it stands there."""

import pathlib
import re

import numpy as np
import pytest
from test_exchange import small_config, write_model

from albert_zh.export.bundle import export_model
from albert_zh.export.source import load_source

PAGE = pathlib.Path(__file__).parent.parent / "docs" / "export.md"
BATCH, *SNIPPETS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
FORMATS = ("onnx", "tflite", "saved_model", "frozen_graph")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    directory = tmp_path_factory.mktemp("page")
    run = write_model(directory / "run", small_config("brightmart"), kind="classification")
    export_model(load_source(run), export_dir=str(directory / "my_export"), formats=FORMATS)
    return directory


def test_page_loads_each_format_once():
    assert len(SNIPPETS) == len(FORMATS)


@pytest.mark.parametrize("snippet", SNIPPETS, ids=FORMATS)
def test_snippet_gives_the_probabilities_of_the_checkpoint(snippet, folder, monkeypatch):
    monkeypatch.chdir(folder)
    values = {}
    exec(BATCH + snippet, values)
    expected = load_source(str(folder / "run")).outputs(values["batch"])["probabilities"]
    np.testing.assert_allclose(values["probabilities"], expected, atol=1e-5)
