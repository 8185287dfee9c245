"""The whole inspection of record files: examples, statistics, verification."""

from collections.abc import Sequence

from albert_zh.inspection.files import InspectedFiles
from albert_zh.inspection.options import InspectOptions, load_vocab
from albert_zh.inspection.pictures import draw_histograms, histogram
from albert_zh.inspection.rendering import LEGEND, examples
from albert_zh.inspection.statistics import Statistics, summary
from albert_zh.inspection.verification import Inspection, inspect_files
from albert_zh.records.manifest import MANIFEST
from albert_zh.records.paths import expand_records
from albert_zh.util.files import atomic_write


def inspect_records(options: InspectOptions) -> None:
    """Print examples, statistics and the verdict.

    Raises:
        ValueError, OSError: A file is missing, or not all is in order; lists all of it.
    """
    paths, others = expand_records(options.input_file)
    if others:
        print(f"left out, as no record begins there: {_named(others)}\n")
    files = InspectedFiles.find(paths, load_vocab(options))
    if files.vocab and options.num_shown:
        print(LEGEND, *examples(files, count=options.num_shown), sep="\n\n", end="\n\n")
    inspection = inspect_files(files, verify=options.verify)
    statistics = inspection.statistics
    if statistics.lengths:
        print(_report(statistics, files))
        if options.histogram_file:
            with atomic_write(options.histogram_file) as file:
                draw_histograms(statistics, file)
            print(f"\nwrote {options.histogram_file}")
    _conclude(files, inspection, verify=options.verify)


def _report(statistics: Statistics, files: InspectedFiles) -> str:
    """Statistics and histogram for people."""
    parts = [summary(statistics, orders=files.orders)]
    if not files.vocab:
        parts.append(
            "With --vocab_file (or --spm_model_file): instances as tokens, what masked tokens are"
            " read as, the share of unknown ones."
        )
    return "\n\n".join([*parts, histogram(statistics.lengths, name="tokens")])


def _conclude(files: InspectedFiles, inspection: Inspection, *, verify: bool) -> None:
    """Print that all is in order.

    Raises:
        ValueError: Something is not; lists all of it.
    """
    if verify and (unlisted := files.unlisted()):
        print(f"\nno {MANIFEST} lists them; only their records were checked: {_named(unlisted)}")
    if inspection.problems:
        raise ValueError("\n".join(["the records have errors:", *map(str, inspection.problems)]))
    num_records = inspection.statistics.counts["records"]
    print(f"\nin order: {num_records:,} records of {_named(files.paths)}")


def _named(paths: Sequence[str]) -> str:
    return paths[0] if len(paths) == 1 else f"{paths[0]} and {len(paths) - 1:,} more"
