"""Quick import of TensorFlow, and a quiet one on a machine without a GPU.

TensorFlow's log writes to standard error by itself. TF_CPP_MIN_LOG_LEVEL=1 leaves out what is no
warning, except for what is logged while TensorFlow is imported and looks for GPUs: that takes no
setting. So on a machine without a GPU a filter drops these lines until the devices are known:

    WARNING: All log messages before absl::InitializeLog() is called are written to STDERR
    I0000 ... oneDNN custom operations are on. ...
    I0000 ... Could not find cuda drivers on your machine, GPU will not be used.
    E0000 ... failed call to cuInit: ...

The setting is 2 there, which leaves out warnings, too: for a bad record several threads warn that a
`Local rendezvous is aborting`, before our error names the record. Where there is a GPU, warnings
and the lines above are shown, so that its owner sees why TensorFlow does not use it.
TF_CPP_MIN_LOG_LEVEL=0 in the environment shows everything on any machine.
"""

import contextlib
import gc
import os
import re
import signal
import sys
import warnings
from collections.abc import Iterator

from albert_zh.util.nvidia import find_nvidia_gpu

_LEVEL = "TF_CPP_MIN_LOG_LEVEL"
_KERAS = "keras.src"  # Without it, "keras" is found, but cannot be imported.
_AMD_DRIVER = "/dev/kfd"
# No warning, or the search for a GPU that is not there.
_NOISE = re.compile(
    rb"I\d{4} |WARNING: All log messages before absl|To enable the following instructions"
    rb"|E\d{4} .*(cuInit|cuda|cuDNN|cuFFT|cuBLAS)"
)


def import_tensorflow() -> None:
    """Import TensorFlow and list its devices, quietly on a machine without a GPU."""
    has_gpu = os.path.exists(_AMD_DRIVER) or find_nvidia_gpu() is not None
    shows_all = has_gpu or os.environ.get(_LEVEL) == "0"
    os.environ.setdefault(_LEVEL, "1" if has_gpu else "2")
    quiet = contextlib.nullcontext() if shows_all else filtered_standard_error(_NOISE)
    with quiet, _keras_left_out(), _garbage_left_alone():
        import tensorflow as tf

        tf.config.list_physical_devices()


@contextlib.contextmanager
def _garbage_left_alone() -> Iterator[None]:
    """Within it, garbage is not looked for; afterwards, not among the objects that exist then.

    A million objects, which stay, come with TensorFlow. Python went through them again and again: a
    seventh of the import's time, and as much of that of building a graph.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()


@contextlib.contextmanager
def _keras_left_out() -> Iterator[None]:
    """Within it, an import of Keras fails, which that of TensorFlow does without.

    It is a fifth to a third of the import's time, with matplotlib if that is installed. Afterwards
    Keras can be imported as ever, also as `tf.keras`.
    """
    if _KERAS in sys.modules:
        yield
        return
    sys.modules[_KERAS] = None
    try:
        yield
    finally:
        del sys.modules[_KERAS]


@contextlib.contextmanager
def python_log_from(level: int) -> Iterator[None]:
    """Leave out what is less than a level of absl.logging: notes to TensorFlow's own developers."""
    from absl import logging

    verbosity = logging.get_verbosity()
    logging.set_verbosity(level)
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)


@contextlib.contextmanager
def muted_standard_error() -> Iterator[None]:
    """Drop warnings, and what C++ code writes to standard error; not for what may crash."""
    sys.stderr.flush()
    kept = os.dup(2)
    nothing = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 2)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)


@contextlib.contextmanager
def filtered_standard_error(noise: re.Pattern[bytes]) -> Iterator[None]:
    """Drop the lines of standard error that begin with `noise`, from C++ code too.

    Another process filters, so that the last words of one that crashes are shown.
    """
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # It ends after its parent.
        os.close(write_end)
        _copy_lines(read_end, noise)
        os._exit(0)
    os.close(read_end)
    kept = os.dup(2)
    os.dup2(write_end, 2)
    os.close(write_end)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.waitpid(child, 0)


def _copy_lines(source: int, noise: re.Pattern[bytes]) -> None:
    with contextlib.suppress(OSError), open(source, "rb") as lines:
        for line in lines:
            if not noise.match(line):
                os.write(2, line)
