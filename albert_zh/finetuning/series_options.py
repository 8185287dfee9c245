"""Flags of several trainings in one: of seeds, or of the folds of a cross-validation."""

import dataclasses

from albert_zh.checkpoint.several import SEVERAL
from albert_zh.finetuning.series_note import Series, check_series, read_note
from albert_zh.flags import option


@dataclasses.dataclass(frozen=True)
class SeriesOptions:
    """Flags of several trainings in one."""

    num_seeds: int | None = option(
        None,
        "Train this often, with --random_seed and the seeds after it, each in a folder of "
        "--output_dir. That gets mean and standard deviation of the scores, and the best model.",
        at_least=2,
    )
    num_folds: int | None = option(
        None,
        "Train this often, each time without another part of the training file, which is the "
        "validation set then (cross-validation): each label with its share in each part, equal "
        "texts together. --output_dir gets mean and standard deviation of the scores, and the "
        "predictions for all parts.",
        at_least=2,
    )
    fold: int | None = option(
        None,
        "Train with this one of the --num_folds parts as the validation set, from 1, in "
        "--output_dir itself.",
        at_least=1,
    )

    ensemble: str | None = option(
        None,
        "Evaluate and predict with the averaged outputs of several trained models of the task, of "
        f"any sizes: {SEVERAL}.",
    )

    def __post_init__(self):
        if self.ensemble and (self.do_train or self.init_checkpoint or self.model):
            raise ValueError(
                "--ensemble names models that are trained; leave out --do_train, --init_checkpoint "
                "and --model"
            )
        if self.num_seeds and self.num_folds:
            raise ValueError("--num_seeds and --num_folds are two kinds of repetition; give one")
        if self.fold and self.fold > (self.num_folds or 0):
            raise ValueError(
                f"--fold={self.fold} is none of --num_folds={self.num_folds or 0} folds"
            )
        if self.num_folds and (self.dev_file or self.dev_fraction is not None):
            raise ValueError(
                "--num_folds makes a validation set of each part of the training file; leave out "
                "--dev_file and --dev_fraction"
            )
        if self.is_series and not self.do_eval:
            flag = "num_seeds" if self.num_seeds else "num_folds"
            raise ValueError(f"--{flag} compares scores on the validation set; add --do_eval=True")

    @property
    def is_series(self) -> bool:
        """True if the flags ask for several trainings."""
        return bool(self.num_seeds or (self.num_folds and not self.fold))

    def series(self) -> Series:
        """The trainings, where the flags ask for several."""
        if self.num_seeds:
            seeds = range(self.random_seed, self.random_seed + self.num_seeds)
            runs = {f"seed_{seed}": {"num_seeds": None, "random_seed": seed} for seed in seeds}
            return Series("seeds", self, runs)
        folds = range(1, self.num_folds + 1)
        return Series("folds", self, {f"fold_{fold}": {"fold": fold} for fold in folds})

    def check_directory(self) -> None:
        """Check that --output_dir is for as many trainings as the flags ask for.

        Raises:
            ValueError: It holds something else.
        """
        if self.is_series:
            series = self.series()
            for name in series.runs:
                series.run_options(name)  # Seeds may be too large.
            check_series(series)
        elif self.do_train and (note := read_note(self.output_dir)):
            ways_on = {
                "seeds": "give --num_seeds, as then",
                "folds": "give --num_folds, as then",
                "points": "give their --grid to scripts/sweep.py",
            }
            kind = note.get("series")
            raise ValueError(
                f"{self.output_dir} holds the runs of several {kind}; {ways_on.get(kind)}, or "
                "choose another --output_dir"
            )
