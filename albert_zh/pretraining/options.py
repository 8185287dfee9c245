"""The flags of pretraining."""

import dataclasses

from albert_zh.flags import REQUIRED, option
from albert_zh.input.rules import OnCorrupt
from albert_zh.masking.options import MASKINGS, MaskingOptions
from albert_zh.runs.options import RunOptions
from albert_zh.text.vocab import Vocab
from albert_zh.train.rules.table import RULES
from albert_zh.util.files import expand_patterns


@dataclasses.dataclass(frozen=True)
class PretrainingOptions(RunOptions, MaskingOptions):
    """Flags of pretraining. Those of masking are for records of --masking=dynamic."""

    input_file: str = option(
        REQUIRED, "Records to train on: comma-separated files and globs of TFRecord files."
    )
    eval_input_file: str | None = option(
        None,
        "Records of the validation set, evaluated on the way. Without them and --eval_fraction, "
        "--do_eval reads --input_file, which only tells how well the model knows its training "
        "data.",
    )
    eval_fraction: float | None = option(
        None,
        "Share of the files of --input_file that is the validation set instead of "
        "--eval_input_file: whole files, at least one, chosen by --random_seed.",
    )
    max_seq_length: int | None = option(
        None, "Length of the examples, in tokens. Default: as the records say."
    )
    max_predictions_per_seq: int | None = option(
        None,
        "Masks an example has room for. Default: as the records say; where they are masked here, "
        "what masked_lm_prob takes of the longest.",
    )
    vocab_file: str | None = option(
        None, "Vocabulary of the records, one entry a line. Needed where they are masked here."
    )
    masking: str | None = option(
        None,
        "What is masked together where records are masked here: a word (the default), an ngram of "
        "words, a span of words of geometric length (SpanBERT), or a token by itself.",
        choices=MASKINGS,
    )
    on_corrupt: str = option(
        "error",
        "What to do with records that cannot be read: end with an error that names the first one, "
        "or skip and count them, after reading all files once.",
        choices=[choice.value for choice in OnCorrupt],
    )
    do_train: bool = option(False, "Train.")
    do_eval: bool = option(False, "Evaluate the newest checkpoint into eval_results.txt.")
    train_batch_size: int = option(32, "Examples of one optimizer step, of all devices together.")
    eval_batch_size: int = option(8, "Examples evaluated at a time.")
    masked_lm_weight: float = option(1.0, "Weight of the masked-LM loss.")
    sentence_order_weight: float = option(
        1.0, "Weight of the sentence-order loss; 0 trains without it."
    )
    optimizer: str = option("lamb", "Update rule.", choices=list(RULES))
    learning_rate: float = option(5e-5, "Peak of the learning rate.")
    poly_power: float = option(1.0, "Power of the decay: 1 is a straight line to 0.")
    num_train_steps: int = option(100000, "Steps to train in all.")
    num_warmup_steps: int = option(10000, "Steps over which the learning rate rises.")
    start_warmup_step: int = option(0, "Step at which the warm-up begins.")
    eval_steps: int | None = option(
        None, "Steps between validations. Default: at every checkpoint."
    )
    max_eval_steps: int = option(100, "Batches evaluated at most.")
    peak_flops: float | None = option(
        None,
        "FLOP/s that one device can reach, against which the speed is shown (MFU). Default: "
        "measured at the start.",
    )

    def __post_init__(self):
        super().__post_init__()
        if not (self.do_train or self.do_eval):
            raise ValueError("nothing to do: set --do_train=True, --do_eval=True or both")
        if self.eval_input_file and self.eval_fraction is not None:
            raise ValueError("--eval_input_file and --eval_fraction both hold out; give one")
        if self.masked_lm_weight <= 0 or self.sentence_order_weight < 0:
            raise ValueError(
                f"--masked_lm_weight={self.masked_lm_weight} must be more than 0, "
                f"--sentence_order_weight={self.sentence_order_weight} at least 0"
            )

    def check(self) -> None:
        super().check()
        for patterns in filter(None, (self.input_file, self.eval_input_file)):
            expand_patterns(patterns)
        if self.vocab_file:
            Vocab.load(self.vocab_file)
