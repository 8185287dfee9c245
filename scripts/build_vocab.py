r"""Build a WordPiece vocabulary from a corpus or from jieba's dictionary, or extend one.

  python scripts/build_vocab.py --input_file=corpus --output_file=my_vocab.txt

  python scripts/build_vocab.py --input_file=corpus --base_vocab_file=albert_tiny_zh/vocab.txt \
      --num_new_entries=2000 --output_file=my_vocab.txt

The second command keeps every entry and its id, and appends frequent words and characters of the
corpus that the vocabulary lacks; with --fill_unused they take the places of [unused1], [unused2]
and so on. scripts/convert_checkpoint.py then converts a pretrained model.

The project's own albert_config/vocab.txt, for lower-cased text, was built without a corpus. This
command builds it again:

  python scripts/build_vocab.py --output_file=albert_config/vocab.txt

Ids differ between vocabularies, so a vocabulary only fits models that were pretrained with it.
Published models need the vocab.txt of their release.
"""

import itertools
import os
from collections.abc import Sequence
from dataclasses import dataclass

from project import cli

from albert_zh.corpus.counts import left_out
from albert_zh.corpus.options import ReadingOptions
from albert_zh.corpus.paths import STANDARD_INPUT
from albert_zh.corpus.reading import CorpusReader, with_progress
from albert_zh.creation.inputs import find_inputs
from albert_zh.flags import REQUIRED, given_flags, option
from albert_zh.text.encoding import is_chinese
from albert_zh.text.vocab import Vocab
from albert_zh.util.files import atomic_write, check_is_local, read_lines
from albert_zh.util.process_pool import available_cores
from albert_zh.vocabulary.builder import PUBLISHED_SIZE, build_entries
from albert_zh.vocabulary.counting import TextCounts, count_dictionary, count_texts
from albert_zh.vocabulary.extension import count_unknown, new_entries, unused_slots

_NEW_ENTRIES = 2000
_MIN_COUNT = 5


@dataclass(frozen=True)
class BuildOptions:
    """Flags of the new vocabulary."""

    output_file: str = option(REQUIRED, "New vocabulary file; it must not exist yet.")
    input_file: str | None = option(
        None,
        "Corpus: a comma-separated list of files, globs and folders; - is standard input. Files "
        "may be compressed (.gz, .bz2, .xz, .zst) or archives (.tar, .zip). Default: the words of "
        "jieba's dictionary.",
    )
    do_lower_case: bool = option(
        True, "Lower-case the text and strip accents; must match pretraining."
    )
    vocab_size: int | None = option(
        None,
        "Number of entries of a new vocabulary, the vocab_size of the model's configuration. "
        f"Default: {PUBLISHED_SIZE}.",
        at_least=1,
    )
    base_vocab_file: str | None = option(
        None, "Vocabulary to extend with entries from --input_file; its ids are kept.", is_file=True
    )
    num_new_entries: int | None = option(
        None,
        f"With --base_vocab_file: maximum number of entries to add. Default: {_NEW_ENTRIES}.",
        at_least=1,
    )
    fill_unused: bool = option(
        False,
        "With --base_vocab_file: new entries take the places of [unused1], [unused2], ... first, "
        "and are no more than those unless --num_new_entries says so. The vocabulary then keeps "
        "its size, and the model its table.",
    )
    num_workers: int | None = option(
        None, "Processes that count the words. Default: one for each core.", at_least=1
    )
    min_count: int | None = option(
        None,
        "With --base_vocab_file: minimum count of a new entry in --input_file. Default: "
        f"{_MIN_COUNT}.",
        at_least=1,
    )

    def __post_init__(self):
        has_base = self.base_vocab_file is not None
        if has_base and self.input_file is None:
            raise ValueError("--base_vocab_file is extended from a corpus; give --input_file")
        if has_base and self.vocab_size is not None:
            raise ValueError(
                "--base_vocab_file is extended by --num_new_entries; leave out --vocab_size"
            )
        for name in ("num_new_entries", "min_count", "fill_unused"):
            if getattr(self, name) and not has_base:
                raise ValueError(f"--{name} needs --base_vocab_file; leave it out")


def main(options: BuildOptions, reading: ReadingOptions) -> None:
    if options.input_file is None and (idle := sorted(given_flags(reading))):
        raise ValueError(f"--{idle[0]} says how to read a corpus; give one with --input_file")
    check_is_local(options.output_file)
    if os.path.exists(options.output_file):
        raise FileExistsError(
            f"{options.output_file} exists; choose another --output_file or move this file"
        )
    build = _build if options.base_vocab_file is None else _extend
    for line in build(options, reading):
        print(line)


def _build(options: BuildOptions, reading: ReadingOptions) -> list[str]:
    """Write a new vocabulary; return the lines to print."""
    entries = build_entries(
        _counts(options, reading),
        size=PUBLISHED_SIZE if options.vocab_size is None else options.vocab_size,
        do_lower_case=options.do_lower_case,
    )
    _write(options.output_file, entries)
    return [f"wrote {len(entries):,} entries to {options.output_file}"]


def _extend(options: BuildOptions, reading: ReadingOptions) -> list[str]:
    """Write the extended vocabulary; return the lines to print."""
    base = Vocab.load(options.base_vocab_file)
    counts = _counts(options, reading)
    min_count = options.min_count or _MIN_COUNT
    slots = unused_slots(base.tokens) if options.fill_unused else []
    if options.fill_unused and not slots:
        raise ValueError(
            f"{options.base_vocab_file} has no entry such as [unused1]; leave out --fill_unused"
        )
    added = new_entries(
        base,
        counts,
        limit=options.num_new_entries or len(slots) or _NEW_ENTRIES,
        min_count=min_count,
        do_lower_case=options.do_lower_case,
    )
    if not added:
        raise ValueError(
            f"{options.base_vocab_file} has all entries that occur in {_corpus_name(options)} "
            f"at least {min_count} times, so it needs no extension; lower --min_count for rare ones"
        )
    # Lines are copied unchanged: an entry may be followed by white space or a second column.
    filled = slots[: len(added)]
    lines = [*read_lines(options.base_vocab_file), *added[len(filled) :]]
    for number, entry in zip(filled, added, strict=False):
        lines[number] = entry
    _write(options.output_file, lines)
    unknown = [
        count_unknown(counts, vocab, do_lower_case=options.do_lower_case)
        for vocab in (base, Vocab((*base.tokens, *added)))
    ]
    in_slots = f", {len(filled):,} of them in the place of [unused] entries" if filled else ""
    return [
        f"wrote {len(lines):,} entries to {options.output_file}: the {len(base) - len(filled):,} of"
        f" {options.base_vocab_file} and {len(added):,} new ones{in_slots}",
        *_examples("Chinese characters", list(filter(is_chinese, added))),
        *_examples("symbols and ## pieces", [entry for entry in added if not is_chinese(entry)]),
        f"unknown among {counts.total():,} words and Chinese characters: {unknown[0]:,} before, "
        f"{unknown[1]:,} now",
    ]


def _examples(title: str, entries: Sequence[str]) -> list[str]:
    if not entries:
        return []
    return [f"  {len(entries):,} {title}: {' '.join(entries[:10])}{' ...' * (len(entries) > 10)}"]


def _write(path: str, entries: Sequence[str]) -> None:
    with atomic_write(path, "w") as file:
        file.write("".join(f"{entry}\n" for entry in entries))


def _counts(options: BuildOptions, reading: ReadingOptions) -> TextCounts:
    if options.input_file is None:
        return count_dictionary(do_lower_case=options.do_lower_case)
    reader = CorpusReader(find_inputs(options.input_file), reading.rules)
    counts = count_texts(
        itertools.chain.from_iterable(with_progress(reader, "counting")),
        do_lower_case=options.do_lower_case,
        num_workers=options.num_workers or available_cores(),
    )
    for name, count in sorted(reader.counts.items()):
        print(f"{name.replace('_', ' ')}: {count:,}")
    if not counts.total():
        lost = left_out(reader.counts)
        raise ValueError(
            f"{_corpus_name(options)} contains no text{f' (left out: {lost})' if lost else ''}"
        )
    if forgotten := counts.left_out["forgotten"]:
        print(f"rare words that were not kept in memory: {forgotten:,}")
    return counts


def _corpus_name(options: BuildOptions) -> str:
    if options.input_file is None:
        return "jieba's dictionary"
    return "standard input" if options.input_file == STANDARD_INPUT else options.input_file


if __name__ == "__main__":
    cli.run(main, BuildOptions, ReadingOptions)
