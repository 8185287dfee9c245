"""Shows pretraining records, counts what is in them, and verifies the files.

  python scripts/inspect_records.py --input_file='data/*.tfrecord' \\
    --vocab_file=albert_config/vocab.txt --histogram_file=lengths.png

It reads what create_pretraining_data.py writes with any flags, and the records of the published
toolkits. The first instances are shown as tokens, with what the model has to guess:

  A  [CLS] 我 爱 [北→MASK] [京→=] [SEP]

Every record is read and its checksum compared; the files are compared with manifest.json beside
them. All that is wrong is listed with file, record and byte, and the exit code is 1.
"""

import pathlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass

# A clone is not installed: its package is found beside this folder.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from albert_zh import cli
from albert_zh.flags import REQUIRED, define_flags, option, read_flags
from albert_zh.inspection.inspection import LEGEND, InspectedFiles, Problem, examples, inspect
from albert_zh.inspection.statistics import (
    Statistics,
    draw_histograms,
    histogram,
    summary,
)
from albert_zh.records.manifest import MANIFEST
from albert_zh.text.tokenizers import load_tokenizer
from albert_zh.text.vocab import Vocab
from albert_zh.util.files import atomic_write, expand_patterns
from albert_zh.util.optional_packages import load_extra


@dataclass(frozen=True)
class InspectOptions:
    """What to look at, and how closely."""

    input_file: str = option(REQUIRED, "Record files: a comma-separated list of files or globs.")
    vocab_file: str | None = option(
        None, "Vocabulary of the records; instances and mask kinds are shown only with it."
    )
    spm_model_file: str | None = option(
        None, "SentencePiece model, for records made with one; its pieces are the vocabulary."
    )
    num_shown: int = option(3, "Instances to show.")
    verify: bool = option(
        True,
        f"Compare the files with {MANIFEST} beside them: size, SHA-256, number of records, shards "
        "that are missing. The records are checked in any case.",
    )
    histogram_file: str | None = option(
        None, "Picture of the lengths and the masked tokens of a record, to write as .png."
    )


def main() -> None:
    options = read_flags(InspectOptions)
    if options.histogram_file:
        check_picture(options.histogram_file)
    files = InspectedFiles.find(expand_patterns(options.input_file), load_vocab(options))
    if files.vocab and options.num_shown:
        print(LEGEND, *examples(files, count=options.num_shown), sep="\n\n", end="\n\n")
    statistics, problems = inspect(files, verify=options.verify)
    if statistics.lengths:
        print(report(statistics, files))
        if options.histogram_file:
            with atomic_write(options.histogram_file) as file:
                draw_histograms(statistics, file)
            print(f"\nwrote {options.histogram_file}")
    conclude(files, statistics, problems, verify=options.verify)


def check_picture(path: str) -> None:
    """Finds out before the long work whether a picture can be written."""
    if not path.endswith(".png"):
        raise ValueError(
            f"the histogram is a PNG picture; give a name that ends in .png, not {path}"
        )
    load_extra("matplotlib", purpose="a histogram")


def load_vocab(options: InspectOptions) -> Vocab | None:
    """The vocabulary that was given, if any."""
    if not options.vocab_file and not options.spm_model_file:
        return None
    return load_tokenizer(options.vocab_file, spm_model_file=options.spm_model_file).vocab


def report(statistics: Statistics, files: InspectedFiles) -> str:
    """Statistics and histogram for people."""
    parts = [summary(statistics, orders=files.orders)]
    if not files.vocab:
        parts.append(
            "With --vocab_file (or --spm_model_file): instances as tokens, what masked tokens are"
            " read as, the share of unknown ones."
        )
    return "\n\n".join([*parts, histogram(statistics.lengths, name="tokens")])


def conclude(
    files: InspectedFiles, statistics: Statistics, problems: list[Problem], *, verify: bool
) -> None:
    """Says what was found to be in order.

    Raises:
        ValueError: Something is not; lists all of it.
    """
    if verify and (unlisted := files.unlisted()):
        print(f"\nno {MANIFEST} lists them; only their records were checked: {_named(unlisted)}")
    if problems:
        raise ValueError("\n".join(["not all is as it should be", *map(str, problems)]))
    print(f"\nin order: {statistics.counts['records']:,} records of {_named(files.paths)}")


def _named(paths: Sequence[str]) -> str:
    return paths[0] if len(paths) == 1 else f"{paths[0]} and {len(paths) - 1:,} more"


if __name__ == "__main__":
    define_flags(InspectOptions)
    cli.run(main)
