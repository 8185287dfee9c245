"""The flags of data creation, in the terms of the parts that do it.

```
--segmenter ...       TextTools         how texts become tokens and words
--full_sentences ...  InstanceRecipe    how documents become instances
--compact ...         Layout            how instances become bytes
```
"""

import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from typing import Any

from absl import logging

from albert_zh.corpus.instances import InstanceRecipe, Pairing
from albert_zh.corpus.options import ReadingOptions
from albert_zh.creation.maker import RecordMaker, TextTools
from albert_zh.flags import REQUIRED, option
from albert_zh.masking.options import (
    MASKINGS,
    MaskingOptions,
    masking_recipe,
    predictions_needed,
)
from albert_zh.masking.recipe import MaskingRecipe
from albert_zh.records.features import Layout
from albert_zh.records.manifest import RecordSet
from albert_zh.text.tokenizers import Tokenizer
from albert_zh.util.files import sha256_of_file
from albert_zh.words.segmenters import SEGMENTERS


@dataclass(frozen=True)
class DataOptions:
    """What goes in, what comes out, and the recipe in between."""

    input_file: str = option(
        REQUIRED,
        "Raw text: a comma-separated list of files, globs and folders; - is standard input. Files "
        "may be compressed (.gz, .xz, .zst).",
    )
    output_file: str = option(
        REQUIRED,
        "TFRecord file, or a comma-separated list of them; or one name with a *, such as "
        "'part-*.tfrecord', for as many files as the data needs.",
    )
    vocab_file: str | None = option(
        None, "Vocabulary, one entry a line. Required unless --spm_model_file is given."
    )
    spm_model_file: str | None = option(
        None, "SentencePiece model; the text is tokenized with it instead of WordPiece."
    )
    do_lower_case: bool = option(True, "Lower-case the text and strip accents.")
    split_sentences: bool = option(
        False, "Cut each line into sentences, where a line of the text is a paragraph."
    )
    segmenter: str | None = option(
        None,
        "What finds the words that are masked together: jieba (the default), rjieba (the same in "
        "Rust, faster), spaces (the text is segmented already), none.",
        choices=SEGMENTERS,
    )
    user_dict: str | None = option(
        None, "Words to add to jieba's or rjieba's dictionary: word [frequency] [tag] a line."
    )
    traditional: bool = option(
        False, "The text is in traditional characters; words are looked up as simplified ones."
    )
    non_chinese: bool = option(
        False, "Words are those of the tokenizer (languages with spaces): --segmenter=none."
    )
    masking: str | None = option(
        None,
        "What is masked together: a word, an ngram of words, a span of words of geometric length "
        "(SpanBERT), or a token by itself. dynamic: nothing yet, run_pretraining.py masks anew in "
        "every epoch. Default: word with --do_whole_word_mask, else token.",
        choices=[*MASKINGS, "dynamic"],
    )
    do_whole_word_mask: bool = option(
        False, "Mask all tokens of a word together; False masks single tokens."
    )
    do_permutation: bool = option(
        False,
        "Also permute as many further tokens as are masked, to be guessed, too; the records then "
        "hold twice max_predictions_per_seq.",
    )
    random_next_sentence: bool = option(
        False,
        "Half of the second segments come from another document, which is the label, instead of "
        "segments in or against their order.",
    )
    full_sentences: bool = option(
        False, "One segment of as many sentences as fit instead of a pair, as RoBERTa has it."
    )
    max_seq_length: int = option(128, "Tokens of an instance, [CLS] and [SEP] included.")
    max_predictions_per_seq: int | None = option(
        None,
        "Most masked tokens of an instance. Default: what masked_lm_prob takes of the longest.",
    )
    short_seq_prob: float = option(
        0.1, "Share of passes over a document that make instances of a random shorter length."
    )
    dupe_factor: int = option(10, "Passes over the text, each with other pairs and masks.")
    random_seed: int = option(12345, "Seed of all random choices.")
    compact: bool = option(
        False, "Write no padding. run_pretraining.py reads both; published readers need padding."
    )
    compress: str = option(
        "none", "How the output files are compressed as a whole.", choices=["none", "gzip"]
    )
    num_shards: int | None = option(
        None, "Files that a * in --output_file stands for. Default: one for each 128 MB of records."
    )
    num_workers: int | None = option(
        None, "Processes that make records. Default: one for each core."
    )


# These do not change what the records are, or stand in the recipe by their content.
_NOT_RECIPE = (
    *("input_file", "output_file", "num_workers", "on_bad_text"),
    *("vocab_file", "spm_model_file", "user_dict", "similar_words"),
)
_LIBRARIES = ("jieba", "sentencepiece", "tokenizers")


@dataclass(frozen=True)
class DataPlan:
    """What makes the records, and what the manifest will say of them, but for the inputs."""

    maker: RecordMaker
    described: RecordSet


def make_plan(options: DataOptions, reading: ReadingOptions, masking: MaskingOptions) -> DataPlan:
    """The flags in the terms of the parts, checked.

    Raises:
        FileNotFoundError: A file that they name is missing.
        ValueError: Flags contradict each other, have impossible values or would have no effect.
    """
    tools = _text_tools(options)
    recipe = _instance_recipe(options, masking, tools.tokenizer)
    layout = _record_layout(options, recipe)
    flags = {**asdict(options), **asdict(reading), **asdict(masking)}
    return DataPlan(RecordMaker(tools, recipe, layout), _describe(options, flags, layout, tools))


def _text_tools(options: DataOptions) -> TextTools:
    """Tokenizer and segmenter that the options name."""
    if options.non_chinese and options.segmenter not in (None, "none"):
        raise ValueError(
            f"--non_chinese means --segmenter=none, not {options.segmenter}; leave out one"
        )
    return TextTools(
        vocab_file=options.vocab_file,
        spm_model_file=options.spm_model_file,
        do_lower_case=options.do_lower_case,
        segmenter_name="none" if options.non_chinese else options.segmenter or "jieba",
        user_dict=options.user_dict,
        traditional=options.traditional,
        split_sentences=options.split_sentences,
    )


def _instance_recipe(
    options: DataOptions, masking: MaskingOptions, tokenizer: Tokenizer
) -> InstanceRecipe:
    """The options in the terms of `albert_zh.corpus`, checked."""
    if options.random_next_sentence and options.full_sentences:
        raise ValueError("--full_sentences has no second segment; leave out --random_next_sentence")
    pairing = Pairing.SENTENCE_ORDER
    if options.random_next_sentence:
        pairing = Pairing.NEXT_SENTENCE
    elif options.full_sentences:
        pairing = Pairing.NONE
    return InstanceRecipe(
        max_seq_length=options.max_seq_length,
        short_seq_prob=options.short_seq_prob,
        dupe_factor=options.dupe_factor,
        random_seed=options.random_seed,
        cls_id=tokenizer.vocab.cls_id,
        sep_id=tokenizer.vocab.sep_id,
        masking=_static_masking(options, masking, tokenizer),
        pairing=pairing,
    )


def _static_masking(
    options: DataOptions, masking: MaskingOptions, tokenizer: Tokenizer
) -> MaskingRecipe | None:
    """How the records are masked; None where run_pretraining.py does it."""
    if options.masking == "token" and options.do_whole_word_mask:
        raise ValueError("--masking=token masks no whole words; leave out --do_whole_word_mask")
    chosen = options.masking or ("word" if options.do_whole_word_mask else "token")
    if chosen == "dynamic":
        given = masking.changed()
        given += [
            name
            for name in ("do_whole_word_mask", "do_permutation", "max_predictions_per_seq")
            if getattr(options, name)
        ]
        if given:
            raise ValueError(
                f"--masking=dynamic leaves masking to run_pretraining.py; give --{given[0]} there"
            )
        return None
    needed = predictions_needed(options.max_seq_length, masking.masked_lm_prob)
    limit = needed if options.max_predictions_per_seq is None else options.max_predictions_per_seq
    if limit < round(options.max_seq_length * masking.masked_lm_prob):
        logging.warning(
            "max_predictions_per_seq=%d masks less of long instances than masked_lm_prob=%g asks"
            " for; that would take %d",
            *(limit, masking.masked_lm_prob, needed),
        )
    return masking_recipe(
        masking,
        tokenizer,
        masking=chosen,
        max_predictions_per_seq=limit,
        permute=options.do_permutation,
    )


def _record_layout(options: DataOptions, recipe: InstanceRecipe) -> Layout:
    """What a record holds, and how wide it is."""
    masking = recipe.masking
    predictions = masking.max_predictions_per_seq * (2 if masking.permute else 1) if masking else 0
    return Layout(
        max_seq_length=options.max_seq_length,
        max_predictions_per_seq=predictions,
        masked=masking is not None,
        padded=not options.compact,
    )


def _describe(
    options: DataOptions, flags: dict[str, Any], layout: Layout, tools: TextTools
) -> RecordSet:
    recipe = {name: value for name, value in flags.items() if name not in _NOT_RECIPE}
    recipe["max_predictions_per_seq"] = layout.max_predictions_per_seq
    for name in ("spm_model_file", "user_dict", "similar_words"):
        if flags[name]:
            recipe[f"{name}_sha256"] = sha256_of_file(flags[name])
    vocab = tools.tokenizer.vocab
    return RecordSet(
        recipe=recipe,
        vocabulary={"fingerprint": vocab.fingerprint, "size": len(vocab)},
        inputs=[],
        versions={
            "python": platform.python_version(),
            **{name: metadata.version(name) for name in _libraries(options)},
        },
    )


def _libraries(options: DataOptions) -> Sequence[str]:
    """Distributions whose versions may show in the records."""
    rjieba = ("rjieba",) if options.segmenter == "rjieba" else ()
    opencc = ("opencc",) if options.traditional else ()
    return (*_LIBRARIES, *rjieba, *opencc)
