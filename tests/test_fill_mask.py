"""Filling [MASK] with a pretrained model, in Python and by scripts/fill_mask.py."""

import os
import shutil

import numpy as np
import pytest
import small
from processes import run_script
from small_pretraining import options

import albert_zh
from albert_zh.checkpoint.files import meta_path
from albert_zh.export.bundle import export_model
from albert_zh.inference.fill_mask import FillMask
from albert_zh.inference.pretrained import load_pretrained
from albert_zh.inference.word_search import Candidate
from albert_zh.pretraining.run import pretrain
from albert_zh.text.vocab import Vocab
from albert_zh.text.whole_entries import WholeEntryTokenizer
from albert_zh.text.wordpiece import WordPieceTokenizer

TEXTS = ["今天[MASK]京很冷吗。", "去[MASK][MASK]", "[MASK]"]


@pytest.fixture(scope="module")
def run(data, tmp_path_factory):
    made = options(data, tmp_path_factory.mktemp("run"), num_train_steps=4, learning_rate=0.05)
    pretrain(made)
    return made


def fill_mask(run_dir, *flags, text=""):
    return run_script("scripts/fill_mask.py", f"--checkpoint={run_dir}", *flags, text=text)


@pytest.fixture(scope="module")
def model(run):
    return albert_zh.load(run.output_dir)


def test_candidates_are_the_largest_probabilities_of_the_model(run, model):
    """Alone or together, in batches of any size; by the model itself as by the predictor."""
    pretrained = load_pretrained(run.output_dir)
    found = model.fill(TEXTS, top_k=3)
    assert [len(masks) for masks in found] == [1, 2, 1]
    for text, masks in zip(TEXTS, found, strict=True):
        tokens = ["[CLS]", *text.replace("[MASK]", "?"), "[SEP]"]
        ids = [small.VOCABULARY.index("[MASK]" if each == "?" else each) for each in tokens]
        (outputs,) = pretrained.outputs(
            {
                "input_ids": np.int32([ids]),
                "input_mask": np.ones([1, len(ids)], np.int32),
                "segment_ids": np.zeros([1, len(ids)], np.int32),
                "masked_lm_positions": np.int32([[n for n, t in enumerate(tokens) if t == "?"]]),
            }
        )["masked_lm_probabilities"]
        for candidates, row in zip(masks, outputs, strict=True):
            order = np.argsort(-row)[:3]
            assert [each.token for each in candidates] == [small.VOCABULARY[i] for i in order]
            np.testing.assert_allclose([c.probability for c in candidates], row[order], rtol=1e-4)
    many = 100 * TEXTS
    for one, again in zip(model.fill(many, top_k=3), 100 * found, strict=True):
        assert [[c.token for c in masks] for masks in one] == [
            [c.token for c in masks] for masks in again
        ]


def test_candidates_can_be_restricted(model):
    (everything,) = model.fill(TEXTS[:1], top_k=100)[0]
    (chosen,) = model.fill(TEXTS[:1], candidates=["沪", "京", "沪"])[0]
    assert {each.token for each in chosen} == {"沪", "京"}
    np.testing.assert_allclose(
        [each.probability for each in chosen],
        [each.probability for each in everything if each.token in ("沪", "京")],
        rtol=1e-5,
    )
    for word in ("京沪", "鑫", ""):
        with pytest.raises(ValueError, match=f"the candidate '{word}' is not one entry"):
            model.fill(TEXTS[:1], candidates=[word])


def test_word_is_the_product_of_its_entries_the_later_ones_with_the_earlier(model):
    (words,), (apart, one) = model.fill_words(["去[MASK][MASK]吗", "[MASK][MASK]去[MASK]"], top_k=4)
    assert [len(words), len(apart), len(one)] == [4, 4, 4]
    assert [each.probability for each in words] == sorted(
        (each.probability for each in words), reverse=True
    )
    for each in words:
        (first, _), ((second,),) = (
            masks[0]
            for masks in (
                model.fill(["去[MASK][MASK]吗"], candidates=[each.token[0]]),
                [model.fill([f"去{each.token[0]}[MASK]吗"], candidates=[each.token[1]])],
            )
        )
        assert each.probability == pytest.approx(
            first[0].probability * second[0].probability, rel=1e-4
        )
    expected = model.fill(["[MASK][MASK]去[MASK]"], top_k=4)[0][2]
    assert [each.token for each in one] == [each.token for each in expected]


def test_words_can_be_restricted(model):
    ((found,),) = model.fill_words(["去[MASK][MASK]吗"], candidates=["京雨", "冷热", "京冷", "远"])
    assert {each.token for each in found} == {"京雨", "冷热", "京冷"}
    with pytest.raises(ValueError, match=r"has 2 entries of the vocabulary, as many as there are"):
        model.fill_words(["去[MASK][MASK]吗"], candidates=["京", "鑫鑫"])


def test_both_forms_of_a_character_count_as_the_character():
    """As in weights of brightmart, whose vocabulary has 好 and ##好."""
    tokens = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "好", "##好", "坏", "##ing")
    scores = np.float32([[0, 0, 0, 0, 0, 0.25, 0.25, 0.375, 0.125]])

    def run(batch):
        return {"masked_lm_probabilities": np.stack([scores] * len(batch["input_ids"]))}

    tokenizer = WholeEntryTokenizer(WordPieceTokenizer(Vocab(tokens)), ["[MASK]"])
    ((found,),) = FillMask(run, tokenizer, 16, "by hand").fill(["很[MASK]"], top_k=3)
    assert found == [Candidate("好", 0.5), Candidate("坏", 0.375), Candidate("##ing", 0.125)]


@pytest.mark.parametrize("format_name", ["onnx", "tflite", "saved_model", "frozen_graph"])
def test_exports_fill_in_the_same(run, model, tmp_path, format_name):
    export_model(
        load_pretrained(run.output_dir), export_dir=str(tmp_path / "out"), formats=[format_name]
    )
    exported = albert_zh.load(str(tmp_path / "out"))
    assert format_name in exported.runtime
    for own, theirs in zip(model.fill(TEXTS), exported.fill(TEXTS), strict=True):
        for mine, other in zip(own, theirs, strict=True):
            assert [each.token for each in mine] == [each.token for each in other]


def test_script_prints_the_texts_with_their_candidates(run, tmp_path):
    (tmp_path / "texts.txt").write_text("\n".join(TEXTS) + "\n\n", encoding="utf-8")
    done = fill_mask(run.output_dir, f"--input_file={tmp_path}/texts.txt", "--top_k=2")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line for line in lines if line in TEXTS] == TEXTS
    assert len(lines) == 3 + 4
    assert lines[1].count(" %") == 2
    assert fill_mask(
        run.output_dir, "--input_file=-", "--top_k=2", text="\n".join(TEXTS)
    ).stdout == (done.stdout)


def test_texts_that_cannot_be_filled_are_named(run):
    loaded = albert_zh.load(run.output_dir)
    with pytest.raises(ValueError, match=r"no \[MASK\] to fill in '今天很冷'"):
        loaded.fill(["今天很冷"])
    with pytest.raises(ValueError, match="tokens, the model reads"):
        loaded.fill(["[MASK]" * 1000])


def test_configuration_and_vocabulary_can_be_given(run, tmp_path):
    folder = shutil.copytree(run.output_dir, tmp_path / "bare")
    prefix = str(folder / "model.ckpt-4")
    os.unlink(meta_path(prefix))
    vocab = shutil.move(folder / "vocab.txt", tmp_path / "vocab.txt")
    with pytest.raises(ValueError, match="give the JSON file of the model with config_file="):
        albert_zh.load(prefix)
    given = albert_zh.load(prefix, config_file=run.bert_config_file, vocab_file=str(vocab))
    assert given.fill(TEXTS) == albert_zh.load(run.output_dir).fill(TEXTS)
