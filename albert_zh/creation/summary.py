"""The summary of a run for people: the amounts of text used and unused, with the reasons.

The counts are those of the manifest.
"""

from collections import Counter
from typing import Any

from albert_zh.corpus import counts as corpus_counts


def summary(counts: Counter[str], recipe: dict[str, Any]) -> str:
    """Formats the counts of a corpus as lines of text.

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
        (name.replace("_", " "), counts[name], remark)
        for name, remark in _REMARKS.items()
        if counts[name]
    ]
    width = max(len(name) for name, _, _ in rows)
    digits = max(9, *(len(f"{number:,}") for _, number, _ in rows))
    lines = [
        f"{name:{width}} {number:>{digits},}   {remark}".rstrip() for name, number, remark in rows
    ]
    single, instances = counts["single_segments"], counts["instances"]
    if single > instances / 2:
        share = "cannot" if single == instances else "can hardly"
        lines.append(f"Sentence order {share} be learnt from this corpus: {_ONE_SENTENCE}")
    elif counts["documents"] > 10 and counts["sentences"] < 1.5 * counts["documents"]:
        lines.append(f"Most documents are a single sentence: {_ONE_SENTENCE}")
    return "\n".join(lines)


_ONE_SENTENCE = (
    "it has hardly any documents of several sentences. If a line of the text is a paragraph, use"
    " --split_sentences; if there are blank lines between the sentences of a document, remove them."
)

# Shown only if the count is not 0.
_REMARKS = {
    **corpus_counts.REMARKS,
    "documents_repeated": "the same as an earlier one; --drop_duplicates leaves them out",
    "documents_dropped": "left out: the same as an earlier one",
    "without_similar": "masked words without a similar word, replaced by random tokens",
    "single_segments": "instances of one sentence, without a sentence order",
    "without_other_document": "pairs without another document near to take a segment from",
}


def _rows(counts: Counter[str], tokens: int, label: str) -> list[tuple[str, int, str]]:
    """(name, number, remark) for the counts of every corpus; `tokens` are those of all passes."""
    unknown = _percent(counts["unknown_tokens"], counts["tokens"], digits=2)
    cut = _percent(counts["tokens_cut"], tokens, digits=2)
    left_over = _percent(counts["tokens_left_over"], tokens, digits=2)
    used = tokens + counts["tokens_borrowed"] - counts["tokens_cut"] - counts["tokens_left_over"]
    swapped = _percent(counts["swapped"], counts["instances"] - counts["single_segments"])
    masked = _percent(counts["masked_tokens"], used)
    no_words = f"{counts['documents_unused']:,} unused: not even two words"
    no_token = f"{counts['sentences_unused']:,} unused: no token in them"
    of_passes = f"{cut} cut from long pairs, {left_over} single words left over"
    of_masks = f"{masked} of the tokens used" if counts["masked_tokens"] else "none yet"
    return [
        ("documents", counts["documents"], no_words),
        ("sentences", counts["sentences"], no_token),
        ("tokens", counts["tokens"], f"{unknown} unknown to the vocabulary"),
        ("tokens x passes", tokens, of_passes),
        ("instances", counts["instances"], label and f"{swapped} {label}"),
        ("masked tokens", counts["masked_tokens"], of_masks),
    ]


def _label(recipe: dict[str, Any]) -> str:
    """The meaning of label 1 in these instances."""
    if recipe.get("full_sentences"):
        return ""
    if recipe.get("random_next_sentence"):
        return "with a second segment from another document"
    return "with swapped segments"


def _percent(part: int, whole: int, *, digits: int = 1) -> str:
    return f"{100 * part / max(1, whole):.{digits}f} %"
