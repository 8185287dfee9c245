"""Download a published model, or a dataset of CLUE.

  python scripts/download.py --model=albert_tiny_zh --to=prev_trained_model/albert_tiny_zh
  python scripts/download.py --task=tnews --to=CLUEdataset/tnews

The folder is created only after all its files are checked. An existing folder is never changed.
"""

import concurrent.futures
import contextlib
import http.client
import os
import shutil
import tempfile
import threading
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from project import cli

from albert_zh.flags import REQUIRED, option
from albert_zh.tasks.catalog import find_task
from albert_zh.tasks.splits import read_split
from albert_zh.util.files import sha256_of_file
from albert_zh.util.progress import Progress

# Being offline is normal: a user without a network should wait seconds, not minutes.
ANSWER_SECONDS = 5.0
STALL_SECONDS = 30.0
_CHUNK = 1 << 18  # bytes


@dataclass(frozen=True)
class PublishedModel:
    """Address and files of a published model."""

    url: str  # of a zip archive
    files: Mapping[str, int | None]  # file to extract -> size in bytes, if known


MODELS = {
    "albert_tiny_zh": PublishedModel(
        url="https://storage.googleapis.com/albert_zh/albert_tiny_489k.zip",
        files={
            "albert_config_tiny.json": None,
            # 31 float32 variables, no optimizer state. No checksum was published.
            "albert_model.ckpt.data-00000-of-00001": 17_180_744,
            "albert_model.ckpt.index": None,
            "vocab.txt": None,
        },
    ),
}


# Bytes and SHA-256 of CLUE's archives, as the datasets library lists them. Of the others, the
# number of examples is checked.
ARCHIVES = {
    "afqmc": (1_195_044, "5a4cb1556b833010c329fa2ad2207d9e98fc94071b7e474015e9dd7c385db4dc"),
    "tnews": (5_123_575, "77c476e70cfe0b014a81b84c6e1db2142a8a2f52f4ae0a8216aa75e673933462"),
    "iflytek": (6_505_938, "c59b961b29f1d0bad0c5e01aa62e4a61a80e9cfb980ce89b06c000851fbb3b06"),
    "cmnli": (31_404_066, "3a3f3b1d3d27134cf11e585156f07fa050bd0a0836821c02696af0dbaa14513b"),
    "cluewsc2020": (281_384, "ebe5f357b19392d601be401b2fd4246983f534809a078eab7bda1de418fb3ffe"),
    "csl": (3_234_594, "795d1a2e475d59acad8236f6c5baba7a0b43d3e0508cb60f15ffbc76d5f437c4"),
    "cmrc2018": (3_405_146, "6c63dc27e728ec5231aeb7d2861b4c90b6c116390582e0c44416cf3edf030b16"),
    "drcd": (7_264_200, "f03a38bded37572e224b69b822794eca6218f9584afc0918bf8aa2bc77cf968d"),
    "chid": (139_199_202, "be02dbcc41a9c237542141f53836e70a209f7a686cf894891411c7e5534f73a4"),
    "c3": (3_495_930, "20dfa683c57c9795129e22d8dd0c299d6b2a29fbc84758ef2ebdb8b2904d7e12"),
}


@dataclass(frozen=True)
class DownloadOptions:
    """Flags of the download."""

    model: str | None = option(None, "Name of the model.", choices=tuple(MODELS))
    task: str | None = option(None, "Name of the dataset, such as tnews.")
    to: str = option(REQUIRED, "New folder for the model or the dataset.")
    url: str | None = option(None, "Another address of the same archive, such as a mirror.")

    def check(self) -> None:
        if (self.model is None) == (self.task is None):
            raise ValueError("give either --model or --task")


def main(options: DownloadOptions) -> None:
    if options.model:
        model = MODELS[options.model]
        download(options.url or model.url, files=model.files, folder=options.to)
    else:
        download_dataset(options.task, url=options.url, folder=options.to)
    print(f"downloaded {options.model or options.task} to {options.to}")


def download(url: str, *, files: Mapping[str, int | None], folder: str) -> None:
    """Create `folder` with the given files of the archive at `url`.

    Args:
        url: Address of a zip archive; the folders inside it do not matter.
        files: Names of the files to extract, with their size in bytes if known.
        folder: Folder to create; it may exist if it is empty.

    Raises:
        FileExistsError: The folder is not empty.
        OSError: The archive cannot be fetched, or the disk is full.
        ValueError: The archive is damaged, or not the expected one.
    """

    def unpack(archive: zipfile.ZipFile, target: str) -> None:
        for name, size in files.items():
            _extract(archive, _find_member(archive, name, size, url), target)

    _fetch(url, folder, unpack)


def download_dataset(name: str, *, folder: str, url: str | None = None) -> None:
    """Create `folder` with the files of a dataset of CLUE, checked by sum or by their examples.

    Args:
        name: Name of the task.
        folder: Folder to create; it may exist if it is empty.
        url: Address of a copy of the archive; None: the published one.

    Raises:
        FileExistsError: The folder is not empty.
        OSError: The archive cannot be fetched, or the disk is full.
        ValueError: There is no such task, or no archive of it, or it is not the expected one.
    """
    task = find_task(name)
    source = task.dataset.source
    if not source.endswith(".zip"):
        raise ValueError(f"{task.name} cannot be downloaded from here; {source} tells where it is")
    url = url or source

    def unpack(archive: zipfile.ZipFile, target: str) -> None:
        if task.name in ARCHIVES:
            _check_sum(archive.filename, ARCHIVES[task.name], url)
        for member in archive.infolist():
            base = os.path.basename(member.filename)
            if base and not base.startswith(".") and "__MACOSX" not in member.filename:
                _extract(archive, _find_member(archive, base, None, url), target)
        if task.name not in ARCHIVES:
            for split in ("train", "dev", "test"):
                num_examples = len(read_split(task, data_dir=target, split=split).examples)
                if num_examples != task.dataset.sizes[split]:
                    raise ValueError(
                        f"{split} of {url} has {num_examples:,} examples, the published one "
                        f"{task.dataset.sizes[split]:,}; nothing was kept"
                    )

    _fetch(url, folder, unpack)


def _check_sum(path: str, expected: tuple[int, str], url: str) -> None:
    found = os.path.getsize(path), sha256_of_file(path)
    if found != expected:
        raise ValueError(
            f"{url} has {found[0]:,} bytes with the SHA-256 {found[1][:12]}..., the published "
            f"archive {expected[0]:,} with {expected[1][:12]}...; nothing was kept"
        )


def _fetch(url: str, folder: str, unpack: Callable[[zipfile.ZipFile, str], None]) -> None:
    """Create `folder` with what `unpack` takes out of the zip archive at `url`."""
    if os.path.exists(folder) and os.listdir(folder):
        raise FileExistsError(f"{folder} holds files already; move it away or choose another one")
    with _connect(url) as response:
        parent = os.path.dirname(os.path.abspath(folder))
        os.makedirs(parent, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=parent, prefix=".download-") as temporary:
            path = os.path.join(temporary, "archive.zip")
            _receive(response, url, path)
            unpacked = os.path.join(temporary, "unpacked")
            os.mkdir(unpacked)
            try:
                with zipfile.ZipFile(path) as archive:
                    unpack(archive, unpacked)
            except (zipfile.BadZipFile, zlib.error, EOFError) as error:
                raise ValueError(
                    f"{url} is not a complete zip archive ({error}); nothing was kept"
                ) from None
            os.rename(unpacked, folder)


def _extract(archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: str) -> None:
    path = os.path.join(folder, os.path.basename(member.filename))
    with archive.open(member) as source, open(path, "wb") as target:
        shutil.copyfileobj(source, target)  # checks the CRC at the end


@contextlib.contextmanager
def _connect(url: str) -> Iterator[http.client.HTTPResponse]:
    opened: concurrent.futures.Future = concurrent.futures.Future()

    def open_url() -> None:
        try:
            opened.set_result(urllib.request.urlopen(url, timeout=STALL_SECONDS))
        except Exception as error:
            opened.set_exception(error)

    # A name server can keep urlopen waiting forever, so it runs in a thread that can be abandoned.
    threading.Thread(target=open_url, daemon=True).start()
    try:
        response = opened.result(timeout=ANSWER_SECONDS)
    except (OSError, http.client.HTTPException, concurrent.futures.TimeoutError) as error:
        reason = str(error).removeprefix("<urlopen error ").removesuffix(">") or "no answer"
        raise OSError(f"cannot reach {url}: {reason}") from None
    with response:
        yield response


def _receive(response: http.client.HTTPResponse, url: str, path: str) -> None:
    length = response.headers["Content-Length"]
    total = None if length is None else int(length)
    received = 0
    progress = Progress(description="downloading", unit="byte", total=total)
    with open(path, "wb") as file, progress:
        try:
            while chunk := response.read(_CHUNK):
                file.write(chunk)
                received += len(chunk)
                progress.advance(len(chunk))
        except (ConnectionError, TimeoutError, http.client.HTTPException) as error:
            raise OSError(
                f"{url} broke off after {received:,} bytes ({error}); try again"
            ) from None
    if total is not None and received != total:
        raise OSError(f"{url} broke off after {received:,} of {total:,} bytes; try again")


def _find_member(
    archive: zipfile.ZipFile, name: str, size: int | None, url: str
) -> zipfile.ZipInfo:
    found = [member for member in archive.infolist() if os.path.basename(member.filename) == name]
    if len(found) != 1:
        raise ValueError(f"{url} holds {len(found)} files {name}, expected 1; nothing was kept")
    if size is not None and found[0].file_size != size:
        raise ValueError(
            f"{name} of {url} has {found[0].file_size:,} bytes, the published one {size:,}; "
            "nothing was kept"
        )
    return found[0]


if __name__ == "__main__":
    cli.run(main, DownloadOptions)
