r"""Make another checkpoint of one or of several, published or our own.

vocabulary: convert a checkpoint to another vocabulary (also without this word)

  python scripts/convert_checkpoint.py vocabulary \
      --init_checkpoint=albert_tiny_zh/albert_model.ckpt \
      --bert_config_file=albert_tiny_zh/albert_config_tiny.json \
      --vocab_file=albert_tiny_zh/vocab.txt --new_vocab_file=my_vocab.txt --output_dir=my_albert

An entry of both vocabularies keeps its word embedding, even if its id changes. A new entry
that the old vocabulary splits into pieces gets the mean of theirs. Any other new entry gets
random values.

The output directory gets model.ckpt, its configuration and vocab.txt, for further training with
--init_checkpoint=my_albert/model.ckpt. Optimizer moments and the step are left out, so
the old training cannot be resumed from it.

average: average the weights of several checkpoints of one training, or of trainings that began
with the same weights

  python scripts/convert_checkpoint.py average --checkpoints='my_model/model.ckpt-*' \
      --output_dir=my_average

The output directory gets model.ckpt-N, configuration, vocabulary and task, for use like those of
a run, as in run_classifier.py --output_dir=my_average --data_dir=lcqmc --do_eval=True.

A word and --help, as in `convert_checkpoint.py average --help`, describe the flags.
"""

from project import cli

from albert_zh.checkpoint.options import AverageOptions, ConversionOptions


def vocabulary(options: ConversionOptions) -> None:
    from albert_zh.checkpoint.vocabulary_change import change_vocabulary

    _print(change_vocabulary, options)


def average(options: AverageOptions) -> None:
    from albert_zh.checkpoint.averaging import average_checkpoints

    _print(average_checkpoints, options)


def _print(work, options) -> None:
    import tensorflow as tf

    tf.config.set_visible_devices([], "GPU")  # The work is too small for a GPU.
    for line in work(options):
        print(line)


COMMANDS = {
    "vocabulary": (vocabulary, ConversionOptions),
    "average": (average, AverageOptions),
}

if __name__ == "__main__":
    cli.run(*cli.command(COMMANDS, default="vocabulary"), needs_tensorflow=True)
