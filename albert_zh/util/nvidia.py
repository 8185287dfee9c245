"""NVIDIA GPUs of this machine, seen without TensorFlow and its CUDA libraries.

`scripts/setup.sh` asks before anything is installed, so this module uses only the standard library.
"""

import glob
import os
import subprocess

# The driver's own folder, its devices, the driver of Windows within WSL.
_SIGNS = ("proc/driver/nvidia/version", "dev/nvidia[0-9]*", "usr/lib/wsl/lib/libcuda.so.1")
_ANSWER_SECONDS = 20.0  # nvidia-smi wakes the GPUs, which takes seconds


def find_nvidia_gpu(root: str = "/") -> str | None:
    """The file or the program that shows an NVIDIA GPU with its driver; None if nothing does.

    Args:
        root: Folder to look into for files.
    """
    for sign in _SIGNS:
        for path in sorted(glob.glob(os.path.join(root, sign))):
            return path
    try:
        done = subprocess.run(
            ["nvidia-smi", "-L"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_ANSWER_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return "nvidia-smi" if done.returncode == 0 and b"No devices" not in done.stdout else None
