"""Our encoder of records beside the protobuf runtime: bytes and speed.

  python benchmarks/records.py

`records.features` writes the bytes of a tf.train.Example itself. The alternative without TensorFlow
is the package protobuf with a descriptor of the message. Both encode the instances of the sample,
512 tokens with 51 masks, into the same bytes. In each round the two take turns, on one core; the
best round counts.

With protobuf 6.33 (upb) ours is 2.0 times as fast for padded masked records, 1.1 times for compact
ones, and 3.3 and 2.2 times for those of dynamic masking. protobuf promises no fixed order of fields
across versions, and without its compiled runtime it takes 50 times as long.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from project import ROOT, cli  # before the packages, which may be missing

# isort: split
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format

from albert_zh.corpus.instances import Instance, InstanceRecipe, make_instances
from albert_zh.corpus.reading import CorpusReader
from albert_zh.creation.maker import TextTools
from albert_zh.flags import option
from albert_zh.masking.recipe import MaskingRecipe, replacement_ids
from albert_zh.records import features
from albert_zh.records.features import Layout, serialize

_LENGTH, _PREDICTIONS = 512, 51

# https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/example/feature.proto
_EXAMPLE = """
name: "example.proto" package: "p" syntax: "proto3"
message_type { name: "Example" field { name: "features" number: 1 type_name: ".p.Features" ONE } }
message_type {
  name: "Features"
  field { name: "feature" number: 1 type_name: ".p.Features.FeatureEntry" MANY }
  nested_type {
    name: "FeatureEntry" options { map_entry: true }
    field { name: "key" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
    field { name: "value" number: 2 type_name: ".p.Feature" ONE }
  }
}
message_type {
  name: "Feature" oneof_decl { name: "kind" }
  field { name: "float_list" number: 2 type_name: ".p.FloatList" oneof_index: 0 ONE }
  field { name: "int64_list" number: 3 type_name: ".p.Int64List" oneof_index: 0 ONE }
}
message_type {
  name: "FloatList" field { name: "value" number: 1 type: TYPE_FLOAT label: LABEL_REPEATED }
}
message_type {
  name: "Int64List" field { name: "value" number: 1 type: TYPE_INT64 label: LABEL_REPEATED }
}
"""


@dataclass(frozen=True)
class BenchmarkOptions:
    """Text and length of the measurement."""

    input_file: str = option(str(ROOT / "data" / "news_zh_1.txt"), "Text to make records of.")
    vocab_file: str = option(str(ROOT / "albert_config" / "vocab.txt"), "Vocabulary.")
    rounds: int = option(5, "Rounds in which all instances are encoded.", at_least=1)


def main(options: BenchmarkOptions) -> None:
    instances = _instances(options)
    message_class = example_class()
    print(f"{len(instances):,} instances; instances/s:")
    print(f"{'layout':20}{'ours':>12}{'protobuf':>12}{'ours faster':>14}")
    for masked in (True, False):
        for padded in (True, False):
            layout = Layout(_LENGTH, _PREDICTIONS, masked=masked, padded=padded)
            encoders = (
                lambda instance, layout=layout: serialize(instance, layout),
                lambda instance, layout=layout: by_protobuf(instance, layout, message_class),
            )
            for instance in instances:
                ours, theirs = (encode(instance) for encode in encoders)
                assert ours == theirs, "the two encoders give different bytes"
            seconds = best_seconds(encoders, instances, rounds=options.rounds)
            ours, theirs = (len(instances) / each for each in seconds)
            name = f"{'masked' if masked else 'dynamic'}, {'padded' if padded else 'compact'}"
            print(f"{name:20}{ours:12,.0f}{theirs:12,.0f}{ours / theirs:13.1f}x", flush=True)


def best_seconds(
    encoders: Sequence[Callable[[Instance], bytes]], instances: Sequence[Instance], *, rounds: int
) -> list[float]:
    """Seconds of each encoder's best round."""
    best = [math.inf] * len(encoders)
    for _ in range(rounds):
        for index, encode in enumerate(encoders):
            started = time.process_time()
            for instance in instances:
                encode(instance)
            best[index] = min(best[index], time.process_time() - started)
    return best


def by_protobuf(instance: Instance, layout: Layout, message_class: type) -> bytes:
    """The bytes of `features.serialize`, from the protobuf runtime."""
    message = message_class()
    feature = message.features.feature
    length, count = len(instance.token_ids), len(instance.masked_positions)
    padding = (0,) * (layout.max_seq_length - length if layout.padded else 0)
    mask_padding = (0,) * (layout.max_predictions_per_seq - count if layout.padded else 0)

    def add(name: str, values: tuple[int, ...]) -> None:
        feature[name].int64_list.value.extend(values)

    add(features.INPUT_IDS, instance.token_ids + padding)
    add(features.SEGMENT_IDS, instance.segment_ids + padding)
    add(features.SENTENCE_ORDER, (int(instance.swapped),))
    if layout.padded:
        add(features.INPUT_MASK, (1,) * length + padding)
    if layout.masked:
        add(features.MASKED_IDS, instance.masked_labels + mask_padding)
        add(features.MASKED_POSITIONS, instance.masked_positions + mask_padding)
    else:
        add(features.WORD_STARTS, tuple(map(int, instance.starts)) + padding)
    if layout.masked and layout.padded:
        weights = (1.0,) * count + (0.0,) * len(mask_padding)
        feature[features.MASKED_WEIGHTS].float_list.value.extend(weights)
    return message.SerializeToString(deterministic=True)


def example_class() -> Any:
    """The class of tf.train.Example, without TensorFlow."""
    text = _EXAMPLE.replace("ONE", "type: TYPE_MESSAGE label: LABEL_OPTIONAL")
    text = text.replace("MANY", "type: TYPE_MESSAGE label: LABEL_REPEATED")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(text_format.Parse(text, descriptor_pb2.FileDescriptorProto()))
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("p.Example"))


def _instances(options: BenchmarkOptions) -> list[Instance]:
    tools = TextTools(options.vocab_file)
    vocab = tools.tokenizer.vocab
    recipe = InstanceRecipe(
        max_seq_length=_LENGTH,
        short_seq_prob=0.1,
        dupe_factor=10,
        random_seed=12345,
        cls_id=vocab.cls_id,
        sep_id=vocab.sep_id,
        masking=MaskingRecipe(
            masked_lm_prob=0.1,
            max_predictions_per_seq=_PREDICTIONS,
            mask_id=vocab.mask_id,
            special_ids=frozenset((vocab.cls_id, vocab.sep_id)),
            random_ids=replacement_ids(vocab),
        ),
    )
    return [
        instance
        for number, texts in enumerate(CorpusReader([options.input_file]))
        for instance in make_instances(
            tools.tokenize(texts), number=number, recipe=recipe
        ).instances
    ]


if __name__ == "__main__":
    cli.run(main, BenchmarkOptions)
