"""The flags of masking, and the recipe they become.

```
--masking=ngram --ngram=2 --masked_lm_prob=0.15  +  vocabulary  ->  MaskingRecipe
```
`create_pretraining_data.py` masks while it writes records, `run_pretraining.py` while it reads
records of `--masking=dynamic`. Each has a `--masking` flag of its own, as their choices differ.
"""

import dataclasses
import math

from absl import logging

from albert_zh.flags import given_flags, option
from albert_zh.masking.recipe import (
    MaskingRecipe,
    ReplacePer,
    continuation_ids,
    ngram_lengths,
    replacement_ids,
    span_lengths,
)
from albert_zh.masking.similar_words import Ids, read_similar_words
from albert_zh.text.tokenizers import Tokenizer
from albert_zh.text.vocab import Vocab

MASKINGS = ("word", "ngram", "span", "token")
DEFAULT_MASKING = "word"  # of records without masks
_ONLY_NGRAM = ("ngram", "favor_shorter_ngram")


def unit_of(masking: str | None, *, do_whole_word_mask: bool) -> str:
    """The unit of masking that flags, perhaps left out, ask for."""
    return masking or ("word" if do_whole_word_mask else "token")


@dataclasses.dataclass(frozen=True)
class MaskingOptions:
    """Flags of masking."""

    masked_lm_prob: float = option(0.15, "Share of the tokens that are masked.", above=0, below=1)
    ngram: int = option(3, "Maximum words per n-gram, for --masking=ngram.", at_least=1)
    # The published flag preferred the longer ones when it was set.
    favor_shorter_ngram: bool = option(
        True,
        "n-grams of n words have a probability proportional to 1/n; False reverses the order.",
    )
    replace_per: str | None = option(
        None,
        "A masked token becomes [MASK] (80 %), a random token (10 %) or stays (10 %). One random "
        "choice per token (the default), per word (the default with --similar_words), or per unit "
        "of words that are masked together.",
        choices=[each.value for each in ReplacePer],
    )
    similar_words: str | None = option(
        None,
        "File of similar words, which replace masked words instead of [MASK] (MacBERT): a word and "
        "its similar words on each line, separated by spaces or tabs.",
        is_file=True,
    )
    continuation_labels: str = option(
        "plain",
        "plain: the label of a token is the token itself. hashed: labels of a word's later "
        "characters are their ## pieces, as in training brightmart's models.",
        choices=["plain", "hashed"],
    )

    def given(self) -> list[str]:
        """Names of the masking flags that were given, be it with their default.

        >>> MaskingOptions(masked_lm_prob=0.2, ngram=2).given()
        ['masked_lm_prob', 'ngram']
        """
        names = given_flags(self)
        fields = dataclasses.fields(MaskingOptions)
        return [field.name for field in fields if field.name in names]


def masking_recipe(
    options: MaskingOptions,
    tokenizer: Tokenizer,
    *,
    masking: str,
    max_predictions_per_seq: int,
    permute: bool = False,
) -> MaskingRecipe:
    """Make a recipe of the flags.

    Args:
        options: The flags.
        tokenizer: The tokenizer of the text; its vocabulary gives [MASK], random tokens and labels.
        masking: One of `MASKINGS`.
        max_predictions_per_seq: Most masked tokens per instance.
        permute: Also permute the tokens of further units.

    Raises:
        ValueError: A flag has no effect with the others, or a file has bad content.
    """
    if masking != "ngram" and (idle := [name for name in options.given() if name in _ONLY_NGRAM]):
        raise ValueError(
            f"--{idle[0]} is for --masking=ngram, not {masking}; leave it out or give "
            "--masking=ngram"
        )
    vocab = tokenizer.vocab
    if not (random_ids := replacement_ids(vocab)):
        raise ValueError(
            f"the vocabulary of --vocab_file has {len(vocab)} entries, none of which a text can"
            " have; give the model's vocabulary, or make one with scripts/build_vocab.py"
        )
    return MaskingRecipe(
        masked_lm_prob=options.masked_lm_prob,
        max_predictions_per_seq=max_predictions_per_seq,
        mask_id=vocab.mask_id,
        special_ids=frozenset((vocab.cls_id, vocab.sep_id, vocab.mask_id, vocab.pad_id)),
        random_ids=random_ids,
        by_words=masking != "token",
        unit_lengths=_unit_lengths(options, masking),
        replace_per=ReplacePer(
            options.replace_per or ("word" if options.similar_words else "token")
        ),
        similar=_similar(options.similar_words, tokenizer) if options.similar_words else None,
        continuation_ids=_continuation_ids(vocab)
        if options.continuation_labels == "hashed"
        else None,
        permute=permute,
    )


def predictions_needed(max_seq_length: int, masked_lm_prob: float) -> int:
    """A good max_predictions_per_seq: the masks of the longest instance.

    >>> predictions_needed(128, 0.15), predictions_needed(512, 0.1)
    (20, 52)
    """
    return max(1, math.ceil(max_seq_length * masked_lm_prob))


def _unit_lengths(options: MaskingOptions, masking: str) -> tuple[float, ...]:
    if masking == "ngram":
        return ngram_lengths(options.ngram, favor_shorter=options.favor_shorter_ngram)
    return span_lengths() if masking == "span" else (1.0,)


def _similar(path: str, tokenizer: Tokenizer) -> dict[Ids, tuple[Ids, ...]]:
    read = read_similar_words(path, tokenizer)
    logging.info(
        "%s: %d words; %d similar words left out for another number of tokens or unknown tokens",
        path,
        len(read.ids),
        read.left_out,
    )
    return read.ids


def _continuation_ids(vocab: Vocab) -> dict[int, int]:
    if pieces := continuation_ids(vocab):
        return pieces
    raise ValueError(
        "--continuation_labels=hashed needs a vocabulary with ## pieces of Chinese characters, "
        "such as ##字; this one has none"
    )
