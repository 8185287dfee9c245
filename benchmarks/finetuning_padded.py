"""run_classifier.py with every batch padded to --max_seq_length, as published.

It is started by finetuning.py.
"""

import project  # noqa: F401  puts the clone on the path

from albert_zh import cli
from albert_zh.finetuning.options import ClassifierOptions


def main(options: ClassifierOptions) -> None:
    from albert_zh.finetuning import data
    from albert_zh.finetuning.run import fine_tune

    data.bucket_lengths = lambda longest, **_: (longest,)
    fine_tune(options)


if __name__ == "__main__":
    cli.run(main, ClassifierOptions, needs_tensorflow=True)
