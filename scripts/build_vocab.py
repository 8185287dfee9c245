"""Builds a WordPiece vocabulary, from a corpus or from jieba's dictionary.

  python scripts/build_vocab.py --input_file='corpus/*.txt' --output_file=my_vocab.txt

The project's own albert_config/vocab.txt, for lower-cased text, was made without a corpus; the
same command makes it again:

  python scripts/build_vocab.py --output_file=albert_config/vocab.txt

Ids differ from one vocabulary to another: a vocabulary is for models pretrained with it. Published
models need the vocab.txt they came with.
"""

import os
import pathlib
import sys
from dataclasses import dataclass

# A clone is not installed: its package is found beside this folder.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from albert_zh import cli
from albert_zh.files import atomic_write, expand_patterns
from albert_zh.options import REQUIRED, define_flags, option, read_flags
from albert_zh.text.vocab_builder import (
    PUBLISHED_SIZE,
    TextCounts,
    build_entries,
    count_corpus,
    count_dictionary,
)


@dataclass(frozen=True)
class BuildOptions:
    """What to count, and what to make of it."""

    output_file: str = option(REQUIRED, "Vocabulary to write; it must not exist yet.")
    input_file: str | None = option(
        None,
        "Text to count, UTF-8: a comma-separated list of files or globs. Without it, jieba's "
        "dictionary is counted.",
    )
    vocab_size: int = option(
        PUBLISHED_SIZE, "Entries to write; the vocab_size of the model's configuration."
    )
    do_lower_case: bool = option(
        True, "For text that is lower-cased and stripped of accents; as in pretraining."
    )


def main() -> None:
    options = read_flags(BuildOptions)
    if os.path.exists(options.output_file):
        raise FileExistsError(
            f"{options.output_file} exists; choose another --output_file, or move that one away"
        )
    entries = build_entries(
        _counts(options), size=options.vocab_size, do_lower_case=options.do_lower_case
    )
    with atomic_write(options.output_file, "w") as file:
        file.write("".join(f"{entry}\n" for entry in entries))
    print(f"wrote {len(entries):,} entries to {options.output_file}")


def _counts(options: BuildOptions) -> TextCounts:
    if options.input_file is None:
        return count_dictionary(do_lower_case=options.do_lower_case)
    paths = expand_patterns(options.input_file)
    return count_corpus(paths, do_lower_case=options.do_lower_case)


if __name__ == "__main__":
    define_flags(BuildOptions)
    cli.run(main)
