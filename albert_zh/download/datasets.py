"""Datasets of CLUE, checked by sum or by their examples."""

import os

from albert_zh.download.archives import BadArchive, unpack
from albert_zh.download.delivery import deliver
from albert_zh.tasks.catalog import find_task
from albert_zh.tasks.splits import read_split
from albert_zh.tasks.task import Task
from albert_zh.util.files import sha256_of_file

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


def download_dataset(name: str, *, folder: str, url: str | None = None) -> None:
    """Make a folder with the files of a dataset of CLUE.

    Args:
        name: Name of the task.
        folder: Folder to make; it may exist if it is empty.
        url: Address of a copy of the archive, or its path; None: the published one.

    Raises:
        OSError, ValueError: See `deliver`; or there is no such task, or no archive of it.
    """
    task = find_task(name)
    if task.dataset is None:
        raise ValueError(f"{task.name} has no published files; it reads files of your own")
    source = task.dataset.source
    if not source.endswith(".zip"):
        raise ValueError(f"{task.name} cannot be downloaded from here; {source} tells where it is")

    def unpack_dataset(archive: str, target: str) -> None:
        if task.name in ARCHIVES:
            _check_sum(archive, ARCHIVES[task.name])
        unpack(archive, target, is_wanted=lambda name: True)
        if task.name not in ARCHIVES:
            _check_examples(task, target, url or source)

    deliver(url or source, folder, unpack_dataset)


def _check_sum(path: str, expected: tuple[int, str]) -> None:
    found = os.path.getsize(path), sha256_of_file(path)
    if found != expected:
        raise BadArchive(
            f"has {found[0]:,} bytes with the SHA-256 {found[1][:12]}..., the published archive "
            f"{expected[0]:,} with {expected[1][:12]}..."
        )


def _check_examples(task: Task, folder: str, url: str) -> None:
    for split in ("train", "dev", "test"):
        num_examples = len(read_split(task, data_dir=folder, split=split).examples)
        if num_examples != task.dataset.sizes[split]:
            raise ValueError(
                f"{split} of {url} has {num_examples:,} examples, the published one "
                f"{task.dataset.sizes[split]:,}; nothing was kept"
            )
