"""Texts become documents of tokenized sentences.

```
texts        [今天下雨。 我们在家看书。]
sentence     今 天 下 雨 。        token_ids
             T  F  T  F  T         starts: a new word begins here
```
"""

from collections.abc import Sequence
from dataclasses import dataclass

from albert_zh.text.tokenizers import Tokenizer
from albert_zh.words.word_starts import Segmenter, word_starts


# Never changed, but not frozen: every pass over a document makes sentences anew, and making frozen
# ones takes twice as long.
@dataclass(slots=True, unsafe_hash=True)
class Sentence:
    """Tokens in their order, and which of them begin a word.

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
    """Sentences that follow each other; none is empty."""

    sentences: tuple[Sentence, ...]

    @property
    def num_tokens(self) -> int:
        return sum(map(len, self.sentences))


def tokenize_document(
    texts: Sequence[str], *, tokenizer: Tokenizer, segmenter: Segmenter
) -> Document:
    """Tokenizes every text once and marks where its words begin.

    Args:
        texts: Sentences of one document.
        tokenizer: Makes tokens of a text.
        segmenter: Finds the words that are masked as a whole.

    Returns:
        The document; texts without any token (control characters alone) are left out.
    """
    encodings = tokenizer.encode_batch(texts)
    return Document(
        tuple(
            Sentence(tuple(encoding.ids), tuple(word_starts(encoding, segmenter(text), text)))
            for encoding, text in zip(encodings, texts, strict=True)
            if encoding.ids
        )
    )
