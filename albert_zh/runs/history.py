"""`history.jsonl`: the metrics of a run, one row per log interval and per validation.

```
{"step": 100, "steps": 100, "loss": 7.93, "masked_lm_accuracy": 0.11, ..., "seconds": 9.8}
{"step": 100, "validation_loss": 8.02, ...}
```
"""

import json
import os
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from albert_zh.util.object_files import append_line, write_text

FILE = "history.jsonl"
VALIDATION = "validation_"  # begins the keys of validation metrics
_OLD_VALIDATION = "held_out_"  # the same in earlier files


class History:
    """The rows of one output directory."""

    def __init__(self, directory: str):
        self._path = os.path.join(directory, FILE)

    def rows(self) -> list[dict[str, Any]]:
        """The rows, the oldest first; none where there is no file.

        An incomplete last line is left out.

        Raises:
            ValueError: A line is no row; file and line are named.
        """
        if not tf.io.gfile.exists(self._path):
            return []
        with tf.io.gfile.GFile(self._path, "rb") as file:
            lines = file.read().split(b"\n")
        # After the last line end: nothing, or half a line.
        return [self._parse(line, number) for number, line in enumerate(lines[:-1], start=1)]

    def _parse(self, line: bytes, number: int) -> dict[str, Any]:
        try:
            row = json.loads(line)
            row["step"] + 0
            return {_key(key): row[key] for key in row}
        except (ValueError, TypeError, KeyError):
            text = line[:60].decode(errors="replace")
            raise ValueError(
                f"{self._path}, line {number}: not a JSON object with a step: {text!r}; remove the "
                "line"
            ) from None

    def truncate(self, step: int) -> list[dict[str, Any]]:
        """Remove rows after a step, left by a killed run; return the others."""
        rows = [row for row in self.rows() if row["step"] <= step]
        if tf.io.gfile.exists(self._path):
            write_text(self._path, "".join(json.dumps(row) + "\n" for row in rows))
        return rows

    def append(self, row: Mapping[str, Any]) -> None:
        append_line(self._path, json.dumps(row))


def _key(key: str) -> str:
    old = key.removeprefix(_OLD_VALIDATION)
    return key if old == key else VALIDATION + old
