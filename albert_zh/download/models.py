"""Published models: one row for each, with address, files and what its authors say of it.

Addresses and scores are those of the README files of brightmart/albert_zh and of
google-research/albert. Neither gives checksums.
"""

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from albert_zh.download.archives import BadArchive, unpack
from albert_zh.download.delivery import deliver
from albert_zh.util.near_names import did_you_mean

_BRIGHTMART = "https://storage.googleapis.com/albert_zh/"
_GOOGLE = "https://storage.googleapis.com/albert_models/"
_NO_LICENCE = "none stated"
_APACHE = "Apache-2.0"

# Files that an archive has to hold. The names of configurations and checkpoints differ from archive
# to archive.
_CHECKPOINT = {"*config*.json": None, "*.data-?????-of-?????": None, "*.index": None}
_CHINESE = {**_CHECKPOINT, "*vocab*.txt": None}
_ENGLISH = {**_CHECKPOINT, "*.model": None}  # of SentencePiece

# Patterns of files -> the flag that takes them.
_FLAGS = {
    "*.index": "init_checkpoint",
    "*config*.json": "bert_config_file",
    "*vocab*.txt": "vocab_file",
    "*.model": "spm_model_file",
}


@dataclass(frozen=True)
class PublishedModel:
    """Address and files of a published model, and what its authors say of it."""

    url: str  # of a zip or tar.gz archive
    lineage: str
    config: str  # file of albert_config/ with the same sizes
    files: Mapping[str, int | None]  # pattern -> bytes, if somebody wrote them down
    scores: str  # dev/test, or of the set that is named; empty if none were published
    licence: str


def _brightmart(archive: str, size: str, scores: str, **values) -> PublishedModel:
    given = {"lineage": "brightmart", "files": _CHINESE, **values}
    return PublishedModel(
        url=f"{_BRIGHTMART}{archive}.zip",
        config=f"albert_config_{size}.json",
        scores=scores,
        licence=_NO_LICENCE,
        **given,
    )


def _google(archive: str, size: str, scores: str, files: Mapping) -> PublishedModel:
    return PublishedModel(
        url=f"{_GOOGLE}{archive}.tar.gz",
        lineage="google",
        config=f"albert_config_{size}.json",
        files=files,
        scores=scores,
        licence=_APACHE,
    )


def _chinese(size: str) -> PublishedModel:
    return _google(f"albert_{size}_zh", f"{size}_google_zh", "", _CHINESE)


def _english(name: str, scores: str, files: Mapping = _ENGLISH) -> PublishedModel:
    size, _ = name.split("_")
    # Both versions have the sizes of the second.
    return _google(f"albert_{name}", f"{size}_google_v2", scores, files)


# brightmart gives one score for both archives of tiny, and one for both of xlarge.
MODELS = {
    "albert_tiny_zh": _brightmart(
        "albert_tiny_489k",
        "tiny",
        "LCQMC test 85.4",
        files={
            # Scripts expect these names.
            "albert_config_tiny.json": None,
            # 31 float32 variables, no optimizer state.
            "albert_model.ckpt.data-00000-of-00001": 17_180_744,
            "albert_model.ckpt.index": None,
            "vocab.txt": None,
        },
    ),
    "albert_tiny_zh_early": _brightmart("albert_tiny", "tiny", "LCQMC test 85.4"),
    "albert_tiny_zh_google": _brightmart(
        "albert_tiny_zh_google", "tiny_google", "as albert_tiny_zh", lineage="google"
    ),
    "albert_small_zh_google": _brightmart(
        "albert_small_zh_google", "small_google", "LCQMC test 86.0", lineage="google"
    ),
    "albert_base_zh": _brightmart("albert_base_zh", "base", "LCQMC 87.2/86.3, XNLI 77.0/77.1"),
    "albert_base_zh_additional_36k_steps": _brightmart(
        "albert_base_zh_additional_36k_steps", "base", "LCQMC 87.8/86.3"
    ),
    "albert_large_zh": _brightmart("albert_large_zh", "large", "LCQMC 88.7/87.1, XNLI 78.0/77.5"),
    "albert_xlarge_zh_177k": _brightmart("albert_xlarge_zh_177k", "xlarge", "LCQMC 87.3/87.7"),
    "albert_xlarge_zh_183k": _brightmart("albert_xlarge_zh_183k", "xlarge", "LCQMC 87.3/87.7"),
    "google_albert_base_zh": _chinese("base"),
    "google_albert_large_zh": _chinese("large"),
    "google_albert_xlarge_zh": _chinese("xlarge"),
    "google_albert_xxlarge_zh": _chinese("xxlarge"),
    "albert_base_v1": _english("base_v1", "MNLI 81.6, SST-2 90.3, RACE 64.0"),
    "albert_large_v1": _english("large_v1", "MNLI 83.5, SST-2 91.7, RACE 68.5"),
    "albert_xlarge_v1": _english("xlarge_v1", "MNLI 86.4, SST-2 92.4, RACE 74.8"),
    "albert_xxlarge_v1": _english("xxlarge_v1", "MNLI 90.8, SST-2 96.9, RACE 86.5"),
    "albert_base_v2": _english(
        "base_v2", "MNLI 84.6, SST-2 92.9, RACE 66.8", {**_ENGLISH, "*.model": 760_289}
    ),
    "albert_large_v2": _english("large_v2", "MNLI 86.5, SST-2 94.9, RACE 75.2"),
    "albert_xlarge_v2": _english("xlarge_v2", "MNLI 87.9, SST-2 95.4, RACE 80.7"),
    "albert_xxlarge_v2": _english("xxlarge_v2", "MNLI 90.6, SST-2 96.8, RACE 86.8"),
}


def find_model(name: str) -> PublishedModel:
    """The row of a published model.

    Raises:
        ValueError: There is none of that name.
    """
    if name not in MODELS:
        hint = did_you_mean(name, MODELS) or "; --list shows all"
        raise ValueError(f"unknown model {name!r}{hint}")
    return MODELS[name]


def download_model(name: str, *, folder: str, url: str | None = None) -> None:
    """Make a folder with checkpoint, configuration and vocabulary of a published model.

    Args:
        name: Its name.
        folder: Folder to make; it may exist if it is empty.
        url: Address of a copy of the archive, or its path; None: the published one.

    Raises:
        OSError, ValueError: See `deliver`; or there is no such model.
    """
    model = find_model(name)

    def unpack_model(archive: str, target: str) -> None:
        sizes = unpack(
            archive,
            target,
            is_wanted=lambda file: any(fnmatchcase(file, pattern) for pattern in model.files),
        )
        for pattern, expected in model.files.items():
            _check_file(pattern, expected, sizes)

    deliver(url or model.url, folder, unpack_model)


def _check_file(pattern: str, expected: int | None, sizes: Mapping[str, int]) -> None:
    found = [file for file in sizes if fnmatchcase(file, pattern)]
    if not found:
        raise BadArchive(f"holds 0 files {pattern}, expected 1")
    for file in found:
        if not sizes[file]:
            raise BadArchive(f"is not a model: its file {file} is empty")
        if expected is not None and sizes[file] != expected:
            raise BadArchive(
                f"is another model: its file {file} has {sizes[file]:,} bytes, the published one "
                f"{expected:,}"
            )


def flags_for(folder: str) -> str:
    """The flags with which training scripts take the model in a folder."""
    flags = [
        f"--{flag}={shlex.quote(os.path.join(folder, file.removesuffix('.index')))}"
        for pattern, flag in _FLAGS.items()
        for file in sorted(os.listdir(folder))
        if fnmatchcase(file, pattern)
    ]
    return " ".join(flags)
