"""Raw text becomes documents of tokenized sentences.

```
file         今天下雨。⏎          one sentence a line
             我们在家看书。⏎
             ⏎                    a blank line ends the document
             好极了！⏎
texts        [今天下雨。 我们在家看书。]  [好极了！]
sentence     今 天 下 雨 。        token_ids
             T  F  T  F  T         starts: a new word begins here
```
The end of a file ends no document: a corpus cut into several files reads as if it were one.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from albert_zh.files import read_lines
from albert_zh.text.tokenizers import Tokenizer
from albert_zh.text.words import Segmenter, word_starts


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class Document:
    """Sentences that follow each other; none is empty."""

    sentences: tuple[Sentence, ...]

    @property
    def num_tokens(self) -> int:
        return sum(map(len, self.sentences))


def read_documents(paths: Sequence[str]) -> Iterator[list[str]]:
    """The texts of one document after the other, without blank lines and outer white space.

    Raises:
        ValueError: A file is not UTF-8; names the file and the byte.
    """
    document: list[str] = []
    lines = itertools.chain.from_iterable(map(read_lines, paths))
    for line in map(str.strip, lines):
        if line:
            document.append(line)
        elif document:
            yield document
            document = []
    if document:
        yield document


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


def written_words(text: str) -> list[tuple[int, int]]:
    """The segmenter of languages that write their words apart: it joins no characters itself.

    >>> written_words("abc")
    [(0, 1), (1, 2), (2, 3)]
    """
    return [(index, index + 1) for index in range(len(text))]
