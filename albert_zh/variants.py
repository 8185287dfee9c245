"""Variant: everything that differs between the published ALBERT lineages.

Code speaks canonical names, which are those of google's checkpoints. A brightmart model stores the
same tensors under other names; its variant carries the table. The first matching prefix wins.
"""

import dataclasses

from albert_zh.config import Lineage, ModelConfig

# The number of feed-forward groups is a constant of the published google_fast code.
_GOOGLE_FAST_GROUPS = 16

_INNER_GROUP = "bert/encoder/transformer/group_0/inner_group_0/"
_LAYER_SHARED = "bert/encoder/layer_shared/"


@dataclasses.dataclass(frozen=True)
class Variant:
    """One published lineage, as data."""

    lineage: Lineage
    # Word vectors are projected to the hidden size before token types and positions (which then
    # live in H) are added; else the sum in E is normalised and projected (with a bias).
    project_words_first: bool
    feed_forward_groups: int  # 1, or the groups of a grouped feed-forward network
    renames: tuple[tuple[str, str], ...]  # (canonical prefix, stored prefix)
    lamb_slots: tuple[str, str]  # suffixes of first and second moment
    # LAMB's trust ratio also scales the variables that are excluded from weight decay.
    lamb_adapts_excluded: bool

    def stored_name(self, name: str) -> str:
        """Name of a variable in this lineage's checkpoints.

        >>> brightmart = VARIANTS[Lineage.BRIGHTMART]
        >>> brightmart.stored_name(
        ...     "bert/encoder/transformer/group_0/inner_group_0/attention_1/self/query/kernel")
        'bert/encoder/layer_shared/attention/self/query/kernel'
        """
        for canonical, stored in self.renames:
            if name.startswith(canonical):
                return stored + name.removeprefix(canonical)
        return name


VARIANTS = {
    Lineage.BRIGHTMART: Variant(
        lineage=Lineage.BRIGHTMART,
        project_words_first=True,
        feed_forward_groups=1,
        renames=(
            (
                "bert/encoder/embedding_hidden_mapping_in/kernel",
                "bert/embeddings/word_embeddings_2",
            ),
            (_INNER_GROUP + "attention_1/", _LAYER_SHARED + "attention/"),
            (_INNER_GROUP + "LayerNorm/", _LAYER_SHARED + "attention/output/LayerNorm/"),
            (_INNER_GROUP + "ffn_1/intermediate/output/", _LAYER_SHARED + "output/"),
            (_INNER_GROUP + "ffn_1/intermediate/", _LAYER_SHARED + "intermediate/"),
            (_INNER_GROUP + "LayerNorm_1/", _LAYER_SHARED + "output/LayerNorm/"),
        ),
        lamb_slots=("lamb_m", "lamb_v"),
        lamb_adapts_excluded=True,
    ),
    Lineage.GOOGLE: Variant(
        lineage=Lineage.GOOGLE,
        project_words_first=False,
        feed_forward_groups=1,
        renames=(),
        lamb_slots=("adam_m", "adam_v"),
        lamb_adapts_excluded=False,
    ),
}
VARIANTS[Lineage.GOOGLE_FAST] = dataclasses.replace(
    VARIANTS[Lineage.GOOGLE],
    lineage=Lineage.GOOGLE_FAST,
    feed_forward_groups=_GOOGLE_FAST_GROUPS,
)


def variant_of(config: ModelConfig) -> Variant:
    """The variant that a configuration asks for.

    Raises:
        ValueError: The configuration's sizes do not fit the variant.
    """
    variant = VARIANTS[config.lineage]
    for name in ("hidden_size", "intermediate_size"):
        if getattr(config, name) % variant.feed_forward_groups:
            raise ValueError(
                f"{name} {getattr(config, name)} is not a multiple of the "
                f"{variant.feed_forward_groups} feed-forward groups of {config.lineage.value}"
            )
    return variant
