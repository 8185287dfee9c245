"""Download a published model.

  python scripts/download.py --model=albert_tiny_zh --to=prev_trained_model/albert_tiny_zh

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
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from project import cli

from albert_zh.flags import REQUIRED, option
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


@dataclass(frozen=True)
class DownloadOptions:
    """Flags of the download."""

    model: str = option(REQUIRED, "Name of the model.", choices=tuple(MODELS))
    to: str = option(REQUIRED, "New folder for the model.")
    url: str | None = option(None, "Another address of the same archive, such as a mirror.")


def main(options: DownloadOptions) -> None:
    model = MODELS[options.model]
    download(options.url or model.url, files=model.files, folder=options.to)
    print(f"downloaded {options.model} to {options.to}")


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
    if os.path.exists(folder) and os.listdir(folder):
        raise FileExistsError(f"{folder} holds files already; move it away or choose another one")
    with _connect(url) as response:
        parent = os.path.dirname(os.path.abspath(folder))
        os.makedirs(parent, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=parent, prefix=".download-") as temporary:
            archive = os.path.join(temporary, "archive.zip")
            _receive(response, url, archive)
            unpacked = os.path.join(temporary, "unpacked")
            os.mkdir(unpacked)
            _unpack(archive, url, files, unpacked)
            os.rename(unpacked, folder)


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


def _unpack(archive: str, url: str, files: Mapping[str, int | None], folder: str) -> None:
    try:
        with zipfile.ZipFile(archive) as opened:
            for name, size in files.items():
                member = _find_member(opened, name, size, url)
                with (
                    opened.open(member) as source,
                    open(os.path.join(folder, name), "wb") as target,
                ):
                    shutil.copyfileobj(source, target)  # checks the CRC at the end
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise ValueError(
            f"{url} is not a complete zip archive ({error}); nothing was kept"
        ) from None


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
