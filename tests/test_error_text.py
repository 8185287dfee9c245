"""Errors of the operating system and of TensorFlow in one line: path, reason, way out."""

import errno
import os
import subprocess
import sys

import pytest
import tensorflow as tf

from albert_zh.util.error_text import one_line
from albert_zh.util.object_files import write_text

ROOM = "No space left on device; make room there, or choose another place"


def os_error(number: int, *path: str) -> OSError:
    return OSError(number, os.strerror(number), *path)


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (os_error(errno.ENOENT, "a.json"), "a.json: No such file or directory; check the path"),
        (os_error(errno.ENOSPC), ROOM),
        (OSError("a.json is damaged"), "a.json is damaged"),
        (ValueError("bad row 7"), "bad row 7"),
        (
            tf.errors.ResourceExhaustedError(
                None,
                None,
                "{{function_node __wrapped__SaveV2_dtypes_2_device_/device:CPU:0}} "
                "out/model.ckpt-0.tmp; No space left on device [Op:SaveV2]",
            ),
            f"out/model.ckpt-0.tmp: {ROOM}",
        ),
        (
            tf.errors.PermissionDeniedError(None, None, "out; Permission denied"),
            "out: Permission denied; change its permissions, or choose another place",
        ),
        (
            tf.errors.ResourceExhaustedError(
                None, None, "{{function_node f}} OOM when allocating tensor [Op:MatMul]\nmore"
            ),
            "out of memory (OOM when allocating tensor); lower --micro_batch_size, or set "
            "--recompute=True",
        ),
        (
            tf.errors.InvalidArgumentError(None, None, "{{node a}} shapes differ\nat line 3"),
            "InvalidArgumentError in TensorFlow: shapes differ; --verbosity=1 shows where it came "
            "from",
        ),
    ],
)
def test_error_is_one_line(error, line):
    assert one_line(error) == line


@pytest.mark.parametrize("mark", ["'", '"'])
def test_long_quotation_is_shortened(mark):
    text = f"{mark}{'很长的文本' * 40}{mark}"
    error = ValueError(f"a.csv:3: unknown label {text}; it isn't one of {text}, nor of the others'")
    short = f"{mark}{'很长的文本' * 20}...{mark}"
    assert one_line(error) == (
        f"a.csv:3: unknown label {short}; it isn't one of {short}, nor of the others'"
    )


@pytest.mark.parametrize(
    "message",
    [
        f"isn't known; {'the labels are many ' * 20}; it is the user's",
        f"no file matches '/{'folder/' * 26}a.txt'",
        f"one of {', '.join(repr(str(number)) for number in range(100))}",
    ],
    ids=["apostrophes", "path", "short quotations"],
)
def test_other_parts_of_a_message_stay_whole(message):
    assert one_line(ValueError(message)) == message


def test_real_errors_of_tensorflow_name_path_and_way_out(tmp_path):
    file = str(tmp_path / "file")
    write_text(file, "text")
    with pytest.raises(tf.errors.OpError) as raised:
        tf.io.gfile.listdir(str(tmp_path / "nosuch"))
    assert "nosuch" in one_line(raised.value)
    with pytest.raises(OSError, match=r"cannot write .*file/a: .*file is not a directory"):
        write_text(os.path.join(file, "a"), "text")


def test_full_disk_leaves_no_part_of_a_checkpoint(tmp_path):
    program = (
        "import resource, sys\n"
        "import numpy as np\n"
        "from albert_zh import cli\n"
        "from albert_zh.checkpoint.files import write_checkpoint\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "path = sys.argv.pop()\n"
        "def run():\n"
        "    write_checkpoint(path, {'a': np.ones(5000, np.float32)}, {})\n"
        "cli.run(run)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "model.ckpt-1")],
        capture_output=True,
        text=True,
        check=False,
    )
    last = done.stderr.splitlines()[-1]
    assert done.returncode == 1
    assert last.startswith(
        f"error: cannot write {tmp_path}/model.ckpt-1: File too large; make room there, or choose"
    )
    assert "{{" not in last
    assert os.listdir(tmp_path) == []
