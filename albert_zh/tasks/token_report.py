"""Report on the tokens of a split: lengths, truncation, characters that the vocabulary lacks."""

import collections
import itertools
from collections.abc import Iterator

import numpy as np

from albert_zh.tasks.examples import ReadingExample, Split
from albert_zh.tasks.features import Features
from albert_zh.tasks.kinds.reading import longest_question
from albert_zh.text.tokenizers import Tokenizer

_SHOWN = 8  # unknown characters


def token_lines(
    split: Split, features: Features, tokenizer: Tokenizer, *, max_seq_length: int
) -> Iterator[str]:
    """The report as lines for a log.

    Args:
        split: The examples.
        features: Their tokens.
        tokenizer: It made the tokens.
        max_seq_length: Longest row, in tokens.
    """
    lengths = np.diff(features.offsets)
    median, long = np.percentile(lengths, [50, 95])
    yield (
        f"{split.name}: rows have {median:.0f} tokens in the median, {long:.0f} or fewer in 95 % "
        f"of them, and {lengths.max()} at most"
    )
    num_examples = len(split.examples)
    if features.num_truncated:
        what, longest = "examples", max_seq_length
        if isinstance(split.examples[0], ReadingExample):  # Long contexts are several rows.
            what, longest = "questions", longest_question(max_seq_length)
        yield (
            f"{split.name}: {features.num_truncated:,} of {num_examples:,} {what} "
            f"({features.num_truncated / num_examples:.1%}) exceed {longest} tokens and were "
            "truncated"
        )
    num_unknown = int((features.token_ids == tokenizer.vocab.unk_id).sum())
    if num_unknown:
        often = ", ".join(
            f"{character} ({count:,})"
            for character, count in _unknown_characters(split, tokenizer).most_common(_SHOWN)
        )
        yield (
            f"{split.name}: {num_unknown:,} tokens ({num_unknown / len(features.token_ids):.2%}) "
            "are unknown to the vocabulary" + (f", most often {often}" if often else "")
        )


def _unknown_characters(split: Split, tokenizer: Tokenizer) -> collections.Counter[str]:
    """Characters that are unknown by themselves; a word may be unknown without one."""
    texts = itertools.chain.from_iterable(example.texts for example in split.examples)
    counts = collections.Counter(itertools.chain.from_iterable(texts))
    characters = [each for each in counts if not each.isspace()]
    for character, encoding in zip(characters, tokenizer.encode_batch(characters), strict=True):
        if tokenizer.vocab.unk_id not in encoding.ids:
            del counts[character]
    return collections.Counter({each: counts[each] for each in counts if not each.isspace()})
