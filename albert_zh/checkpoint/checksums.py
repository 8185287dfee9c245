"""Checksums of a model that is passed on: whoever uses it has all of its files, undamaged.

```
models/albert_tiny/  albert_model.ckpt.*  albert_config.json  vocab.txt  ...  SHA256SUMS
```
The file has the lines of the program sha256sum, so `sha256sum -c SHA256SUMS` checks it, too.
"""

import functools
import os
import re
from collections.abc import Sequence

from albert_zh.util.checksums import check_files
from albert_zh.util.files import atomic_write, read_lines, sha256_of_file

SUMS = "SHA256SUMS"
_LINE = re.compile(r"([0-9a-f]{64}) [ *](.+)")


def write_checksums(folder: str, names: Sequence[str]) -> None:
    """Write the checksums of files of a folder."""
    lines = [f"{sha256_of_file(os.path.join(folder, name))}  {name}\n" for name in sorted(names)]
    with atomic_write(os.path.join(folder, SUMS), "w") as file:
        file.writelines(lines)


def check_checksums(folder: str) -> None:
    """Check the files of a local folder that has checksums; any other folder is fine.

    Raises:
        FileNotFoundError: A file is missing.
        ValueError: A file is another one, or the checksums cannot be read.
    """
    path = os.path.join(folder, SUMS)
    if os.path.isfile(path):
        with os.scandir(folder or ".") as entries:
            times = frozenset((entry.name, entry.stat().st_mtime_ns) for entry in entries)
        _check(path, times)


# A run asks for its initial checkpoint several times.
@functools.cache
def _check(path: str, _times: frozenset[tuple[str, int]]) -> None:
    sums = {}
    for number, line in enumerate(read_lines(path), start=1):
        match = _LINE.fullmatch(line)
        if not match:
            raise ValueError(f"{path}, line {number}: no checksum and file name: {line!r}")
        expected, name = match.groups()
        sums[name] = expected
    check_files(
        os.path.dirname(path),
        sums,
        listed_in=path,
        way_out=f"copy it again, or remove {SUMS} if you changed the folder on purpose",
    )
