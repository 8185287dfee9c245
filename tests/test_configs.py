"""The JSON files of albert_config/ hold the published sizes (which nothing else writes down)."""

import json
import pathlib

import pytest

FOLDER = pathlib.Path(__file__).parent.parent / "albert_config"

# file: hidden, inner, heads, layers, activation, dropout, initializer range, vocabulary, own keys
PUBLISHED = {
    "albert_config_tiny": (312, 1248, 12, 4, "gelu", 0, 0.02, 21128, {"ln_type": "postln"}),
    "albert_config_base": (768, 3072, 12, 12, "gelu", 0, 0.02, 21128, {"ln_type": "postln"}),
    "albert_config_large": (1024, 4096, 16, 24, "gelu", 0, 0.02, 21128, {"ln_type": "postln"}),
    "albert_config_xlarge": (2048, 8192, 32, 24, "gelu", 0, 0.02, 21128, {"ln_type": "postln"}),
    "albert_config_xxlarge": (4096, 16384, 64, 12, "gelu", 0, 0.02, 21128, {"ln_type": "preln"}),
    "bert_config": (768, 3072, 12, 12, "gelu", 0, 0.02, 21128, {"ln_type": "postln"}),
    "albert_config_tiny_google": (312, 1248, 12, 4, "gelu", 0, 0.02, 21128, {}),
    "albert_config_small_google": (384, 1536, 12, 6, "gelu", 0, 0.02, 21128, {}),
    "albert_config_tiny_google_fast": (
        *(336, 1344, 12, 4, "gelu", 0.1, 0.02, 21128),
        {"lineage": "google_fast", "num_hidden_groups": 12},
    ),
    "albert_config_base_google_fast": (
        *(768, 3072, 12, 12, "gelu", 0.1, 0.02, 21128),
        {"lineage": "google_fast", "num_hidden_groups": 12},
    ),
    "albert_config_base_google_zh": (768, 3072, 12, 12, "relu", 0, 0.02, 21128, {}),
    "albert_config_large_google_zh": (1024, 4096, 16, 24, "relu", 0, 0.02, 21128, {}),
    "albert_config_xlarge_google_zh": (2048, 8192, 16, 24, "relu", 0, 0.014, 21128, {}),
    "albert_config_xxlarge_google_zh": (4096, 16384, 16, 12, "relu", 0, 0.01, 21128, {}),
    "albert_config_base_google_v2": (768, 3072, 12, 12, "gelu", 0, 0.02, 30000, {}),
    "albert_config_large_google_v2": (1024, 4096, 16, 24, "gelu", 0, 0.02, 30000, {}),
    "albert_config_xlarge_google_v2": (2048, 8192, 16, 24, "gelu", 0, 0.02, 30000, {}),
    "albert_config_xxlarge_google_v2": (4096, 16384, 64, 12, "gelu", 0, 0.02, 30000, {}),
}


def _read(name: str) -> dict:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def test_every_file_has_its_published_row():
    assert {path.stem for path in FOLDER.glob("*.json")} == {*PUBLISHED, "albert_config_nano"}


@pytest.mark.parametrize("name", PUBLISHED)
def test_file_holds_the_published_values(name):
    hidden, inner, heads, layers, activation, dropout, initializer, vocabulary, own = PUBLISHED[
        name
    ]
    expected = {
        "vocab_size": vocabulary,
        "embedding_size": 128,
        "hidden_size": hidden,
        "intermediate_size": inner,
        "num_attention_heads": heads,
        "num_hidden_layers": layers,
        "hidden_act": activation,
        "hidden_dropout_prob": dropout,
        "attention_probs_dropout_prob": dropout,
        "initializer_range": initializer,
        "max_position_embeddings": 512,
        "type_vocab_size": 2,
        **({"num_hidden_groups": 1, "inner_group_num": 1} if "google" in name else {}),
        **own,
    }
    stored = _read(name)
    assert {key: stored[key] for key in expected} == expected


@pytest.mark.parametrize("name", PUBLISHED)
def test_unused_keys_of_the_published_file_are_kept(name):
    unused = {
        "google": {"net_structure_type", "gap_size", "num_memory_blocks", "down_scale_factor"},
        "brightmart": {
            *("directionality", "pooler_fc_size", "pooler_num_attention_heads"),
            *("pooler_num_fc_layers", "pooler_size_per_head", "pooler_type"),
        },
    }
    assert unused["google" if "google" in name else "brightmart"] <= set(_read(name))
