"""Fixtures and settings of all tests."""

import contextlib
import gc
import os
import pathlib
import signal
import sys
from unittest import mock

import hypothesis
import pytest

from albert_zh.util.process_pool import available_cores

# A busy machine is slow for a moment now and then; no test is about speed.
hypothesis.settings.register_profile("no deadline", deadline=None)
hypothesis.settings.load_profile("no deadline")

# Before any test imports TensorFlow, which reads it once.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# What is imported stays. Python's search for garbage went through it again and again, a million
# objects with TensorFlow: an eighth of the time of the tests that build graphs.
gc.disable()

# Shells start programs in the background with Ctrl-C ignored, and their programs inherit that.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Files that take longest. Started first, none of them is left for one process alone at the end.
_LONG = ("test_step.py", "test_kills.py", "test_recompute.py", "test_pretraining.py")


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.path.name not in _LONG)


def pytest_collection_finish():
    gc.freeze()
    gc.enable()


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist, without which tests run, too
def pytest_xdist_auto_num_workers(config) -> int:
    """One process more than there are cores: a test often waits for the scripts that it starts."""
    return available_cores() + 1


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """Leaves pictures of runs blank: they cost a second a run. Tests marked `pictures` draw."""
    library = sys.modules.get("matplotlib.figure")
    if library is None or item.get_closest_marker("pictures"):
        return (yield)
    with mock.patch.object(library.Figure, "savefig", lambda _, file, **__: file.write(b"blank")):
        return (yield)


def _folder_named_by(variable: str, what: str) -> pathlib.Path:
    if variable not in os.environ:
        pytest.skip(f"needs {what}: set {variable} to the folder that holds it")
    folder = pathlib.Path(os.environ[variable])
    assert folder.is_dir(), f"{variable} is {folder}, which is no folder"
    return folder


@contextlib.contextmanager
def _functions_run_eagerly():
    # Most tests do without TensorFlow, which takes seconds to load.
    import tensorflow as tf

    before = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(before)


@pytest.fixture
def eager():
    """Runs tf.functions as plain Python: building the graph of a step costs seconds a model."""
    with _functions_run_eagerly():
        yield


@pytest.fixture(scope="module")
def module_eager():
    """As `eager`, for all tests of a module and the runs that they share."""
    with _functions_run_eagerly():
        yield


@pytest.fixture(scope="session")
def data(tmp_path_factory) -> pathlib.Path:
    """A folder with vocabulary, corpus and records, to which tests add configurations."""
    import small_pretraining

    directory = tmp_path_factory.mktemp("data")
    small_pretraining.write_data(directory)
    return directory


@pytest.fixture(scope="session")
def golden_dir() -> pathlib.Path:
    """Folder of recorded outputs of the published code."""
    return _folder_named_by("ALBERT_ZH_GOLDEN", "outputs of the published code")


@pytest.fixture(scope="session")
def test_data_dir() -> pathlib.Path:
    """Folder of real datasets and vocabularies."""
    return _folder_named_by("ALBERT_ZH_TEST_DATA", "real data")
