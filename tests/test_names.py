"""Which stored tensor fills which variable, and what every misfit says."""

import json
import os

import pytest

from albert_zh.checkpoint.names import detect_lineage, initial_plan, is_weight, plan_load
from albert_zh.config import ModelConfig

with open(os.path.join(os.path.dirname(__file__), "published_names.json")) as file:
    PUBLISHED = json.load(file)

TINY, TINY_GOOGLE = PUBLISHED["albert_tiny_zh_A"], PUBLISHED["albert_tiny_zh_google"]
SIZES = {
    "vocab_size": 21128,
    "embedding_size": 128,
    "hidden_size": 312,
    "num_hidden_layers": 4,
    "num_attention_heads": 12,
    "intermediate_size": 1248,
}
CONFIGS = {
    "brightmart": ModelConfig.from_dict({**SIZES, "ln_type": "postln"}),
    "google": ModelConfig.from_dict({**SIZES, "num_hidden_groups": 1}),
    "google_fast": ModelConfig.from_dict(
        {**SIZES, "hidden_size": 336, "intermediate_size": 1344, "lineage": "google_fast"}
    ),
}


def _plan(wanted, stored, lineage, **options):
    options = {"optional_parts": (), "ignored_parts": (), **options}
    return initial_plan(wanted, stored, CONFIGS[lineage], **options)


def _complaint(*arguments, **options) -> str:
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the callers look at the message
        _plan(*arguments, **options)
    return str(error.value)


@pytest.mark.parametrize("name", PUBLISHED)
def test_lineage_of_published_names_is_detected(name):
    brightmart = name in ("albert_tiny_zh_A", "albert_tiny_zh_finetuned_jojolin")
    expected = "brightmart" if brightmart else "google"
    assert detect_lineage(PUBLISHED[name]["weights"]) is expected


def test_kernels_of_rank_3_are_google_fast():
    layer = "bert/encoder/transformer/group_0/inner_group_0/ffn_1/intermediate/"
    stored = {layer + "dense/kernel": (21, 84, 16), layer + "output/dense/kernel": (84, 21, 16)}
    assert detect_lineage(stored) == "google_fast"


@pytest.mark.parametrize(
    "stored",
    [
        {},
        {"bert/encoder/layer_0/attention/self/query/kernel": (768, 768)},  # BERT
        {"bert/embeddings/word_embeddings": (21128, 768)},
    ],
)
def test_other_models_are_no_albert(stored):
    with pytest.raises(ValueError, match=f"holds no ALBERT: .* among its {len(stored)} names"):
        detect_lineage(stored)


def test_training_state_is_no_weight():
    assert is_weight("bert/embeddings/word_embeddings_2")
    assert is_weight("lamb_model/kernel")
    for name in ("global_step", "a/b/adam_m", "a/b/adam_v", "a/b/lamb_m", "a/b/lamb_v"):
        assert not is_weight(name)


def test_plan_sorts_every_name_into_one_list():
    wanted = {"a": (2,), "b": (3,), "c": (4,)}
    stored = {"a": [2], "b": [5], "d": [1]}
    plan = plan_load(wanted, stored)
    assert plan.loaded == {"a": "a"}
    assert (plan.missing, plan.unused) == (["c"], ["d"])
    assert plan.misshapen == {"b": ((3,), (5,))}
    assert plan.complaint().split("\n") == [
        "  missing    c",
        "  unused     d",
        "  misshapen  b: the model has (3,), the file (5,)",
    ]


def test_plan_of_equal_names_has_no_complaint():
    plan = plan_load(TINY["weights"], TINY["weights"])
    assert plan.complaint() == ""
    assert plan.loaded == {name: name for name in TINY["weights"]}


def test_moments_and_step_in_a_checkpoint_are_ignored():
    weights = TINY_GOOGLE["weights"]
    moments = {f"{name}/{slot}": weights[name] for name in weights for slot in ("adam_m", "adam_v")}
    plan = _plan(weights, {**weights, **moments, "global_step": ()}, "google")
    assert set(plan.loaded) == set(weights)
    assert plan.unused == []


@pytest.mark.parametrize(
    ("stored", "lineage", "complaint"),
    [
        (TINY, "google", r"is of the brightmart lineage, the configuration of the google"),
        (TINY_GOOGLE, "brightmart", r"is of the google lineage.* has the key num_hidden_gr"),
        (
            TINY_GOOGLE,
            "google_fast",
            r"is of the google lineage.* of the google_fast lineage",
        ),
    ],
)
def test_weights_of_another_lineage_are_refused(stored, lineage, complaint):
    with pytest.raises(ValueError, match=complaint):
        _plan(stored["weights"], stored["weights"], lineage)


def test_weights_of_another_size_are_listed():
    small = PUBLISHED["albert_small_zh_google"]["weights"]
    complaint = _complaint(TINY_GOOGLE["weights"], small, "google")
    assert "use the configuration that came with it" in complaint
    assert "bert/pooler/dense/bias: the model has (312,), the file (384,)" in complaint
    assert "word_embeddings" not in complaint  # fits: [21128, 128] in both


def test_unexplained_names_are_listed_and_explained_ones_are_not():
    weights = TINY["weights"]
    wanted = {name: shape for name, shape in weights.items() if not name.startswith("cls/")}
    wanted |= {"output_weights": (3, 312), "output_bias": (3,), "surprise": (1,)}
    complaint = _complaint(
        wanted,
        weights,
        "brightmart",
        optional_parts=["output_"],
        ignored_parts=["cls/predictions/"],
    )
    lines = complaint.split("\n")[1:]
    assert lines == [
        "  missing    surprise",
        "  unused     cls/seq_relationship/output_bias",
        "  unused     cls/seq_relationship/output_weights",
    ]


def test_a_head_of_another_size_starts_anew():
    stored = PUBLISHED["albert_tiny_zh_finetuned_jojolin"]["weights"]  # 59 classes
    wanted = {**stored, "output_weights": (2, 312), "output_bias": (2,)}
    plan = _plan(wanted, stored, "brightmart", optional_parts=["output_"])
    assert set(plan.misshapen) == {"output_weights", "output_bias"}
    assert set(plan.loaded) == set(stored) - {"output_weights", "output_bias"}


LAYER = "bert/encoder/transformer/group_{}/inner_group_{}/ffn_1/intermediate/dense/kernel"


def _layers(*groups: tuple[int, int]) -> dict[str, tuple[int, ...]]:
    return {LAYER.format(group, inner): (312, 1248) for group, inner in groups}


@pytest.mark.parametrize(
    ("stored", "wanted", "sources"),
    [
        (((0, 0),), ((0, 0), (1, 0), (3, 0)), ((0, 0), (0, 0), (0, 0))),
        (((0, 0),), ((0, 0), (0, 1), (1, 1)), ((0, 0), (0, 0), (0, 0))),
        (((0, 0), (0, 1)), ((0, 1), (1, 0), (1, 1)), ((0, 1), (0, 0), (0, 1))),
        (((0, 0), (1, 0)), ((0, 0), (1, 0), (2, 0)), ((0, 0), (1, 0), (0, 0))),
    ],
    ids=["groups", "inner groups", "inner groups stored", "stored groups go first"],
)
def test_group_0_fills_groups_that_are_not_stored(stored, wanted, sources):
    plan = plan_load(_layers(*wanted), _layers(*stored), from_group_0=True)
    expected = zip(wanted, sources, strict=True)
    assert plan.loaded == {LAYER.format(*name): LAYER.format(*source) for name, source in expected}
    assert plan.missing == []


def test_missing_groups_are_an_error_that_names_the_flag():
    stored, wanted = _layers((0, 0)), _layers((0, 0), (1, 0))
    complaint = _complaint(wanted, stored, "google")
    assert "--init_from_group0 fills groups that are not stored from group 0" in complaint
    assert f"missing    {LAYER.format(1, 0)}" in complaint
    plan = _plan(wanted, stored, "google", from_group_0=True)
    assert set(plan.loaded.values()) == set(stored)
