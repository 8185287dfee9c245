"""Parts of texts that speak for a label: found by hiding them, in all runtimes."""

import numpy as np
import pytest
from test_exchange import small_config, write_model
from test_export_formats import export

import albert_zh
from albert_zh.export.source import load_source
from albert_zh.inference.contributions import explain

FIRST, SECOND = "丅丆 万", "丈Ａ三"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A classifier of pairs with lively random weights."""
    folder = tmp_path_factory.mktemp("run")
    settings = {"kind": "classification", "num_texts": 2, "labels": ("no", "yes")}
    return write_model(folder, small_config("brightmart"), **settings)


@pytest.fixture(scope="module")
def classifier(run):
    return albert_zh.load(run)


def test_contribution_is_what_the_label_loses_without_the_part(classifier):
    explained = classifier.explain(FIRST, SECOND)
    prediction = classifier.classify(FIRST, SECOND)
    assert str(explained.prediction) == str(prediction)
    tokenizer = classifier.tokenizer
    vocab = tokenizer.vocab
    one, two = (tokenizer.encode(text) for text in (FIRST, SECOND))
    ids = [vocab.cls_id, *one.ids, vocab.sep_id, *two.ids, vocab.sep_id]
    places = [*range(1, 1 + len(one.ids)), *range(2 + len(one.ids), len(ids) - 1)]
    rows = np.tile(np.int32(ids), (len(places), 1))
    rows[np.arange(len(places)), places] = vocab.mask_id
    segments = np.int32([0] * (2 + len(one.ids)) + [1] * (1 + len(two.ids)))
    outputs = classifier.run(
        {
            "input_ids": rows,
            "input_mask": np.ones_like(rows),
            "segment_ids": np.tile(segments, (len(places), 1)),
        }
    )
    chosen = classifier.labels.index(prediction.label)
    expected = prediction.probabilities[chosen] - outputs["probabilities"][:, chosen]
    parts = explained.contributions
    np.testing.assert_allclose([part.value for part in parts], expected, atol=1e-6)
    assert np.abs(expected).max() > 0.01
    assert [(part.start, part.end) for part in parts] == [*one.spans, *two.spans]
    assert [part.text for part in parts] == [0] * len(one.ids) + [1] * len(two.ids)


def test_parts_of_long_texts_are_several_tokens(classifier):
    long = "丅丆万丈三上下不" * 40
    parts = explain(classifier, [long, "一" * 9], max_parts=5).contributions
    for number, text in enumerate((long, "一" * 9)):
        own = [part for part in parts if part.text == number]
        assert (own[0].start, len(own) <= 5) == (0, True)
        assert [part.end for part in own[:-1]] == [part.start for part in own[1:]]
        assert own[-1].end <= len(text)
    kept = classifier.max_seq_length - 3
    assert sum(part.end - part.start for part in parts) == kept
    (whole, second) = explain(classifier, ["一丁", "丂"], max_parts=1).contributions
    assert (whole[:3], second[:3]) == ((0, 0, 2), (1, 0, 1))


def test_tokens_of_one_character_are_one_part(tmp_path):
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    entries = [*special, "丁", "丅", "万", "\u1100", "##\u1161", "##\u11a8"]
    (tmp_path / "vocab.txt").write_text("\n".join(entries) + "\n", encoding="utf-8")
    config = small_config("brightmart", vocab_size=len(entries))
    settings = {"kind": "classification", "num_texts": 2}
    run = write_model(tmp_path / "run", config, vocab_file=str(tmp_path / "vocab.txt"), **settings)
    classifier, text = albert_zh.load(run), "丅각万"
    assert len(classifier.tokenizer.encode(text).ids) == 5  # 각 becomes three without its accents.
    parts = classifier.explain(text, "丁").contributions
    assert [part[:3] for part in parts] == [(0, 0, 1), (0, 1, 2), (0, 2, 3), (1, 0, 1)]


def test_an_answer_that_nobody_wants_any_more_is_given_up(classifier):
    asked = []

    def go_on():
        asked.append(True)
        return len(asked) < 2

    long = "丅丆万丈三上下不" * 4
    with pytest.raises(TimeoutError):
        explain(classifier, [long, long], go_on=go_on)
    assert len(asked) == 2


def test_empty_texts_have_no_parts(classifier):
    assert classifier.explain("", " ").contributions == []
    assert {part.text for part in classifier.explain("", "丁").contributions} == {1}


def test_exports_give_the_same(run, classifier, tmp_path):
    expected = classifier.explain(FIRST, SECOND).contributions
    export(load_source(run), tmp_path / "export", "saved_model", "tflite", "onnx")
    for name in ("saved_model", "tflite", "onnx"):
        exported = albert_zh.load(str(tmp_path / "export"), format_name=name)
        found = exported.explain(FIRST, SECOND).contributions
        for one, other in zip(found, expected, strict=True):
            assert one == pytest.approx(other, abs=1e-5)


def test_what_cannot_be_explained_is_an_error(classifier, tmp_path):
    tagger = albert_zh.load(write_model(tmp_path / "run", small_config(), kind="tagging"))
    with pytest.raises(ValueError, match="this model is for tagging"):
        explain(tagger, ["一"])
    with pytest.raises(ValueError, match="trained on pairs"):
        explain(classifier, ["一"])
    with pytest.raises(ValueError, match="max_parts is 0"):
        explain(classifier, ["一", "丁"], max_parts=0)
    for bad in (("一", "丁"), 3):
        with pytest.raises(ValueError, match="explain takes one text or two"):
            classifier.explain(bad)
