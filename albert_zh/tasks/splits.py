"""Splits of a task: their files in --data_dir, read by the task's kind."""

import collections
import dataclasses
import hashlib
import itertools
import os
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Any

from albert_zh.tasks.examples import Split
from albert_zh.tasks.task import Task
from albert_zh.util.files import sha256_of_file


def read_split(task: Task, *, data_dir: str | None, split: str) -> Split:
    """Read one split of a task.

    Args:
        task: The dataset.
        data_dir: Folder with its files; None if the task has their whole paths.
        split: `train`, `dev` or `test`.

    Raises:
        FileNotFoundError: None of the split's files is there.
        ValueError: The file is malformed; the message names file and line.
    """
    paths = find_files(task, data_dir=data_dir, split=split)
    others = set(itertools.chain.from_iterable(map(_names, task.files[split])))
    folder = data_dir or ""
    unread = [name for name in sorted(others) if os.path.isfile(os.path.join(folder, name))]
    unread = [name for name in unread if os.path.join(folder, name) not in paths]
    parts = [task.read(task, path, split) for path in paths]
    first, shown = parts[0], " and ".join(paths)
    examples = tuple(itertools.chain.from_iterable(part.examples for part in parts))
    notes = [note for part in parts for note in part.notes]
    if unread:
        notes.insert(0, f"{shown} is read; {' and '.join(unread)} beside it is not")
    notes += _check_ids(task, shown, examples, split=split)
    return dataclasses.replace(
        first, path=shown, examples=examples, notes=tuple(notes), sha256=_fingerprint(paths)
    )


def _check_ids(task: Task, path: str, examples: Sequence[Any], *, split: str) -> list[str]:
    """Notes on examples without an id of their own.

    Raises:
        ValueError: The task's benchmark finds predictions by ids, and two of test are the same.
    """
    counts = collections.Counter(each.id for each in examples)
    missing = counts.pop(None, 0)
    repeated = [number for number, count in counts.items() if count > 1]
    is_submitted = split == "test" and task.submission is not None
    if repeated and is_submitted:
        raise ValueError(
            f"{path}: {counts[repeated[0]]} examples have the id {repeated[0]!r}; "
            f"{task.submission.name} needs one id for each"
        )
    notes = []
    if repeated:
        note = f"{path}: {len(repeated):,} ids stand for several examples: {repeated[0]} ..."
        if split == "test":
            note += "; no file that finds answers by their ids is written"
        notes.append(note)
    if missing and is_submitted:
        whose = "its" if missing == len(examples) else f"{missing:,} of its"
        notes.append(
            f"{path}: {whose} examples have no id; in {task.submission.name} they are numbered "
            "from 0"
        )
    return notes


def fingerprint(task: Task, *, data_dir: str | None, split: str) -> str:
    """SHA-256 of a split's file; of those of its files, if it has several."""
    return _fingerprint(find_files(task, data_dir=data_dir, split=split))


def _fingerprint(paths: Sequence[str]) -> str:
    sums = [sha256_of_file(path) for path in _expanded(paths)]
    return sums[0] if len(sums) == 1 else hashlib.sha256("".join(sums).encode()).hexdigest()


def _expanded(paths: Sequence[str]) -> Iterator[str]:
    """Files, those inside of folders by their names."""
    for path in paths:
        if os.path.isdir(path):
            yield from (os.path.join(path, name) for name in sorted(os.listdir(path)))
        else:
            yield path


def find_files(task: Task, *, data_dir: str | None, split: str) -> tuple[str, ...]:
    """Paths of a split's file, or of those it is read from together; of folders for names with /.

    Raises:
        FileNotFoundError: None of the names it may have is there.
    """
    names = task.files[split]
    for alternative in names:
        paths = tuple(os.path.join(data_dir or "", name) for name in _names(alternative))
        if all(map(_is_there, paths)):
            return paths
    wanted = ", ".join(" with ".join(_names(alternative)) for alternative in names)
    if data_dir is None:
        flag = {"train": "train_file", "dev": "dev_file", "test": "input_file"}[split]
        missing = "" if len(names) > 1 else f" {wanted}"
        raise FileNotFoundError(
            f"there is no {split} file{missing}; name one with --{flag}, or the folder that holds "
            "it with --data_dir"
        )
    raise FileNotFoundError(
        f"task {task.name} has no {split} file: looked for {wanted} in {data_dir}; put it there or "
        "point --data_dir at the folder that holds it"
    )


def _is_there(path: str) -> bool:
    return os.path.isdir(path) if path.endswith("/") else os.path.isfile(path)


def _names(alternative: str | tuple[str, ...]) -> tuple[str, ...]:
    return (alternative,) if isinstance(alternative, str) else alternative


def split_off(
    whole: Split, fraction: float, *, labels: Sequence[str], seed: int = 0
) -> tuple[Split, Split]:
    """Train and dev out of one file, the same at every call.

    Each label has its share in dev, as far as its examples allow; see `_sizes_of_dev`. Examples
    with the same texts stay together, and so do all questions about a text. An example is in dev by
    the hash of its texts, so that rows that are added to the file later hardly move others.

    Args:
        whole: The examples.
        fraction: Share of dev, between 0 and 1.
        labels: Classes of the task; examples of kinds without classes are all alike.
        seed: Other seeds give other splits.

    Raises:
        ValueError: Nothing would be left in one of the two.
    """
    chosen: set[int] = set()
    by_class = _groups_by_class(whole, labels, seed)
    numbers = {label: len(groups) for label, groups in by_class.items()}
    for label, size in _sizes_of_dev(numbers, fraction, seed).items():
        chosen.update(itertools.chain(*by_class[label][:size]))
    if not 0 < len(chosen) < len(whole.examples):
        raise ValueError(
            f"{whole.path}: --dev_fraction={fraction} of {sum(numbers.values()):,} different "
            f"examples leaves none for {'train' if chosen else 'dev'}; change it, or give a dev "
            "file"
        )
    return _parted(whole, chosen, share=f"{fraction} {seed}")


def _sizes_of_dev(
    numbers: Mapping[str | None, int], fraction: float, seed: int
) -> dict[str | None, int]:
    """Groups of each class that become dev: its share, more or less by one at most.

    The largest remainders are rounded up, so that dev has the share of all groups, however small
    the classes. Of equal remainders a hash decides; a class gives its last group only where no
    other can.

    Args:
        numbers: Class -> its groups.
        fraction: Share of dev.
        seed: Of the hash.
    """
    sizes = {label: int(fraction * number) for label, number in numbers.items()}

    def order(label: str | None) -> tuple[bool, float, bytes]:
        is_last = numbers[label] - sizes[label] == 1
        return is_last, sizes[label] - fraction * numbers[label], _hash([label or ""], seed)

    missing = round(fraction * sum(numbers.values())) - sum(sizes.values())
    for label in sorted(numbers, key=order)[: max(0, missing)]:
        sizes[label] += 1
    return sizes


def hold_out_fold(
    whole: Split, fold: int, *, num_folds: int, labels: Sequence[str], seed: int = 0
) -> tuple[Split, Split]:
    """Train and dev out of one file, of which dev is one of k equal parts; see `places_of_folds`.

    Args:
        whole: The examples.
        fold: Number of the part, from 1.
        num_folds: k.
        labels: As of `split_off`.
        seed: Other seeds give other parts.

    Raises:
        ValueError: A label has fewer different examples than there are folds.
    """
    places = places_of_folds(whole, num_folds=num_folds, labels=labels, seed=seed)
    return _parted(whole, set(places[fold - 1]), share=f"fold {fold} of {num_folds} {seed}")


def places_of_folds(
    whole: Split, *, num_folds: int, labels: Sequence[str], seed: int = 0
) -> list[list[int]]:
    """Places of the examples of each fold: each has its share of every label.

    Examples stay together as in `split_off`.

    Raises:
        ValueError: A label has fewer different examples than there are folds.
    """
    by_class = _groups_by_class(whole, labels, seed)
    for label, groups in by_class.items():
        is_rest = label is None and labels  # rows without a label, which nothing scores
        if len(groups) < num_folds and not is_rest:
            share = f" of label {label!r}" if label in labels else ""
            raise ValueError(
                f"{whole.path}: {len(groups)} different examples{share} are fewer than "
                f"--num_folds={num_folds}, so that folds would lack them; lower it, or add examples"
            )
    ordered = itertools.chain.from_iterable(by_class.values())
    folds: list[list[int]] = [[] for _ in range(num_folds)]
    # Counted over all labels, so that the remainders of many labels do not meet in one fold.
    for number, group in enumerate(ordered):
        folds[number % num_folds].extend(group)
    return [sorted(fold) for fold in folds]


def _groups_by_class(
    whole: Split, labels: Sequence[str], seed: int
) -> dict[str | None, list[list[int]]]:
    """Places of examples that stay together, by the label of the first, in the order of a hash."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for number, example in enumerate(whole.examples):
        groups.setdefault(example.shared_texts, []).append(number)
    by_class: dict[str | None, list[list[int]]] = {}
    for shared in sorted(groups, key=lambda shared: _hash(shared, seed)):
        label = whole.examples[groups[shared][0]].label
        # Answers of a reading task and numbers are no classes: hardly two of them are equal.
        by_class.setdefault(label if label in labels else None, []).append(groups[shared])
    return by_class


def _parted(whole: Split, chosen: Container[int], *, share: str) -> tuple[Split, Split]:
    """Train and dev, of which dev has the examples at the chosen places."""
    train, dev = (
        dataclasses.replace(
            whole,
            name=name,
            examples=tuple(
                each for number, each in enumerate(whole.examples) if (number in chosen) == is_dev
            ),
            notes=whole.notes if not is_dev else (),
            rows=None,
        )
        for name, is_dev in (("train", False), ("dev", True))
    )
    own = hashlib.sha256(f"{whole.sha256} {share}".encode()).hexdigest()
    return train, dataclasses.replace(dev, sha256=own)


def _hash(texts: Sequence[str], seed: int) -> bytes:
    return hashlib.sha256("\0".join((str(seed), *texts)).encode(errors="surrogatepass")).digest()
