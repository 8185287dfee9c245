"""The settings that must stay the same when a fine-tuning resumes, stored with its checkpoints."""

from albert_zh.checkpoint.meta import CheckpointMeta, TaskMeta
from albert_zh.checkpoint.vocabulary_check import vocabulary_identity
from albert_zh.config import ModelConfig
from albert_zh.finetuning.aids import aids_identity
from albert_zh.finetuning.known import part_of_training
from albert_zh.finetuning.options import ClassifierOptions
from albert_zh.runs.identity import AIDS, INITIAL_WEIGHTS
from albert_zh.runs.initial_weights import initial_fingerprint
from albert_zh.tasks.splits import fingerprint
from albert_zh.tasks.task import Task
from albert_zh.text.tokenizers import Tokenizer


def run_identity(
    options: ClassifierOptions, config: ModelConfig, task: Task, tokenizer: Tokenizer
) -> CheckpointMeta:
    """Model, vocabulary, task and, of a training, its data and seed."""
    training = {}
    if options.do_train:
        training["training_data"] = fingerprint(task, data_dir=options.data_dir, split="train")
        training |= part_of_training(options)
        training[INITIAL_WEIGHTS] = initial_fingerprint(options)
        tokens = options.train_batch_tokens
        training["train_batch_size"] = f"{tokens} tokens" if tokens else options.train_batch_size
        training["random_seed"] = options.random_seed
        training[AIDS] = aids_identity(options)
    return CheckpointMeta(
        config=config,
        vocabulary=vocabulary_identity(tokenizer.vocab),
        task=_task_meta(options, task),
        training=training,
    )


def _task_meta(options: ClassifierOptions, task: Task) -> TaskMeta:
    """The task as it is stored."""
    return TaskMeta(
        name=task.name,
        kind=task.kind.name,
        labels=task.labels,
        max_seq_length=options.max_seq_length,
        pooling=options.pooling,
        do_lower_case=options.do_lower_case,
        num_texts=task.kind.num_texts(task),
    )
