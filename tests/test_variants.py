"""What differs between the published lineages, as a table."""

import dataclasses

import pytest

from albert_zh.config import ModelConfig
from albert_zh.variants import VARIANTS

# canonical (google) name: name in brightmart's checkpoints
RENAMED = {
    "encoder/embedding_hidden_mapping_in/kernel": "embeddings/word_embeddings_2",
    **{
        f"encoder/transformer/group_0/inner_group_0/{google}": f"encoder/layer_shared/{brightmart}"
        for google, brightmart in {
            "attention_1/self/query/kernel": "attention/self/query/kernel",
            "attention_1/self/key/bias": "attention/self/key/bias",
            "attention_1/output/dense/kernel": "attention/output/dense/kernel",
            "LayerNorm/beta": "attention/output/LayerNorm/beta",
            "ffn_1/intermediate/dense/kernel": "intermediate/dense/kernel",
            "ffn_1/intermediate/output/dense/bias": "output/dense/bias",
            "LayerNorm_1/gamma": "output/LayerNorm/gamma",
        }.items()
    },
}
SHARED = (
    "embeddings/word_embeddings",
    "embeddings/LayerNorm/beta",
    "pooler/dense/kernel",
)


@pytest.mark.parametrize(("canonical", "stored"), RENAMED.items())
def test_brightmart_stores_encoder_names_of_its_own(canonical, stored):
    assert VARIANTS["brightmart"].stored_name(f"bert/{canonical}") == f"bert/{stored}"


@pytest.mark.parametrize("name", SHARED)
def test_brightmart_shares_the_other_names(name):
    assert VARIANTS["brightmart"].stored_name(f"bert/{name}") == f"bert/{name}"


@pytest.mark.parametrize("lineage", ["google", "google_fast"])
def test_google_stores_canonical_names(lineage):
    for name in (*RENAMED, *SHARED):
        assert VARIANTS[lineage].stored_name(f"bert/{name}") == f"bert/{name}"


def test_published_differences_of_the_lineages():
    facts = {
        lineage: (
            variant.project_words_first,
            variant.feed_forward_groups,
            variant.slots["lamb"],
            variant.undecayed.get("lamb", {}).get("adapt", True),
        )
        for lineage, variant in VARIANTS.items()
    }
    assert facts == {
        "brightmart": (True, 1, ("lamb_m", "lamb_v"), True),
        "google": (False, 1, ("adam_m", "adam_v"), False),
        "google_fast": (False, 16, ("adam_m", "adam_v"), False),
    }


TINY = ModelConfig(
    vocab_size=100,
    embedding_size=8,
    hidden_size=312,
    num_hidden_layers=4,
    num_attention_heads=12,
    intermediate_size=1248,
    lineage="google",
)


def test_google_fast_refuses_sizes_that_its_groups_do_not_divide():
    with pytest.raises(ValueError, match="hidden_size 312 is not a multiple of the 16"):
        dataclasses.replace(TINY, lineage="google_fast")
    odd_inner = {"hidden_size": 336, "intermediate_size": 1000}
    with pytest.raises(ValueError, match="intermediate_size 1000 is not a multiple of the 16"):
        dataclasses.replace(TINY, lineage="google_fast", **odd_inner)


@pytest.mark.parametrize("lineage", ["brightmart", "google"])
def test_ungrouped_lineages_take_any_size(lineage):
    config = dataclasses.replace(TINY, lineage=lineage)
    assert config.variant is VARIANTS[lineage]
