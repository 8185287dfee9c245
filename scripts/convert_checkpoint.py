r"""Convert a checkpoint, published or our own, to another vocabulary.

  python scripts/convert_checkpoint.py --init_checkpoint=albert_tiny_zh/albert_model.ckpt \
      --bert_config_file=albert_tiny_zh/albert_config_tiny.json \
      --vocab_file=albert_tiny_zh/vocab.txt --new_vocab_file=my_vocab.txt --output_dir=my_albert

An entry of both vocabularies keeps its word embedding, even if its id changes. A new entry
that the old vocabulary splits into pieces gets the mean of theirs. Any other new entry gets
random values.

The output directory gets model.ckpt, its configuration and vocab.txt, for further training with
--init_checkpoint=my_albert/model.ckpt. Optimizer moments and the step are left out, so
the old training cannot be resumed from it.
"""

from project import cli

from albert_zh.checkpoint.options import ConversionOptions


def main(options: ConversionOptions) -> None:
    import tensorflow as tf

    from albert_zh.checkpoint.vocabulary_change import change_vocabulary

    tf.config.set_visible_devices([], "GPU")  # The work is too small for a GPU.
    for line in change_vocabulary(options):
        print(line)


if __name__ == "__main__":
    cli.run(main, ConversionOptions, needs_tensorflow=True)
