"""Show pretraining records, print their statistics, and verify the files.

  python scripts/inspect_records.py --input_file='data/*.tfrecord' \\
    --vocab_file=albert_config/vocab.txt --histogram_file=lengths.png

It reads the records of create_pretraining_data.py, made with any flags, and those of the published
toolkits. The first instances are shown as tokens, with those that the model has to predict:

  A  [CLS] 我 爱 [北→MASK] [京→=] [SEP]

Every record is read and checked as training does; the files are compared with manifest.json beside
them. If anything is wrong, all of it is listed with file, record and byte, and the exit code is 1.
"""

from project import cli

from albert_zh.inspection.options import InspectOptions


def main(options: InspectOptions) -> None:
    from albert_zh.inspection.run import inspect_records

    inspect_records(options)


if __name__ == "__main__":
    cli.run(main, InspectOptions, needs_tensorflow=True)
