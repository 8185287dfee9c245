"""`history.jsonl`: the metrics of a run, one row per log interval and per validation.

```
{"step": 100, "steps": 100, "loss": 7.93, "masked_lm_accuracy": 0.11, ..., "seconds": 9.8}
{"step": 100, "validation_loss": 8.02, ...}
```
"""

import json
import operator
import os
import re
from collections.abc import Iterable, Mapping
from typing import Any

import tensorflow as tf
from absl import logging

from albert_zh.checkpoint.paths import HISTORY, VALIDATION
from albert_zh.util.object_files import append_line, write_text

_OLD_VALIDATION = "held_out_"  # the same in earlier files


class History:
    """The rows of one output directory."""

    def __init__(self, directory: str):
        self._path = os.path.join(directory, HISTORY)

    def rows(self) -> list[dict[str, Any]]:
        """The rows, the oldest first; none where there is no file.

        An incomplete last line is left out.

        Raises:
            ValueError: A line is no row; file and line are named.
        """
        return [self._parse(*line) for line in enumerate(self._lines()[:-1], start=1)]

    def _lines(self) -> list[bytes]:
        """The lines without their ends, and what follows the last end: nothing, or half a line."""
        if not tf.io.gfile.exists(self._path):
            return [b""]
        with tf.io.gfile.GFile(self._path, "rb") as file:
            return file.read().split(b"\n")

    def _parse(self, number: int, line: bytes) -> dict[str, Any]:
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
        """Remove rows after a step, left by a killed run; return the others.

        The step is that of a checkpoint, before which its row of training was written whole: half
        such a row is no trace of a kill, so its loss is said. A validation follows its checkpoint,
        and is made up for.
        """
        lost = re.match(rb'\{"step": (\d+), ("steps")?', self._lines()[-1])
        if lost and int(lost[1]) < step + bool(lost[2]):
            logging.warning(
                "%s: the end of the last line is missing, so the row of step %d is lost",
                self._path,
                int(lost[1]),
            )
        rows = [row for row in self.rows() if row["step"] <= step]
        if tf.io.gfile.exists(self._path):
            self._write(rows)
        return rows

    def insert(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add rows of earlier steps, each behind those of its step."""
        self._write(sorted([*self.rows(), *rows], key=operator.itemgetter("step")))

    def append(self, row: Mapping[str, Any]) -> None:
        append_line(self._path, _as_line(row))

    def _write(self, rows: Iterable[Mapping[str, Any]]) -> None:
        write_text(self._path, "".join(_as_line(row) + "\n" for row in rows))


def _as_line(row: Mapping[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False)


def _key(key: str) -> str:
    old = key.removeprefix(_OLD_VALIDATION)
    return key if old == key else VALIDATION + old
