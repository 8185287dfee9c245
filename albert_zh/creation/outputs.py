"""The files of --output_file, and the check whether they exist already.

```
--output_file=out/a.tfrecord,out/b.tfrecord      these files
--output_file='out/news-*.tfrecord'              out/news-00000-of-00012.tfrecord ...: as many as
                                                 the data needs; the same pattern reads them
```
"""

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from albert_zh.records.manifest import MANIFEST, UNFINISHED, RecordSet, Shard, read_manifest
from albert_zh.util.files import is_remote, sha256_of_file

_SHARD_BYTES = 128 << 20  # large enough to read well, small enough for some files a device
_COUNT = r"\d{5}-of-(\d{5})"


@dataclass(frozen=True)
class Outputs:
    """The output files of one run; they share a directory with their manifest.

    >>> Outputs.parse("out/news-*.tfrecord").files(num_bytes=300 << 20)
    ['news-00000-of-00003.tfrecord', 'news-00001-of-00003.tfrecord', 'news-00002-of-00003.tfrecord']
    >>> Outputs.parse("out/a.tfrecord, out/b.tfrecord").files(num_bytes=300 << 20)
    ['a.tfrecord', 'b.tfrecord']
    """

    directory: str
    names: tuple[str, ...]  # without the directory; a single one with * is a pattern
    num_shards: int | None = None  # files of a pattern; None: as many as the data needs

    @classmethod
    def parse(cls, text: str, *, num_shards: int | None = None) -> "Outputs":
        """Parse a comma-separated list of paths.

        Raises:
            ValueError: No path, a path twice, a directory, paths in different directories, a
                pattern among other paths, or a number of shards without a pattern.
        """
        paths = [path.strip() for path in text.split(",") if path.strip()]
        _check_paths(paths, text)
        outputs = cls(
            os.path.dirname(os.path.abspath(paths[0])),
            tuple(map(os.path.basename, paths)),
            num_shards,
        )
        if num_shards is not None and (num_shards < 1 or not outputs.is_pattern):
            raise ValueError(
                "num_shards is the number of files a pattern stands for, at least 1; write"
                " --output_file='name-*.tfrecord'"
            )
        return outputs

    @property
    def is_pattern(self) -> bool:
        return "*" in self.names[0]

    @property
    def work_directory(self) -> str:
        """The directory for the results of an unfinished run."""
        return self.path(f"{self.names[0].replace('*', 'all')}{UNFINISHED}")

    def path(self, file: str) -> str:
        return os.path.join(self.directory, file)

    def files(self, *, num_bytes: int) -> list[str]:
        """Names of the shards for records of `num_bytes` together."""
        if not self.is_pattern:
            return list(self.names)
        count = self.num_shards or max(1, -(-num_bytes // _SHARD_BYTES))
        before, after = self.names[0].split("*")
        return [f"{before}{index:05}-of-{count:05}{after}" for index in range(count)]

    def labels(self, shards: Sequence[Shard]) -> list[str]:
        """The shards for people: the paths, or the pattern with the number of its files."""
        if self.is_pattern:
            return [f"{len(shards)} file{'s' * (len(shards) > 1)} {self.path(self.names[0])}"]
        return [self.path(shard.file) for shard in shards]

    def existing(self) -> list[str]:
        """Names of existing files that may be shards of these outputs."""
        if not self.is_pattern:
            return [name for name in self.names if os.path.exists(self.path(name))]
        names = os.listdir(self.directory) if os.path.isdir(self.directory) else []
        return sorted(filter(self.owns, names))

    def owns(self, file: str) -> bool:
        """True if a shard of these outputs may have the name."""
        if not self.is_pattern:
            return file in self.names
        before, after = map(re.escape, self.names[0].split("*"))
        return re.fullmatch(f"{before}{_COUNT}{after}", file) is not None


def is_complete(
    outputs: Outputs, wanted: RecordSet, describe_inputs: Callable[[], list[dict[str, Any]]]
) -> bool:
    """True if all shards exist, with the same recipe, vocabulary and inputs.

    False means that they may be written: none of them exists, or some of the very same set do.

    Args:
        outputs: The places of the shards.
        wanted: Their recipe and vocabulary, without the inputs.
        describe_inputs: Returns the inputs; called only if the answer depends on them.

    Raises:
        ValueError: Another file has the name of an output.
    """
    existing = outputs.existing()
    for known in read_manifest(outputs.directory):
        files = [shard.file for shard in known.shards]
        present = [file for file in files if os.path.exists(outputs.path(file))]
        if not present or not any(map(outputs.owns, files)):
            continue
        where = outputs.path(present[0])
        if not outputs.is_pattern and files != list(outputs.names):
            raise _occupied(where, f"as one of {len(files)} files: {', '.join(files)}")
        # The recipes are compared first, without inputs: that needs no reading of the corpus.
        difference = replace(known, inputs=[]).difference(wanted) or known.difference(
            replace(wanted, inputs=describe_inputs())
        )
        if difference:
            raise _occupied(where, f"from another run: {difference}")
        for file in present:
            _check_unchanged(outputs.path(file), known)
        if stray := [file for file in existing if file not in files]:
            raise _unlisted(outputs.path(stray[0]))
        return present == files
    if existing:
        raise _unlisted(outputs.path(existing[0]))
    return False


def _check_paths(paths: list[str], text: str) -> None:
    if not paths:
        raise ValueError("output_file names no file")
    for path in filter(is_remote, paths):
        raise ValueError(
            f"output_file {path} is not on this machine; write the records here and copy them, or"
            " use scripts/create_pretraining_data_beam.py, which writes to object stores"
        )
    if len(set(map(os.path.abspath, paths))) < len(paths):
        raise ValueError(f"output_file names a file twice: {text}")
    if len({os.path.dirname(os.path.abspath(path)) for path in paths}) > 1:
        raise ValueError(
            "the files of one run go to one directory, where their manifest is kept;"
            f" output_file names several: {text}"
        )
    if text.count("*") > (len(paths) == 1) or "*" in os.path.dirname(paths[0]):
        raise ValueError(
            "an output_file with a * stands for all files of the run, so it has one * in its file"
            f" name and no other path beside it; got {text}"
        )
    for path in paths:
        if os.path.isdir(path):
            raise ValueError(f"output_file {path} is a directory; name a file in it")
        above = os.path.dirname(os.path.abspath(path))
        while not os.path.exists(above):
            above = os.path.dirname(above)
        if not os.path.isdir(above):
            raise ValueError(f"output_file {path} cannot be written: {above} is no directory")


def _check_unchanged(path: str, known: RecordSet) -> None:
    shard = known.shard(os.path.basename(path))
    if os.path.getsize(path) != shard.bytes or sha256_of_file(path) != shard.sha256:
        raise _occupied(path, f"but changed since {MANIFEST} was written")


def _unlisted(path: str) -> ValueError:
    if os.path.exists(os.path.join(os.path.dirname(path), MANIFEST)):
        return _occupied(path, f"and {MANIFEST} beside it does not list it")
    return _occupied(path, f"and there is no {MANIFEST} beside it, which says what it is made of")


def _occupied(path: str, how: str) -> ValueError:
    return ValueError(f"{path} exists already, {how}. Delete it or choose another --output_file")
