"""Record files, looked at before anything is trained on them.

```
first record      -> layout, lengths       files that are to be read together must agree
manifest entry    -> recipe, vocabulary
number of records -> from the manifest, or counted; a scan for bad ones if they are to be skipped
```
"""

import os
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

from absl import logging

from albert_zh.corpus.instances import Pairing
from albert_zh.input.damage import OnCorrupt, bad_record, described, examine
from albert_zh.input.decoding import Format, Stretch
from albert_zh.input.stored import Limits, read_stored
from albert_zh.records.features import Layout
from albert_zh.records.manifest import MANIFEST, RecordSet, Shard, find_sets
from albert_zh.records.tfrecord import count_records, is_gzip

_LOOKED_AT = 20  # records, for the id of [MASK]

Value = TypeVar("Value")


@dataclass(frozen=True)
class RecordFiles:
    """Record files that were checked: alike, none empty, none of another vocabulary."""

    stretches: tuple[Stretch, ...]  # the good records; one of each file that has no bad ones
    max_seq_length: int
    max_predictions_per_seq: int  # 0 in records for dynamic masking, whose recipe decides
    vocabulary: dict[str, Any] | None  # fingerprint and size; None when no manifest tells
    vocab_size: int | None = None  # all ids are below; None when nothing tells
    masked: bool = True  # False: for dynamic masking
    padded: bool = True  # False: compact
    compression: str = ""  # or GZIP, as TensorFlow calls it
    has_pairs: bool = True  # False: single segments, with no order to learn
    mask_id: int | None = None  # of [MASK], read off masked records; None if it is not in them
    num_skipped: int = 0  # bad records left out; an end that is cut off is one at least

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(stretch.path for stretch in self.stretches))

    @property
    def num_records(self) -> int:
        return sum(stretch.count for stretch in self.stretches)

    @property
    def format(self) -> Format:
        """How the records are read."""
        lengths = self.max_seq_length, self.max_predictions_per_seq
        layout = Layout(*lengths, masked=self.masked, padded=self.padded)
        return Format(layout, self.compression, self.vocab_size)


@dataclass(frozen=True)
class _File:
    path: str
    owner: RecordSet | None
    layout: Layout  # of its first record
    compressed: bool

    @property
    def kind(self) -> str:
        padding = "padded" if self.layout.padded else "compact"
        masks = "masked" if self.layout.masked else "for dynamic masking"
        return f"{padding}, {masks}, {'gzip' if self.compressed else 'not compressed'}"

    @property
    def pairing(self) -> Pairing | None:
        if self.owner is None:
            return None
        if self.owner.recipe.get("full_sentences"):
            return Pairing.NONE
        others = self.owner.recipe.get("random_next_sentence")
        return Pairing.NEXT_SENTENCE if others else Pairing.SENTENCE_ORDER

    @property
    def shard(self) -> Shard | None:
        """What the manifest says of the file."""
        return self.owner and self.owner.shard(os.path.basename(self.path))

    def made_with(self, option: str) -> int | None:
        """The length the records were made with; None when nothing tells."""
        if self.layout.padded:
            return getattr(self.layout, option)
        return self.owner.recipe.get(option) if self.owner else None


def check_records(
    paths: Sequence[str],
    *,
    max_seq_length: int | None = None,
    max_predictions_per_seq: int | None = None,
    vocab_size: int | None = None,
    on_corrupt: OnCorrupt = OnCorrupt.ERROR,
) -> RecordFiles:
    """Looks at the first record and the manifest entry of every file.

    Args:
        paths: Record files.
        max_seq_length: Length of the batches, in tokens; None: as the records say.
        max_predictions_per_seq: Masks an example has room for; None: as the records say. Records
            for dynamic masking have none, so that it does not matter.
        vocab_size: Entries the model has; ids beyond are bad, where no manifest tells the
            vocabulary.
        on_corrupt: With SKIP, all records are read once, and bad ones are left out, counted and
            told in the log. They are the same ones each time, so that what is a function of
            these files stays one. With ERROR, bad ones are found when they are read
            (`batches.named_read_errors`).

    Raises:
        ValueError: A file is empty, damaged or incomplete, was made with other lengths than these,
            or differs from the other files in layout or vocabulary; says which and what to do.
    """
    owners = find_sets(paths)
    looked_at = [_look_at(*each, on_corrupt) for each in zip(paths, owners, strict=True)]
    files = [file for file in looked_at if file]
    if not files:
        raise _none_good(paths)
    _agreed("layout", [(file.path, file.kind) for file in files])
    pairing = _agreed("pairing", [(file.path, file.pairing) for file in files])
    vocabulary = _vocabulary(files)
    first = files[0]
    given = {"max_seq_length": max_seq_length, "max_predictions_per_seq": max_predictions_per_seq}
    lengths = dict.fromkeys(given, 0) | {
        option: _length(files, option, given[option])
        for option in given
        if first.layout.masked or option == "max_seq_length"
    }
    layout = Layout(**lengths, masked=first.layout.masked, padded=first.layout.padded)
    vocab_size = vocabulary["size"] if vocabulary else vocab_size
    reading = Format(layout, "GZIP" if first.compressed else "", vocab_size)
    stretches, num_skipped = [], len(looked_at) - len(files)
    for file in files:
        if on_corrupt is OnCorrupt.SKIP:
            good, bad = _good_stretches(file, reading)
            stretches += good
            num_skipped += bad
        else:
            stretches.append(Stretch(file.path, 0, _count(file)))
    if not stretches:
        raise _none_good(paths)
    return RecordFiles(
        stretches=tuple(stretches),
        **lengths,
        vocabulary=vocabulary,
        vocab_size=vocab_size,
        masked=layout.masked,
        padded=layout.padded,
        compression=reading.compression,
        has_pairs=pairing is not Pairing.NONE,
        mask_id=_mask_id(first.path) if layout.masked else None,
        num_skipped=num_skipped,
    )


def split_files(paths: Sequence[str], fraction: float, *, seed: int) -> tuple[list[str], list[str]]:
    """(training, held out): whole files, so that what is held out is no part of the training.

    Args:
        paths: Record files, in any order.
        fraction: Of the files to hold out, between 0 and 1; at least one is.
        seed: Decides which.

    Raises:
        ValueError: There is only one file, or the fraction leaves none to train on.

    >>> split_files(["c", "a", "d", "b"], 0.25, seed=1)
    (['a', 'c', 'd'], ['b'])
    """
    if not 0 < fraction < 1:
        raise ValueError(f"--eval_fraction is a part of the files, between 0 and 1, not {fraction}")
    if len(paths) < 2:
        raise ValueError(
            f"--eval_fraction holds out whole files, but there is only {paths[0]}; create the"
            " records in several (--output_file='name-*.tfrecord' --num_shards=10), or give others"
            " with --eval_input_file"
        )
    count = min(max(1, round(fraction * len(paths))), len(paths) - 1)
    held_out = random.Random(seed).sample(sorted(paths), count)
    return sorted(set(paths) - set(held_out)), sorted(held_out)


def _look_at(path: str, owner: RecordSet | None, on_corrupt: OnCorrupt) -> _File | None:
    """What the first good record tells; None if there is none and bad ones are left out."""
    for record in read_stored(path, Limits()):
        if record.instance:
            return _File(path, owner, record.instance.layout, is_gzip(path))
        if on_corrupt is OnCorrupt.ERROR:
            raise bad_record(path, record)
    if on_corrupt is OnCorrupt.ERROR:
        raise ValueError(f"{path} is empty: a TFRecord file has at least one record")
    logging.warning("%s has no good record and is left out", path)
    return None


def _good_stretches(file: _File, reading: Format) -> tuple[tuple[Stretch, ...], int]:
    """The good records of a file, and how many are left out."""
    found = examine(file.path, reading)
    missing = file.shard.records - found.num_good if file.shard else 0
    left_out = max(found.num_bad, missing)
    if left_out:
        first = f", the first is {described(found.first_bad)}" if found.first_bad else ""
        logging.warning("%s: %d bad records are left out%s", file.path, left_out, first)
    return found.good, left_out


def _none_good(paths: Sequence[str]) -> ValueError:
    return ValueError(f"no record in {', '.join(paths)} is good; create them anew")


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
        if made > given or (file.layout.padded and made < given):
            raise ValueError(
                f"records in {file.path} were made with {option} {made}, not {given};"
                f" pass --{option}={made}"
            )
    return given


def _vocabulary(files: Sequence[_File]) -> dict[str, Any] | None:
    known = [(file.path, file.owner.vocabulary) for file in files if file.owner]
    _agreed("vocabulary", [(path, found["fingerprint"]) for path, found in known])
    return known[0][1] if known else None


def _mask_id(path: str) -> int | None:
    """What most of the masked tokens of the first records are read as."""
    seen, masked = Counter(), 0
    for record in islice(read_stored(path, Limits()), _LOOKED_AT):
        if record.instance:
            read = record.instance.token_ids[record.instance.masked_positions]
            labels = record.instance.masked_labels
            seen.update(read[read != labels].tolist())
            masked += len(labels)
    (token_id, count), *_ = [*seen.most_common(1), (None, 0)]
    return token_id if 2 * count > masked else None


def _count(file: _File) -> int:
    """The number of records: what the manifest lists, if the file is as long as it says."""
    if not file.shard:
        return count_records(file.path)
    size = os.path.getsize(file.path)
    if size != file.shard.bytes:
        raise ValueError(
            f"{file.path} has {size:,} bytes, {MANIFEST} beside it says {file.shard.bytes:,}: the"
            " copy is incomplete or another file took the name; copy it again or create the"
            " records anew"
        )
    return file.shard.records
