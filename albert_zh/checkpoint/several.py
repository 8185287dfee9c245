"""Several checkpoints named by one flag.

```
my_model/seed_*                  the best checkpoint of each seed
my_albert/model.ckpt-*           all checkpoints of a run
tiny_run,base_run/model.ckpt-90  these two
```
Local paths need no TensorFlow.
"""

import glob
import os
import re

from albert_zh.checkpoint.paths import find_checkpoint

SEVERAL = (
    "folders, which stand for their best or newest checkpoint, or checkpoints, separated by "
    "commas; in their names, * stands for any text, as in my_model/seed_*"
)
_INDEX = ".index"


def find_several(text: str, *, flag: str) -> list[str]:
    """The checkpoints that a flag names, without their endings.

    Raises:
        FileNotFoundError: One is missing.
        ValueError: There is only one, or one is named twice.
    """
    paths = [path for part in text.split(",") for path in _expanded(part.strip(), flag)]
    found = [find_checkpoint(path, flag=flag) for path in paths]
    if twice := [path for path in found if found.count(path) > 1]:
        raise ValueError(f"--{flag}={text} names {twice[0]} twice; leave one out")
    if len(found) < 2:
        raise ValueError(f"--{flag}={text} names one checkpoint, {found[0]}; name two or more")
    return found


def _expanded(path: str, flag: str) -> list[str]:
    """The folders and checkpoints that a pattern matches; a path without `*` as it is."""
    if "*" not in path or "://" in path:
        return [path]
    pattern = glob.escape(path).replace("[*]", "*")  # `run[1]` is a name like any other.
    names = [name for name in glob.glob(pattern) if os.path.isdir(name) or name.endswith(_INDEX)]
    names += glob.glob(pattern + _INDEX)
    found = {name.removesuffix(_INDEX) for name in names if not name.endswith(".tmp" + _INDEX)}
    if not found:
        raise FileNotFoundError(f"--{flag}: no folder and no checkpoint matches {path}")
    return sorted(found, key=_natural)


def _natural(text: str) -> list[tuple[int, str]]:
    """Sorts model.ckpt-200 before model.ckpt-1000."""
    return [(int(part or 0), rest) for part, rest in re.findall(r"(\d*)(\D*)", text)]
