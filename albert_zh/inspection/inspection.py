"""Records for people: instances as tokens, and all that is wrong with a set of files.

```
text    我爱北京。天安门          A  [CLS] 我 爱 [北→MASK] [京→=] 。 [SEP]
                                  B  [天→猫] 安 门 [SEP]
```
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, islice

from albert_zh.input.stored import Limits, StoredInstance, StoredRecord, read_stored
from albert_zh.inspection.statistics import Statistics, TokenMeanings, gather
from albert_zh.records.manifest import MANIFEST, RecordSet, Shard, find_sets
from albert_zh.text.vocab import Vocab
from albert_zh.util.files import sha256_of_file
from albert_zh.util.progress import Progress

LEGEND = (
    "[北→MASK] 北 is to be guessed and the model reads [MASK], [北→=] it reads 北, [北→猫] it reads"
    " 猫; 北·京 are one word, where the records tell words"
)
_BATCH = 500  # records counted at a time


@dataclass(frozen=True)
class InspectedFiles:
    """Files, the record set each belongs to according to its manifest, and their vocabulary."""

    paths: tuple[str, ...]
    owners: tuple[RecordSet | None, ...]
    vocab: Vocab | None

    @classmethod
    def find(cls, paths: Sequence[str], vocab: Vocab | None) -> "InspectedFiles":
        """Reads the manifests.

        Raises:
            ValueError: A file was made with another vocabulary.
        """
        owners = find_sets(paths)
        for path, owner in zip(paths, owners, strict=True):
            if vocab and owner and owner.vocabulary["fingerprint"] != vocab.fingerprint:
                raise ValueError(
                    f"{path} was made with a vocabulary of {owner.vocabulary['size']:,} entries,"
                    f" not with this one of {len(vocab):,}; give that one"
                )
        return cls(tuple(paths), tuple(owners), vocab)

    @property
    def orders(self) -> tuple[str, str]:
        """The labels 0 and 1 in words: sentence order, unless a manifest says otherwise."""
        others = any(owner and owner.recipe.get("random_next_sentence") for owner in self.owners)
        return "in order", "of two documents" if others else "swapped"

    @property
    def num_listed(self) -> int | None:
        """Number of records, if manifests list all of the files."""
        shards = list(map(_shard, self.paths, self.owners))
        return sum(shard.records for shard in shards) if all(shards) else None

    def limits(self, index: int) -> Limits:
        """What manifest and vocabulary say of the records in a file."""
        owner, size = self.owners[index], len(self.vocab) if self.vocab else None
        if not owner:
            return Limits(vocab_size=size)
        return Limits(
            max_seq_length=owner.recipe.get("max_seq_length"),
            max_predictions_per_seq=owner.recipe.get("max_predictions_per_seq"),
            vocab_size=owner.vocabulary["size"],
        )

    def unlisted(self) -> list[str]:
        """Files that no manifest beside them lists."""
        return [path for path, owner in zip(self.paths, self.owners, strict=True) if not owner]


def render(instance: StoredInstance, vocab: Vocab, *, orders: tuple[str, str]) -> str:
    """The instance as lines: what it is, then a line for each segment.

    Args:
        instance: Its ids lie within the vocabulary.
        vocab: That of the records.
        orders: The labels 0 and 1 in words.
    """
    shown = [_token(token_id, vocab) for token_id in instance.token_ids]
    for position, label in zip(instance.masked_positions, instance.masked_labels, strict=True):
        shown[position] = _guess(label, instance.token_ids[position], vocab)
    glued = [False] * len(shown) if instance.starts is None else (~instance.starts).tolist()
    lines = [_title(instance, orders)]
    for segment, places in groupby(range(len(shown)), instance.segment_ids.__getitem__):
        first, *others = places
        text = "".join(f"{'·' if glued[place] else ' '}{shown[place]}" for place in others)
        lines.append(f"  {'AB'[segment]}  {shown[first]}{text}")
    return "\n".join(lines)


@dataclass(frozen=True)
class Problem:
    """Something wrong with a file, or with one or several records of it in a row.

    >>> print(Problem("a.tfrecord", "input_ids has no token", number=7, offset=5320, count=3))
    a.tfrecord: records 7 to 9, from byte 5,320: input_ids has no token
    """

    path: str
    text: str
    number: int | None = None  # of the (first) record, from 0
    offset: int | None = None  # its first byte
    count: int = 1

    def __str__(self) -> str:
        if self.number is None:
            return f"{self.path}: {self.text}"
        which = f"record {self.number:,}, at"
        if self.count > 1:
            which = f"records {self.number:,} to {self.number + self.count - 1:,}, from"
        return f"{self.path}: {which} byte {self.offset:,}: {self.text}"

    def goes_on_in(self, other: "Problem") -> bool:
        """Whether the other is the same of the next record."""
        return (self.path, self.text) == (other.path, other.text) and (
            self.number is not None and other.number == self.number + self.count
        )


def examples(files: InspectedFiles, *, count: int) -> Iterator[str]:
    """The first good records of the first file as tokens; needs the vocabulary."""
    records = read_stored(files.paths[0], files.limits(0))
    good = (record for record in records if record.instance)
    for record in islice(good, count):
        shown = render(record.instance, files.vocab, orders=files.orders)
        yield f"{files.paths[0]}, record {record.number}: {shown}"


def inspect(files: InspectedFiles, *, verify: bool) -> tuple[Statistics, list[Problem]]:
    """Reads all records: their statistics, and all that is wrong.

    Args:
        files: What to read.
        verify: Compare the files with their manifests, too.
    """
    meanings = TokenMeanings.of(files.vocab) if files.vocab else None
    statistics, problems = Statistics(), []
    with Progress(description="reading", unit="record", total=files.num_listed) as progress:
        for index, (path, owner) in enumerate(zip(files.paths, files.owners, strict=True)):
            records = 0
            for batch in _batches(read_stored(path, files.limits(index))):
                good = [record.instance for record in batch if record.instance]
                statistics += gather(good, meanings)
                _note_bad(batch, path, problems)
                records += len(batch)
                progress.advance(len(batch))
            if not records:
                problems.append(Problem(path, "it is empty"))
            if verify and owner:
                problems += _differences(path, _shard(path, owner), records=records)
    return statistics, problems + (list(_missing_shards(files)) if verify else [])


def _batches(records: Iterator[StoredRecord]) -> Iterator[list[StoredRecord]]:
    return iter(lambda: list(islice(records, _BATCH)), [])


def _note_bad(records: Sequence[StoredRecord], path: str, problems: list[Problem]) -> None:
    """Appends the problems of the records; one that goes on lengthens the last."""
    for record in records:
        if not record.problem:
            continue
        problem = Problem(path, record.problem, record.number, record.offset)
        if problems and problems[-1].goes_on_in(problem):
            problem = replace(problems[-1], count=problems.pop().count + 1)
        problems.append(problem)


def _shard(path: str, owner: RecordSet | None) -> Shard | None:
    return owner.shard(os.path.basename(path)) if owner else None


def _differences(path: str, shard: Shard, *, records: int) -> Iterator[Problem]:
    """In what the file, with so many records, is not the one the manifest lists."""
    size = os.path.getsize(path)
    if size != shard.bytes:
        yield Problem(path, f"it has {size:,} bytes, but {MANIFEST} says {shard.bytes:,}")
    elif sha256_of_file(path) != shard.sha256:
        yield Problem(path, f"its SHA-256 is not the one in {MANIFEST}")
    if records != shard.records:
        yield Problem(path, f"it has {records:,} records, but {MANIFEST} says {shard.records:,}")


def _missing_shards(files: InspectedFiles) -> Iterator[Problem]:
    """The shards of the same sets that are not there."""
    expected = dict.fromkeys(
        os.path.join(os.path.dirname(path), shard.file)
        for path, owner in zip(files.paths, files.owners, strict=True)
        if owner
        for shard in owner.shards
    )
    for path in expected:
        if not os.path.exists(path):
            yield Problem(path, f"it is missing, but {MANIFEST} lists it")


def _title(instance: StoredInstance, orders: tuple[str, str]) -> str:
    masks = f"{len(instance.masked_labels)} to guess"
    order = orders[instance.swapped] if instance.num_segments > 1 else "one segment"
    return ", ".join(
        (
            f"{len(instance.token_ids)} tokens",
            masks if instance.layout.masked else "for dynamic masking",
            order,
        )
    )


def _guess(label: int, seen: int, vocab: Vocab) -> str:
    read = "=" if seen == label else _token(seen, vocab)
    return f"[{_token(label, vocab)}→{'MASK' if seen == vocab.mask_id else read}]"


def _token(token_id: int, vocab: Vocab) -> str:
    token = vocab.tokens[token_id]
    # The published vocabulary has an entry for U+2028, which reads as the empty text.
    return token if token and token.isprintable() else ascii(token)
