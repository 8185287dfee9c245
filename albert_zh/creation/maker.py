"""Documents become records: tokenized once, harvested in all passes, turned into bytes.

```
block of documents -> Documents -> instances -> records with keys, counts
```
"""

import functools
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields

from albert_zh.corpus.blocks import Block
from albert_zh.corpus.documents import Document, tokenize_document
from albert_zh.corpus.instances import InstanceRecipe, Pairing, make_instances
from albert_zh.records.features import Layout, serialize
from albert_zh.text.tokenizers import Tokenizer, load_tokenizer
from albert_zh.words.segmenters import load_segmenter
from albert_zh.words.sentences import split_sentences
from albert_zh.words.word_starts import Segmenter

_NEIGHBOURS = 50  # documents before and after one that its random next sentences come from


@dataclass(frozen=True)
class TextTools:
    """Tokenizer and segmenter by name, loaded where they are used: worker processes get names."""

    vocab_file: str | None
    spm_model_file: str | None = None
    do_lower_case: bool = True
    segmenter_name: str = "jieba"
    user_dict: str | None = None
    traditional: bool = False
    split_sentences: bool = False

    @functools.cached_property
    def tokenizer(self) -> Tokenizer:
        return load_tokenizer(
            self.vocab_file,
            spm_model_file=self.spm_model_file,
            do_lower_case=self.do_lower_case,
        )

    @functools.cached_property
    def segmenter(self) -> Segmenter:
        return load_segmenter(
            self.segmenter_name, user_dict=self.user_dict, traditional=self.traditional
        )

    def sentences(self, texts: Sequence[str]) -> Sequence[str]:
        """The texts of a document, cut into sentences if these tools do so."""
        if not self.split_sentences:
            return texts
        return [sentence for text in texts for sentence in split_sentences(text)]

    def tokenize(self, sentences: Sequence[str]) -> Document:
        return tokenize_document(sentences, tokenizer=self.tokenizer, segmenter=self.segmenter)

    def __getstate__(self) -> dict:
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True)
class MadeRecords:
    """Serialized records with random keys that put them in order, and counts that add up."""

    records: list[tuple[int, bytes]]
    counts: Counter[str]


@dataclass(frozen=True)
class RecordMaker:
    """Turns blocks of documents into records.

    The result is a function of the arguments alone, so blocks may be made in any process and in
    any order.
    """

    tools: TextTools
    recipe: InstanceRecipe
    layout: Layout

    def load(self) -> None:
        """Loads tokenizer and segmenter now rather than with the first block."""
        self.tools.tokenize(["预备"])

    def __call__(self, block: Block) -> MadeRecords:
        made = MadeRecords([], Counter())
        documents = []
        for texts in block.documents:
            sentences = self.tools.sentences(texts)
            documents.append(self.tools.tokenize(sentences))
            made.counts.update(self._text_counts(sentences, documents[-1]))
        for place in range(len(documents)):
            self._harvest(made, documents, place, number=block.first_document + place)
        return made

    def _harvest(
        self, made: MadeRecords, documents: Sequence[Document], place: int, *, number: int
    ) -> None:
        """Adds the records of one of the documents, the `number`-th of the corpus."""
        takes_others = self.recipe.pairing is Pairing.NEXT_SENTENCE
        others = _neighbours(documents, place) if takes_others else ()
        harvested = make_instances(
            documents[place], number=number, recipe=self.recipe, others=others
        )
        rng = random.Random(f"{self.recipe.random_seed}:{number}:order")
        made.records.extend(
            (rng.getrandbits(64), serialize(instance, self.layout))
            for instance in harvested.instances
        )
        made.counts.update(harvested.counts)
        made.counts["documents_unused"] += not harvested.instances

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


def _neighbours(documents: Sequence[Document], place: int) -> Sequence[Document]:
    before = documents[max(0, place - _NEIGHBOURS) : place]
    return [*before, *documents[place + 1 : place + 1 + _NEIGHBOURS]]
