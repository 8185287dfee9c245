"""Record files, looked at before anything is trained on them.

```
first record   -> layout, lengths          files that are to be read together must agree
manifest entry -> recipe, vocabulary
```
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import tensorflow as tf
from google.protobuf.message import DecodeError

from albert_zh.corpus.instances import Pairing
from albert_zh.records import features
from albert_zh.records.features import Layout
from albert_zh.records.manifest import MANIFEST, RecordSet, find_sets
from albert_zh.records.tfrecord import count_records, is_gzip, read_records

# The feature whose length tells the option, in padded records.
_TELLS = {"max_seq_length": features.INPUT_IDS, "max_predictions_per_seq": features.MASKED_IDS}

Value = TypeVar("Value")


@dataclass(frozen=True)
class RecordFiles:
    """Record files that were checked: alike, none empty, none of another vocabulary."""

    paths: tuple[str, ...]
    max_seq_length: int
    max_predictions_per_seq: int  # 0 in records for dynamic masking, whose recipe decides
    num_records: int
    vocabulary: dict[str, Any] | None  # fingerprint and size; None when no manifest tells
    masked: bool = True  # False: for dynamic masking
    padded: bool = True  # False: compact
    compression: str = ""  # or GZIP, as TensorFlow calls it
    has_pairs: bool = True  # False: single segments, with no order to learn


@dataclass(frozen=True)
class _File:
    path: str
    owner: RecordSet | None
    lengths: dict[str, int]  # number of values of each feature in the first record
    compressed: bool

    @property
    def masked(self) -> bool:
        # Google's records have word starts beside their masks.
        return features.MASKED_IDS in self.lengths or features.WORD_STARTS not in self.lengths

    @property
    def padded(self) -> bool:
        return features.INPUT_MASK in self.lengths

    @property
    def kind(self) -> str:
        padding = "padded" if self.padded else "compact"
        masks = "masked" if self.masked else "for dynamic masking"
        return f"{padding}, {masks}, {'gzip' if self.compressed else 'not compressed'}"

    @property
    def pairing(self) -> Pairing | None:
        if self.owner is None:
            return None
        if self.owner.recipe.get("full_sentences"):
            return Pairing.NONE
        random = self.owner.recipe.get("random_next_sentence")
        return Pairing.NEXT_SENTENCE if random else Pairing.SENTENCE_ORDER

    def made_with(self, option: str) -> int | None:
        """The length the records were made with; None when nothing tells."""
        if self.padded:
            return self.lengths[_TELLS[option]]
        return self.owner.recipe.get(option) if self.owner else None


def check_records(
    paths: Sequence[str],
    *,
    max_seq_length: int | None = None,
    max_predictions_per_seq: int | None = None,
) -> RecordFiles:
    """Looks at the first record and the manifest entry of every file.

    Args:
        paths: Record files.
        max_seq_length: Length of the batches, in tokens; None: as the records say.
        max_predictions_per_seq: Masks an example has room for; None: as the records say. Records
            for dynamic masking have none, so that it does not matter.

    Raises:
        ValueError: A file is empty, damaged or incomplete, was made with other lengths than these,
            or differs from the other files in layout or vocabulary; says which and what to do.
    """
    owners = find_sets(paths)
    files = [_look_at(path, owner) for path, owner in zip(paths, owners, strict=True)]
    _agreed("layout", [(file.path, file.kind) for file in files])
    pairing = _agreed("pairing", [(file.path, file.pairing) for file in files])
    first = files[0]
    given = {"max_seq_length": max_seq_length, "max_predictions_per_seq": max_predictions_per_seq}
    lengths = dict.fromkeys(given, 0) | {
        option: _length(files, option, given[option])
        for option in given
        if first.masked or option == "max_seq_length"
    }
    layout = Layout(**lengths, masked=first.masked, padded=first.padded)
    for file in files:
        _check_lengths(file, layout)
    return RecordFiles(
        paths=tuple(paths),
        **lengths,
        num_records=sum(map(_count, files)),
        vocabulary=_vocabulary(files),
        masked=first.masked,
        padded=first.padded,
        compression="GZIP" if first.compressed else "",
        has_pairs=pairing is not Pairing.NONE,
    )


def _look_at(path: str, owner: RecordSet | None) -> _File:
    file = _File(path, owner, lengths=_stored_lengths(path), compressed=is_gzip(path))
    wanted = Layout(0, 0, masked=file.masked, padded=file.padded).lengths()
    if missing := [name for name in wanted if name not in file.lengths]:
        raise ValueError(
            f"{path} does not hold pretraining records: its first record lacks {', '.join(missing)}"
        )
    return file


def _agreed(trait: str, values: Sequence[tuple[str, Value | None]]) -> Value | None:
    """What all files of which it is known have in common, given with their paths."""
    known = [(path, value) for path, value in values if value is not None]
    for path, value in known:
        if value != known[0][1]:
            raise ValueError(
                f"records of different {trait} cannot be mixed: {known[0][0]} ({known[0][1]}) and"
                f" {path} ({value})"
            )
    return known[0][1] if known else None


def _length(files: Sequence[_File], option: str, given: int | None) -> int:
    """The length that was asked for, if it fits all files, else that of all files."""
    if given is None:
        for file in files:
            if file.made_with(option) is None:
                raise ValueError(f"{file.path}: no manifest tells {option}; pass --{option}")
        return _agreed(option, [(file.path, file.made_with(option)) for file in files])
    for file in files:
        made = file.made_with(option) or given
        if made > given or (file.padded and made < given):
            raise ValueError(
                f"records in {file.path} were made with {option} {made}, not {given};"
                f" pass --{option}={made}"
            )
    return given


def _check_lengths(file: _File, layout: Layout) -> None:
    for name, length in layout.lengths().items():
        if file.lengths[name] != length and layout.padded:
            raise ValueError(
                f"{file.path}: feature {name} of the first record has {file.lengths[name]} values"
                f" instead of {length}; create the records anew"
            )


def _vocabulary(files: Sequence[_File]) -> dict[str, Any] | None:
    known = [(file.path, file.owner.vocabulary) for file in files if file.owner]
    _agreed("vocabulary", [(path, found["fingerprint"]) for path, found in known])
    return known[0][1] if known else None


def _stored_lengths(path: str) -> dict[str, int]:
    """Number of values of each feature in the first record."""
    record = next(read_records(path))
    try:
        example = tf.train.Example.FromString(record)
    except DecodeError:
        raise ValueError(f"{path} does not hold pretraining records (tf.Example)") from None
    return {
        name: len(getattr(feature, feature.WhichOneof("kind") or "int64_list").value)
        for name, feature in example.features.feature.items()
    }


def _count(file: _File) -> int:
    """The number of records: what the manifest lists, if the file is as long as it says."""
    if file.owner is None:
        return count_records(file.path)
    shard, size = file.owner.shard(os.path.basename(file.path)), os.path.getsize(file.path)
    if size != shard.bytes:
        raise ValueError(
            f"{file.path} has {size:,} bytes, {MANIFEST} beside it says {shard.bytes:,}: the copy"
            " is incomplete or another file took the name; copy it again or create the records anew"
        )
    return shard.records
