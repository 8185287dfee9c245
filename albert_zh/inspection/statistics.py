"""Statistics of records: counts that add up, shown as lines, bars of text or a picture.

```
instances -> gather -> Statistics + Statistics + ... -> summary, histogram, draw_histograms
```
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import IO

import numpy as np

from albert_zh.input.stored import StoredInstance
from albert_zh.text.encoding import is_chinese
from albert_zh.text.vocab import Vocab
from albert_zh.util.optional_packages import load_extra

_NUM_BARS, _BAR_WIDTH = 10, 40
_LONG_WORD = 5  # tokens; words of as many and more are shown together


@dataclass(frozen=True)
class TokenMeanings:
    """What ids mean to the statistics."""

    mask_id: int
    unk_id: int
    plain_ids: np.ndarray  # [vocabulary] the id of 字 for ##字, else the id itself

    @classmethod
    def of(cls, vocab: Vocab) -> "TokenMeanings":
        # brightmart's labels are ##字 for the later characters of words, where the text has 字.
        plain = [
            vocab.ids.get(token[2:], index) if _is_twin(token) else index
            for index, token in enumerate(vocab.tokens)
        ]
        return cls(vocab.mask_id, vocab.unk_id, np.array(plain))


@dataclass(frozen=True)
class Statistics:
    """Counts over records, which add up; their size depends on the longest record only."""

    counts: Counter[str] = field(default_factory=Counter)
    lengths: Counter[int] = field(default_factory=Counter)  # tokens of a record -> records
    predictions: Counter[int] = field(default_factory=Counter)  # masked tokens of it -> records
    words: Counter[int] = field(default_factory=Counter)  # tokens of a word -> such tokens
    masked_words: Counter[int] = field(default_factory=Counter)  # the same of masked tokens

    def __add__(self, other: "Statistics") -> "Statistics":
        names = (each.name for each in fields(Statistics))
        return Statistics(**{name: getattr(self, name) + getattr(other, name) for name in names})


def gather(instances: Sequence[StoredInstance], meanings: TokenMeanings | None) -> Statistics:
    """The statistics of some instances; without the vocabulary fewer `counts`."""
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
    """The statistics of at least one record as lines; `orders` are the two labels in words."""
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


def histogram(values: Counter[int], *, name: str) -> str:
    """Bars of text, longest where most records are.

    >>> print(histogram(Counter({3: 1, 4: 2, 6: 4}), name="tokens"))
       tokens     records
            3           1  ##########
            4           2  ####################
            5           0
            6           4  ########################################
    """
    low, high = min(values), max(values)
    width = -(-(high - low + 1) // _NUM_BARS)
    bars = Counter()
    for value, count in values.items():
        bars[(value - low) // width] += count
    lines = [f"{name:>9}  {'records':>10}"]
    for bar in range((high - low) // width + 1):
        first = low + bar * width
        last = min(first + width - 1, high)
        label = f"{first}" if first == last else f"{first}-{last}"
        marks = "#" * round(_BAR_WIDTH * bars[bar] / max(bars.values()))
        lines.append(f"{label:>9}  {bars[bar]:>10,}  {marks}".rstrip())
    return "\n".join(lines)


def draw_histograms(statistics: Statistics, file: IO[bytes]) -> None:
    """Draws lengths and predictions per record as a PNG picture; needs no display.

    Raises:
        ValueError: The package matplotlib is not installed.
    """
    # Without pyplot, matplotlib draws with Agg.
    library = load_extra("matplotlib.figure", purpose="a histogram")
    panels = [("tokens of a record", statistics.lengths)]
    if statistics.predictions:
        panels.append(("masked tokens of a record", statistics.predictions))
    figure = library.Figure(figsize=(6 * len(panels), 4), layout="constrained")
    for column, (name, values) in enumerate(panels, 1):
        axes = figure.add_subplot(1, len(panels), column)
        axes.bar(list(values), list(values.values()), width=1.0)
        axes.set(xlabel=name, ylabel="records", xlim=(0, max(values) + 1))
    figure.savefig(file, format="png", dpi=120)


def _is_twin(token: str) -> bool:
    return len(token) == 3 and token.startswith("##") and is_chinese(token[2])


def _room_counts(padded: Sequence[StoredInstance]) -> dict[str, int]:
    """Of records with padding: the places for masked tokens, and how many are taken."""
    taken = [len(instance.masked_labels) for instance in padded]
    room = [instance.layout.max_predictions_per_seq for instance in padded]
    full = sum(map(int.__eq__, taken, room))
    return {"padded": len(padded), "room": sum(room), "taken": sum(taken), "full": full}


def _order_counts(instances: Sequence[StoredInstance]) -> dict[str, int]:
    pairs = [instance.swapped for instance in instances if instance.num_segments > 1]
    return {"pairs": len(pairs), "swapped": sum(pairs)}


def _joined(arrays: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.empty(0, np.int64), *arrays])


def _masked_places(instances: Sequence[StoredInstance]) -> np.ndarray:
    """The masked positions within the tokens of all instances, one behind another."""
    sizes = np.array([len(instance.token_ids) for instance in instances], np.int64)
    begins = np.cumsum(sizes) - sizes
    return _joined(
        [each.masked_positions + begin for each, begin in zip(instances, begins, strict=True)]
    )


def _token_counts(instances: Sequence[StoredInstance], meanings: TokenMeanings) -> Counter[str]:
    tokens = _joined([instance.token_ids for instance in instances])
    labels = _joined([instance.masked_labels for instance in instances])
    places = _masked_places(instances)
    seen = tokens[places]
    replaced = seen == meanings.mask_id
    kept = (seen == labels) | (seen == meanings.plain_ids[labels])
    tokens[places] = labels
    # Beside the text stand [CLS] and a [SEP] behind each segment.
    special = sum(1 + instance.num_segments for instance in instances)
    return Counter(
        replaced=int(replaced.sum()),
        kept=int((kept & ~replaced).sum()),
        other=int((~kept & ~replaced).sum()),
        text=len(tokens) - special,
        unknown=int((tokens == meanings.unk_id).sum()),
    )


def _word_counts(instances: Sequence[StoredInstance]) -> tuple[Counter[int], Counter[int]]:
    """Tokens, and masked tokens, by the number of tokens of their word; special ones left out."""
    starts = _joined([_word_marks(instance) for instance in instances])
    words = np.cumsum(starts != 0) - 1  # [T] number of the word of each token
    sizes = np.bincount(words)[words]
    special = _joined([_special_marks(instance) for instance in instances]) != 0
    of_text = Counter(sizes[~special].tolist())
    return of_text, Counter(sizes[_masked_places(instances)].tolist())


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
    said = f"{straight} {orders[0]}, {_percent(counts['swapped'], pairs)} {orders[1]}"
    if pairs < records:
        said += f"; {_percent(records - pairs, records)} of the records have one segment"
    return said


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
        used = _percent(counts["taken"], counts["room"])
        full = _percent(counts["full"], counts["padded"])
        rows.append(("", f"{used} of the places used, all of them in {full} of the records"))
    kinds = {"replaced": "[MASK]", "kept": "the token itself", "other": "another token"}
    if any(counts[kind] for kind in kinds):
        said = (f"{_percent(counts[kind], counts['masked'])} {kinds[kind]}" for kind in kinds)
        rows.append(("read as", ", ".join(said)))
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
    """Smallest, mean, percentiles and largest of values that were counted.

    >>> _spread(Counter({10: 3, 20: 1}))
    '10 to 20, mean 12.5 (5 % up to 10, 50 % up to 10, 95 % up to 20)'
    """
    total = sum(values.values())
    mean = sum(value * count for value, count in values.items()) / total
    parts = (f"{share} % up to {_percentile(values, share / 100)}" for share in (5, 50, 95))
    return f"{min(values)} to {max(values)}, mean {mean:.1f} ({', '.join(parts)})"


def _percentile(values: Counter[int], share: float) -> int:
    """The smallest value that at least the share of all values do not exceed."""
    ascending = sorted(values)
    reached = np.cumsum([values[value] for value in ascending])
    return ascending[int(np.searchsorted(reached, share * reached[-1]))]


def _percent(part: int, whole: int, *, digits: int = 1) -> str:
    return f"{100 * part / max(1, whole):.{digits}f} %"
