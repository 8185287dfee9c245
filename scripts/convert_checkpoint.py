r"""Make another checkpoint of one or of several, or exchange a model with transformers.

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

to_transformers, from_transformers: a model, head included, for transformers or from it

  python scripts/convert_checkpoint.py to_transformers --checkpoint=my_model --output_dir=hf
  python scripts/convert_checkpoint.py from_transformers --model_dir=hf --output_dir=my_albert

Both directions are exact: outputs differ by rounding alone. Models of brightmart's lineage become
ALBERT of transformers with embeddings of the hidden size; those that are pre-LN have no equal
there. PyTorch is not needed.

inspect, compare: what a checkpoint holds, and where two differ

  python scripts/convert_checkpoint.py inspect --checkpoint=my_albert
  python scripts/convert_checkpoint.py compare --checkpoint=my_albert --other=my_average

A word and --help, as in `convert_checkpoint.py average --help`, describe the flags.
"""

from project import cli

from albert_zh.checkpoint.options import (
    AverageOptions,
    CompareOptions,
    ConversionOptions,
    InspectOptions,
)
from albert_zh.exchange.options import FromTransformersOptions
from albert_zh.export.options import ToTransformersOptions


def vocabulary(options: ConversionOptions) -> None:
    from albert_zh.checkpoint.vocabulary_change import change_vocabulary

    _print(change_vocabulary, options)


def average(options: AverageOptions) -> None:
    from albert_zh.checkpoint.averaging import average_checkpoints

    _print(average_checkpoints, options)


def inspect(options: InspectOptions) -> None:
    from albert_zh.checkpoint.description import inspect_checkpoint

    _print(inspect_checkpoint, options)


def compare(options: CompareOptions) -> None:
    from albert_zh.checkpoint.description import compare_checkpoints

    _print(compare_checkpoints, options)


def to_transformers(options: ToTransformersOptions) -> None:
    from albert_zh.export.transformers_folder import export_folder

    _print(export_folder, options)


def from_transformers(options: FromTransformersOptions) -> None:
    from albert_zh.exchange.from_transformers import import_folder

    _print(import_folder, options)


def _print(work, options) -> None:
    import tensorflow as tf

    tf.config.set_visible_devices([], "GPU")  # The work is too small for a GPU.
    for line in work(options):
        print(line)


COMMANDS = {
    "vocabulary": (vocabulary, ConversionOptions),
    "average": (average, AverageOptions),
    "inspect": (inspect, InspectOptions),
    "compare": (compare, CompareOptions),
    "to_transformers": (to_transformers, ToTransformersOptions),
    "from_transformers": (from_transformers, FromTransformersOptions),
}

if __name__ == "__main__":
    cli.run(*cli.command(COMMANDS, default="vocabulary"), needs_tensorflow=True)
