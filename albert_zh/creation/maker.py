"""Documents become records: tokenized once, turned into instances in all passes, encoded.

```
corpus slice -> documents -> instances -> records with keys, counts
```
"""

import functools
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields

from albert_zh.corpus.documents import Document, tokenize_document
from albert_zh.corpus.instances import InstanceRecipe, Pairing, make_instances
from albert_zh.corpus.slices import CorpusSlice
from albert_zh.records.features import Layout, serialize
from albert_zh.text.tokenizers import Tokenizer, load_tokenizer
from albert_zh.text.whole_entries import entry_pattern
from albert_zh.words.names import DEFAULT_SEGMENTER
from albert_zh.words.segmenters import load_segmenter
from albert_zh.words.sentences import split_sentences
from albert_zh.words.word_starts import Segmenter, entries_as_words

NEIGHBOURS = 50  # documents on each side of one that its random next sentences come from


@dataclass(frozen=True)
class TextTools:
    """Tokenizer and segmenter by name, loaded by each process that uses them."""

    vocab_file: str | None
    spm_model_file: str | None = None
    do_lower_case: bool = True
    segmenter_name: str = DEFAULT_SEGMENTER
    user_dict: str | None = None
    traditional: bool = False
    split_sentences: bool = False
    whole_entries: tuple[str, ...] = ()  # entries of the vocabulary that the text may hold by name

    @functools.cached_property
    def tokenizer(self) -> Tokenizer:
        return load_tokenizer(
            self.vocab_file,
            spm_model_file=self.spm_model_file,
            do_lower_case=self.do_lower_case,
            whole_entries=self.whole_entries,
        )

    @functools.cached_property
    def segmenter(self) -> Segmenter:
        segmenter = load_segmenter(
            self.segmenter_name, user_dict=self.user_dict, traditional=self.traditional
        )
        if not self.whole_entries:
            return segmenter
        entries = entry_pattern(self.whole_entries)
        return functools.partial(entries_as_words, segmenter=segmenter, entries=entries)

    def sentences(self, texts: Sequence[str]) -> Sequence[str]:
        """The texts of a document; with `split_sentences`, each cut into its sentences."""
        if not self.split_sentences:
            return texts
        return [sentence for text in texts for sentence in split_sentences(text)]

    def tokenize(self, sentences: Sequence[str]) -> Document:
        return tokenize_document(sentences, tokenizer=self.tokenizer, segmenter=self.segmenter)

    def __getstate__(self) -> dict:
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True)
class SliceRecords:
    """The records of a corpus slice, each with the random key that orders it, and counts."""

    records: list[tuple[int, bytes]]
    counts: Counter[str]


@dataclass(frozen=True)
class RecordMaker:
    """Turns corpus slices into records.

    The result is a function of the arguments alone, so slices may be processed anywhere and in any
    order.
    """

    tools: TextTools
    recipe: InstanceRecipe
    layout: Layout

    def load(self) -> None:
        """Load tokenizer and segmenter now rather than with the first slice."""
        self.tools.tokenize(["预备"])

    def __call__(self, corpus_slice: CorpusSlice) -> SliceRecords:
        result = SliceRecords([], Counter())
        documents = []
        for texts in corpus_slice.documents:
            sentences = self.tools.sentences(texts)
            documents.append(self.tools.tokenize(sentences))
            result.counts.update(self._text_counts(sentences, documents[-1]))
        for index in range(len(documents)):
            self._add_document(result, documents, index, number=corpus_slice.first_document + index)
        return result

    def _add_document(
        self, result: SliceRecords, documents: Sequence[Document], index: int, *, number: int
    ) -> None:
        """Add the records of one of the documents, the `number`-th of the corpus."""
        needs_others = self.recipe.pairing is Pairing.NEXT_SENTENCE
        document_instances = make_instances(
            documents[index],
            number=number,
            recipe=self.recipe,
            others=neighbours(documents, index) if needs_others else (),
        )
        rng = random.Random(f"{self.recipe.random_seed}:{number}:order")
        result.records.extend(
            (rng.getrandbits(64), serialize(instance, self.layout))
            for instance in document_instances.instances
        )
        result.counts.update(document_instances.counts)
        result.counts["documents_unused"] += not document_instances.instances

    def _text_counts(self, sentences: Sequence[str], document: Document) -> Counter[str]:
        unknown = self.tools.tokenizer.vocab.unk_id
        return Counter(
            documents=1,
            sentences=len(sentences),
            sentences_unused=len(sentences) - len(document.sentences),
            tokens=document.num_tokens,
            unknown_tokens=sum(
                sentence.token_ids.count(unknown) for sentence in document.sentences
            ),
        )


def neighbours(documents: Sequence[Document], index: int) -> Sequence[Document]:
    """The documents just before and after one of them."""
    before = documents[max(0, index - NEIGHBOURS) : index]
    return [*before, *documents[index + 1 : index + 1 + NEIGHBOURS]]
