"""SavedModel that takes texts: the same tokens, rows and results as the tokenizer and predictor."""

import sys

import numpy as np
import pytest
import tensorflow as tf
from test_exchange import small_config, write_model
from test_tokenizers import train as train_sentencepiece

from albert_zh.export.bundle import export_model
from albert_zh.export.source import load_source
from albert_zh.export.text_inputs import TextInputs
from albert_zh.tasks.row_writer import featurize_texts
from albert_zh.text.sentencepieces import SentencePieceTokenizer
from albert_zh.text.vocab import Vocab
from albert_zh.text.wordpiece import WordPieceTokenizer, character_rules

pytest.importorskip("tensorflow_text", reason="needs the package tensorflow-text")

LETTERS = "abcdefghijklmnopqrstuvwxyzABCαβσς0123456789"
VOCAB = Vocab(
    (
        *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
        *("我", "爱", "的", "豈", "カ", "，", ",", "!", "·", "[", "]", "mask", "ing", "##ing"),
        *LETTERS,
        *(f"##{letter}" for letter in LETTERS),
    )
)
ODD = (
    "",
    " ",
    "我爱ABC，的!",
    "a" * 200 + " b",
    "a" * 201 + " b",
    "α" * 200 + "我",
    "aqing masking qqqing",
    "[MASK]我[mask]",
    "a\x00b\u200bc\ufffdd",
    "é\u0301É Å İ ı ß",
    "豈我\uf900 \U0002f800",
    "한국어 हिन्दी ｶﾞ ＡＢＣ",
    "a\u3000b\u2003c\u00a0d\te\r\nf",
    "😀我😀",
)


def rows_of(tokenizer, *columns, max_seq_length=128):
    expected = featurize_texts(
        list(zip(*columns, strict=True)),
        targets={},
        tokenizer=tokenizer,
        max_seq_length=max_seq_length,
    )
    inputs = TextInputs(tokenizer, max_seq_length=max_seq_length)
    actual = inputs(*(tf.constant(list(column)) for column in columns))
    return expected, {name: value.numpy() for name, value in actual.items()}


def assert_equal(expected, actual):
    mask = actual["input_mask"] == 1
    np.testing.assert_array_equal(mask.sum(axis=1), expected.lengths)
    np.testing.assert_array_equal(actual["input_ids"][mask], expected.token_ids)
    assert not actual["input_ids"][~mask].any()
    second = np.arange(mask.shape[1]) >= expected.first_lengths[:, None]
    np.testing.assert_array_equal(actual["segment_ids"], mask & second)


@pytest.mark.parametrize("lower", [True, False])
def test_tokens_are_those_of_the_tokenizer(lower):
    assert_equal(*rows_of(WordPieceTokenizer(VOCAB, do_lower_case=lower), ODD))


@pytest.mark.parametrize("lower", [True, False])
def test_every_character_becomes_what_it_becomes_in_the_tokenizer(lower):
    rules = character_rules(do_lower_case=lower)
    changed = sorted(set(rules) - {"Σ"})
    assert len(changed) > 80_000
    # With all results as entries, a wrong one has another id.
    special = VOCAB.tokens[:5]
    results = {result.strip() for result in rules.values()} - {""}
    own = {*changed, *(chr(code) for code in range(0x20, 0x3000, 7))}
    entries = sorted({piece for each in results | own for piece in (each, f"##{each}")} | {"a"})
    entries = [each for each in entries if each.removeprefix("##").strip(" \n\0")]
    tokenizer = WordPieceTokenizer(Vocab((*special, *entries)), do_lower_case=lower)
    texts = ["a".join(changed[start : start + 500]) for start in range(0, len(changed), 500)]
    assert_equal(*rows_of(tokenizer, texts, max_seq_length=4096))


def test_pairs_lose_the_tokens_that_the_predictor_takes_away():
    lengths = (0, 1, 2, 3, 5, 6, 7, 20)
    first = ["我" * one for one in lengths for _ in lengths]
    second = ["爱" * other for _ in lengths for other in lengths]
    for limit in (5, 11, 12):
        assert_equal(*rows_of(WordPieceTokenizer(VOCAB), first, second, max_seq_length=limit))


def test_bytes_that_are_no_text_are_dropped():
    inputs = TextInputs(WordPieceTokenizer(VOCAB), max_seq_length=16)
    broken, whole = (inputs(tf.constant([each]))["input_ids"].numpy() for each in (b"a\xffb", "ab"))
    np.testing.assert_array_equal(broken, whole)


@pytest.mark.parametrize(("kind", "num_texts"), [("classification", 2), ("regression", 1)])
def test_signature_gives_the_results_of_the_predictor(kind, num_texts, tmp_path):
    run = write_model(tmp_path / "run", small_config(), kind=kind, num_texts=num_texts)
    source = load_source(run)
    manifest = export_model(
        source, export_dir=str(tmp_path / "export"), formats=["saved_model_text"]
    )
    columns = [["一丁七", "丁"], ["七七七丂", "一" * 30]][:num_texts]
    texts = list(zip(*columns, strict=True))
    row = manifest["formats"]["saved_model_text"]
    names = row["signatures"]["texts"]["inputs"]
    assert names == ["text_a", "text_b"][:num_texts]
    assert set(row["largest_difference"]) >= {"pooled_output"}
    loaded = tf.saved_model.load(str(tmp_path / "export" / "saved_model_text" / "1"))
    arguments = dict(zip(names, map(tf.constant, columns), strict=True))
    outputs = loaded.signatures["texts"](**arguments)
    features = featurize_texts(texts, targets={}, tokenizer=source.tokenizer, max_seq_length=24)
    assert features.num_truncated == num_texts - 1
    predictions = source.predictor().predict(
        [each if num_texts == 2 else each[0] for each in texts]
    )
    if kind == "classification":
        actual = outputs["probabilities"].numpy()
        expected = [each.probabilities for each in predictions]
    else:
        actual = outputs["values"].numpy()
        expected = [each.value for each in predictions]
    np.testing.assert_allclose(actual, expected, atol=1e-5)
    vectors = loaded.signatures["encode_texts"](text_a=tf.constant(columns[0]))
    assert vectors["mean_output"].shape == (2, 32)


def test_a_pretrained_model_encodes_texts(tmp_path):
    source = load_source(write_model(tmp_path / "run", small_config()))
    manifest = export_model(
        source, export_dir=str(tmp_path / "export"), formats=["saved_model_text"]
    )
    signatures = manifest["formats"]["saved_model_text"]["signatures"]
    assert set(signatures) == {"serving_default", "encode", "encode_texts"}


def test_a_sentencepiece_model_is_refused(tmp_path):
    run = write_model(tmp_path / "run", small_config(), kind="classification", num_texts=2)
    source = load_source(run)
    (tmp_path / "spm.model").write_bytes(train_sentencepiece())
    vars(source)["tokenizer"] = SentencePieceTokenizer.load(str(tmp_path / "spm.model"))
    with pytest.raises(ValueError, match="saved_model_text is for models with a WordPiece"):
        export_model(source, export_dir=str(tmp_path / "x"), formats=["saved_model_text"])
    assert not (tmp_path / "x").exists()


def test_another_way_of_splitting_is_refused(tmp_path, monkeypatch):
    source = load_source(write_model(tmp_path / "run", small_config()))
    tokens = TextInputs._tokens
    monkeypatch.setattr(
        TextInputs, "_tokens", lambda self, texts: tokens(self, tf.strings.substr(texts, 0, 1))
    )
    with pytest.raises(ValueError, match="tensorflow-text splits texts in another way"):
        export_model(source, export_dir=str(tmp_path / "x"), formats=["saved_model_text"])


def test_a_vocabulary_that_the_package_cannot_hold_is_refused():
    with pytest.raises(ValueError, match=r"tensorflow-text cannot take the vocabulary.*zero"):
        TextInputs(WordPieceTokenizer(Vocab((*VOCAB.tokens, "\0"))), max_seq_length=16)


def test_missing_package_is_named(tmp_path, monkeypatch):
    source = load_source(write_model(tmp_path / "run", small_config()))
    monkeypatch.setitem(sys.modules, "tensorflow_text", None)
    with pytest.raises(ValueError, match="needs the package tensorflow-text; install it"):
        export_model(source, export_dir=str(tmp_path / "x"), formats=["saved_model_text"])
