"""Flags of pretraining."""

import dataclasses

from absl import logging

from albert_zh.checkpoint.beside import known_files
from albert_zh.checkpoint.paths import check_checkpoint_exists
from albert_zh.export.directory import check_keeps, check_target
from albert_zh.flags import REQUIRED, option, with_values
from albert_zh.input.rules import OnCorrupt
from albert_zh.masking.options import MASKINGS, MaskingOptions
from albert_zh.records.paths import expand_records
from albert_zh.runs.options import RunOptions
from albert_zh.text.vocab import Vocab
from albert_zh.train.rules.table import OPTIMIZER_HELP, RULES


@dataclasses.dataclass(frozen=True)
class PretrainingOptions(RunOptions, MaskingOptions):
    """Flags of pretraining.

    Those of masking are for records without masks, made with --masking=dynamic.
    """

    bert_config_file: str | None = option(
        None,
        "JSON file with the model configuration; published weights come with one. Default: that of "
        "the run in --output_dir, or beside --init_checkpoint; else required.",
        alias="albert_config_file",
        is_file=True,
    )
    input_file: str = option(
        REQUIRED, "Training records: comma-separated TFRecord files, globs and folders."
    )
    eval_input_file: str | None = option(
        None,
        "Validation records, evaluated during training; they may have other lengths than those of "
        "--input_file. Without them or --eval_fraction, --do_eval reads --input_file, which only "
        "shows how well the training data is fitted.",
    )
    eval_fraction: float | None = option(
        None,
        "Share of the files of --input_file that become the validation set instead of "
        "--eval_input_file: whole files, at least one, chosen by --random_seed.",
        above=0,
        below=1,
    )
    export_dir: str | None = option(
        None,
        "Folder for the best model when the training ends: slim checkpoint and SavedModel, with "
        "configuration and vocabulary. An earlier export there is replaced.",
    )
    max_seq_length: int | None = option(
        None, "Tokens per example. Default: as in the records.", at_least=1
    )
    max_predictions_per_seq: int | None = option(
        None,
        "Maximum prediction targets per example. Default: as in the records; without masks, "
        "masked_lm_prob * max_seq_length.",
        at_least=1,
    )
    vocab_file: str | None = option(
        None,
        "Vocabulary of the records, one entry a line; compared with theirs, and copied to "
        "--output_dir. Required for records without masks, unless the run in --output_dir has one "
        "or one lies beside --init_checkpoint.",
        is_file=True,
    )
    masking: str | None = option(
        None,
        "Unit of masking for records without masks (--masking=dynamic in data creation): word "
        "(the default); ngram of words; span of words, of geometric length (SpanBERT); token.",
        choices=MASKINGS,
    )
    on_corrupt: str = option(
        "error",
        "What to do with unreadable records. error: stop and name the first. skip: leave them out "
        "and count them, by reading all files once first.",
        choices=[choice.value for choice in OnCorrupt],
    )
    do_train: bool = option(False, "Train.")
    do_eval: bool = option(
        False,
        "Evaluate the newest checkpoint, without any --init_checkpoint; write eval_results.txt.",
    )
    train_batch_size: int = option(32, "Examples per optimizer step, over all devices.", at_least=1)
    eval_batch_size: int = option(8, "Examples per evaluation batch.", at_least=1)
    masked_lm_weight: float = option(1.0, "Weight of the masked-LM loss.", above=0)
    sentence_order_weight: float = option(
        1.0, "Weight of the sentence-order loss; 0 trains without it.", at_least=0
    )
    optimizer: str = option("lamb", OPTIMIZER_HELP, choices=list(RULES))
    learning_rate: float = option(5e-5, "Peak learning rate.", at_least=0)
    poly_power: float = option(1.0, "Power of the decay to 0: 1 is linear.", at_least=0)
    num_train_steps: int = option(
        100000,
        "Training steps in total. With 0, --do_eval evaluates --init_checkpoint.",
        at_least=0,
    )
    num_warmup_steps: int = option(
        10000, "Steps over which the learning rate rises to its peak.", at_least=0
    )
    start_warmup_step: int = option(0, "Step at which the warm-up begins.", at_least=0)
    eval_steps: int | None = option(
        None,
        "Steps between evaluations of the validation set. Default: at every checkpoint.",
        at_least=1,
    )
    max_eval_steps: int = option(100, "Maximum batches per evaluation.", at_least=1)
    peak_flops: float | None = option(
        None,
        "Peak FLOP/s of one device, for the model FLOPs utilisation (MFU). Default: measured at "
        "the start.",
        above=0,
    )

    def __post_init__(self):
        super().__post_init__()
        if not (self.do_train or self.do_eval):
            raise ValueError("nothing to do: set --do_train=True, --do_eval=True or both")
        if not (self.num_train_steps or self.do_eval):
            raise ValueError(
                "--num_train_steps=0: it must be at least 1, unless --do_eval=True is to evaluate "
                "--init_checkpoint"
            )
        if self.eval_input_file and self.eval_fraction is not None:
            raise ValueError(
                "--eval_input_file and --eval_fraction both name a validation set; give one"
            )

    def check(self) -> None:
        if self.export_dir:
            if not self.do_train:
                raise ValueError("--export_dir needs --do_train=True: a training exports its model")
            check_target(self.export_dir, overwrite=True)
            inputs = (self.output_dir, self.init_checkpoint, self.vocab_file, self.bert_config_file)
            check_keeps(self.export_dir, inputs)
        if self.bert_config_file is None and "://" in f"{self.output_dir}{self.init_checkpoint}":
            return  # Only TensorFlow reads what lies there.
        options = self.completed()
        RunOptions.check(options)
        options._check_inputs()

    def completed(self) -> "PretrainingOptions":
        """The options with the model's configuration where no flag names it.

        Raises:
            ValueError: There is none.
        """
        known = known_files(self.output_dir, self.init_checkpoint).get("bert_config_file")
        options = with_values(self, {"bert_config_file": self.bert_config_file or known})
        if options.bert_config_file is None:
            if options.init_checkpoint:
                check_checkpoint_exists(options.init_checkpoint, flag="init_checkpoint")
            raise ValueError(
                "give --bert_config_file: there is no albert_config.json in --output_dir or beside "
                "--init_checkpoint; albert_config/ has those of all sizes"
            )
        return options

    def _check_inputs(self) -> None:
        _warn_of_long_warmup(self)
        for patterns in filter(None, (self.input_file, self.eval_input_file)):
            expand_records(patterns)
        if self.vocab_file:
            Vocab.load(self.vocab_file)


def _warn_of_long_warmup(options: PretrainingOptions) -> None:
    steps, end = options.num_train_steps, options.start_warmup_step + options.num_warmup_steps
    if options.do_train and end > steps:
        share = max(0, steps - options.start_warmup_step) / options.num_warmup_steps
        logging.warning(
            "--num_warmup_steps=%d: the warm-up lasts to step %d and the training to "
            "--num_train_steps=%d, so the learning rate ends at %.3g instead of rising to "
            "--learning_rate=%g",
            options.num_warmup_steps,
            end,
            steps,
            share * options.learning_rate,
            options.learning_rate,
        )
