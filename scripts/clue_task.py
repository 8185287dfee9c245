"""Print the flags of run_classifier.py for a task of CLUE, one a line, for run_classifier_clue.sh.

  python scripts/clue_task.py --task_name=tnews --data_dir=CLUEdataset

The data is looked for in the task's folder of --data_dir, and downloaded into a new one where
--should_download=True says so. Settings are those with which the published tiny was measured.
"""

import dataclasses
import os
import sys

from project import cli

from albert_zh.download.datasets import download_dataset
from albert_zh.flags import REQUIRED, option
from albert_zh.tasks.catalog import ALIASES, find_task
from albert_zh.tasks.dataset import Settings
from albert_zh.tasks.splits import find_files, read_split
from albert_zh.tasks.submission_archive import VERSIONS, task_folder, wanted_files
from albert_zh.tasks.task import Task

# For models/albert_tiny, on samples of some hundred examples.
_SAMPLE = Settings(16, 128, 10, 2e-4, is_published=False)
_SAMPLE_EPOCHS = {"c3": 5, "chid": 5}
_EVALUATIONS = 10  # in a training, of which the best checkpoint is kept


@dataclasses.dataclass(frozen=True)
class TaskOptions:
    """Flags of the task."""

    task_name: str = option(REQUIRED, "Name of the task.")
    data_dir: str = option(REQUIRED, "Folder with a folder for each task.")
    version: str = option("1.1", "Version of CLUE, which has a test file.", choices=list(VERSIONS))
    is_sample: bool = option(False, "The data is the sample: settings that suit it.")
    should_download: bool = option(False, "Download a task whose folder is not there.")


def main(options: TaskOptions) -> None:
    name = options.task_name.lower()
    task = find_task(ALIASES.get(name, name))
    folder = _data(options, task)
    settings = _settings(options, task)
    flags = {
        "task_name": task.name,
        "data_dir": folder,
        **{
            name: value
            for name, value in dataclasses.asdict(settings).items()
            if name != "is_published"
        },
        "save_checkpoints_steps": _steps_between(options, task, folder, settings),
    }
    flags |= _test(options, task, folder)
    print("\n".join(f"--{name}={value}" for name, value in flags.items()))


def _data(options: TaskOptions, task: Task) -> str:
    folder = task_folder(options.data_dir, task)
    if not os.path.isdir(folder):
        if not options.should_download:
            raise FileNotFoundError(
                f"there is no folder {folder} with the files of {task.name}; put them there, or "
                "leave out --data_dir to download them"
            )
        print(f"data: downloading {task.name} to {folder}", file=sys.stderr)
        try:
            download_dataset(task.name, folder=folder)
        except (OSError, ValueError) as error:
            raise type(error)(
                f"{error}. Get the files of {task.name} from {task.dataset.source} and put them "
                f"into {folder}, or run on the samples: bash run_classifier_clue.sh --sample"
            ) from None
    for split in ("train", "dev"):
        find_files(task, data_dir=folder, split=split)
    return folder


def _test(options: TaskOptions, task: Task, folder: str) -> dict[str, str]:
    """Flags of the test file: that of the version, else the one that is there, if any is."""
    try:
        present = " and ".join(find_files(task, data_dir=folder, split="test"))
    except FileNotFoundError as error:
        print(f"data: nothing is predicted: {error}", file=sys.stderr)
        return {"do_predict": "False"}
    if task.submission is None or task.name not in VERSIONS[options.version]:
        return {}
    try:
        [wanted] = wanted_files(options.version, [task.name], options.data_dir)
    except FileNotFoundError as error:
        print(f"data: {present} is predicted instead: {error}", file=sys.stderr)
        return {}
    return {} if wanted.test.path == present else {"input_file": wanted.test.path}


def _steps_between(options: TaskOptions, task: Task, folder: str, settings: Settings) -> int:
    if options.is_sample:
        return 50
    # Read, because the size of a dataset may count rows of several examples each.
    num_examples = len(read_split(task, data_dir=folder, split="train").examples)
    num_steps = num_examples * settings.num_train_epochs / settings.train_batch_size
    return max(1, int(num_steps / _EVALUATIONS))


def _settings(options: TaskOptions, task: Task) -> Settings:
    if options.is_sample:
        epochs = _SAMPLE_EPOCHS.get(task.name, _SAMPLE.num_train_epochs)
        return dataclasses.replace(_SAMPLE, num_train_epochs=epochs)
    if task.dataset is None or task.dataset.settings is None:
        raise ValueError(f"nobody published settings for {task.name}; use run_classifier.py")
    return task.dataset.settings


if __name__ == "__main__":
    cli.run(main, TaskOptions)
