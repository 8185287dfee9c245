"""`manifest.json`: the shards of a directory, and the recipe and inputs that they were made of.

```
{"record_sets": [
   {"recipe":     {"max_seq_length": 128, "masked_lm_prob": 0.15, ...},
    "vocabulary": {"fingerprint": "98c0...", "size": 21128},
    "inputs":     [{"file": "news.txt", "bytes": 65341, "sha256": "1f0a..."}],
    "shards":     [{"file": "news.tfrecord", "records": 259, "bytes": 663040, "sha256": "77b2..."}],
    "counts":     {"documents": 60, ...},
    "versions":   {"python": "3.11.9", ...}},
   ... one entry per run that wrote into the directory
]}
```
Equal recipe, vocabulary and inputs mean equal shards; counts and versions are for people.
"""

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from albert_zh.corpus.instances import Pairing
from albert_zh.masking.options import unit_of
from albert_zh.util.files import write_json
from albert_zh.util.locks import locked
from albert_zh.words.names import segmenter_of

MANIFEST = "manifest.json"
UNFINISHED = ".unfinished"  # end of the name of a directory in which a run is at work
_OTHER_NAMES = {"non_chinese", "do_whole_word_mask"}  # of values of segmenter and masking


@dataclass(frozen=True)
class Shard:
    """A finished file of records."""

    file: str  # the file's name without its directory
    records: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class RecordSet:
    """The shards of one run, and everything that determines their content."""

    recipe: dict[str, Any]
    vocabulary: dict[str, Any]  # fingerprint, size
    inputs: list[dict[str, Any]]  # file, bytes, sha256; in the order they were read
    shards: tuple[Shard, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)

    @classmethod
    def from_json(cls, entry: dict[str, Any]) -> "RecordSet":
        shards = tuple(Shard(**shard) for shard in entry["shards"])
        return cls(**{**entry, "shards": shards})

    @property
    def num_records(self) -> int:
        return sum(shard.records for shard in self.shards)

    @property
    def pairing(self) -> Pairing:
        if self.recipe.get("full_sentences"):
            return Pairing.NONE
        others = self.recipe.get("random_next_sentence")
        return Pairing.NEXT_SENTENCE if others else Pairing.SENTENCE_ORDER

    @property
    def has_pairs(self) -> bool:
        """False if all records are single segments."""
        if self.pairing is Pairing.NONE:
            return False
        return not self.num_records or self.counts.get("single_segments", 0) < self.num_records

    def shard(self, file: str) -> Shard | None:
        """The shard of that name; None if the set has none."""
        return next((shard for shard in self.shards if shard.file == file), None)

    def claims(self, files: Iterable[str]) -> bool:
        """True if a shard of this set has one of the names."""
        return any(self.shard(file) for file in files)

    def difference(self, other: "RecordSet") -> str | None:
        """The first difference that gives other records, in words; None if there is none.

        >>> short = RecordSet({"max_seq_length": 128}, {"fingerprint": "a1"}, [])
        >>> short.difference(RecordSet({"max_seq_length": 512}, {"fingerprint": "a1"}, []))
        'max_seq_length is 128, not 512'
        """
        recipe, their_recipe = _spelled_out(self.recipe), _spelled_out(other.recipe)
        for name in recipe | their_recipe:
            ours, theirs = recipe.get(name), their_recipe.get(name)
            if ours != theirs:
                return f"{name} is {_word(ours, theirs)}, not {_word(theirs, ours)}"
        if self.vocabulary != other.vocabulary:
            return "the vocabulary is another one"
        if _contents(self.inputs) != _contents(other.inputs):
            return "the input files are others"
        return None


def read_manifest(directory: str) -> list[RecordSet]:
    """The record sets of the directory; none if it has no manifest.

    Raises:
        ValueError: The manifest is not one that this module wrote.
    """
    path = os.path.join(directory, MANIFEST)
    try:
        with open(path, encoding="utf-8") as file:
            return [RecordSet.from_json(entry) for entry in json.load(file)["record_sets"]]
    except FileNotFoundError:
        return []
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} is not a manifest of pretraining records ({error!r}); delete it if the"
            " records beside it are not needed"
        ) from None


def find_sets(paths: Sequence[str]) -> list[RecordSet | None]:
    """For each shard the set that it belongs to, according to the manifest beside it."""
    places = [os.path.split(os.path.abspath(path)) for path in paths]
    set_of = {
        (directory, shard.file): record_set
        for directory in {directory for directory, _ in places}
        for record_set in read_manifest(directory)
        for shard in record_set.shards
    }
    return [set_of.get(place) for place in places]


def add_set(directory: str, new_set: RecordSet) -> None:
    """Add the set to the manifest and remove those that have a shard of the same name.

    Several processes may do so at once for one directory.
    """
    with locked(directory):
        names = {shard.file for shard in new_set.shards}
        others = [other for other in read_manifest(directory) if not other.claims(names)]
        entries = sorted([*others, new_set], key=lambda entry: entry.shards[0].file)
        write_json(
            os.path.join(directory, MANIFEST), {"record_sets": [asdict(entry) for entry in entries]}
        )


def _spelled_out(recipe: dict[str, Any]) -> dict[str, Any]:
    """The recipe with one value for what several flags can say, and for what was left out.

    >>> _spelled_out({"segmenter": None, "non_chinese": False, "do_whole_word_mask": True})
    {'segmenter': 'jieba', 'masking': 'word'}
    """
    given = {name: value for name, value in recipe.items() if name not in _OTHER_NAMES}
    segmenter, masking = recipe.get("segmenter"), recipe.get("masking")
    is_whole = bool(recipe.get("do_whole_word_mask"))
    given["segmenter"] = segmenter_of(segmenter, non_chinese=bool(recipe.get("non_chinese")))
    given["masking"] = unit_of(masking, do_whole_word_mask=is_whole)
    return given


def _word(value: Any, other: Any) -> Any:
    """A value of a recipe for people; some flags are in it only if they are set."""
    if value is None:
        return False if isinstance(other, bool) else "none"
    return value


def _contents(inputs: Sequence[dict[str, Any]]) -> list[tuple[int, str]]:
    """Sizes and hashes of the input files, without their paths."""
    return [(entry["bytes"], entry["sha256"]) for entry in inputs]
