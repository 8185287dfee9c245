"""Documents become records: tokenized once, harvested in all passes, turned into bytes.

```
texts -> Document -> instances -> records, counts     one document at a time
```
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from albert_zh.corpus.documents import Document, tokenize_document
from albert_zh.corpus.instances import InstanceRecipe, harvest
from albert_zh.records.features import serialize
from albert_zh.text.tokenizers import Tokenizer
from albert_zh.text.words import Segmenter


@dataclass(frozen=True)
class MadeRecords:
    """Serialized records, and counts that add up over documents (shown by `summary`)."""

    records: list[bytes]
    counts: Counter[str]


@dataclass(frozen=True)
class RecordMaker:
    """Turns documents into records.

    The result is a function of the arguments alone, so documents may be made in any process and
    in any order.
    """

    tokenizer: Tokenizer
    segmenter: Segmenter
    recipe: InstanceRecipe

    def __call__(self, number: int, texts: Sequence[str]) -> MadeRecords:
        """Records of the `number`-th document, whose sentences are `texts`."""
        document = tokenize_document(texts, tokenizer=self.tokenizer, segmenter=self.segmenter)
        harvested = harvest(document, number=number, recipe=self.recipe)
        records = [
            serialize(
                instance,
                max_seq_length=self.recipe.max_seq_length,
                max_predictions_per_seq=self.recipe.masking.max_predictions_per_seq,
            )
            for instance in harvested.instances
        ]
        counts = self._text_counts(texts, document)
        counts["documents_unused"] = int(not records)
        counts.update(harvested.counts)
        return MadeRecords(records, counts)

    def _text_counts(self, texts: Sequence[str], document: Document) -> Counter[str]:
        unknown = self.tokenizer.vocab.unk_id
        return Counter(
            documents=1,
            sentences=len(texts),
            sentences_unused=len(texts) - len(document.sentences),
            tokens=document.num_tokens,
            unknown_tokens=sum(
                sentence.token_ids.count(unknown) for sentence in document.sentences
            ),
        )


def summary(counts: Counter[str], *, dupe_factor: int) -> str:
    """The counts of a corpus as lines for people.

    >>> print(summary(Counter(
    ...     documents=4, documents_unused=1, sentences=30, sentences_unused=2, tokens=500,
    ...     unknown_tokens=5, instances=12, swapped=6, masked_tokens=147, tokens_cut=15,
    ...     tokens_left_over=5), dupe_factor=2))
    documents               4   1 unused: not even two words
    sentences              30   2 unused: no token in them
    tokens                500   1.00 % unknown to the vocabulary
    tokens x passes     1,000   1.50 % cut from long pairs, 0.50 % single words left over
    instances              12   50.0 % with swapped segments
    masked tokens         147   15.0 % of the tokens used
    """
    tokens, passed = counts["tokens"], counts["tokens"] * dupe_factor
    used = passed - counts["tokens_cut"] - counts["tokens_left_over"]
    cut = _percent(counts["tokens_cut"], passed, digits=2)
    unknown = _percent(counts["unknown_tokens"], tokens, digits=2)
    left_over = _percent(counts["tokens_left_over"], passed, digits=2)
    remarks = {
        "documents": f"{counts['documents_unused']:,} unused: not even two words",
        "sentences": f"{counts['sentences_unused']:,} unused: no token in them",
        "tokens": f"{unknown} unknown to the vocabulary",
        "tokens x passes": f"{cut} cut from long pairs, {left_over} single words left over",
        "instances": f"{_percent(counts['swapped'], counts['instances'])} with swapped segments",
        "masked tokens": f"{_percent(counts['masked_tokens'], used)} of the tokens used",
    }
    shown = {**counts, "tokens x passes": passed, "masked tokens": counts["masked_tokens"]}
    return "\n".join(f"{name:15} {shown[name]:>9,}   {said}" for name, said in remarks.items())


def _percent(part: int, whole: int, *, digits: int = 1) -> str:
    return f"{100 * part / max(1, whole):.{digits}f} %"
