"""The plan of data creation: flags, translated for the parts that do the work.

```
--segmenter ...       TextTools         how texts become tokens and words
--full_sentences ...  InstanceRecipe    how documents become instances
--compact ...         Layout            how instances become bytes
```
"""

import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from absl import logging

import albert_zh
from albert_zh.corpus.instances import InstanceRecipe, Pairing
from albert_zh.corpus.options import ReadingOptions
from albert_zh.creation.maker import RecordMaker, TextTools
from albert_zh.creation.options import DataOptions
from albert_zh.flags import given_flags
from albert_zh.masking.options import (
    MaskingOptions,
    masking_recipe,
    predictions_needed,
    unit_of,
)
from albert_zh.masking.recipe import MaskingRecipe
from albert_zh.records.features import Layout
from albert_zh.records.manifest import RecordSet
from albert_zh.text.tokenizers import Tokenizer
from albert_zh.util.files import sha256_of_file
from albert_zh.util.optional_packages import package_version
from albert_zh.words.names import segmenter_packages

# Flags without influence on the records, and files, whose content is in the recipe instead.
_NOT_RECIPE = {
    "input_file",
    "output_file",
    "num_workers",
    "on_bad_text",
    "vocab_file",
    "spm_model_file",
    "user_dict",
    "similar_words",
}
# Flags that came later: records that were made before have no such entry.
_ONLY_IF_SET = {"drop_duplicates", "whole_entries"}


@dataclass(frozen=True)
class DataPlan:
    """The maker of the records, and their entry in the manifest without inputs and shards."""

    maker: RecordMaker
    record_set: RecordSet


def make_plan(options: DataOptions, reading: ReadingOptions, masking: MaskingOptions) -> DataPlan:
    """Check the flags and translate them for the parts.

    Raises:
        FileNotFoundError: A file that a flag names is missing.
        ValueError: Flags contradict each other, have impossible values or would have no effect.
    """
    tools = _text_tools(options)
    recipe = _instance_recipe(options, masking, tools.tokenizer)
    layout = _record_layout(options, recipe)
    flags = {**asdict(options), **asdict(reading), **asdict(masking)}
    return DataPlan(RecordMaker(tools, recipe, layout), _describe(options, flags, layout, tools))


def _text_tools(options: DataOptions) -> TextTools:
    """The tokenizer and segmenter of the options."""
    if options.non_chinese and options.segmenter not in (None, "none"):
        raise ValueError(
            f"--non_chinese means --segmenter=none, not {options.segmenter}; leave out one"
        )
    names = options.whole_entries or ""
    return TextTools(
        vocab_file=options.vocab_file,
        spm_model_file=options.spm_model_file,
        do_lower_case=options.do_lower_case,
        segmenter_name=options.segmenter_name,
        user_dict=options.user_dict,
        traditional=options.traditional,
        split_sentences=options.split_sentences,
        whole_entries=tuple(dict.fromkeys(filter(None, map(str.strip, names.split(","))))),
    )


def _instance_recipe(
    options: DataOptions, masking: MaskingOptions, tokenizer: Tokenizer
) -> InstanceRecipe:
    """The recipe of the options, checked."""
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
    """The masking of the records; None if run_pretraining.py masks them."""
    if options.masking == "token" and options.do_whole_word_mask:
        raise ValueError("--masking=token masks no whole words; leave out --do_whole_word_mask")
    if (
        options.masking in ("word", "ngram", "span")
        and "do_whole_word_mask" in given_flags(options)
        and not options.do_whole_word_mask
    ):
        raise ValueError(
            f"--masking={options.masking} masks whole words; leave out --do_whole_word_mask=False"
        )
    unit = unit_of(options.masking, do_whole_word_mask=options.do_whole_word_mask)
    if unit == "dynamic":
        flags = masking.given()
        flags += [
            name
            for name in ("do_whole_word_mask", "do_permutation", "max_predictions_per_seq")
            if getattr(options, name)
        ]
        if flags:
            raise ValueError(
                f"--masking=dynamic leaves masking to run_pretraining.py; give --{flags[0]} there"
            )
        return None
    needed = predictions_needed(options.max_seq_length, masking.masked_lm_prob)
    limit = needed if options.max_predictions_per_seq is None else options.max_predictions_per_seq
    if limit < round(options.max_seq_length * masking.masked_lm_prob):
        logging.warning(
            "max_predictions_per_seq=%d masks less of long instances than masked_lm_prob=%g asks"
            " for; that would take %d",
            limit,
            masking.masked_lm_prob,
            needed,
        )
    return masking_recipe(
        masking,
        tokenizer,
        masking=unit,
        max_predictions_per_seq=limit,
        permute=options.do_permutation,
    )


def _record_layout(options: DataOptions, recipe: InstanceRecipe) -> Layout:
    """The features of the records, and their lengths."""
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
    recipe = {
        name: value
        for name, value in flags.items()
        if name not in _NOT_RECIPE and (value or name not in _ONLY_IF_SET)
    }
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
            "albert_zh": albert_zh.__version__,
            "python": platform.python_version(),
            **{name: package_version(name) for name in _libraries(options)},
        },
    )


def _libraries(options: DataOptions) -> Sequence[str]:
    """Packages whose versions may change the records."""
    tokenizer = "sentencepiece" if options.spm_model_file else "tokenizers"
    words = segmenter_packages(options.segmenter_name, traditional=options.traditional)
    return sorted([tokenizer, *words])
