"""Statistics of records: counts that add up, and a summary of them in lines.

```
instances -> gather -> Statistics + Statistics + ... -> summary; pictures.histogram
```
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, fields

import numpy as np

from albert_zh.input.decoding import StoredInstance
from albert_zh.text.encoding import is_chinese
from albert_zh.text.vocab import Vocab

_LONG_WORD = 5  # tokens; words of as many and more are shown together


@dataclass(frozen=True)
class TokenMeanings:
    """The meaning of ids, as far as the statistics need it."""

    mask_id: int
    unk_id: int
    plain_ids: np.ndarray  # [vocabulary] the id of 字 for ##字, else the id itself

    @classmethod
    def of(cls, vocab: Vocab) -> "TokenMeanings":
        # brightmart's labels are ##字 for the later characters of words, where the text has 字.
        plain = [
            vocab.ids.get(token[2:], index) if _is_chinese_piece(token) else index
            for index, token in enumerate(vocab.tokens)
        ]
        return cls(vocab.mask_id, vocab.unk_id, np.array(plain))


@dataclass(frozen=True)
class Statistics:
    """Counts over records, which add up; their size depends on the longest record only."""

    counts: Counter[str] = field(default_factory=Counter)
    lengths: Counter[int] = field(default_factory=Counter)  # tokens -> records
    predictions: Counter[int] = field(default_factory=Counter)  # masked tokens -> records
    words: Counter[int] = field(default_factory=Counter)  # tokens per word -> tokens in such words
    masked_words: Counter[int] = field(default_factory=Counter)  # the same for masked tokens

    def __add__(self, other: "Statistics") -> "Statistics":
        names = (each.name for each in fields(Statistics))
        return Statistics(**{name: getattr(self, name) + getattr(other, name) for name in names})


def gather(instances: Sequence[StoredInstance], meanings: TokenMeanings | None) -> Statistics:
    """The statistics of some instances; without `meanings`, fewer `counts`."""
    sizes = np.array([len(instance.token_ids) for instance in instances])
    masked = [instance for instance in instances if instance.layout.masked]
    counts = Counter(
        records=len(instances),
        tokens=int(sizes.sum()),
        places=sum(instance.layout.max_seq_length for instance in instances),
        maskable=sum(len(instance.token_ids) for instance in masked),
        masked=sum(len(instance.masked_labels) for instance in masked),
        **_room_counts([instance for instance in masked if instance.layout.padded]),
        **_order_counts(instances),
    )
    if meanings:
        counts += _token_counts(instances, meanings)
    words, masked_words = _word_counts([each for each in instances if each.starts is not None])
    predictions = Counter(len(instance.masked_labels) for instance in masked)
    return Statistics(counts, Counter(sizes.tolist()), predictions, words, masked_words)


def summary(statistics: Statistics, *, orders: tuple[str, str]) -> str:
    """Lines about the statistics of one or more records; `orders` are the two labels in words."""
    counts = statistics.counts
    padding = _percent(counts["places"] - counts["tokens"], counts["places"])
    rows = [
        ("records", f"{counts['records']:,}"),
        ("tokens", f"a record {_spread(statistics.lengths)}"),
        ("padding", f"{padding} of the places"),
        ("pairs", _pairs(counts, orders)),
        *_mask_rows(statistics),
        *_word_rows(statistics),
    ]
    if counts["text"]:
        unknown = _percent(counts["unknown"], counts["text"], digits=2)
        rows.append(("unknown", f"{unknown} of {counts['text']:,} tokens of the text"))
    return "\n".join(f"{name:9} {text}" for name, text in rows)


def _is_chinese_piece(token: str) -> bool:
    return len(token) == 3 and token.startswith("##") and is_chinese(token[2])


def _room_counts(padded: Sequence[StoredInstance]) -> dict[str, int]:
    """Places for masked tokens in padded records, and the number of those in use."""
    used = [len(instance.masked_labels) for instance in padded]
    room = [instance.layout.max_predictions_per_seq for instance in padded]
    full = sum(map(int.__eq__, used, room))
    return {"padded": len(padded), "room": sum(room), "used": sum(used), "full": full}


def _order_counts(instances: Sequence[StoredInstance]) -> dict[str, int]:
    pairs = [instance.swapped for instance in instances if instance.num_segments > 1]
    return {"pairs": len(pairs), "swapped": sum(pairs)}


def _joined(arrays: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.empty(0, np.int64), *arrays])


def _masked_places(instances: Sequence[StoredInstance]) -> np.ndarray:
    """The masked positions in the tokens of all instances, one instance behind the other."""
    sizes = np.array([len(instance.token_ids) for instance in instances], np.int64)
    begins = np.cumsum(sizes) - sizes
    return _joined(
        [each.masked_positions + begin for each, begin in zip(instances, begins, strict=True)]
    )


def _token_counts(instances: Sequence[StoredInstance], meanings: TokenMeanings) -> Counter[str]:
    tokens = _joined([instance.token_ids for instance in instances])
    labels = _joined([instance.masked_labels for instance in instances])
    places = _masked_places(instances)
    read = tokens[places]
    is_mask = read == meanings.mask_id
    is_kept = ((read == labels) | (read == meanings.plain_ids[labels])) & ~is_mask
    tokens[places] = labels
    # Besides the text there are [CLS] and a [SEP] behind each segment.
    special = sum(1 + instance.num_segments for instance in instances)
    return Counter(
        mask=int(is_mask.sum()),
        kept=int(is_kept.sum()),
        other=int((~is_kept & ~is_mask).sum()),
        text=len(tokens) - special,
        unknown=int((tokens == meanings.unk_id).sum()),
    )


def _word_counts(instances: Sequence[StoredInstance]) -> tuple[Counter[int], Counter[int]]:
    """Tokens, and masked tokens, by the number of tokens of their word; special ones left out."""
    starts = _joined([_word_marks(instance) for instance in instances])
    words = np.cumsum(starts != 0) - 1  # [T] number of the word of each token
    sizes = np.bincount(words)[words]
    special = _joined([_special_marks(instance) for instance in instances]) != 0
    text_words = Counter(sizes[~special].tolist())
    return text_words, Counter(sizes[_masked_places(instances)].tolist())


def _word_marks(instance: StoredInstance) -> np.ndarray:
    special = _special_marks(instance)
    return instance.starts | special | np.append(True, special[:-1])


def _special_marks(instance: StoredInstance) -> np.ndarray:
    """True at [CLS] and at the end of each segment, where [SEP] stands.  [N] bool"""
    ids = instance.segment_ids
    marks = np.append(ids[1:] != ids[:-1], True)
    marks[0] = True
    return marks


def _pairs(counts: Counter[str], orders: tuple[str, str]) -> str:
    pairs, records = counts["pairs"], counts["records"]
    if not pairs:
        return "none: the records have one segment"
    straight = _percent(pairs - counts["swapped"], pairs)
    text = f"{straight} {orders[0]}, {_percent(counts['swapped'], pairs)} {orders[1]}"
    if pairs < records:
        text += f"; {_percent(records - pairs, records)} of the records have one segment"
    return text


def _mask_rows(statistics: Statistics) -> list[tuple[str, str]]:
    counts = statistics.counts
    if not counts["maskable"]:
        return [("masked", "nothing yet: the records are for dynamic masking")]
    share = _percent(counts["masked"], counts["maskable"], digits=2)
    rows = [
        ("masked", f"{share} of {counts['maskable']:,} tokens"),
        ("", f"a record {_spread(statistics.predictions)}"),
    ]
    if counts["room"]:
        used = _percent(counts["used"], counts["room"])
        full = _percent(counts["full"], counts["padded"])
        rows.append(("", f"{used} of the places used, all of them in {full} of the records"))
    kinds = {"mask": "[MASK]", "kept": "the token itself", "other": "another token"}
    if any(counts[kind] for kind in kinds):
        shares = (f"{_percent(counts[kind], counts['masked'])} {kinds[kind]}" for kind in kinds)
        rows.append(("read as", ", ".join(shares)))
    return rows


def _word_rows(statistics: Statistics) -> list[tuple[str, str]]:
    rows = []
    if statistics.words:
        rows.append(("words", f"tokens in words of {_shares(statistics.words)}"))
    if statistics.masked_words:
        rows.append(("", f"masked ones in words of {_shares(statistics.masked_words)}"))
    return rows


def _shares(sizes: Counter[int]) -> str:
    """Shares of the tokens by the length of their word.

    >>> _shares(Counter({1: 50, 2: 40, 7: 6, 9: 4}))
    '1: 50.0 %, 2: 40.0 %, 3: 0.0 %, 4: 0.0 %, more: 10.0 %'
    """
    total = sum(sizes.values())
    shares = {str(size): sizes[size] for size in range(1, _LONG_WORD)}
    shares["more"] = total - sum(shares.values())
    return ", ".join(f"{name}: {_percent(count, total)}" for name, count in shares.items())


def _spread(values: Counter[int]) -> str:
    """Smallest value, mean, percentiles and largest value of counted values.

    >>> _spread(Counter({10: 3, 20: 1}))
    '10 to 20, mean 12.5 (5 % up to 10, 50 % up to 10, 95 % up to 20)'
    """
    total = sum(values.values())
    mean = sum(value * count for value, count in values.items()) / total
    parts = (f"{share} % up to {_percentile(values, share / 100)}" for share in (5, 50, 95))
    return f"{min(values)} to {max(values)}, mean {mean:.1f} ({', '.join(parts)})"


def _percentile(values: Counter[int], share: float) -> int:
    """The least value that is not exceeded by the given share of all values."""
    ascending = sorted(values)
    reached = np.cumsum([values[value] for value in ascending])
    return ascending[int(np.searchsorted(reached, share * reached[-1]))]


def _percent(part: int, whole: int, *, digits: int = 1) -> str:
    return f"{100 * part / max(1, whole):.{digits}f} %"
