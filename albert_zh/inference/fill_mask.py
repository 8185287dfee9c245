"""A pretrained model in use: the likeliest entries for each [MASK] of a text.

```
今天天气很[MASK]。  ->  [CLS] 今 天 天 气 很 [MASK] 。 [SEP]  ->  好 0.41, 热 0.12, ...
```
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from albert_zh.checkpoint.paths import find_checkpoint
from albert_zh.inference.pretrained import has_masked_lm, load_pretrained
from albert_zh.model.heads.pretraining import PretrainingModel
from albert_zh.text.tokenizers import Tokenizer
from albert_zh.text.whole_entries import WholeEntryTokenizer

MASK = "[MASK]"
_BATCH = 32


@dataclasses.dataclass(frozen=True)
class Candidate:
    """An entry of the vocabulary in the place of a [MASK]."""

    token: str
    probability: float


@dataclasses.dataclass(frozen=True)
class FillMask:
    """A model with its masked-LM head."""

    prefix: str  # of the checkpoint
    model: PretrainingModel
    tokenizer: Tokenizer

    def fill(self, texts: Sequence[str], *, top_k: int = 5) -> list[list[list[Candidate]]]:
        """The likeliest entries, each [MASK] by itself.

        Args:
            texts: Each with one [MASK] or more.
            top_k: Entries for each [MASK].

        Returns:
            For each text, for each of its [MASK]s: entries, the likeliest first.

        Raises:
            ValueError: A text has no [MASK], or is too long for the model.
        """
        vocab = self.tokenizer.vocab
        rows = [self._ids(text) for text in texts]
        found: list[list[list[Candidate]]] = []
        for begin in range(0, len(rows), _BATCH):
            batch = rows[begin : begin + _BATCH]
            length = max(map(len, batch))
            ids = np.array([[*row, *[vocab.pad_id] * (length - len(row))] for row in batch])
            mask = np.array([[1] * len(row) + [0] * (length - len(row)) for row in batch])
            sequence = self.model.albert(
                tf.constant(ids, tf.int32),
                tf.constant(mask, tf.int32),
                tf.zeros_like(ids, tf.int32),
            ).sequence
            places = np.argwhere(ids == vocab.mask_id)
            masked = tf.gather_nd(sequence, places)[:, None]
            probabilities = tf.nn.softmax(self.model.masked_lm(masked)).numpy()
            per_text: list[list[list[Candidate]]] = [[] for _ in batch]
            for (row, _), each in zip(places, probabilities, strict=True):
                best = np.argsort(-each, kind="stable")[:top_k]
                per_text[row].append(
                    [Candidate(vocab.tokens[entry], float(each[entry])) for entry in best]
                )
            found += per_text
        return found

    def _ids(self, text: str) -> list[int]:
        vocab, longest = self.tokenizer.vocab, self.model.albert.config.max_position_embeddings
        ids = [vocab.cls_id, *self.tokenizer.encode(text).ids, vocab.sep_id]
        if vocab.mask_id not in ids:
            raise ValueError(f"there is no {MASK} to fill in {text!r}")
        if len(ids) > longest:
            raise ValueError(
                f"the text that begins with {text[:20]!r} has {len(ids):,} tokens, the model reads "
                f"{longest}; shorten it"
            )
        return ids


def load_fill_mask(
    path: str,
    *,
    config_file: str | None = None,
    vocab_file: str | None = None,
    spm_model_file: str | None = None,
    do_lower_case: bool = True,
) -> FillMask:
    """Read a pretrained model.

    Args:
        path: A checkpoint with a masked-LM head, or a folder that stands for one.
        config_file: The model's JSON file; needed where no `meta.json` stands beside the
            checkpoint, as with the published code's.
        vocab_file: The vocabulary; by default the `vocab.txt` beside the checkpoint.
        spm_model_file: The SentencePiece model; by default the `spm.model` beside the checkpoint.
        do_lower_case: Lower-case texts and strip accents, as in pretraining.

    Raises:
        FileNotFoundError: There is no such checkpoint or vocabulary.
        ValueError: The checkpoint has no such head, or a file is of another model.
    """
    prefix = find_checkpoint(path)
    if not has_masked_lm(prefix):
        raise ValueError(
            f"{prefix} has no masked-LM head; give a checkpoint of run_pretraining.py, or a "
            "published one"
        )
    pretrained = load_pretrained(
        prefix,
        config_file=config_file,
        vocab_file=vocab_file,
        spm_model_file=spm_model_file,
        do_lower_case=do_lower_case,
    )
    tokenizer = WholeEntryTokenizer(pretrained.tokenizer, [MASK])
    return FillMask(prefix, pretrained.model, tokenizer)
