"""Predictors of every use: similarity, vectors, the tasks; from checkpoints and from exports."""

import concurrent.futures
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from test_exchange import small_config, write_model
from test_export_formats import export

import albert_zh
from albert_zh.export.source import load_source
from albert_zh.inference.pretrained import load_pretrained
from albert_zh.inference.sentence_encoder import nearest
from albert_zh.inference.similarity import best_threshold

TEXTS = ["一丁", "丂七丄", "丅丆万丈三丄", "", "上下丌", "一丁" * 40]
PAIRS = [("一丁", "一七"), ("丂不", "与丁丄"), ("丏丐", "丏丐")]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A classifier of pairs with lively random weights."""
    return write_model(
        tmp_path_factory.mktemp("run"),
        small_config("brightmart"),
        kind="classification",
        labels=("no", "yes"),
    )


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("pretrained"), small_config("brightmart"))


@pytest.fixture(scope="module")
def exported(run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported") / "export"
    export(load_source(run), folder, "saved_model", "tflite", "onnx")
    return str(folder)


# --- similarity ---------------------------------------------------------------------------------


def test_similarity_is_the_probability_of_the_second_label(run):
    similarity = albert_zh.load(run, use="similarity")
    expected = [each.probabilities[1] for each in albert_zh.load(run).predict(PAIRS)]
    np.testing.assert_array_equal(similarity.probabilities(PAIRS), np.float32(expected))
    assert similarity.probabilities([]).shape == (0,)
    ranked = similarity.rank("一丁", TEXTS, top_k=4)
    alone = [similarity.probabilities([("一丁", text)])[0] for text in TEXTS]
    assert [each.probability for each in ranked] == pytest.approx(sorted(alone, reverse=True)[:4])
    assert all(TEXTS[each.place] == each.text for each in ranked)


def test_threshold_is_chosen_on_other_pairs(run):
    similarity = albert_zh.load(run, use="similarity")
    values = similarity.probabilities(PAIRS)
    are_similar = values >= np.sort(values)[1]  # the two likeliest
    chosen = similarity.with_threshold_of(PAIRS, are_similar)
    np.testing.assert_array_equal(chosen.are_similar(PAIRS), are_similar)
    assert similarity.threshold == 0.5
    for pairs, answers in (([], []), (PAIRS, [True])):
        with pytest.raises(ValueError, match="pairs with an answer each"):
            similarity.with_threshold_of(pairs, answers)


@pytest.mark.parametrize(
    ("probabilities", "are_similar", "expected"),
    [
        ([0.2, 0.8], [False, True], 0.5),
        ([0.8, 0.2], [True, False], 0.5),
        ([0.6, 0.6, 0.9], [True, False, True], 0.75),  # equal ones are on one side
        ([0.9, 0.7], [True, True], 0.0),
        ([0.9, 0.7], [False, False], 1.0),
        ([0.1, 0.3, 0.4], [True, False, True], 0.35),  # as good as 0, and closer to 0.5
    ],
)
def test_best_threshold(probabilities, are_similar, expected):
    assert best_threshold(probabilities, are_similar) == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(20))
def test_best_threshold_is_as_right_as_any(seed):
    random = np.random.default_rng(seed)
    values, answers = random.integers(0, 8, 12) / 8, random.integers(0, 2, 12) == 1

    def right(threshold):
        return ((values >= threshold) == answers).sum()

    assert right(best_threshold(values, answers)) == max(
        right(each) for each in (*values, *(values + 1e-3))
    )


def test_models_of_another_kind_have_no_similarity(pretrained, tmp_path):
    with pytest.raises(ValueError, match="never trained to compare two texts"):
        albert_zh.load(pretrained, use="similarity")
    tagger = write_model(tmp_path / "run", small_config(), kind="tagging")
    with pytest.raises(ValueError, match="this model is for tagging with 2 labels"):
        albert_zh.load(tagger, use="similarity")
    with pytest.raises(ValueError, match="use='similar' is unknown"):
        albert_zh.load(pretrained, use="similar")


# --- vectors ------------------------------------------------------------------------------------


def layers_of(path: str, text: str) -> tuple[list[np.ndarray], np.ndarray]:
    """Every layer `[L, D]`, and the pooled output, of one text without padding."""
    source = load_pretrained(path)
    vocab = source.tokenizer.vocab
    ids = [vocab.cls_id, *source.tokenizer.encode(text).ids, vocab.sep_id]
    inputs = tf.constant([ids])
    encoded = source.model.albert(inputs, tf.ones_like(inputs), tf.zeros_like(inputs))
    return [each[0].numpy() for each in encoded.layers], encoded.pooled[0].numpy()


def test_vectors_are_means_of_the_layers_or_the_pooled_output(pretrained):
    texts = TEXTS[:5]
    layers, pooled = zip(*(layers_of(pretrained, text) for text in texts), strict=True)
    last = [each[-1].mean(axis=0) for each in layers]
    first = [each[0].mean(axis=0) for each in layers]
    for settings, expected in (
        ({}, last),
        ({"pooling": "mean"}, last),
        ({"pooling": "pooled"}, pooled),
        ({"pooling": "first_last"}, np.mean([first, last], axis=0)),
        ({"layer": 1}, first),
        ({"pooling": "layer", "layer": len(layers[0])}, last),
    ):
        encoder = albert_zh.load(pretrained, use="encoder", **settings)
        np.testing.assert_allclose(encoder.encode(texts), expected, atol=1e-5, err_msg=settings)


def test_vectors_are_in_the_order_of_the_texts_and_may_be_normalized(pretrained):
    encoder = albert_zh.load(pretrained, use="encoder")
    together = encoder.encode(TEXTS)
    alone = np.concatenate([encoder.encode([text], batch_size=1) for text in TEXTS])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    lengths = np.linalg.norm(encoder.encode(TEXTS, normalize=True), axis=1)
    np.testing.assert_allclose(lengths, 1, rtol=1e-5)
    assert encoder.encode([]).shape == (0, together.shape[1])
    for bad in ("一丁", [3], [("一丁", "丂")]):
        with pytest.raises(ValueError, match="encode takes a list of texts"):
            encoder.encode(bad)


def test_nearest_vectors_have_the_largest_cosines():
    random = np.random.default_rng(1)
    vectors = np.float32(random.normal(size=(30, 4)))
    vectors[7] = 0
    queries = 3 * vectors[[4, 9]]
    for found, own in zip(nearest(queries, vectors, top_k=5), (4, 9), strict=True):
        assert found[0] == (own, pytest.approx(1.0, abs=1e-6))
        expected = vectors @ vectors[own] / np.linalg.norm(vectors[own])
        expected /= np.maximum(np.linalg.norm(vectors, axis=1), 1e-30)
        np.testing.assert_allclose(
            [each.cosine for each in found], np.sort(expected)[::-1][:5], atol=1e-6
        )


def test_settings_of_an_encoder_that_fit_nothing_are_errors(pretrained):
    for settings, message in (
        ({"pooling": "max"}, "pooling='max' is unknown; known are mean, pooled"),
        ({"pooling": "layer"}, "takes the number of a layer"),
        ({"pooling": "mean", "layer": 1}, "the others take none"),
        ({"layer": 99}, "there is no layer 99; the model has layers 1 to"),
        ({"layer": 0}, "there is no layer 0"),
    ):
        with pytest.raises(ValueError, match=message):
            albert_zh.load(pretrained, use="encoder", **settings)
    with pytest.raises(ValueError, match="pooling and layer are of use='encoder'"):
        albert_zh.load(pretrained, pooling="mean")
    with pytest.raises(TypeError, match="load takes no colour"):
        albert_zh.load(pretrained, colour=1)


# --- the tasks ----------------------------------------------------------------------------------


def test_each_kind_has_its_words(tmp_path):
    for kind, ask, same in (
        ("classification", lambda model: model.classify("一丁", "丂"), ("一丁", "丂")),
        (
            "choice",
            lambda model: model.choose("一", "丁丄", "丁", "七"),
            ("一", "丁丄", "丁", "七"),
        ),
        ("reading", lambda model: model.answer("万丄", "丅丆万一"), ("万丄", "丅丆万一")),
        ("tagging", lambda model: model.tag("丅丆万一"), "丅丆万一"),
    ):
        model = albert_zh.load(write_model(tmp_path / kind, small_config(), kind=kind))
        assert str(ask(model)) == str(model.predict([same])[0])


def test_answer_has_its_place(tmp_path):
    reader = albert_zh.load(write_model(tmp_path, small_config(), kind="reading"))
    context = "丅丆万 一丈三丄 上下丌"
    answer = reader.answer("万丄", context)
    assert answer.text
    assert context[answer.start : answer.end] == answer.text


# --- exports ------------------------------------------------------------------------------------


def test_fastest_format_is_chosen_and_any_can_be(run, exported, monkeypatch):
    expected = albert_zh.load(run).predict(PAIRS)
    chosen = albert_zh.load(exported)
    assert chosen.runtime == "ONNX Runtime (onnx)"
    for name in ("onnx", "tflite", "saved_model"):
        for each, own in zip(
            albert_zh.load(exported, format_name=name).predict(PAIRS), expected, strict=True
        ):
            np.testing.assert_allclose(each.probabilities, own.probabilities, atol=1e-5)
    with pytest.raises(ValueError, match="has no format frozen_graph; it has saved_model, tflite"):
        albert_zh.load(exported, format_name="frozen_graph")
    found = __import__("importlib.util").util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: None if name == "onnxruntime" else found(name)
    )
    assert albert_zh.load(exported).runtime == "LiteRT (tflite)"


def test_threads_are_of_the_small_runtimes(exported, run):
    for name in ("onnx", "tflite"):
        albert_zh.load(exported, format_name=name, threads=1).predict(PAIRS)
    with pytest.raises(ValueError, match="threads are of ONNX and TFLite"):
        albert_zh.load(exported, format_name="saved_model", threads=1)
    with pytest.raises(ValueError, match="format_name and threads are of exports"):
        albert_zh.load(run, threads=1)


def test_export_of_a_head_has_no_vectors_in_every_format(exported, run, pretrained, tmp_path):
    expected = albert_zh.load(run, use="encoder").encode(TEXTS)
    theirs = albert_zh.load(exported, use="encoder")
    assert theirs.runtime == "TensorFlow (saved_model)"
    np.testing.assert_allclose(theirs.encode(TEXTS), expected, atol=1e-5)
    with pytest.raises(ValueError, match=r"onnx of .* holds the head alone; export the"):
        albert_zh.load(exported, use="encoder", format_name="onnx")
    export(load_source(run), tmp_path / "heads", "onnx")
    with pytest.raises(ValueError, match=r"no format of .* computes vectors; export the model"):
        albert_zh.load(str(tmp_path / "heads"), use="encoder")
    with pytest.raises(ValueError, match="an export computes no vectors by first_last"):
        albert_zh.load(exported, use="encoder", pooling="first_last")
    export(load_source(pretrained, is_encoder=True), tmp_path / "export", "onnx")
    encoder = albert_zh.load(str(tmp_path / "export"))  # which is for nothing else
    own = albert_zh.load(pretrained, use="encoder").encode(TEXTS)
    np.testing.assert_allclose(encoder.encode(TEXTS), own, atol=1e-5)


def test_onnx_and_tflite_predict_without_tensorflow(exported):
    for name in ("onnx", "tflite"):
        code = (
            "import sys, albert_zh\n"
            f"model = albert_zh.load({exported!r}, format_name={name!r})\n"
            f"model.predict({PAIRS!r})\n"
            "print('tensorflow' in sys.modules)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.stdout == "False\n", done.stderr


@pytest.mark.parametrize("format_name", [None, "onnx", "tflite", "saved_model"])
def test_threads_may_share_a_predictor(run, exported, format_name):
    if format_name is None:
        model = albert_zh.load(run)
    else:
        model = albert_zh.load(exported, format_name=format_name)
    pairs = [(a * (1 + n % 5), b) for n, (a, b) in enumerate(20 * PAIRS)]
    alone = [model.predict([pair])[0].probabilities for pair in pairs]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda pair: model.predict([pair])[0].probabilities, pairs))
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_case_of_a_pretrained_model_goes_with_its_export(tmp_path):
    run = write_model(tmp_path / "run", small_config())
    export(load_source(run, do_lower_case=False), tmp_path / "export", "onnx")
    assert albert_zh.load(str(tmp_path / "export")).tokenizer.encode("É").tokens == ["[UNK]"]
