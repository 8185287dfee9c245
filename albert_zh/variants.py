"""Variant: everything that differs between the published ALBERT lineages, one row for each.

The code uses canonical names, which are those of google's checkpoints. Brightmart's checkpoints
store the same tensors under other names, which stand in the row. The first matching prefix wins.

A new lineage is a new row, which configurations, checkpoints, estimates and evaluation files
read. No TensorFlow.
"""

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Shapes = Mapping[str, tuple[int, ...]]  # name in a checkpoint -> shape

# A constant of the published google_fast code.
_GOOGLE_FAST_GROUPS = 16

_INNER_GROUP = "bert/encoder/transformer/group_0/inner_group_0/"
_LAYER_SHARED = "bert/encoder/layer_shared/"
_WORD_PROJECTION = "bert/embeddings/word_embeddings_2"
_FEED_FORWARD = re.compile(
    r"bert/encoder/transformer/group_\d+/inner_group_\d+/ffn_1/intermediate/(output/)?dense/kernel"
)


@dataclasses.dataclass(frozen=True)
class Variant:
    """One published lineage, as data."""

    name: str  # value of the key `lineage` in configurations

    # Configurations. A key that only files of this lineage have, and a value for it. If there is no
    # such key, a file has to name the lineage.
    json_key: str | None
    json_value: Any
    has_norm_order: bool  # True if pre-LN models exist; else all are post-LN
    has_groups: bool  # True if a model may have several layer groups and inner groups

    # Model. True if word vectors are projected to the hidden size before token types and positions
    # (of width H) are added; else the sum, of width E, is normalised and projected (with a bias).
    project_words_first: bool
    feed_forward_groups: int  # 1 unless the feed-forward network is grouped

    # Checkpoints.
    recognises: Callable[[Shapes], bool]  # True for a checkpoint of this lineage
    mark: str  # the same test in words, for error messages
    renames: tuple[tuple[str, str], ...] = ()  # (canonical prefix, stored prefix)

    # Training. Exceptions to the rows of update rules, by rule: suffixes of the slots, and
    # arguments of the update for variables without weight decay.
    slots: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    undecayed: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)

    # Evaluation files. (Our prefix of a metric, prefix of the published code.)
    metric_renames: tuple[tuple[str, str], ...] = ()

    @property
    def config_hint(self) -> str:
        """Text for error messages: how to get a configuration of this lineage."""
        if self.json_key:
            return f"its configuration has the key {self.json_key}"
        return f'add "lineage": "{self.name}" to its configuration'

    def stored_name(self, name: str) -> str:
        """Name of a variable in checkpoints of this lineage.

        >>> VARIANTS["brightmart"].stored_name(
        ...     "bert/encoder/transformer/group_0/inner_group_0/attention_1/self/query/kernel")
        'bert/encoder/layer_shared/attention/self/query/kernel'
        """
        return _with_new_prefix(name, self.renames)

    def canonical_name(self, stored_name: str) -> str:
        """Our name of a variable, from its name in checkpoints of this lineage.

        >>> VARIANTS["brightmart"].canonical_name("bert/encoder/layer_shared/output/dense/kernel")
        'bert/encoder/transformer/group_0/inner_group_0/ffn_1/intermediate/output/dense/kernel'
        """
        renames = ((theirs, ours) for ours, theirs in self.renames)
        # The longest first: some stored prefixes begin others.
        return _with_new_prefix(stored_name, sorted(renames, key=lambda pair: -len(pair[0])))

    def metric_name(self, name: str) -> str:
        """Name of a metric in evaluation files of this lineage.

        >>> VARIANTS["brightmart"].metric_name("sentence_order_loss")
        'next_sentence_loss'
        """
        return _with_new_prefix(name, self.metric_renames)


def _with_new_prefix(name: str, renames: Iterable[tuple[str, str]]) -> str:
    for ours, theirs in renames:
        if name.startswith(ours):
            return theirs + name.removeprefix(ours)
    return name


def _feed_forward_ranks(stored: Shapes) -> set[int]:
    return {len(shape) for name, shape in stored.items() if _FEED_FORWARD.fullmatch(name)}


_GOOGLE = Variant(
    name="google",
    json_key="num_hidden_groups",
    json_value=1,
    has_norm_order=False,
    has_groups=True,
    project_words_first=False,
    feed_forward_groups=1,
    recognises=lambda stored: _feed_forward_ranks(stored) == {2},
    mark="transformer/group_ layers",
    slots={"lamb": ("adam_m", "adam_v")},
    undecayed={"lamb": {"adapt": False}},
)
_ROWS = (
    Variant(
        name="brightmart",
        json_key="ln_type",
        json_value="postln",
        has_norm_order=True,
        has_groups=False,
        project_words_first=True,
        feed_forward_groups=1,
        recognises=lambda stored: _WORD_PROJECTION in stored,
        mark="word_embeddings_2",
        renames=(
            ("bert/encoder/embedding_hidden_mapping_in/kernel", _WORD_PROJECTION),
            (_INNER_GROUP + "attention_1/", _LAYER_SHARED + "attention/"),
            (_INNER_GROUP + "LayerNorm/", _LAYER_SHARED + "attention/output/LayerNorm/"),
            (_INNER_GROUP + "ffn_1/intermediate/output/", _LAYER_SHARED + "output/"),
            (_INNER_GROUP + "ffn_1/intermediate/", _LAYER_SHARED + "intermediate/"),
            (_INNER_GROUP + "LayerNorm_1/", _LAYER_SHARED + "output/LayerNorm/"),
        ),
        slots={"lamb": ("lamb_m", "lamb_v")},
        metric_renames=(("sentence_order_", "next_sentence_"),),
    ),
    _GOOGLE,
    dataclasses.replace(
        _GOOGLE,
        name="google_fast",
        json_key=None,  # its published files look like google's
        json_value=None,
        feed_forward_groups=_GOOGLE_FAST_GROUPS,
        recognises=lambda stored: _feed_forward_ranks(stored) == {3},
        mark="transformer/group_ layers with grouped kernels",
    ),
)
VARIANTS = {row.name: row for row in _ROWS}


def find_variant(name: str) -> Variant:
    """The row of a lineage.

    Raises:
        ValueError: No lineage has that name.
    """
    if not isinstance(name, str) or name not in VARIANTS:
        raise ValueError(f"lineage is {name!r}; choose one of {', '.join(VARIANTS)}")
    return VARIANTS[name]
