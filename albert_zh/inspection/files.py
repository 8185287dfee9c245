"""The files of an inspection, with all that manifests and vocabulary tell about them."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from albert_zh.input.decoding import first_layout
from albert_zh.input.rules import RecordRules
from albert_zh.inspection.contents import SpecialIds
from albert_zh.records.manifest import RecordSet, Shard, find_sets
from albert_zh.text.vocab import Vocab


@dataclass(frozen=True)
class InspectedFiles:
    """Files, the record set each belongs to according to its manifest, and their vocabulary."""

    paths: tuple[str, ...]
    owners: tuple[RecordSet | None, ...]
    vocab: Vocab | None

    @classmethod
    def find(cls, paths: Sequence[str], vocab: Vocab | None) -> "InspectedFiles":
        """Read the manifests.

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
        shards = list(map(shard_of, self.paths, self.owners))
        return sum(shard.records for shard in shards) if all(shards) else None

    def rules(self, index: int) -> RecordRules:
        """The rules of the records in a file: those of training, as far as they are known.

        The manifest tells lengths and vocabulary; the first good record, all that it does not.
        """
        path, owner = self.paths[index], self.owners[index]
        recipe = owner.recipe if owner else {}
        vocab_size = len(self.vocab) if self.vocab else None
        layout = first_layout(path)
        if layout is None:
            return RecordRules(vocab_size=owner.vocabulary["size"] if owner else vocab_size)
        lengths = {
            option: recipe.get(option, getattr(layout, option) if layout.padded else None)
            for option in ("max_seq_length", "max_predictions_per_seq")
        }
        return RecordRules(
            masked=layout.masked,
            padded=layout.padded,
            **lengths,
            vocab_size=owner.vocabulary["size"] if owner else vocab_size,
        )

    def special_ids(self, index: int) -> SpecialIds | None:
        """Ids of the special entries in the records of a file; None without a vocabulary."""
        if not self.vocab:
            return None
        owner = self.owners[index]
        names = (owner.recipe.get("whole_entries") or "") if owner else ""
        return SpecialIds.of(self.vocab, in_text=[name.strip() for name in names.split(",")])

    def unlisted(self) -> list[str]:
        """Files that no manifest beside them lists."""
        return [path for path, owner in zip(self.paths, self.owners, strict=True) if not owner]


def shard_of(path: str, owner: RecordSet | None) -> Shard | None:
    """The file in its manifest."""
    return owner.shard(os.path.basename(path)) if owner else None
