"""Compare the lengths of masked units with those asked for, by both forms of masking.

  python benchmarks/masked_units.py --input_file=corpus.txt --max_seq_length=128,512

Real text is laid out as for records, and n-grams and spans are masked in it, one instance at a time
as in data creation and in batches as in training. For each length, the table shows the shares of
units of 1, 2, ... words, their mean, the chi-square statistic of their counts (2 degrees of freedom
for n-grams, 9 for spans), and the used share of the budget. The first row of a form is about the
instances that fill at least 90 % of the length, the second about all: the ends of short documents
have room for shorter units only.
"""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from project import ROOT, cli

from albert_zh.corpus.instances import Instance, InstanceRecipe, make_instances
from albert_zh.corpus.reading import CorpusReader
from albert_zh.creation.maker import TextTools
from albert_zh.flags import option
from albert_zh.masking.options import MaskingOptions, masking_recipe, predictions_needed
from albert_zh.masking.recipe import MaskingRecipe
from albert_zh.masking.units import choose_units, cut_into_units
from albert_zh.util.files import expand_patterns

SAMPLE = ROOT / "data" / "news_zh_1.txt"
VOCABULARY = ROOT / "albert_config" / "vocab.txt"
_BATCH = 256

Units = list[tuple[int, int]]  # positions of the masked units of an instance: first, after the last


@dataclass(frozen=True)
class BenchmarkOptions:
    """Flags of the comparison."""

    input_file: str = option(str(SAMPLE), "Text: a comma-separated list of files or globs.")
    vocab_file: str = option(str(VOCABULARY), "Vocabulary of the tokens.", is_file=True)
    max_seq_length: str = option("128,512", "Tokens per instance, separated by commas.")


def main(options: BenchmarkOptions, masking: MaskingOptions) -> None:
    tools = TextTools(vocab_file=options.vocab_file)
    documents = [
        tools.tokenize(texts) for texts in CorpusReader(expand_patterns(options.input_file))
    ]
    vocab = tools.tokenizer.vocab
    for length in map(int, options.max_seq_length.split(",")):
        layout = InstanceRecipe(
            max_seq_length=length,
            short_seq_prob=0.1,
            dupe_factor=1,
            random_seed=12345,
            cls_id=vocab.cls_id,
            sep_id=vocab.sep_id,
            masking=None,
        )
        instances = [
            instance
            for number, document in enumerate(documents)
            for instance in make_instances(document, number=number, recipe=layout).instances
        ]
        for name in ("ngram", "span"):
            recipe = masking_recipe(
                masking,
                tools.tokenizer,
                masking=name,
                max_predictions_per_seq=predictions_needed(length, masking.masked_lm_prob),
            )
            print(f"\n--masking={name}, {length} tokens, {len(instances):,} instances")
            print_row("asked", recipe.unit_lengths)
            for form, units in (
                ("data creation", one_by_one(instances, recipe)),
                ("training", in_batches(instances, recipe, length)),
            ):
                masked = list(zip(instances, units, strict=True))
                full = [row for row in masked if len(row[0].token_ids) >= 0.9 * length]
                print_units(f"{form}, full", full, recipe)
                print_units(f"{form}, all", masked, recipe)


def one_by_one(instances: Sequence[Instance], recipe: MaskingRecipe) -> Iterator[Units]:
    """Masked units, as data creation chooses them."""
    rng = random.Random(1)
    for instance in instances:
        budget = recipe.budget(len(instance.token_ids))
        units = cut_into_units(instance.token_ids, instance.starts, budget, recipe, rng)
        yield choose_units(units, budget, rng)


def in_batches(
    instances: Sequence[Instance], recipe: MaskingRecipe, length: int
) -> Iterator[Units]:
    """Masked units, as training chooses them in TensorFlow."""
    import numpy as np
    import tensorflow as tf

    from albert_zh.masking import batch_units
    from albert_zh.masking.groups import Groups

    for number in range(0, len(instances), _BATCH):
        batch = instances[number : number + _BATCH]
        ids, starts = (np.zeros([len(batch), length], np.int32) for _ in range(2))
        for row, instance in enumerate(batch):
            ids[row, : len(instance.token_ids)] = instance.token_ids
            starts[row, : len(instance.starts)] = instance.starts
        text = tf.constant(~np.isin(ids, list(recipe.special_ids)))
        budget = tf.constant([recipe.budget(len(instance.token_ids)) for instance in batch])
        words = tf.constant(starts, tf.bool) | ~text
        seeds = tf.unstack(tf.random.experimental.stateless_split([1, number], 2))
        units = batch_units.unit_starts(words, text, budget, recipe, seeds[0])
        chosen = batch_units.choose_units(
            Groups(units),
            text,
            budget,
            seeds[1],
            most=recipe.max_predictions_per_seq,
        )
        for begins, is_chosen in zip(units.numpy(), chosen.numpy(), strict=True):
            ranges = pairwise([*np.flatnonzero(begins), length])
            yield [(begin, end) for begin, end in ranges if is_chosen[begin]]


def print_units(form: str, masked: Sequence[tuple[Instance, Units]], recipe: MaskingRecipe) -> None:
    """Print the row of one form of masking."""
    counts = Counter(
        sum(instance.starts[begin:end]) for instance, units in masked for begin, end in units
    )
    total, asked = counts.total(), recipe.unit_lengths
    shares = [counts[words] / total for words in range(1, len(asked) + 1)]
    chi_square = sum(
        (share - ask) ** 2 / ask * total for share, ask in zip(shares, asked, strict=True)
    )
    used = sum(end - begin for _, units in masked for begin, end in units)
    budget = sum(recipe.budget(len(instance.token_ids)) for instance, _ in masked)
    print_row(
        form,
        shares,
        f"  chi-square {chi_square:.1f} of {total:,} units, budget used {used / budget:.2%}",
    )


def print_row(title: str, shares: Sequence[float], rest: str = "") -> None:
    mean = sum(words * share for words, share in enumerate(shares, 1))
    print(f"{title:<20}", *(f"{share:.3f}" for share in shares), f"  mean {mean:.2f}{rest}")


if __name__ == "__main__":
    cli.run(main, BenchmarkOptions, MaskingOptions, needs_tensorflow=True)
