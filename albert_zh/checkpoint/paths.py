"""From a path as people write it to the checkpoint that they mean.

```
albert_tiny_zh/albert_model.ckpt          a checkpoint: the beginning that its files share
albert_tiny_zh/albert_model.ckpt.index    one of its files
lcqmc_output/checkpoint                   TensorFlow's note of the newest one
lcqmc_output                              a folder: see `_in_folder`
```
Local paths need no TensorFlow.
"""

import json
import math
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

from absl import logging

from albert_zh.checkpoint.checksums import check_checksums
from albert_zh.util.near_names import did_you_mean, missing_folder

BEST = "best_checkpoint.json"  # our note of the best checkpoint of a folder
NEWEST_SCORED = "newest_scored"  # key of it
STATE = "checkpoint"  # TensorFlow's note of the newest one
SAVED_MODEL = "saved_model.pb"
HISTORY = "history.jsonl"  # rows of a run; see `runs.history`
VALIDATION = "validation_"  # begins the keys of validation metrics in it

_INDEX = ".index"
_THEIRS = (".safetensors", ".bin", ".ckpt")  # weights beside the config.json of other libraries
_ENDING = re.compile(r"\.(index|data-\d+-of-\d+|meta|meta\.json)$")
_NUMBERED = re.compile(r"(.*)-(\d+)")
_OURS = re.compile(r"model\.ckpt-(\d+)\.index")
_NEWEST = re.compile(r'^model_checkpoint_path: "(.*)"$', re.MULTILINE)


def find_checkpoint(path: str, *, flag: str | None = None) -> str:
    """The checkpoint that a path stands for, without its ending.

    Args:
        path: Checkpoint, one of its files, or a folder.
        flag: Flag that gave the path, for messages.

    Raises:
        FileNotFoundError: There is none; proposes near names.
        ValueError: The folder holds several, and nothing tells which one is meant. Or a file of it
            is not the one of its checksums.
    """
    path = os.fspath(path)
    source = f"--{flag}={path}" if flag else path
    folder, name = os.path.split(path)
    if name == STATE and _is_file(path):
        prefix = newest_by_state(folder)
        if prefix is None:
            raise FileNotFoundError(f"{source}: the checkpoint that it names is not in {folder}")
    elif _is_file(path + _INDEX):
        prefix = path
    elif _is_folder(path):
        prefix = _in_folder(path, source)
    elif (without := _ENDING.sub("", path)) != path and _is_file(without + _INDEX):
        prefix = without
    else:
        raise _missing(path, f"--{flag}: " if flag else "")
    if not any(name.startswith(os.path.basename(prefix) + ".data-") for name in _siblings(prefix)):
        raise FileNotFoundError(
            f"{source}: {prefix}.data-00000-of-00001 is missing, which holds the weights; copy it "
            f"beside {prefix}.index"
        )
    if "://" not in prefix:
        check_checksums(os.path.dirname(prefix))
    return prefix


def check_checkpoint_exists(path: str, *, flag: str) -> None:
    """Fail early if a local checkpoint is missing; `gs://` needs TensorFlow, so it is not checked.

    Raises:
        FileNotFoundError, ValueError: See `find_checkpoint`.
    """
    if "://" not in path:
        find_checkpoint(path, flag=flag)


def run_steps(folder: str) -> list[int]:
    """Steps of the checkpoints `model.ckpt-N` in a folder, ascending."""
    matches = map(_OURS.fullmatch, _names(folder))
    return sorted(int(match[1]) for match in matches if match)


def read_best(folder: str) -> dict[str, Any] | None:
    """Content of `best_checkpoint.json`: `checkpoint` and its metrics; None without the file.

    Raises:
        ValueError: The file is damaged.
    """
    path = os.path.join(folder, BEST)
    if _is_folder(path):
        raise ValueError(f"{path} is a folder where a file should be; remove it")
    if not _is_file(path):
        return None
    try:
        note = json.loads(_read(path))
        return {**note, "checkpoint": str(note["checkpoint"])}
    except (ValueError, KeyError, TypeError):
        raise ValueError(
            f"{path} is damaged; delete it, or name one checkpoint, such as {folder}/model.ckpt-N"
        ) from None


def _in_folder(folder: str, source: str) -> str:
    """The checkpoint that a folder stands for.

    The first that it has of: the best by our note; google's `NAME-best`; the weights of a
    SavedModel; the newest by TensorFlow's note, except in folders of ours, where the note may be
    older than the files; the newest by number; the only one. Programs that export a SavedModel for
    each improvement leave numbered folders, of which the last is the best.
    """
    names = _names(folder)
    prefixes = _prefixes(names)
    if best := read_best(folder):
        _warn_of_unscored(folder, best)
        return _noted_best(folder, best["checkpoint"], prefixes)
    if SAVED_MODEL in names:
        return os.path.join(folder, "variables", "variables")
    newest = newest_by_state(folder)
    candidates = [name for name in prefixes if name.endswith("-best")]
    if not candidates and newest and f"{os.path.basename(newest)}.meta.json" not in names:
        return newest
    numbered = [name for name in prefixes if f"{name}.meta.json" in names] or prefixes
    candidates = candidates or _last_of_each_name(numbered)
    if len(candidates) == 1:
        _warn_of_lost_best(folder, candidates[0], names)
        return os.path.join(folder, candidates[0])
    if candidates:
        choice = " or ".join(os.path.join(folder, name) for name in candidates)
        raise ValueError(f"{source}: the folder holds several checkpoints; name one: {choice}")
    exports = [name for name in names if name.isdigit() and _is_export(folder, name)]
    if exports:
        return os.path.join(folder, max(exports, key=int), "variables", "variables")
    raise FileNotFoundError(f"{source}: the folder holds no checkpoint{_below(folder, names)}")


def checkpoints_in(folder: str) -> list[str]:
    """Names of all checkpoints in a folder, without their ending."""
    return _prefixes(_names(folder))


def _prefixes(names: Sequence[str]) -> list[str]:
    found = (name.removesuffix(_INDEX) for name in sorted(names) if name.endswith(_INDEX))
    return [name for name in found if not name.endswith(".tmp")]


def _last_of_each_name(prefixes: Sequence[str]) -> list[str]:
    """For `a-1 a-2 b` the names `a-2` and `b`."""
    last: dict[str, tuple[int, str]] = {}
    for name in prefixes:
        match = _NUMBERED.fullmatch(name)
        key, number = (match[1], int(match[2])) if match else (name, 0)
        last[key] = max(last.get(key, (-1, "")), (number, name))
    return [name for _, name in last.values()]


def newest_by_state(folder: str) -> str | None:
    """The checkpoint that TensorFlow's note names, if it exists; None otherwise."""
    path = os.path.join(folder, STATE)
    match = _NEWEST.search(_read(path)) if _is_file(path) else None
    if not match:
        return None
    # The folder may have been moved or copied since, so the one inside comes first.
    inside = os.path.join(folder, os.path.basename(match[1]))
    return next((each for each in (inside, match[1]) if _is_file(each + _INDEX)), None)


def _noted_best(folder: str, name: str, prefixes: Sequence[str]) -> str:
    if name not in prefixes:
        raise FileNotFoundError(
            f"{os.path.join(folder, BEST)} names {name}, which does not exist any more; evaluate "
            f"again (--do_eval=True) or name another checkpoint, such as {folder}/model.ckpt-N"
        )
    return os.path.join(folder, name)


def _warn_of_unscored(folder: str, best: Mapping[str, Any]) -> None:
    unscored = [step for step in run_steps(folder) if step > best.get(NEWEST_SCORED, math.inf)]
    if unscored:
        logging.warning(
            "%s: %s is the best of the checkpoints up to step %d; %d newer ones, up to step %d, "
            "were never evaluated. Evaluate them (--do_eval=True), or name one of them",
            folder,
            best["checkpoint"],
            best[NEWEST_SCORED],
            len(unscored),
            unscored[-1],
        )


def _warn_of_lost_best(folder: str, newest: str, names: Sequence[str]) -> None:
    """Say that the newest checkpoint is taken although scores could tell the best one."""
    is_choice = len(run_steps(folder)) > 1 and f"{newest}.meta.json" in names
    if is_choice and HISTORY in names and f'"{VALIDATION}' in _read(os.path.join(folder, HISTORY)):
        logging.warning(
            "%s: there is no %s, so the newest checkpoint, %s, is used, not the one with the best "
            "validation scores of %s. Name that one; in a fine-tuning, --do_eval=True finds it",
            folder,
            BEST,
            newest,
            HISTORY,
        )


def _is_export(folder: str, name: str) -> bool:
    return _is_file(os.path.join(folder, name, SAVED_MODEL))


def _below(folder: str, names: Sequence[str]) -> str:
    """The way out: checkpoints one folder below, or a conversion."""
    if "config.json" in names and any(name.endswith(_THEIRS) for name in names):
        return (
            " but a model of transformers; convert it: scripts/convert_checkpoint.py "
            f"from_transformers --model_dir={folder}"
        )
    below = [name for name in sorted(names) if checkpoints_in(os.path.join(folder, name))]
    choice = " or ".join(os.path.join(folder, name) for name in below[:3])
    return f"; did you mean {choice}?" if choice else ""


def _missing(path: str, source: str) -> FileNotFoundError | ValueError:
    """The error for a path that stands for no checkpoint."""
    without = _ENDING.sub("", path)
    if without == path and _is_file(path):
        return ValueError(
            f"{source}{path} is no checkpoint of TensorFlow, the only kind that is read: files such"
            " as albert_model.ckpt.index and albert_model.ckpt.data-00000-of-00001, of which their"
            " common beginning is given; unpack an archive, and convert weights of other programs"
        )
    near, problem = "", "" if "://" in path else missing_folder(path)
    if not problem:
        problem = f"no file {without}{_INDEX}"
        near = did_you_mean(without, _prefixes(_siblings(path)))
    hint = near or "; name it without the ending, such as albert_tiny_zh/albert_model.ckpt"
    return FileNotFoundError(f"{source}there is no checkpoint {path} ({problem}){hint}")


def _siblings(path: str) -> list[str]:
    return _names(os.path.dirname(path) or ".")


# Local files without TensorFlow, and object stores with it.


def _gfile():
    import tensorflow as tf

    return tf.io.gfile


def _names(folder: str) -> list[str]:
    """Names in a folder; none if there is no such folder."""
    if not _is_folder(folder):
        return []
    if "://" in folder:
        return [name.rstrip("/") for name in _gfile().listdir(folder)]
    return os.listdir(folder)


def _is_file(path: str) -> bool:
    if "://" in path:
        return _gfile().exists(path) and not _gfile().isdir(path)
    return os.path.isfile(path)


def _is_folder(path: str) -> bool:
    return _gfile().isdir(path) if "://" in path else os.path.isdir(path)


def _read(path: str) -> str:
    if "://" in path:
        with _gfile().GFile(path) as file:
            return file.read()
    with open(path, encoding="utf-8") as file:
        return file.read()
