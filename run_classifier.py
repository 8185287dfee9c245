r"""Fine-tune an ALBERT on a classification task, evaluate it, predict with it.

  python3 run_classifier.py --task_name=lcqmc --data_dir=lcqmc --output_dir=lcqmc_output \
      --vocab_file=albert_tiny_zh/vocab.txt --init_checkpoint=albert_tiny_zh/albert_model.ckpt \
      --bert_config_file=albert_tiny_zh/albert_config_tiny.json --do_train=True --do_eval=True \
      --max_seq_length=128 --train_batch_size=64 --learning_rate=1e-4 --num_train_epochs=5

The output directory then holds the newest checkpoints (model.ckpt-N), the scores of each on dev
(eval_results_albert_zh.txt), which of them is best (best_checkpoint.json), history.jsonl with the
numbers of the training, options.json, and what a checkpoint needs to be used elsewhere: vocab.txt
and albert_config.json. The same command again goes on where it stopped.
"""

from albert_zh import cli
from albert_zh.config import ModelConfig
from albert_zh.finetuning.run import (
    ClassifierOptions,
    evaluate_checkpoints,
    predict_test,
    prepare_data,
    train_classifier,
)
from albert_zh.flags import define_flags, read_flags
from albert_zh.model.heads import Classifier
from albert_zh.runs.run import (
    Run,
    check_lengths,
    check_vocabulary,
    check_vocabulary_size,
    vocabulary_identity,
)
from albert_zh.tasks.readers.tsv import find_file
from albert_zh.tasks.task import Task, find_task
from albert_zh.text.tokenizers import Tokenizer, load_tokenizer
from albert_zh.train.strategy import make_strategy, report_lost_workers
from albert_zh.util.files import sha256_of_file


def main() -> None:
    fine_tune(read_flags(ClassifierOptions))


def fine_tune(options: ClassifierOptions) -> None:
    """Trains, evaluates, predicts, or several of it.

    Raises:
        ValueError, OSError: The options, the data or a checkpoint do not fit; nothing was written
            then.
    """
    if not (options.do_train or options.do_eval or options.do_predict):
        raise ValueError("nothing to do: set --do_train=True, --do_eval=True or --do_predict=True")
    task = find_task(options.task_name)
    config = ModelConfig.from_json_file(options.bert_config_file)
    check_lengths(options.max_seq_length, config, source=options.bert_config_file)
    # Workers have to be connected before TensorFlow computes anything.
    strategy = make_strategy(options.strategy_options())
    tokenizer = _tokenizer(options, config)
    identity = _identity(options, config, task, tokenizer)
    run = Run(options, identity=identity, strategy=strategy)
    data = prepare_data(options, task, tokenizer)
    with strategy.scope():
        model = Classifier(
            config,
            len(task.labels),
            pooling=options.pooling,
            seed=options.random_seed,
            dtype=options.computes_in().dtype,
            recompute=options.recomputes(config),
        )
        run.start(model, new_parts=["output_", "loss/"], spare_parts=["cls/"])
    with report_lost_workers():
        if options.do_train and not train_classifier(
            options, run, model, data, tokenizer=tokenizer
        ):
            return
        if options.do_eval:
            evaluate_checkpoints(options, run, model, data)
        if options.do_predict:
            predict_test(options, run, model, data)


def _tokenizer(options: ClassifierOptions, config: ModelConfig) -> Tokenizer:
    tokenizer = load_tokenizer(
        options.vocab_file,
        spm_model_file=options.spm_model_file,
        do_lower_case=options.do_lower_case,
    )
    source = options.spm_model_file or options.vocab_file
    check_vocabulary_size(len(tokenizer.vocab), config, source=source)
    if options.init_checkpoint:
        check_vocabulary(options.init_checkpoint, tokenizer.vocab.fingerprint)
    return tokenizer


def _identity(options, config: ModelConfig, task: Task, tokenizer: Tokenizer) -> dict:
    identity = {
        "config": config.to_dict(),
        "vocabulary": vocabulary_identity(tokenizer.vocab),
        "task": {
            "name": task.name,
            "labels": task.labels,
            "max_seq_length": options.max_seq_length,
            "pooling": options.pooling.value,
            "do_lower_case": options.do_lower_case,
        },
    }
    if options.do_train:
        train_file = find_file(task, data_dir=options.data_dir, split="train")
        identity["training_data"] = sha256_of_file(train_file)
        for name in ("init_checkpoint", "train_batch_size", "random_seed"):
            identity[name] = getattr(options, name)
    return identity


if __name__ == "__main__":
    define_flags(ClassifierOptions)
    cli.run(main)
