"""Flags that need not be given, because a run knows them: that in the output directory.

Without one, an evaluation or a prediction asks the run that --init_checkpoint is part of; a
training takes the model's files from there, but not the task.

```
options.json        --task_name  --max_seq_length  --do_lower_case  --use_pooled_output ...
task.json           --task_name, of a task of the user's own
albert_config.json  --bert_config_file
vocab.txt           --vocab_file, or spm.model  --spm_model_file
```
"""

import json
import os
from typing import Any

from albert_zh.checkpoint.beside import files_beside, files_in
from albert_zh.tasks import custom
from albert_zh.util.small_files import read_text_if_exists

OF_VALIDATION = ("dev_fraction", "num_folds", "fold")  # a part of the training file

# Flags that describe the model and its task, and their values for a new run; None: required.
SETTINGS: dict[str, Any] = {
    "task_name": None,
    "max_seq_length": 128,
    "do_lower_case": True,
    "use_pooled_output": True,
    **dict.fromkeys(OF_VALIDATION),
}


def part_of_training(options: Any) -> dict[str, Any]:
    """The flags that make dev a part of the training file; none where it is a file of its own."""
    return {name: getattr(options, name) for name in OF_VALIDATION if getattr(options, name)}


def known_flags(
    output_dir: str, *, init_checkpoint: str | None, do_train: bool
) -> tuple[str, dict[str, Any]]:
    """Directory of the run that is asked, and the flags that it knows; none without a run.

    Args:
        output_dir: Asked first.
        init_checkpoint: A checkpoint, or its folder.
        do_train: Whether a new run begins with it; else it is used as it is.

    Raises:
        ValueError: The note of the flags is damaged.
    """
    known = _flags_of(output_dir)
    if known or not init_checkpoint:
        return output_dir, known
    directory = init_checkpoint
    if not os.path.isdir(directory):
        directory = os.path.dirname(directory)
    return directory, files_beside(directory) if do_train else _flags_of(directory)


def _flags_of(directory: str) -> dict[str, Any]:
    settings = _read_settings(os.path.join(directory, "options.json"))
    own_task = os.path.join(directory, custom.FILE)
    if settings and read_text_if_exists(own_task) is not None:
        settings["task_name"] = own_task
    return settings | files_in(directory)


def _read_settings(path: str) -> dict[str, Any]:
    text = read_text_if_exists(path)
    if text is None:
        return {}
    try:
        stored = json.loads(text)
        return {name: stored[name] for name in SETTINGS if stored.get(name) is not None}
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path} is damaged ({error}); move it away and give --task_name, --max_seq_length, "
            "--do_lower_case and --use_pooled_output as for the training"
        ) from None
