"""Flags of evaluations and predictions of a fine-tuning."""

import dataclasses

from albert_zh.flags import option


@dataclasses.dataclass(frozen=True)
class EvaluationOptions:
    """Flags of evaluations and predictions."""

    eval_steps: int | None = option(
        None,
        "Steps between evaluations of the validation set; a checkpoint is saved at each. Default: "
        "at every checkpoint.",
        at_least=1,
    )
    early_stopping: int | None = option(
        None,
        "End the training after this many evaluations without a better one. Default: never.",
        at_least=1,
    )
    eval_batch_size: int = option(
        64,
        "Examples of --max_seq_length per evaluation batch; batches of shorter ones hold more.",
        at_least=1,
    )
    predict_batch_size: int = option(
        64,
        "Examples of --max_seq_length per prediction batch; batches of shorter ones hold more.",
        at_least=1,
    )

    def __post_init__(self):
        for name in ("eval_steps", "early_stopping"):
            if getattr(self, name) and self.do_train and not self.do_eval:
                raise ValueError(f"--{name} needs the evaluations of --do_eval=True")
