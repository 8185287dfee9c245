"""Several models of one task as one: their logits are averaged.

```
members     logits [B, C] each, of any sizes and pretrainings, over the same tokens
ensemble    mean of the logits -> outputs -> predictions, as of one model
```
The mean of logits is, after the softmax, the normalised geometric mean of the probabilities.
"""

from collections.abc import Sequence

import tensorflow as tf

from albert_zh.inference.load import FineTunedModel, load_model


class Ensemble(tf.Module):
    """A model whose logits are the mean of those of its members."""

    def __init__(self, members: Sequence[tf.Module]):
        super().__init__()
        self._members = list(members)

    def __call__(self, **inputs: tf.Tensor) -> tf.Tensor:
        return tf.add_n([member(**inputs) for member in self._members]) / len(self._members)


def load_members(paths: Sequence[str]) -> list[FineTunedModel]:
    """The models of an ensemble.

    Args:
        paths: Output directories of runs, or checkpoints.

    Raises:
        FileNotFoundError, ValueError: As of `load_model`.
        ValueError: They differ in the task, or in how they read texts.
    """
    members = [load_model(path) for path in paths]
    first = members[0]
    for other in members[1:]:
        facts = {
            "vocabularies": (first.vocabulary(), other.vocabulary()),
            "kinds of task": (first.task.kind, other.task.kind),
            "labels": (first.task.labels, other.task.labels),
            "texts of an example": (first.task.num_texts, other.task.num_texts),
            "longest examples": (first.task.max_seq_length, other.task.max_seq_length),
            "case": (first.task.do_lower_case, other.task.do_lower_case),
        }
        for name, (own, theirs) in facts.items():
            if own != theirs:
                raise ValueError(
                    f"{first.prefix} and {other.prefix} cannot be averaged: they differ in {name}"
                )
    return members
