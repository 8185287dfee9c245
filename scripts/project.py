"""Put the clone on Python's path, so that scripts run without installation. They import `cli`."""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

sys.path.insert(0, str(ROOT))

from albert_zh import cli  # noqa: E402

__all__ = ["ROOT", "cli"]
