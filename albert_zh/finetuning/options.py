"""Flags of fine-tuning."""

import dataclasses
from typing import Any

from albert_zh.aids.options import AidOptions
from albert_zh.checkpoint.paths import check_checkpoint_exists, run_steps
from albert_zh.checkpoint.several import find_several
from albert_zh.config import Pooling
from albert_zh.finetuning.data_options import OF_RUN, DataOptions
from albert_zh.finetuning.evaluation_options import EvaluationOptions
from albert_zh.finetuning.known import OF_VALIDATION, SETTINGS, known_flags, part_of_training
from albert_zh.finetuning.model_options import ModelOptions
from albert_zh.finetuning.series_options import SeriesOptions
from albert_zh.flags import option, with_values
from albert_zh.runs.options import RunOptions
from albert_zh.tasks.splits import find_files
from albert_zh.text.tokenizers import load_tokenizer
from albert_zh.train.rules.table import OPTIMIZER_HELP, RULES
from albert_zh.util.optional_packages import load_extra

_BESIDE = f"{OF_RUN}, or beside --init_checkpoint"
_TOKENIZER_FILES = ("vocab_file", "spm_model_file")


@dataclasses.dataclass(frozen=True)
class ClassifierOptions(
    ModelOptions, RunOptions, DataOptions, EvaluationOptions, SeriesOptions, AidOptions
):
    """Flags of fine-tuning."""

    bert_config_file: str | None = option(
        None,
        "JSON file with the sizes of the model. Published weights come with theirs. "
        f"{_BESIDE}; else required.",
        alias="albert_config_file",
        is_file=True,
    )
    vocab_file: str | None = option(
        None,
        "Vocabulary of the model, one entry a line. Not needed with --spm_model_file. "
        f"{_BESIDE}; else required.",
        is_file=True,
    )
    spm_model_file: str | None = option(
        None, "SentencePiece model, for models trained with one.", is_file=True
    )
    do_lower_case: bool | None = option(
        None,
        "Lower-case the text and strip accents; must match the model's training. "
        f"{OF_RUN}, else True.",
    )
    max_seq_length: int | None = option(
        None,
        f"Maximum tokens per example; longer ones are truncated. {OF_RUN}, else 128.",
        at_least=1,
    )
    do_train: bool = option(False, "Train on the train file.")
    do_eval: bool = option(
        False,
        "Evaluate every checkpoint on the dev file. With --do_train, each is evaluated when it is "
        "saved, every --save_checkpoints_steps or --eval_steps, and the best one is kept. A run "
        "without any evaluates --init_checkpoint.",
    )
    do_predict: bool = option(
        False, "Predict the test file with the best checkpoint; without any, --init_checkpoint."
    )
    train_batch_size: int = option(32, "Examples per optimizer step.", at_least=1)
    train_batch_tokens: int | None = option(
        None,
        "Tokens per optimizer step with those that pad it, instead of --train_batch_size: short "
        "examples make large batches, and every example is used in every epoch. One device only.",
        at_least=1,
    )
    optimizer: str = option("adamw", OPTIMIZER_HELP, choices=list(RULES))
    learning_rate: float = option(5e-5, "Peak learning rate.", at_least=0)
    num_train_epochs: float = option(3.0, "Passes over the training data.", above=0)
    warmup_proportion: float = option(
        0.1,
        "Share of the steps over which the learning rate rises to its peak.",
        at_least=0,
        at_most=1,
    )
    use_pooled_output: bool | None = option(
        None,
        f"Classify the pooled [CLS]; False: the mean of all tokens. {OF_RUN}, else True.",
    )

    def __post_init__(self):
        ModelOptions.__post_init__(self)
        RunOptions.__post_init__(self)
        DataOptions.__post_init__(self)
        EvaluationOptions.__post_init__(self)
        SeriesOptions.__post_init__(self)
        AidOptions.__post_init__(self)
        if self.train_batch_tokens and self.micro_batch_size:
            raise ValueError(
                "--train_batch_tokens makes batches of any number of examples, which "
                "--micro_batch_size cannot divide; give one of them"
            )

    def check(self) -> None:
        if "://" in self.output_dir and None in (self.task_name, self.bert_config_file):
            return  # The run's files name them, and only TensorFlow reads those.
        if self.trained_positions and not self.do_train:
            raise ValueError("--trained_positions needs --do_train=True; without, nothing changes")
        ModelOptions.check(self)
        options = self.completed()
        RunOptions.check(options)
        self.check_directory()
        load_tokenizer(options.vocab_file, spm_model_file=options.spm_model_file)
        task = options.task()
        options.check_aids(task.name, kind=task.kind.name, labels=task.labels)
        for path in options.teacher_paths():
            check_checkpoint_exists(path, flag="teacher_model")
        if task.measure_needs and (self.do_eval or self.do_predict):
            load_extra(task.measure_needs, purpose=f"scoring {task.name}")
        for split in self.splits():
            find_files(task, data_dir=self.data_dir, split=options.source_of(split))

    def completed(self) -> "ClassifierOptions":
        """The options with the flags that the run in --output_dir knows, and with defaults.

        Raises:
            ValueError: A flag is missing that no run knows.
        """
        defaults = {name: SETTINGS[name] for name in SETTINGS if getattr(self, name) is None}
        options = with_values(self, {**defaults, **self.known()[1]})
        if self.model and (self.is_elsewhere or not run_steps(self.output_dir)):
            options = with_values(options, {"init_checkpoint": self.model, "model": None})
        required = ("task_name", "bert_config_file")
        if missing := [f"--{name}" for name in required if getattr(options, name) is None]:
            if options.init_checkpoint:
                check_checkpoint_exists(options.init_checkpoint, flag="init_checkpoint")
            raise ValueError(
                f"give {', '.join(missing)}: neither a run in {self.output_dir} nor a file beside "
                "--init_checkpoint tells; --help describes all flags"
            )
        return options

    def known(self) -> tuple[str, dict[str, Any]]:
        """Directory of a run, and the flags that it knows and that were not given."""
        source = self.model or self.init_checkpoint
        if self.ensemble:
            source = find_several(self.ensemble, flag="ensemble")[0]
        directory, flags = known_flags(
            self.output_dir, init_checkpoint=source, do_train=self.do_train
        )
        if self.ensemble:  # Each fold has another validation set.
            flags = {name: flags[name] for name in flags if name not in ("num_folds", "fold")}
        if self.vocab_file or self.spm_model_file:
            flags = {name: flags[name] for name in flags if name not in _TOKENIZER_FILES}
        if self.dev_file:  # another validation set than the run's
            flags = {name: flags[name] for name in flags if name not in OF_VALIDATION}
        return directory, {name: flags[name] for name in flags if getattr(self, name) is None}

    def splits(self) -> list[str]:
        """Splits of the task that the flags ask for."""
        wanted = {"train": self.do_train, "dev": self.do_eval, "test": self.do_predict}
        return [name for name, is_wanted in wanted.items() if is_wanted]

    def source_of(self, split: str) -> str:
        """The split whose file has the examples of a split: dev may be a part of train's."""
        is_part = split == "dev" and part_of_training(self)
        return "train" if is_part else split

    @property
    def pooling(self) -> Pooling:
        return Pooling.POOLED if self.use_pooled_output else Pooling.MEAN
