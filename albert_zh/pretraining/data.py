"""The records of a pretraining: a training set, perhaps a validation set, and their masking."""

import dataclasses
import os

from absl import logging

from albert_zh.checkpoint.beside import known_files
from albert_zh.checkpoint.vocabulary_check import (
    check_vocabulary,
    vocabulary_identity,
)
from albert_zh.config import ModelConfig
from albert_zh.input.files import RecordFiles, check_records
from albert_zh.input.rules import OnCorrupt
from albert_zh.masking.options import DEFAULT_MASKING, masking_recipe, predictions_needed
from albert_zh.masking.recipe import MaskingRecipe
from albert_zh.pretraining.options import PretrainingOptions
from albert_zh.records.manifest import MANIFEST, find_sets
from albert_zh.records.paths import expand_records, split_files, unnamed_shards
from albert_zh.runs.initial_weights import initial_checkpoint
from albert_zh.runs.spec import Lengths
from albert_zh.text.tokenizers import Tokenizer, load_tokenizer

_MAX_SHOWN = 5  # shards named in a warning


@dataclasses.dataclass(frozen=True)
class Records:
    """Record files that were checked, and their masking where they are to be masked here."""

    files: RecordFiles
    masking: MaskingRecipe | None

    @property
    def lengths(self) -> Lengths:
        masks = (self.masking or self.files).max_predictions_per_seq
        return Lengths(self.files.max_seq_length, masks)

    @property
    def mask_id(self) -> int | None:
        return (self.masking or self.files).mask_id


def training_and_validation_records(
    options: PretrainingOptions, config: ModelConfig
) -> tuple[Records, Records | None]:
    """The training set and, if the options ask for one, the validation set; both checked.

    Raises:
        ValueError, OSError: The records do not fit the options, the model or each other.
    """
    paths, validation_paths = _expand(options.input_file), []
    if options.eval_fraction is not None:
        paths, validation_paths = split_files(
            paths, options.eval_fraction, seed=options.random_seed
        )
    elif options.eval_input_file:
        validation_paths = _expand(options.eval_input_file)
    _warn_of_unnamed_shards(options, [*paths, *validation_paths])
    training, validation = _records(paths, options, config), None
    if validation_paths:
        validation = _records(validation_paths, options, config, may_differ=True)
        vocabularies = training.files.vocabulary, validation.files.vocabulary
        if None not in vocabularies and vocabularies[0] != vocabularies[1]:
            raise ValueError(f"{validation_paths[0]} is made of another vocabulary than {paths[0]}")
    if not (training.masking or (validation and validation.masking)):
        _check_no_masking_flags(options)
    return training, validation


def _expand(patterns: str) -> list[str]:
    paths, others = expand_records(patterns)
    if others:
        logging.info("left out, as no record begins there: %s", ", ".join(others))
    return paths


def _warn_of_unnamed_shards(options: PretrainingOptions, paths: list[str]) -> None:
    """Name the shards of the same sets that globs and folders did not find."""
    patterns = ",".join(filter(None, (options.input_file, options.eval_input_file)))
    if all(os.path.isfile(item.strip()) for item in patterns.split(",")):
        return  # Who names each file may want these only.
    if unnamed := unnamed_shards(paths, find_sets(paths)):
        absent = [path for path in unnamed if not os.path.exists(path)]
        shown = [f"{path} (missing)" if path in absent else path for path in unnamed[:_MAX_SHOWN]]
        more = f" and {len(unnamed) - len(shown):,} more" if len(unnamed) > len(shown) else ""
        logging.warning(
            "%s lists shards that are not read: %s%s. Copy the missing ones, or widen --input_file",
            MANIFEST,
            ", ".join(shown),
            more,
        )


def _records(
    paths: list[str],
    options: PretrainingOptions,
    config: ModelConfig,
    *,
    may_differ: bool = False,
) -> Records:
    """Check records; with `may_differ`, their own lengths go before those of the options."""
    files = check_records(
        paths,
        max_seq_length=options.max_seq_length,
        max_predictions_per_seq=options.max_predictions_per_seq,
        may_differ=may_differ,
        vocab_size=config.vocab_size,
        on_corrupt=OnCorrupt(options.on_corrupt),
    )
    name = files.name
    config.check_length(files.max_seq_length, source=options.bert_config_file)
    logging.info("%s: %s records", name, f"{files.num_records:,}")
    if not files.has_pairs:
        logging.info("%s has no pairs of segments: no sentence order is learnt", name)
    masking = None
    if options.vocab_file or not files.masked:
        tokenizer = _tokenizer(name, options, files)
        vocabulary = vocabulary_identity(tokenizer.vocab).to_json()
        files = dataclasses.replace(files, vocabulary=vocabulary)
        if not files.masked:
            masking = _masking(options, files, tokenizer)
    _check_vocabulary(name, files, options, config)
    return Records(files, masking)


def _check_vocabulary(
    name: str, files: RecordFiles, options: PretrainingOptions, config: ModelConfig
) -> None:
    if files.vocabulary is None:
        logging.warning("%s: no manifest tells which vocabulary the records are made of", name)
        return
    config.check_vocabulary_size(files.vocabulary["size"], source=f"the vocabulary of {name}")
    if prefix := initial_checkpoint(options):
        check_vocabulary(prefix, files.vocabulary["fingerprint"])


def _tokenizer(name: str, options: PretrainingOptions, files: RecordFiles) -> Tokenizer:
    """The tokenizer of the records, which knows [MASK] and the random tokens."""
    known = known_files(options.output_dir, options.init_checkpoint)
    vocab_file = options.vocab_file or known.get("vocab_file")
    if not vocab_file:
        raise ValueError(
            f"the records of {name} are to be masked here (--masking=dynamic); give their "
            "vocabulary with --vocab_file"
        )
    tokenizer = load_tokenizer(vocab_file)
    if files.vocabulary not in (None, vocabulary_identity(tokenizer.vocab).to_json()):
        raise ValueError(f"{name} is made of another vocabulary than {vocab_file}")
    return tokenizer


def _masking(
    options: PretrainingOptions, files: RecordFiles, tokenizer: Tokenizer
) -> MaskingRecipe:
    return masking_recipe(
        options,
        tokenizer,
        masking=options.masking or DEFAULT_MASKING,
        max_predictions_per_seq=options.max_predictions_per_seq
        or predictions_needed(files.max_seq_length, options.masked_lm_prob),
    )


def _check_no_masking_flags(options: PretrainingOptions) -> None:
    given = ["masking"] if options.masking else []
    if given := given + options.given():
        raise ValueError(
            f"--{given[0]} is for records of --masking=dynamic; those of {options.input_file} are "
            "masked already. Leave it out, or create the records anew"
        )
