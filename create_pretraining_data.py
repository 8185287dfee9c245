"""Turns raw text into pretraining records.

The text has one sentence a line and a blank line between documents. Each document gives, in
`dupe_factor` passes, pairs of segments in or against their order, with whole words masked:

  python create_pretraining_data.py --input_file=data/news_zh_1.txt \\
    --output_file=data/news.tfrecord --vocab_file=albert_config/vocab.txt \\
    --do_whole_word_mask=True --max_seq_length=512 --max_predictions_per_seq=51 \\
    --masked_lm_prob=0.10

manifest.json beside the records says what they were made of. The same command again finds them
complete and does nothing.
"""

import os
import platform
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from importlib import metadata

from absl import logging

from albert_zh import cli
from albert_zh.corpus.documents import read_documents, written_words
from albert_zh.corpus.instances import InstanceRecipe
from albert_zh.corpus.masking import MaskingRecipe, replacement_ids
from albert_zh.files import expand_patterns, sha256_of_file
from albert_zh.options import REQUIRED, define_flags, option, read_flags
from albert_zh.progress import Progress
from albert_zh.records.creation import MadeRecords, RecordMaker, summary
from albert_zh.records.manifest import RecordSet
from albert_zh.records.shards import is_written, parse_output_files, write_shards
from albert_zh.text.tokenizers import load_tokenizer
from albert_zh.text.vocab import Vocab
from albert_zh.text.words import jieba_words


@dataclass(frozen=True)
class DataOptions:
    """What goes in, what comes out, and the recipe in between."""

    input_file: str = option(REQUIRED, "Raw text: a comma-separated list of files or globs.")
    output_file: str = option(
        REQUIRED,
        "TFRecord file, or a comma-separated list of files that get the records in turn.",
    )
    vocab_file: str = option(REQUIRED, "Vocabulary, one entry a line.")
    spm_model_file: str | None = option(
        None, "SentencePiece model; the text is tokenized with it instead of WordPiece."
    )
    do_lower_case: bool = option(True, "Lower-case the text and strip accents.")
    do_whole_word_mask: bool = option(
        False, "Mask all tokens of a word together; False masks single tokens."
    )
    non_chinese: bool = option(
        False, "Words are those of the tokenizer (languages with spaces), not those of jieba."
    )
    max_seq_length: int = option(128, "Tokens of an instance, [CLS] and [SEP] included.")
    max_predictions_per_seq: int = option(20, "Most masked tokens of an instance.")
    masked_lm_prob: float = option(0.15, "Share of the tokens that are masked.")
    short_seq_prob: float = option(
        0.1, "Share of passes over a document that make instances of a random shorter length."
    )
    dupe_factor: int = option(10, "Passes over the text, each with other pairs and masks.")
    random_seed: int = option(12345, "Seed of all random choices.")


_PATHS = ("input_file", "output_file", "vocab_file", "spm_model_file")
_LIBRARIES = ("jieba", "sentencepiece", "tokenizers")


def main() -> None:
    options = read_flags(DataOptions)
    outputs = parse_output_files(options.output_file)
    inputs = expand_patterns(options.input_file)
    tokenizer = load_tokenizer(
        options.vocab_file,
        spm_model_file=options.spm_model_file,
        do_lower_case=options.do_lower_case,
    )
    recipe = instance_recipe(options, tokenizer.vocab)
    wanted = describe(options, tokenizer.vocab, inputs)
    if is_written(outputs, wanted):
        print(f"complete already, nothing to do: {', '.join(outputs)}")
        return
    segmenter = written_words if options.non_chinese else jieba_words
    made = make_records(inputs, RecordMaker(tokenizer, segmenter, recipe))
    random.Random(f"{options.random_seed}:order").shuffle(made.records)
    write_shards(made.records, paths=outputs, described=replace(wanted, counts=dict(made.counts)))
    print(summary(made.counts, dupe_factor=options.dupe_factor))
    print(f"wrote {len(made.records):,} instances to {', '.join(outputs)}")


def instance_recipe(options: DataOptions, vocab: Vocab) -> InstanceRecipe:
    """The options in the terms of `albert_zh.corpus`, checked."""
    masking = MaskingRecipe(
        masked_lm_prob=options.masked_lm_prob,
        max_predictions_per_seq=options.max_predictions_per_seq,
        whole_words=options.do_whole_word_mask,
        mask_id=vocab.mask_id,
        special_ids=frozenset((vocab.cls_id, vocab.sep_id)),
        random_ids=replacement_ids(vocab),
    )
    asked = round(options.max_seq_length * options.masked_lm_prob)
    if asked > options.max_predictions_per_seq:
        logging.warning(
            "max_predictions_per_seq=%d masks less of long instances than masked_lm_prob=%g asks"
            " for; that would take %d",
            options.max_predictions_per_seq,
            options.masked_lm_prob,
            asked,
        )
    return InstanceRecipe(
        max_seq_length=options.max_seq_length,
        short_seq_prob=options.short_seq_prob,
        dupe_factor=options.dupe_factor,
        random_seed=options.random_seed,
        cls_id=vocab.cls_id,
        sep_id=vocab.sep_id,
        masking=masking,
    )


def describe(options: DataOptions, vocab: Vocab, inputs: Sequence[str]) -> RecordSet:
    """What the records will be made of, for the manifest."""
    recipe = {name: value for name, value in asdict(options).items() if name not in _PATHS}
    if options.spm_model_file:
        recipe["spm_model_sha256"] = sha256_of_file(options.spm_model_file)
    return RecordSet(
        recipe=recipe,
        vocabulary={"fingerprint": vocab.fingerprint, "size": len(vocab)},
        inputs=[describe_input(path) for path in inputs],
        versions={
            "python": platform.python_version(),
            **{name: metadata.version(name) for name in _LIBRARIES},
        },
    )


def describe_input(path: str) -> dict[str, str | int]:
    """Name, size and hash of an input file; an empty one is an error."""
    size = os.path.getsize(path)
    if not size:
        raise ValueError(f"{path} is empty; remove it from --input_file or fill it")
    return {"file": path, "bytes": size, "sha256": sha256_of_file(path)}


def make_records(inputs: Sequence[str], maker: RecordMaker) -> MadeRecords:
    """The records of all documents in the order of the text, with their counts."""
    made = MadeRecords([], Counter())
    with Progress(description="making instances", unit="document") as progress:
        for number, texts in enumerate(read_documents(inputs)):
            part = maker(number, texts)
            made.records.extend(part.records)
            made.counts.update(part.counts)
            progress.advance(instances=len(made.records))
    if not made.records:
        raise ValueError(
            f"no instances: the input has {made.counts['documents']:,} documents, none with two"
            " words; give a text with one sentence a line and a blank line between documents"
        )
    return made


if __name__ == "__main__":
    define_flags(DataOptions)
    cli.run(main)
