"""Tokenized documents: sentences of token ids, with the starts of their words.

```
texts        [今天下雨。 我们在家看书。]
sentence     今 天 下 雨 。        token_ids
             T  F  T  F  T         starts: True where a word begins
```
"""

from collections.abc import Sequence
from dataclasses import dataclass

from albert_zh.text.tokenizers import Tokenizer
from albert_zh.words.word_starts import Segmenter, word_starts


# Treat as immutable. Not frozen, because each pass makes new sentences, and frozen ones take
# twice as long to create.
@dataclass(slots=True, unsafe_hash=True)
class Sentence:
    """Token ids, and for each whether it begins a word.

    >>> Sentence((7, 8, 9), (True, False, True))[1:]
    Sentence(token_ids=(8, 9), starts=(False, True))
    """

    token_ids: tuple[int, ...]
    starts: tuple[bool, ...]

    def __len__(self) -> int:
        return len(self.token_ids)

    def __getitem__(self, part: slice) -> "Sentence":
        return Sentence(self.token_ids[part], self.starts[part])


@dataclass(slots=True, unsafe_hash=True)
class Document:
    """Consecutive sentences; none is empty."""

    sentences: tuple[Sentence, ...]

    @property
    def num_tokens(self) -> int:
        return sum(map(len, self.sentences))


def tokenize_document(
    texts: Sequence[str], *, tokenizer: Tokenizer, segmenter: Segmenter
) -> Document:
    """Tokenize every text once and mark where its words begin.

    Args:
        texts: The sentences of one document.
        tokenizer: The model's tokenizer.
        segmenter: Finds the words for whole-word masking.

    Returns:
        The document, without the texts that have no token (only control characters).
    """
    encodings = tokenizer.encode_batch(texts)
    return Document(
        tuple(
            Sentence(tuple(encoding.ids), tuple(word_starts(encoding, segmenter(text), text)))
            for encoding, text in zip(encodings, texts, strict=True)
            if encoding.ids
        )
    )
