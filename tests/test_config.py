"""ModelConfig: what is read, what it tells of the lineage, and what is refused."""

import json
import pathlib
import re

import pytest

from albert_zh.config import UNUSED_KEYS, ModelConfig, NormOrder

SIZES = {
    "vocab_size": 100,
    "embedding_size": 8,
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 32,
}
BRIGHTMART = {**SIZES, "ln_type": "postln"}
GOOGLE = {**SIZES, "num_hidden_groups": 1, "inner_group_num": 1}
GOOGLE_FAST = {**GOOGLE, "hidden_size": 32, "intermediate_size": 128, "lineage": "google_fast"}

PUBLISHED = sorted((pathlib.Path(__file__).parent.parent / "albert_config").glob("*.json"))


@pytest.mark.parametrize("path", PUBLISHED, ids=lambda path: path.stem)
def test_published_file_gives_the_same_configuration_after_writing_and_reading(path):
    config = ModelConfig.from_json_file(str(path))
    assert ModelConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


@pytest.mark.parametrize(
    ("values", "lineage", "norm_order"),
    [
        (BRIGHTMART, "brightmart", NormOrder.POST),
        ({**BRIGHTMART, "ln_type": "preln"}, "brightmart", NormOrder.PRE),
        ({**BRIGHTMART, "ln_type": None}, "brightmart", NormOrder.POST),
        (GOOGLE, "google", NormOrder.POST),
        (GOOGLE_FAST, "google_fast", NormOrder.POST),
        ({**SIZES, "lineage": "brightmart"}, "brightmart", NormOrder.POST),
    ],
)
def test_keys_tell_lineage_and_norm_order(values, lineage, norm_order):
    config = ModelConfig.from_dict(values)
    assert (config.lineage, config.norm_order) == (lineage, norm_order)
    assert ModelConfig.from_dict(config.to_dict()) == config


def test_lineage_key_tells_google_fast_from_google():
    config = ModelConfig.from_dict(GOOGLE_FAST)
    assert config.lineage == "google_fast"
    assert config.to_dict()["lineage"] == "google_fast"


def test_keys_that_no_code_reads_change_nothing():
    unused = {key: "anything" for key in UNUSED_KEYS}
    assert ModelConfig.from_dict({**unused, **GOOGLE}) == ModelConfig.from_dict(GOOGLE)


def test_whole_numbers_are_taken_as_probabilities():
    config = ModelConfig.from_dict({**GOOGLE, "hidden_dropout_prob": 0})
    assert isinstance(config.hidden_dropout_prob, float)


@pytest.mark.parametrize("empty", [None, ""])
def test_empty_activation_is_linear(empty):
    assert ModelConfig.from_dict({**GOOGLE, "hidden_act": empty}).hidden_act == "linear"


def test_head_size_of_tiny_is_26():
    sizes = {**BRIGHTMART, "hidden_size": 312, "num_attention_heads": 12}
    assert ModelConfig.from_dict(sizes).head_size == 26


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({**BRIGHTMART, "hiden_act": "relu"}, "unknown keys hiden_act; known are .*hidden_act"),
        ({**SIZES, "ln_typ": "postln"}, "unknown keys ln_typ; known are .*ln_type"),
        ({**GOOGLE, "norm_order": "preln"}, "unknown keys norm_order"),
        ({"ln_type": "postln", "vocab_size": 100}, "missing keys embedding_size, hidden_size"),
        (SIZES, 'not an ALBERT configuration; add "ln_type": "postln"'),
        ({**BRIGHTMART, "ln_type": "pre"}, "ln_type is 'pre'; choose one of postln, preln"),
        ({**BRIGHTMART, "ln_type": ""}, "ln_type is ''; choose one of postln, preln"),
        ({**SIZES, "lineage": "goggle"}, "'goggle'; choose one of brightmart, google, google_fast"),
        ({**BRIGHTMART, "hidden_size": 26}, "hidden_size 26 is not a multiple of .*heads 4"),
        ({**BRIGHTMART, "hidden_size": "24"}, "hidden_size is '24'; expected .* type int"),
        ({**BRIGHTMART, "hidden_size": 24.0}, "hidden_size is 24.0; expected .* type int"),
        ({**BRIGHTMART, "vocab_size": True}, "vocab_size is True; expected .* type int"),
        ({**BRIGHTMART, "vocab_size": None}, "vocab_size is None; expected .* type int"),
        ({**BRIGHTMART, "vocab_size": 0}, "vocab_size is 0; it must be at least 1"),
        ({**BRIGHTMART, "hidden_act": "gelo"}, "hidden_act 'gelo' is none of linear, relu, gelu"),
        ({**BRIGHTMART, "hidden_act": ["gelu"]}, "hidden_act is .*expected a value of type str"),
        ({**GOOGLE, "hidden_dropout_prob": "0.1"}, "hidden_dropout_prob is '0.1'; .* type float"),
        ({**GOOGLE, "hidden_dropout_prob": 1.0}, r"hidden_dropout_prob is 1.0; .*\[0, 1\)"),
        ({**GOOGLE, "initializer_range": 0}, "initializer_range is 0.0; it must be positive"),
        (
            {**GOOGLE, "ln_type": "preln", "lineage": "google"},
            "ln_type is preln, but google models are post-LN",
        ),
        (
            {**BRIGHTMART, "num_hidden_groups": 2},
            "num_hidden_groups is 2, but brightmart models have one group",
        ),
    ],
)
def test_bad_values_are_refused(values, complaint):
    with pytest.raises(ValueError, match=complaint):
        ModelConfig.from_dict(values)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.json"):
        ModelConfig.from_json_file(str(tmp_path / "nowhere.json"))


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b'{"vocab_size": 100', r": not JSON \(.* delimiter.*\); repair it"),
        (b'{\n// ours\n"vocab_size": 100}', r": not JSON \(.* line 2 column 1 .*\); repair it"),
        (b"\xef\xbb\xbf \n", " is empty, where a JSON object should be"),
        (b"[1, 2]", ": the file does not hold a JSON object"),
        (b"\xff\xfe{}", ", line 1: not UTF-8 at byte 0 .*iconv -f UTF-16"),
        (b'{"ln_typ": "postln"}', ": unknown keys ln_typ"),
        (
            b'{"hidden_size": 128, "ln_type": "postln", "hidden_size": 64}',
            ": the key 'hidden_size' stands in one object twice; repair it",
        ),
    ],
)
def test_complaint_about_a_file_names_it(tmp_path, content, complaint):
    path = tmp_path / "config.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"{re.escape(str(path))}{complaint}"):
        ModelConfig.from_json_file(str(path))


def test_byte_order_mark_of_a_file_is_no_part_of_it(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(BRIGHTMART), encoding="utf-8-sig")
    assert ModelConfig.from_json_file(str(path)) == ModelConfig.from_dict(BRIGHTMART)


@pytest.mark.parametrize(
    ("spelling", "activation"),
    [
        ("gelu_new", "gelu"),
        ("gelu_pytorch_tanh", "gelu"),
        ("GELU", "gelu"),
        ("ReLU", "relu"),
        ("silu", "swish"),
        ("Linear", "linear"),
    ],
)
def test_other_spellings_of_activations_are_understood(spelling, activation):
    assert ModelConfig.from_dict({**GOOGLE, "hidden_act": spelling}).hidden_act == activation


# As transformers writes it for google's models.
TRANSFORMERS = {
    "architectures": ["AlbertForMaskedLM"],
    "bos_token_id": 2,
    "classifier_dropout_prob": 0.1,
    "down_scale_factor": 1,
    "dtype": "float32",
    "id2label": {"0": "no", "1": "yes"},
    "layer_norm_eps": 1e-12,
    "model_type": "albert",
    "pad_token_id": 0,
    "position_embedding_type": "absolute",
    "transformers_version": "5.0.0",
}


def test_file_of_transformers_is_the_same_configuration():
    theirs = ModelConfig.from_dict({**GOOGLE, **TRANSFORMERS, "hidden_act": "gelu_new"})
    assert theirs == ModelConfig.from_dict({**GOOGLE, "hidden_act": "gelu"})
    assert ModelConfig.from_dict({**GOOGLE, "layer_norm_eps": 1e-12}) == ModelConfig.from_dict(
        GOOGLE
    )


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("model_type", "bert", "model_type is 'bert'; models here have 'albert'"),
        ("layer_norm_eps", 1e-5, "layer_norm_eps is 1e-05; models here have 1e-12"),
        ("classifier_dropout_prob", 0.5, "classifier_dropout_prob is 0.5"),
        ("position_embedding_type", "relative_key", "position_embedding_type is 'relative_key'"),
        ("hiden_act", "relu", "unknown keys hiden_act"),
    ],
)
def test_values_of_transformers_that_the_model_cannot_have_are_refused(key, value, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        ModelConfig.from_dict({**GOOGLE, **TRANSFORMERS, key: value})
