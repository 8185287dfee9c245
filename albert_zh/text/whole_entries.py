"""Entries of the vocabulary that a text may hold by name: each stays one token.

```
text        他有[NUM]本书。         tokens of the text around      他 有 | 本 书 。
                                 with the entries              他 有 [NUM] 本 书 。
```
Otherwise the name of an entry is text like any other: `[ num ]`.
"""

import re
from collections.abc import Iterator, Sequence

from albert_zh.text.encoding import Encoding, FlatEncodings, Tokenizer
from albert_zh.text.special_tokens import SpecialTokens
from albert_zh.text.vocab import Vocab

_NAME = re.compile(r"\[.+\]|<.+>")


class WholeEntryTokenizer(SpecialTokens):
    """A tokenizer that takes some entries of its vocabulary from the text as they are.

    >>> from albert_zh.text.wordpiece import WordPieceTokenizer
    >>> vocab = Vocab(("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[NUM]", "本", "书"))
    >>> WholeEntryTokenizer(WordPieceTokenizer(vocab), ["[NUM]"]).encode("[NUM]本书").tokens
    ['[NUM]', '本', '书']

    Raises:
        ValueError: An entry is not in the vocabulary, or it is a word, which would be found inside
            other words.
    """

    def __init__(self, tokenizer: Tokenizer, entries: Sequence[str]):
        self.vocab: Vocab = tokenizer.vocab
        self._tokenizer = tokenizer
        for entry in entries:
            if entry not in self.vocab.ids:
                raise ValueError(f"the vocabulary has no entry {entry} to keep whole")
            if not _NAME.fullmatch(entry):
                raise ValueError(
                    f"only entries in brackets, such as [NUM] or <num>, are kept whole, not {entry}"
                )
        self._pattern = entry_pattern(entries)

    def encode(self, text: str) -> Encoding:
        return self.encode_batch([text])[0]

    def encode_batch(self, texts: Sequence[str]) -> list[Encoding]:
        parts = [self._pattern.split(text) for text in texts]  # text, entry, text, ..., text
        plain = iter(self._tokenizer.encode_batch([part for row in parts for part in row[::2]]))
        return [self._join(row, plain) for row in parts]

    def encode_flat(self, texts: Sequence[str], *, with_spans: bool = False) -> FlatEncodings:
        return FlatEncodings.join(self.encode_batch(texts))

    def save_vocabulary(self, directory: str) -> tuple[str, ...]:
        return self._tokenizer.save_vocabulary(directory)

    def _join(self, parts: Sequence[str], plain: Iterator[Encoding]) -> Encoding:
        whole = Encoding([], [], [])
        place = 0
        for index, part in enumerate(parts):
            if index % 2:
                encoding = Encoding([self.vocab.ids[part]], [part], [(0, len(part))])
            else:
                encoding = next(plain)
            whole.ids.extend(encoding.ids)
            whole.tokens.extend(encoding.tokens)
            whole.spans.extend((place + start, place + end) for start, end in encoding.spans)
            place += len(part)
        return whole


def entry_pattern(entries: Sequence[str]) -> re.Pattern[str]:
    """The pattern of the entries in a text; its group is the entry."""
    longest_first = sorted(entries, key=len, reverse=True)
    return re.compile(f"({'|'.join(map(re.escape, longest_first))})")
