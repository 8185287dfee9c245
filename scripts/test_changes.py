r"""Show by numbers the three changes that make ALBERT of BERT (Lan et al. 2020, section 3.1).

  python scripts/test_changes.py

  python scripts/test_changes.py --bert_config_file=albert_config/albert_config_base.json

1. Factorised embeddings: the table of words has E columns, not H, and a matrix E x H after it.
2. Shared layers: one set of weights, applied again and again.
3. Sentence order: the second objective shows two neighbouring segments, half the time swapped. BERT
   showed a segment of another document half the time, which its words often reveal.

The numbers are counted in models that are built and in pairs that are made of a text. Each is
checked; a wrong one ends the script with an error.
"""

import dataclasses
import random
from collections import Counter
from collections.abc import Iterator, Sequence

from project import cli

from albert_zh.config import ModelConfig, NormOrder
from albert_zh.corpus.chunks import join_sentences
from albert_zh.corpus.documents import Document, tokenize_document
from albert_zh.corpus.pairs import SegmentPair, next_sentence_pairs, sentence_order_pairs
from albert_zh.corpus.reading import CorpusReader
from albert_zh.flags import option
from albert_zh.inference.similarity import best_threshold
from albert_zh.text.tokenizers import load_tokenizer
from albert_zh.words.segmenters import jieba_words

_CAPACITY = 61  # tokens of a pair, as with --max_seq_length=64
_PASSES = 20


@dataclasses.dataclass(frozen=True)
class ChangesOptions:
    """The model and the text."""

    bert_config_file: str = option(
        "albert_config/albert_config_tiny.json", "Sizes of the model.", is_file=True
    )
    vocab_file: str = option("albert_config/vocab.txt", "The vocabulary.", is_file=True)
    input_file: str = option(
        "data/news_zh_1.txt",
        "Text with a sentence a line, and an empty line between documents.",
        is_file=True,
    )


def main(options: ChangesOptions) -> None:
    config = ModelConfig.from_json_file(options.bert_config_file)
    # The only lineage whose code knows layers that share nothing.
    config = dataclasses.replace(config, lineage="google", norm_order=NormOrder.POST)
    show_factorised_embeddings(config)
    show_shared_layers(config)
    show_sentence_order(_documents(options))


def show_factorised_embeddings(config: ModelConfig) -> None:
    entries, narrow, wide = config.vocab_size, config.embedding_size, config.hidden_size
    factorised, full = (
        _count(dataclasses.replace(config, embedding_size=size), "word_embeddings", "mapping")
        for size in (narrow, wide)
    )
    _check(factorised == entries * narrow + narrow * wide + wide, "V x E + E x H + H")
    _check(full == entries * wide, "V x H")
    print(f"1. table of {entries:,} words for a model of width {wide}")
    print(f"   as in BERT, V x H             {full:>14,} parameters")
    saved = f"{full / factorised:.1f} times fewer"
    print(f"   factorised, E = {narrow:<4}          {factorised:>14,}  {saved}")


def show_shared_layers(config: ModelConfig) -> None:
    layers = config.num_hidden_layers
    shared, unshared = (
        _count(dataclasses.replace(config, num_hidden_groups=groups), "transformer")
        for groups in (1, layers)
    )
    _check(unshared == layers * shared, "as many times as there are layers")
    print(f"2. {layers} layers")
    print(f"   each with its own weights     {unshared:>14,} parameters")
    print(f"   one for all                   {shared:>14,}  {layers} times fewer")


def show_sentence_order(documents: Sequence[Document]) -> None:
    order, following = _pairs(documents)
    for document, pairs in order:
        text = join_sentences(document.sentences).token_ids
        for pair in pairs:
            first, second = (pair.second, pair.first) if pair.swapped else (pair.first, pair.second)
            both = join_sentences((first, second)).token_ids
            _check(_contains(text, both), "neighbours in their document")
    sentence_order = [pair for _, pairs in order for pair in pairs]
    next_sentence = [pair for _, pairs in following for pair in pairs]
    print(f"3. pairs of {len(documents):,} documents")
    told_by_words = []
    for name, pairs, is_told in (
        ("BERT, next sentence", next_sentence, "of another document"),
        ("ALBERT, sentence order", sentence_order, "swapped"),
    ):
        told = 100 * sum(pair.swapped for pair in pairs) / len(pairs)
        told_by_words.append(_accuracy_by_common_words(pairs))
        print(
            f"   {name:<24} {len(pairs):>7,} pairs, {told:.0f} % {is_told}; "
            f"common words alone tell {100 * told_by_words[-1]:.0f} %"
        )
    _check(
        told_by_words[0] > told_by_words[1],
        "common words tell more of the next sentence than of the order",
    )


def _count(config: ModelConfig, *parts: str) -> int:
    """Parameters of the variables with one of these in their name."""
    from albert_zh.model.heads.pretraining import PretrainingModel
    from albert_zh.model.scope import named_variables

    variables = named_variables(PretrainingModel(config))
    return sum(
        int(variable.shape.num_elements())
        for name, variable in variables.items()
        if any(part in name for part in parts)
    )


def _documents(options: ChangesOptions) -> list[Document]:
    tokenizer = load_tokenizer(options.vocab_file)
    every = (
        tokenize_document(texts, tokenizer=tokenizer, segmenter=jieba_words)
        for texts in CorpusReader([options.input_file])
    )
    found = [document for document in every if document.sentences]
    if len(found) < 2:
        raise ValueError(f"{options.input_file} has {len(found)} documents; pairs need two")
    return found


def _pairs(documents: Sequence[Document]) -> tuple[list, list]:
    """For each document its pairs of both objectives, but those that were cut."""
    rng, counts = random.Random(0), Counter[str]()
    sizes = {"target": _CAPACITY, "capacity": _CAPACITY, "rng": rng, "counts": counts}
    order, following = [], []
    for _ in range(_PASSES):
        for place, document in enumerate(documents):
            others = [*documents[:place], *documents[place + 1 :]]
            for found, pairs in (
                (order, sentence_order_pairs(document.sentences, **sizes)),
                (following, next_sentence_pairs(document.sentences, others, **sizes)),
            ):
                found.append((document, _whole(pairs, counts)))
    if not any(pairs for _, pairs in order):
        raise ValueError("no document has two sentences that fit into a pair")
    return order, following


def _whole(pairs: Iterator[SegmentPair], counts: Counter[str]) -> list[SegmentPair]:
    """Pairs that lost no token."""
    found = []
    cut = counts["tokens_cut"]
    for pair in pairs:
        if pair.second and counts["tokens_cut"] == cut:
            found.append(pair)
        cut = counts["tokens_cut"]
    return found


def _contains(text: tuple[int, ...], part: tuple[int, ...]) -> bool:
    places = range(len(text) - len(part) + 1)
    return any(text[place : place + len(part)] == part for place in places)


def _accuracy_by_common_words(pairs: Sequence[SegmentPair]) -> float:
    """Share of the pairs of which the number of common tokens tells whether they are swapped."""
    shares = [_share(pair) for pair in pairs]
    threshold = best_threshold(shares, [not pair.swapped for pair in pairs])
    told = ((share >= threshold) != pair.swapped for share, pair in zip(shares, pairs, strict=True))
    return sum(told) / len(pairs)


def _share(pair: SegmentPair) -> float:
    first, second = set(pair.first.token_ids), set(pair.second.token_ids)
    return len(first & second) / len(first | second)


def _check(is_right: bool, claim: str) -> None:
    if not is_right:
        raise AssertionError(f"this should hold and does not: {claim}")


if __name__ == "__main__":
    cli.run(main, ChangesOptions, needs_tensorflow=True)
