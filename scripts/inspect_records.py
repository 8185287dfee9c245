"""Shows pretraining records, counts what is in them, and verifies the files.

  python scripts/inspect_records.py --input_file='data/*.tfrecord' \\
    --vocab_file=albert_config/vocab.txt --histogram_file=lengths.png

It reads the records of create_pretraining_data.py, made with any flags, and those of the published
toolkits. The first instances are shown as tokens, with those that the model has to predict:

  A  [CLS] 我 爱 [北→MASK] [京→=] [SEP]

Every record is read and checked as training does; the files are compared with manifest.json beside
them. If anything is wrong, all of it is listed with file, record and byte, and the exit code is 1.
"""

import pathlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass

# A clone is not installed: its package is found beside this folder.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from albert_zh import cli
from albert_zh.flags import REQUIRED, define_flags, option, read_flags
from albert_zh.inspection.files import InspectedFiles
from albert_zh.inspection.pictures import draw_histograms, histogram
from albert_zh.inspection.rendering import LEGEND, examples
from albert_zh.inspection.statistics import Statistics, summary
from albert_zh.inspection.verification import Inspection, inspect_files
from albert_zh.records.manifest import MANIFEST
from albert_zh.text.tokenizers import load_tokenizer
from albert_zh.text.vocab import Vocab
from albert_zh.util.files import atomic_write, expand_patterns
from albert_zh.util.optional_packages import load_extra


@dataclass(frozen=True)
class InspectOptions:
    """Files to inspect, and how closely."""

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
    inspection = inspect_files(files, verify=options.verify)
    statistics = inspection.statistics
    if statistics.lengths:
        print(report(statistics, files))
        if options.histogram_file:
            with atomic_write(options.histogram_file) as file:
                draw_histograms(statistics, file)
            print(f"\nwrote {options.histogram_file}")
    conclude(files, inspection, verify=options.verify)


def check_picture(path: str) -> None:
    """Fail before the long work if the picture cannot be written."""
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


def conclude(files: InspectedFiles, inspection: Inspection, *, verify: bool) -> None:
    """Print that all is in order.

    Raises:
        ValueError: Something is not; lists all of it.
    """
    if verify and (unlisted := files.unlisted()):
        print(f"\nno {MANIFEST} lists them; only their records were checked: {_named(unlisted)}")
    if inspection.problems:
        raise ValueError("\n".join(["not all is as it should be", *map(str, inspection.problems)]))
    num_records = inspection.statistics.counts["records"]
    print(f"\nin order: {num_records:,} records of {_named(files.paths)}")


def _named(paths: Sequence[str]) -> str:
    return paths[0] if len(paths) == 1 else f"{paths[0]} and {len(paths) - 1:,} more"


if __name__ == "__main__":
    define_flags(InspectOptions)
    cli.run(main)
