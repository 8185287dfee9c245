"""The archive with the predictions for all tasks of CLUE, as its site accepts it.

```
clue_output/afqmc/afqmc_predict.json  +  CLUEdataset/afqmc/test.json  ->
clue_output/tnews/tnews11_predict.json   CLUEdataset/tnews/test.json     submit.zip
...
```
"""

import dataclasses
import io
import os
import zipfile
import zlib
from collections.abc import Mapping, Sequence

from albert_zh.tasks.catalog import ALIASES, TASKS, find_task
from albert_zh.tasks.examples import Split
from albert_zh.tasks.splits import read_split
from albert_zh.tasks.submission_checks import find_problems
from albert_zh.tasks.task import Task
from albert_zh.util.files import atomic_write

NAME = "submit.zip"  # The site takes no other name.
# Tasks of each version of CLUE; some have another test file in each.
VERSIONS: Mapping[str, tuple[str, ...]] = {
    "1.1": ("afqmc", "tnews", "iflytek", "ocnli", "cluewsc2020", "csl", "cmrc2018", "chid", "c3"),
    "1.0": ("afqmc", "tnews", "iflytek", "cmnli", "cluewsc2020", "csl", "cmrc2018", "chid", "c3"),
}


@dataclasses.dataclass(frozen=True)
class Wanted:
    """A file that the site wants."""

    task: Task
    name: str
    test: Split  # the examples to be predicted


def wanted_files(version: str, tasks: Sequence[str], data_dir: str) -> list[Wanted]:
    """The files that a version of CLUE wants for some tasks.

    Args:
        version: One of `VERSIONS`.
        tasks: Their names; none: all of the version.
        data_dir: Folder with a folder for each task.

    Raises:
        FileNotFoundError: A test file is missing.
        ValueError: A task has no file to submit, or none in this version; a test file is
            malformed.
    """
    wanted = [_wanted(version, find_task(name), data_dir) for name in tasks or VERSIONS[version]]
    return list({each.name: each for each in wanted}.values())  # A task may be named twice.


def _wanted(version: str, task: Task, data_dir: str) -> Wanted:
    submission = task.submission
    if submission is None:
        known = ", ".join(name for name, each in TASKS.items() if each.submission)
        raise ValueError(f"CLUE takes no predictions for {task.name}; it does for {known}")
    versions = [each for each in VERSIONS if task.name in VERSIONS[each]]
    if versions and version not in versions:
        raise ValueError(
            f"{task.name} is no part of CLUE {version}; set --version={versions[0]}, or leave it "
            "out of --tasks"
        )
    others = submission.other_names
    name = [*others.values(), submission.name][0] if version == "1.0" else submission.name
    own = [file for file in others if isinstance(file, str)]
    folder = task_folder(data_dir, task)
    for files in (*own, *task.files["test"]):
        test = dataclasses.replace(task, files={**task.files, "test": (files,)})
        try:
            split = read_split(test, data_dir=folder, split="test")
        except FileNotFoundError:
            continue
        if submission.name_for(split.path, num_examples=len(split.examples)) == name:
            return Wanted(task, name, split)
    raise FileNotFoundError(
        f"no test file for {name}, of CLUE {version}, in {folder}; put it there or point "
        "--data_dir at a folder that has one for each task"
    )


def task_folder(data_dir: str, task: Task) -> str:
    """The folder of a task, which published scripts call by other names, too."""
    folders = [os.path.join(data_dir, name) for name in _names(task)]
    return next(filter(os.path.isdir, folders), folders[0])


def _names(task: Task) -> list[str]:
    own = ALIASES.get(task.name, task.name)
    return [own, *(other for other, name in ALIASES.items() if name == own)]


def find_predictions(directories: Sequence[str], wanted: Sequence[Wanted]) -> dict[str, bytes]:
    """Contents of the files with predictions, by name.

    Args:
        directories: Folders that hold the files, or the output directories of runs.
        wanted: The files to look for.

    Raises:
        FileNotFoundError: Some are missing; tells files of similar names.
        ValueError: A name stands for several files.
    """
    paths: dict[str, list[str]] = {}
    for directory in directories:
        folders = [directory, *(each.path for each in os.scandir(directory) if each.is_dir())]
        for folder in folders:
            for file in os.scandir(folder):
                if file.name.endswith("_predict.json"):
                    paths.setdefault(file.name, []).append(file.path)
    missing = []
    for each in wanted:
        if len(found := sorted(paths.get(each.name, ()))) > 1:
            raise ValueError(f"{each.name} stands in {' and '.join(found)}; move one of them away")
        if not found:
            missing.append(_missing(each, [*paths]))
    if missing:
        raise FileNotFoundError(
            f"no predictions in {', '.join(directories)}: {'; '.join(missing)}. Name the tasks "
            "that you have with --tasks to submit them alone"
        )
    contents = {}
    for each in wanted:
        with open(paths[each.name][0], "rb") as file:
            contents[each.name] = file.read()
    return contents


def _missing(wanted: Wanted, present: Sequence[str]) -> str:
    """Names the file, and files that may have been meant."""
    # c311_predict.json and c310_predict.json are versions of one.
    stem = wanted.name.split("_")[0].removesuffix("11").removesuffix("10")
    starts = (stem, *_names(wanted.task))
    meant = [name for name in sorted(present) if name.startswith(starts)]
    hint = (
        f" (there is {' and '.join(meant)}, which the site does not take for it)" if meant else ""
    )
    return f"{wanted.name} for {wanted.task.name}{hint}"


def read_archive(path: str, wanted: Sequence[Wanted]) -> dict[str, bytes]:
    """Contents of the files in an archive that is to be submitted, by name.

    Raises:
        ValueError: The site does not take the archive, whatever its files hold.
    """
    if os.path.basename(path) != NAME:
        raise ValueError(f"{path} has to be called {NAME}; the site takes no other name")
    try:
        with zipfile.ZipFile(path) as archive:
            contents = {name: archive.read(name) for name in archive.namelist()}
            num_members = len(archive.namelist())
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise ValueError(f"{path} is no zip archive that can be read ({error})") from None
    names = {each.name for each in wanted}
    if nested := [name for name in contents if "/" in name]:
        raise ValueError(f"{path} holds {nested[0]}; its files must not lie in folders")
    if num_members > len(contents):
        raise ValueError(f"{path} holds a file twice")
    if foreign := sorted({*contents} - names):
        raise ValueError(f"{path} holds {', '.join(foreign)}, which the site does not know")
    if missing := sorted(names - {*contents}):
        raise ValueError(
            f"{path} lacks {', '.join(missing)}; name the tasks that it has with --tasks to submit "
            "them alone"
        )
    return contents


def refusals(wanted: Sequence[Wanted], contents: Mapping[str, bytes]) -> dict[str, list[str]]:
    """Reasons to refuse each file, by its name; none for good ones."""
    return {each.name: find_problems(each.task, each.test, contents[each.name]) for each in wanted}


def samples(wanted: Sequence[Wanted]) -> list[str]:
    """Names the test files that have too few examples to be CLUE's own, with both numbers."""
    found = []
    for each in wanted:
        name, _ = os.path.splitext(os.path.basename(each.test.path))
        sizes = each.task.dataset.sizes
        size, number = sizes.get(name, sizes["test"]), each.test.num_rows
        if number < size / 2:
            found.append(f"{each.task.name} has {number:,} of {size:,} examples")
    return found


def write_archive(path: str, contents: Mapping[str, bytes]) -> None:
    """Write the archive, unless it is there; the same files give the same bytes.

    Raises:
        FileExistsError: There is an archive with other contents.
        ValueError: It has a name that the site does not take.
    """
    if os.path.basename(path) != NAME:
        raise ValueError(f"--zip_file={path}: the site takes only {NAME}; choose another folder")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in contents.items():
            member = zipfile.ZipInfo(name)  # Its date is 1980.
            member.external_attr = 0o644 << 16
            archive.writestr(member, content, zipfile.ZIP_DEFLATED)
    if os.path.exists(path):
        with open(path, "rb") as file:
            if file.read() == packed.getvalue():
                return
        raise FileExistsError(
            f"{path} is there already, with other contents; move it away or write to another "
            f"folder: --zip_file=FOLDER/{NAME}"
        )
    with atomic_write(path) as file:
        file.write(packed.getvalue())
