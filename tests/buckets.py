"""A file system like those of cloud storage, as Apache Beam sees it: bucket://name/of/file."""

import os
import pathlib
import shutil

from apache_beam.io.filesystem import FileMetadata
from apache_beam.io.localfilesystem import LocalFileSystem

PREFIX = "bucket://"


class BucketFileSystem(LocalFileSystem):
    """Keeps its files in a folder. It has no directories, only names that begin alike."""

    root: pathlib.Path  # set by a test

    @classmethod
    def scheme(cls):
        return "bucket"

    def has_dirs(self):
        return False

    def exists(self, path):
        return self._place(path).is_file()

    def metadata(self, path):
        return FileMetadata(path, self._place(path).stat().st_size)

    def rename(self, source_file_names, destination_file_names):
        for source, target in zip(source_file_names, destination_file_names, strict=True):
            os.replace(self._place(source), self._place(target))

    def delete(self, paths):
        for path in paths:
            assert path.endswith("/"), "a prefix"
            shutil.rmtree(self._place(path))

    def _list(self, dir_or_prefix):
        for place in self.root.rglob("*"):
            path = PREFIX + str(place.relative_to(self.root))
            if place.is_file() and path.startswith(dir_or_prefix):
                yield self.metadata(path)

    def _path_open(self, path, mode, mime_type="", compression_type=None):
        assert compression_type == "uncompressed"
        return open(self._place(path), mode)

    def create(self, path, mime_type="", compression_type=None):
        self._place(path).parent.mkdir(parents=True, exist_ok=True)
        return self._path_open(path, "wb", mime_type, compression_type)

    def _place(self, path):
        assert path.startswith(PREFIX), path
        return self.root / path.removeprefix(PREFIX)
