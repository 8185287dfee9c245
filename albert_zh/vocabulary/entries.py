"""The pieces that spell an entry of another vocabulary in this one.

```
entry      我    北京     quantum       ##tum     Café      [unused7]
pieces     我    北 京    quan ##tum    ##tum     cafe      (none)
```
"""

import re
from collections.abc import Iterable

from albert_zh.text.vocab import Vocab
from albert_zh.text.wordpiece import split_words

# [MASK], [unused7], <eop>: names that do not come from text.
_NAMES = re.compile(r"\[\w+\]|<\w+>")


def entry_pieces(entry: str, vocab: Vocab, *, do_lower_case: bool = True) -> list[int]:
    """Ids of the pieces that WordPiece splits an entry into; none if a part of it is unknown.

    A `##` piece is split as the inside of a word if that is possible, else as a separate word, as a
    Chinese character always is.

    >>> vocab = Vocab(("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "北", "京", "a", "##b"))
    >>> [entry_pieces(entry, vocab) for entry in ("北京", "Ab", "##bb", "##京", "b", "[unused7]")]
    [[5, 6], [7, 8], [8, 8], [6], [], []]
    """
    if _NAMES.fullmatch(entry):
        return []
    words = split_words(entry.removeprefix("##"), do_lower_case=do_lower_case)
    if entry.startswith("##") and len(words) == 1:
        return _longest_pieces(f"##{words[0]}", vocab) or _longest_pieces(words[0], vocab)
    return _all_or_nothing(_longest_pieces(word, vocab) for word in words)


def _all_or_nothing(words: Iterable[list[int]]) -> list[int]:
    """The pieces of all words; none if a word has none."""
    pieces: list[int] = []
    for word in words:
        if not word:
            return []
        pieces += word
    return pieces


def _longest_pieces(word: str, vocab: Vocab) -> list[int]:
    """The longest entry at the beginning of the word, then the longest at the rest, and so on."""
    pieces: list[int] = []
    while word:
        # The published vocabulary has the entry "##", which is no piece of a word.
        shortest = 3 if word.startswith("##") else 1
        ends = range(len(word), shortest - 1, -1)
        end = next((end for end in ends if word[:end] in vocab.ids), None)
        if end is None:
            return []
        pieces.append(vocab.ids[word[:end]])
        word = f"##{word[end:]}" if end < len(word) else ""
    return pieces
