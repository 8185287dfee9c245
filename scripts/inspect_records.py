"""Show pretraining records, print their statistics, and verify the files.

  python scripts/inspect_records.py --input_file=records/ \\
    --vocab_file=albert_config/vocab.txt --histogram_file=lengths.png

It reads records of create_pretraining_data.py, made with any flags, and of published toolkits.
The first instances are shown as tokens with their prediction targets:

  A  [CLS] 我 爱 [北→MASK] [京→=] [SEP]

Every record is read and checked as in training. More is checked that training does not notice: a
position that is masked twice, masks on special tokens, a [MASK] that is no prediction target,
segments that do not end with [SEP]. And the files are compared with their manifest.json. Errors
are listed with file, record and byte, and make the exit code 1.
"""

from project import cli

from albert_zh.inspection.options import InspectOptions


def main(options: InspectOptions) -> None:
    from albert_zh.inspection.run import inspect_records

    inspect_records(options)


if __name__ == "__main__":
    cli.run(main, InspectOptions, needs_tensorflow=True)
