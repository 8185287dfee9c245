r"""Write a checkpoint to pass on: half-precision weights, configuration, vocabulary, checksums.

  python scripts/slim_checkpoint.py --init_checkpoint=my_albert --output_dir=my_albert_slim \
      --bert_config_file=my_albert/albert_config.json --vocab_file=my_albert/vocab.txt

The weights take a sixth of the space of a training checkpoint, whose moments are left out. The
folder works wherever --init_checkpoint does; its files are compared with SHA256SUMS then.
"""

from project import cli

from albert_zh.checkpoint.options import SlimOptions


def main(options: SlimOptions) -> None:
    import tensorflow as tf

    from albert_zh.checkpoint.slim import slim_checkpoint

    tf.config.set_visible_devices([], "GPU")
    for line in slim_checkpoint(options):
        print(line)


if __name__ == "__main__":
    cli.run(main, SlimOptions, needs_tensorflow=True)
