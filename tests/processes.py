"""Processes of tests that need not import everything again: forks of a server that has it all."""

import multiprocessing
import os
import pathlib
import runpy
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).parent.parent

# Nothing runs in the server yet, so that TensorFlow can still be configured in its forks.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(
    [
        "albert_zh.creation.run",
        "albert_zh.pretraining.run",
        "albert_zh.finetuning.run",
        "albert_zh.export.bundle",
    ]
)


def run_script(
    script: str | os.PathLike,
    *flags: str | os.PathLike,
    text: str | bytes = "",
    cwd: str | os.PathLike = ROOT,
    timeout: float = 300.0,
    **environment: str,
) -> subprocess.CompletedProcess[str]:
    """A script of the project run to its end, as by `subprocess.run`, without the time of a start.

    Args:
        script: Its path, from the root.
        flags: Of its command line.
        text: Its standard input.
        cwd: Its current directory.
        timeout: Seconds after which the test fails.
        environment: Variables beside those of this process.
    """
    with tempfile.TemporaryDirectory() as folder:
        given, out, errors = (pathlib.Path(folder, name) for name in ("in", "out", "errors"))
        given.write_bytes(text.encode() if isinstance(text, str) else text)
        command = [str(ROOT / script), *map(str, flags)]
        child = PROCESSES.Process(
            target=_run,
            args=(command, (given, out, errors), cwd, {**os.environ, **environment}),
        )
        child.start()
        child.join(timeout)
        if child.is_alive():
            child.kill()
            raise subprocess.TimeoutExpired(command, timeout, out.read_text(), errors.read_text())
        return subprocess.CompletedProcess(
            command, child.exitcode, out.read_text("utf-8"), errors.read_text("utf-8")
        )


def _run(command, streams, folder, environment) -> None:
    modes = (os.O_RDONLY, os.O_CREAT | os.O_WRONLY, os.O_CREAT | os.O_WRONLY)
    for number, (path, mode) in enumerate(zip(streams, modes, strict=True)):
        os.dup2(os.open(path, mode), number)
    sys.stdin, sys.stdout, sys.stderr = (
        os.fdopen(number, mode, buffering, closefd=False)
        for number, mode, buffering in ((0, "r", -1), (1, "w", -1), (2, "w", 1))
    )
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = command
    sys.path.insert(0, os.path.dirname(command[0]))
    try:
        runpy.run_path(command[0], run_name="__main__")
    except SystemExit:
        raise
    except BaseException:  # as Python itself does
        sys.excepthook(*sys.exc_info())
        sys.exit(1)
