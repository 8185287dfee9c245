"""Turns raw text into pretraining records.

The text has one sentence a line and a blank line between documents. In each of `dupe_factor`
passes, a document gives pairs of segments, in order or swapped, with whole words masked:

  python create_pretraining_data.py --input_file=data/news_zh_1.txt \\
    --output_file=data/news.tfrecord --vocab_file=albert_config/vocab.txt \\
    --do_whole_word_mask=True --max_seq_length=512 --max_predictions_per_seq=51 \\
    --masked_lm_prob=0.10

A large corpus: folders of text, JSON lines, .gz, .xz and .zst files, all cores, as many output
files as the data needs. The same command resumes a killed run:

  python create_pretraining_data.py --input_file=corpus/ --output_file='records/part-*.tfrecord' \\
    --vocab_file=albert_config/vocab.txt --masking=ngram --segmenter=rjieba

manifest.json beside the records lists their recipe and inputs; scripts/inspect_records.py shows
and verifies them. If the records are complete, the same command does nothing.
"""

import os
from collections import Counter
from typing import Any

from albert_zh import cli
from albert_zh.corpus.options import ReadingOptions
from albert_zh.corpus.reading import CorpusReader
from albert_zh.corpus.sources import STANDARD_INPUT, expand_inputs
from albert_zh.creation.building import build_shards
from albert_zh.creation.options import DataOptions
from albert_zh.creation.outputs import Outputs, is_complete
from albert_zh.creation.plan import make_plan
from albert_zh.creation.summary import summary
from albert_zh.creation.work_directory import remove_leftovers
from albert_zh.flags import define_flags, read_flags
from albert_zh.masking.options import MaskingOptions
from albert_zh.util.files import sha256_of_file
from albert_zh.util.process_pool import available_cores


def main() -> None:
    options, reading = read_flags(DataOptions), read_flags(ReadingOptions)
    masking = read_flags(MaskingOptions)
    outputs = Outputs.parse(options.output_file, num_shards=options.num_shards)
    paths = expand_inputs(options.input_file)
    plan = make_plan(options, reading, masking)
    if is_complete(outputs, plan.record_set, lambda: [describe_input(path) for path in paths]):
        remove_leftovers(outputs)
        print(f"complete already, nothing to do: {options.output_file}")
        return
    result = build_shards(
        CorpusReader(paths, reading.rules),
        plan.maker,
        outputs=outputs,
        record_set=plan.record_set,
        compressed=options.compress == "gzip",
        num_workers=num_workers(options),
    )
    print(summary(Counter(result.counts), result.recipe))
    print(f"wrote {result.num_records:,} instances to {', '.join(outputs.labels(result.shards))}")


def num_workers(options: DataOptions) -> int:
    if options.num_workers is None:
        return available_cores()
    if options.num_workers < 1:
        raise ValueError(f"num_workers must be at least 1, got {options.num_workers}")
    return options.num_workers


def describe_input(path: str) -> dict[str, Any]:
    """Name, size and hash of an input file."""
    if path == STANDARD_INPUT:
        raise ValueError(
            "the output exists already, and standard input cannot be compared with its inputs;"
            " delete it or choose another --output_file"
        )
    return {"file": path, "bytes": os.path.getsize(path), "sha256": sha256_of_file(path)}


if __name__ == "__main__":
    define_flags(DataOptions, ReadingOptions, MaskingOptions)
    cli.run(main)
