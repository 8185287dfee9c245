"""What became of a corpus, for people: what was used, what was not and why.

The counts are those of the manifest.
"""

from collections import Counter
from typing import Any


def summary(counts: Counter[str], recipe: dict[str, Any]) -> str:
    """The counts of a corpus as lines for people.

    >>> print(summary(Counter(
    ...     documents=4, documents_unused=1, sentences=30, sentences_unused=2, tokens=500,
    ...     unknown_tokens=5, instances=12, swapped=6, masked_tokens=147, tokens_cut=15,
    ...     tokens_left_over=5, lines_cut=1), {"dupe_factor": 2}))
    documents               4   1 unused: not even two words
    sentences              30   2 unused: no token in them
    tokens                500   1.00 % unknown to the vocabulary
    tokens x passes     1,000   1.50 % cut from long pairs, 0.50 % single words left over
    instances              12   50.0 % with swapped segments
    masked tokens         147   15.0 % of the tokens used
    lines cut               1   too long for one sentence, used in pieces
    """
    rows = _rows(counts, counts["tokens"] * recipe["dupe_factor"], _label(recipe))
    rows += [
        (name.replace("_", " "), counts[name], said)
        for name, said in _REMARKS.items()
        if counts[name]
    ]
    width = max(len(name) for name, _, _ in rows)
    digits = max(9, *(len(f"{number:,}") for _, number, _ in rows))
    lines = [f"{name:{width}} {number:>{digits},}   {said}".rstrip() for name, number, said in rows]
    if counts["documents"] > 10 and counts["sentences"] < 1.5 * counts["documents"]:
        lines.append(_ONE_SENTENCE)
    return "\n".join(lines)


_ONE_SENTENCE = (
    "Most documents are a single sentence, cut in two at a word to make a pair. If a line of the"
    " text is a paragraph, --split_sentences makes sentences of it; if blank lines stand between"
    " sentences of one document, remove them."
)

# What is told only where there was such a thing.
_REMARKS = {
    "files_empty": "nothing in them",
    "lines_skipped": "left out: not UTF-8, or not the JSON they should be",
    "lines_cut": "too long for one sentence, used in pieces",
    "documents_cut": "too long, used as several documents",
    "without_similar": "masked words without a similar one, replaced at random",
    "without_other_document": "pairs that had no other document near to take a segment from",
}


def _rows(counts: Counter[str], passed: int, label: str) -> list[tuple[str, int, str]]:
    """(name, number, what is said of it) of what every corpus has; `passed` tokens were used."""
    unknown = _percent(counts["unknown_tokens"], counts["tokens"], digits=2)
    cut = _percent(counts["tokens_cut"], passed, digits=2)
    left_over = _percent(counts["tokens_left_over"], passed, digits=2)
    used = passed + counts["tokens_borrowed"] - counts["tokens_cut"] - counts["tokens_left_over"]
    swapped = _percent(counts["swapped"], counts["instances"])
    masked = _percent(counts["masked_tokens"], used)
    no_words = f"{counts['documents_unused']:,} unused: not even two words"
    no_token = f"{counts['sentences_unused']:,} unused: no token in them"
    of_passes = f"{cut} cut from long pairs, {left_over} single words left over"
    of_masks = f"{masked} of the tokens used" if counts["masked_tokens"] else "none yet"
    return [
        ("documents", counts["documents"], no_words),
        ("sentences", counts["sentences"], no_token),
        ("tokens", counts["tokens"], f"{unknown} unknown to the vocabulary"),
        ("tokens x passes", passed, of_passes),
        ("instances", counts["instances"], label and f"{swapped} {label}"),
        ("masked tokens", counts["masked_tokens"], of_masks),
    ]


def _label(recipe: dict[str, Any]) -> str:
    """What it means that the label of an instance is 1."""
    if recipe.get("full_sentences"):
        return ""
    if recipe.get("random_next_sentence"):
        return "with a second segment from another document"
    return "with swapped segments"


def _percent(part: int, whole: int, *, digits: int = 1) -> str:
    return f"{100 * part / max(1, whole):.{digits}f} %"
