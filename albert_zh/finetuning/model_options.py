"""Flags of the model of a fine-tuning: where it is written, and where a finished one is."""

import dataclasses
import os

from albert_zh.checkpoint.paths import check_checkpoint_exists, run_steps
from albert_zh.flags import option
from albert_zh.util.near_names import did_you_mean


@dataclasses.dataclass(frozen=True)
class ModelOptions:
    """Flags of the directory of a run, and of a finished model."""

    output_dir: str | None = option(
        None,
        "Directory for checkpoints and results. A run that is already there is resumed. Required, "
        "unless --model tells it.",
    )
    model: str | None = option(
        None,
        "Fine-tuned model to predict with, or to evaluate: the directory of a run, whose best "
        "checkpoint is taken, or one of its checkpoints. Nothing but --input_file is needed beside "
        "it. Results are written to --output_dir, by default into the directory itself.",
    )

    def __post_init__(self):
        if self.model and (self.do_train or self.init_checkpoint):
            raise ValueError(
                "--model is a finished model to predict with or to evaluate; a training starts "
                "from --init_checkpoint"
            )
        if self.output_dir is None:
            if not self.model:
                raise ValueError("give --output_dir; --help describes all flags")
            object.__setattr__(self, "output_dir", self._folder())

    def check(self) -> None:
        """Fail early if the model does not exist or is not clear."""
        if not self.model:
            return
        self._check_folder()
        check_checkpoint_exists(self.model, flag="model")
        if self.is_elsewhere and run_steps(self.output_dir):
            raise ValueError(
                f"--output_dir={self.output_dir} holds a run of its own; leave it out, so that the "
                f"results of --model={self.model} are written beside it, or name another directory"
            )
        if self.do_eval and not self.is_elsewhere and not self._is_folder():
            raise ValueError(
                f"--do_eval scores all checkpoints of {self._folder()}; name that with --model, or "
                "another --output_dir for the scores of this one alone"
            )

    @property
    def is_elsewhere(self) -> bool:
        """True if --model is not the run in --output_dir."""
        return bool(self.model) and os.path.abspath(self._folder()) != os.path.abspath(
            self.output_dir
        )

    def _check_folder(self) -> None:
        """Raise FileNotFoundError if there is no such path, but a folder of a like name."""
        if "://" in self.model or os.path.exists(self.model):
            return
        above = os.path.dirname(self.model) or "."
        names = os.listdir(above) if os.path.isdir(above) else []
        folders = [name for name in names if os.path.isdir(os.path.join(above, name))]
        if near := did_you_mean(self.model, folders):
            raise FileNotFoundError(f"--model={self.model}: there is no such run{near}")

    def _folder(self) -> str:
        return self.model if self._is_folder() else os.path.dirname(self.model) or "."

    def _is_folder(self) -> bool:
        if "://" in self.model:
            return ".ckpt" not in os.path.basename(self.model)
        return os.path.isdir(self.model)
