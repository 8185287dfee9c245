"""Record files, checked before anything is trained on them.

```
first good record -> layout, lengths       files that are to be read together must agree
manifest entry    -> recipe, vocabulary
number of records -> from the manifest, or counted; a scan for bad ones if they are to be skipped
```
"""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

from absl import logging

from albert_zh.input.damage import bad_record, scan_file
from albert_zh.input.decoding import read_stored
from albert_zh.input.reading import RecordRange, RecordReader
from albert_zh.input.rules import OnCorrupt
from albert_zh.records.features import Layout
from albert_zh.records.manifest import MANIFEST, RecordSet, Shard, find_sets
from albert_zh.records.tfrecord import count_records, is_gzip

_SAMPLE = 20  # records that tell the id of [MASK], and whether there are pairs

Value = TypeVar("Value")


@dataclass(frozen=True)
class RecordFiles:
    """Record files that were checked: alike, none empty, none of another vocabulary."""

    ranges: tuple[RecordRange, ...]  # the good records; one range per file without bad ones
    reader: RecordReader
    vocabulary: dict[str, Any] | None  # fingerprint and size; None without a manifest
    has_pairs: bool = True  # False: single segments, with no order to learn
    mask_id: int | None = None  # id of [MASK] in masked records; None if it is not in them
    num_skipped: int = 0  # bad records left out; an end that is cut off is one at least

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(part.path for part in self.ranges))

    @property
    def num_records(self) -> int:
        return sum(part.count for part in self.ranges)

    @property
    def name(self) -> str:
        """The first file, and how many there are."""
        more = f" and {len(self.paths) - 1} more" if len(self.paths) > 1 else ""
        return self.paths[0] + more

    @property
    def fingerprint(self) -> str:
        """Digest of the names of the files, wherever they are, and of their good records."""
        ranges = [(os.path.basename(part.path), part.first, part.count) for part in self.ranges]
        return hashlib.sha256(json.dumps(ranges).encode()).hexdigest()[:16]

    @property
    def masked(self) -> bool:
        """False for records of dynamic masking."""
        return self.reader.layout.masked

    @property
    def max_seq_length(self) -> int:
        return self.reader.layout.max_seq_length

    @property
    def max_predictions_per_seq(self) -> int:
        """0 in records for dynamic masking, whose recipe decides."""
        return self.reader.layout.max_predictions_per_seq


@dataclass(frozen=True)
class _File:
    path: str
    owner: RecordSet | None
    layout: Layout  # of its first good record
    is_compressed: bool

    @property
    def kind(self) -> str:
        padding = "padded" if self.layout.padded else "compact"
        masks = "masked" if self.layout.masked else "for dynamic masking"
        return f"{padding}, {masks}, {'gzip' if self.is_compressed else 'not compressed'}"

    @property
    def shard(self) -> Shard | None:
        """The file in the manifest."""
        return self.owner and self.owner.shard(os.path.basename(self.path))

    @property
    def has_pairs(self) -> bool:
        """True for pairs of segments; without a manifest the first records tell."""
        if self.owner:
            return self.owner.has_pairs
        first = (record.instance for record in islice(read_stored(self.path), _SAMPLE))
        return any(instance.segment_ids.any() for instance in first if instance)

    def length(self, option: str) -> int | None:
        """The length the records were made with; None if neither they nor a manifest tell."""
        if self.layout.padded:
            return getattr(self.layout, option)
        return self.owner.recipe.get(option) if self.owner else None


def check_records(
    paths: Sequence[str],
    *,
    max_seq_length: int | None = None,
    max_predictions_per_seq: int | None = None,
    may_differ: bool = False,
    vocab_size: int | None = None,
    on_corrupt: OnCorrupt = OnCorrupt.ERROR,
) -> RecordFiles:
    """Check the first good record and the manifest entry of every file.

    Args:
        paths: Record files.
        max_seq_length: Length of the batches, in tokens; None: as the records say.
        max_predictions_per_seq: Masks an example has room for; None: as the records say. It does
            not matter to records for dynamic masking, which have none.
        may_differ: Whether the two lengths are only for records that do not tell their own.
        vocab_size: Entries of the model; ids beyond are bad, if no manifest tells the vocabulary.
        on_corrupt: With SKIP, all records are read once, and bad ones are left out, counted and
            named in the log. They are the same ones each time, so that what is a function of
            these files stays one. With ERROR, bad ones are found when they are read
            (`batches.named_read_errors`).

    Raises:
        ValueError: A file is empty, damaged or incomplete, was made with other lengths than these,
            or differs from the other files in layout or vocabulary; says which and what to do.
    """
    files = [
        file
        for path, owner in zip(paths, find_sets(paths), strict=True)
        if (file := _open(path, owner, on_corrupt))
    ]
    if not files:
        raise _none_good(paths)
    _agreed("layout", [(file.path, file.kind) for file in files])
    owners = [(file.path, file.owner) for file in files if file.owner]
    _agreed("pairing", [(path, owner.pairing) for path, owner in owners])
    _agreed("vocabulary", [(path, owner.vocabulary["fingerprint"]) for path, owner in owners])
    vocabulary = owners[0][1].vocabulary if owners else None
    reader = RecordReader(
        _common_layout(files, max_seq_length, max_predictions_per_seq, may_differ),
        "GZIP" if files[0].is_compressed else "",
        vocabulary["size"] if vocabulary else vocab_size,
    )
    ranges, num_skipped = [], len(paths) - len(files)
    for file in files:
        if on_corrupt is OnCorrupt.SKIP:
            good, num_bad = _good_ranges(file, reader)
            ranges += good
            num_skipped += num_bad
        else:
            ranges.append(RecordRange(file.path, 0, _count(file)))
    if not ranges:
        raise _none_good(paths)
    return RecordFiles(
        ranges=tuple(ranges),
        reader=reader,
        vocabulary=vocabulary,
        has_pairs=any(file.has_pairs for file in files),
        mask_id=_mask_id(files[0].path) if reader.layout.masked else None,
        num_skipped=num_skipped,
    )


def _open(path: str, owner: RecordSet | None, on_corrupt: OnCorrupt) -> _File | None:
    """The file by its first good record; None if there is none and bad ones are left out."""
    for record in read_stored(path):
        if record.instance:
            return _File(path, owner, record.instance.layout, is_gzip(path))
        if on_corrupt is OnCorrupt.ERROR:
            raise bad_record(path, record)
    if on_corrupt is OnCorrupt.ERROR:
        raise ValueError(f"{path} is empty: a TFRecord file has at least one record")
    logging.warning("%s has no good record and is left out", path)
    return None


def _good_ranges(file: _File, reader: RecordReader) -> tuple[tuple[RecordRange, ...], int]:
    """The good records of a file, and how many are left out."""
    scan = scan_file(file.path, reader)
    missing = file.shard.records - scan.num_good if file.shard else 0
    left_out = max(scan.num_bad, missing)
    if left_out:
        first = f", the first is {scan.first_bad}" if scan.first_bad else ""
        logging.warning("%s: %d bad records are left out%s", file.path, left_out, first)
    return scan.good, left_out


def _none_good(paths: Sequence[str]) -> ValueError:
    return ValueError(f"no record in {', '.join(paths)} is good; create them anew")


def _agreed(trait: str, values: Sequence[tuple[str, Value]]) -> Value | None:
    """The value that all files share, given with their paths; None if there is none."""
    for path, value in values:
        if value != values[0][1]:
            raise ValueError(
                f"records of different {trait} cannot be mixed: {values[0][0]} ({values[0][1]}) and"
                f" {path} ({value})"
            )
    return values[0][1] if values else None


def _common_layout(
    files: Sequence[_File],
    max_seq_length: int | None,
    max_predictions_per_seq: int | None,
    may_differ: bool,
) -> Layout:
    def length(option: str, given: int | None) -> int:
        are_known = all(file.length(option) is not None for file in files)
        return _length(files, option, None if may_differ and are_known else given)

    first = files[0].layout
    return Layout(
        length("max_seq_length", max_seq_length),
        length("max_predictions_per_seq", max_predictions_per_seq) if first.masked else 0,
        masked=first.masked,
        padded=first.padded,
    )


def _length(files: Sequence[_File], option: str, given: int | None) -> int:
    """The length that was asked for, if it fits all files, else that of all files."""
    if given is None:
        for file in files:
            if file.length(option) is None:
                raise ValueError(f"{file.path}: no manifest tells {option}; pass --{option}")
        return _agreed(option, [(file.path, file.length(option)) for file in files])
    for file in files:
        made = file.length(option) or given
        if made > given or (file.layout.padded and made < given):
            raise ValueError(
                f"records in {file.path} were made with {option} {made}, not {given};"
                f" pass --{option}={made}"
            )
    return given


def _mask_id(path: str) -> int | None:
    """The id that replaces most of the masked tokens of the first records."""
    replacements, num_masked = Counter(), 0
    for record in islice(read_stored(path), _SAMPLE):
        if record.instance:
            tokens = record.instance.token_ids[record.instance.masked_positions]
            labels = record.instance.masked_labels
            replacements.update(tokens[tokens != labels].tolist())
            num_masked += len(labels)
    (token_id, count), *_ = [*replacements.most_common(1), (None, 0)]
    return token_id if 2 * count > num_masked else None


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
