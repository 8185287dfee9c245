"""Inputs and outputs of a pipeline, on all file systems of Apache Beam.

```
gs://bucket/corpus/*.txt       -> gs://bucket/corpus/a.txt gs://bucket/corpus/b.txt
corpus/                        -> corpus/a.txt corpus/b.txt        same as without Beam
gs://bucket/out/part-*.tfrecord    shards, and manifest.json in the same directory
```
A file is remote if its path is a URL. Beam needs extra packages for most remote file systems.
"""

import os
import shlex
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from typing import IO, Any

from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions

from albert_zh.corpus.paths import STANDARD_INPUT, distinct_files, is_left_out
from albert_zh.corpus.sources import Source
from albert_zh.creation import outputs as local
from albert_zh.creation.inputs import find_inputs as find_local_inputs
from albert_zh.creation.outputs import Outputs
from albert_zh.records.manifest import MANIFEST, RecordSet, add_set
from albert_zh.util.files import check_commas, is_remote


def pipeline_options(text: str) -> PipelineOptions:
    """Parse Beam's options, written as on a command line, and set them for its file systems."""
    options = PipelineOptions(shlex.split(text))
    FileSystems.set_options(options)
    return options


def find_inputs(patterns: str, outputs: Outputs | None = None) -> list[str]:
    """Expand the list of inputs like `creation.inputs.find_inputs`, also for remote ones.

    Raises:
        FileNotFoundError: An item names no file, or the list is empty.
        ValueError: The list names standard input, or Beam lacks the package of a file system.
    """
    items = [item.strip() for item in patterns.split(",") if item.strip()] or [""]
    if STANDARD_INPUT in items:
        raise ValueError("the workers of a pipeline have no standard input; name files instead")
    groups = (
        _remote_files(item, outputs) if is_remote(item) else find_local_inputs(item, outputs)
        for item in items
    )
    try:
        return distinct_files(path for paths in groups for path in paths)
    except FileNotFoundError:
        check_commas(patterns)
        raise


def parse_outputs(text: str, *, num_shards: int | None) -> Outputs:
    """Parse paths like `Outputs.parse`, also remote ones.

    Raises:
        ValueError: `Outputs.parse` rejects them, or a pattern is given without a number of files.
    """
    paths = [path.strip() for path in text.split(",") if path.strip()]
    schemes = {path.partition("://")[0] if is_remote(path) else "" for path in paths}
    if len(schemes) > 1:
        raise ValueError(f"the files of one run go to one directory; output_file names {text}")
    scheme = "".join(schemes)
    prefix = f"{scheme}:/" if scheme else ""  # gs://bucket/name is treated as /bucket/name.
    bare = ",".join(path.removeprefix(prefix) for path in paths)
    outputs = Outputs.parse(bare, num_shards=num_shards)
    if outputs.is_pattern and num_shards is None:
        raise ValueError(
            f"a pipeline needs the number of files of {text} at its start; give"
            " --num_shards, about one per 128 MB of records: a worker sorts a file in memory"
        )
    return replace(outputs, directory=prefix + outputs.directory)


def is_complete(outputs: Outputs, wanted: RecordSet, paths: Sequence[str]) -> bool:
    """True if the outputs are complete; see `creation.outputs.is_complete`.

    Remote outputs are never resumed, so they must not exist yet.

    Raises:
        ValueError: A file with the name of an output exists and is not from this command.
    """
    if not is_remote(outputs.directory):
        return local.is_complete(outputs, wanted, lambda: [_manifest_entry(path) for path in paths])
    for path in (path for name in outputs.names for path in _match(outputs.path(name))):
        if outputs.owns(os.path.basename(path)):
            raise ValueError(f"{path} exists already. Delete it or choose another --output_file")
    return False


def add_to_manifest(directory: str, new_set: RecordSet) -> None:
    """Add a set to the manifest; a remote one is copied here and back, as it cannot be locked."""
    if not is_remote(directory):
        add_set(directory, new_set)
        return
    remote = f"{directory}/{MANIFEST}"
    with tempfile.TemporaryDirectory() as here:
        manifest = os.path.join(here, MANIFEST)
        if FileSystems.exists(remote):
            _copy(remote, manifest)
        add_set(here, new_set)
        _copy(manifest, remote)


def open_stored(path: str) -> IO[bytes]:
    """Open a file to read its bytes as stored."""
    return FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED)


def create(path: str) -> IO[bytes]:
    """Open a file to write its bytes as stored; create its directory."""
    return FileSystems.create(path, compression_type=CompressionTypes.UNCOMPRESSED)


def move(sources: Sequence[str], targets: Sequence[str]) -> None:
    FileSystems.rename(list(sources), list(targets))


def path_exists(path: str) -> bool:
    """True for a file, for a local directory, and for a remote directory that is not empty."""
    if is_remote(path):
        return FileSystems.exists(path) or bool(_match(f"{path}/*"))
    return os.path.exists(path)


def remove_directory(directory: str) -> None:
    """Remove a directory with its content if it exists."""
    if not is_remote(directory):
        shutil.rmtree(directory, ignore_errors=True)
    elif path_exists(directory):
        FileSystems.delete([f"{directory}/"])  # Buckets have prefixes, not directories.


def _remote_files(pattern: str, outputs: Outputs | None) -> list[str]:
    def is_input(path: str) -> bool:
        directory, _, name = path.rpartition("/")
        is_own = outputs and directory == outputs.directory and outputs.owns(name)
        # Some tools mark folders of a bucket with empty files whose names end in a slash.
        return path == pattern or not (not name or is_left_out(name) or name == MANIFEST or is_own)

    if files := list(filter(is_input, _match(pattern))):
        return files
    raise FileNotFoundError(f"no file matches {pattern!r}; check the path")


def _match(pattern: str) -> list[str]:
    (result,) = FileSystems.match([pattern])
    return sorted(file.path for file in result.metadata_list)


def _copy(source: str, target: str) -> None:
    with open_stored(source) as reading, create(target) as writing:
        shutil.copyfileobj(reading, writing)


def _manifest_entry(path: str) -> dict[str, Any]:
    """Name, size and hash of an input file."""
    source = Source(path, open_stored)
    for _ in source:
        pass
    return source.manifest_entry()
