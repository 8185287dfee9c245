"""The surface that users of other tokenizers know, on top of `encode`.

```
a, b                                       [1, 2], [3]
build_inputs_with_special_tokens           [CLS] 1 2 [SEP] 3 [SEP]
create_token_type_ids_from_sequences         0   0 0   0   1   1
get_special_tokens_mask                      1   0 0   1   0   1
```
"""

import functools
import os
import re
from collections.abc import Sequence

from albert_zh.text.encoding import is_chinese
from albert_zh.text.vocab import Vocab
from albert_zh.util.files import atomic_write

_SPACE_MARK = "\u2581"  # begins a SentencePiece entry that follows a space
# Marks that follow a word, or precede one, without a space.
_CLOSING = re.compile(r" ([,.!?;:%)\]}'’”])")
_OPENING = re.compile(r"([(\[{‘“]) ")


class SpecialTokens:
    """Methods of a tokenizer that has `vocab` and `encode`."""

    vocab: Vocab

    @functools.cached_property
    def _has_space_marks(self) -> bool:
        return any(token.startswith(_SPACE_MARK) for token in self.vocab.tokens)

    def tokenize(self, text: str) -> list[str]:
        """Entries of the vocabulary, by name; what is unknown is [UNK]."""
        return [self.vocab.tokens[number] for number in self.encode(text).ids]

    def convert_tokens_to_ids(self, tokens: Sequence[str]) -> list[int]:
        """Ids of entries; that of [UNK] for names that are none."""
        return [self.vocab.ids.get(token, self.vocab.unk_id) for token in tokens]

    def convert_ids_to_tokens(self, ids: Sequence[int]) -> list[str]:
        """Names of entries.

        Raises:
            ValueError: The vocabulary has no such id.
        """
        for number in ids:
            if not 0 <= number < len(self.vocab):
                raise ValueError(f"{number} is no id; the vocabulary has {len(self.vocab)} entries")
        return [self.vocab.tokens[number] for number in ids]

    def decode(self, ids: Sequence[int], *, skip_special_tokens: bool = True) -> str:
        """A text with these tokens; case, spaces and unknown characters are lost.

        There is a space between words, and none beside Chinese characters.

        Args:
            ids: The tokens.
            skip_special_tokens: Leave out [PAD], [CLS], [SEP]; [UNK] and [MASK] stay.

        Raises:
            ValueError: The vocabulary has no such id.
        """
        vocab = self.vocab
        left_out = {vocab.pad_id, vocab.cls_id, vocab.sep_id} if skip_special_tokens else set()
        tokens = self.convert_ids_to_tokens([number for number in ids if number not in left_out])
        if self._has_space_marks:
            return "".join(tokens).replace(_SPACE_MARK, " ").strip()
        text = ""
        for token in tokens:
            if token.startswith("##") and len(token) > 2:
                text += token[2:]
            elif not text or _is_wide(text[-1]) or _is_wide(token[:1]):
                text += token
            else:
                text += f" {token}"
        return _OPENING.sub(r"\1", _CLOSING.sub(r"\1", text))

    def build_inputs_with_special_tokens(
        self, ids: Sequence[int], second: Sequence[int] | None = None
    ) -> list[int]:
        """`[CLS] ids [SEP]`, or `[CLS] ids [SEP] second [SEP]` of a pair."""
        built = [self.vocab.cls_id, *ids, self.vocab.sep_id]
        return built if second is None else [*built, *second, self.vocab.sep_id]

    def get_special_tokens_mask(
        self, ids: Sequence[int], second: Sequence[int] | None = None
    ) -> list[int]:
        """1 for each token that `build_inputs_with_special_tokens` adds, 0 for the others."""
        mask = [1, *[0] * len(ids), 1]
        return mask if second is None else [*mask, *[0] * len(second), 1]

    def create_token_type_ids_from_sequences(
        self, ids: Sequence[int], second: Sequence[int] | None = None
    ) -> list[int]:
        """0 for [CLS], the first text and its [SEP], 1 for the second text and its [SEP]."""
        types = [0] * (len(ids) + 2)
        return types if second is None else [*types, *[1] * (len(second) + 1)]

    def save_vocabulary(self, directory: str) -> tuple[str, ...]:
        """Write the files of the tokenizer into a folder that exists, and return their paths."""
        path = os.path.join(directory, "vocab.txt")
        with atomic_write(path, "w") as file:
            file.writelines(f"{token}\n" for token in self.vocab.tokens)
        return (path,)


def _is_wide(character: str) -> bool:
    """True for Chinese characters and the marks of Chinese text, which stand without spaces."""
    return is_chinese(character) or "\u3000" <= character <= "\u303f" or character >= "\uff00"
