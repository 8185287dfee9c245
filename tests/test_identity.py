"""What a run is recognised by, when it is resumed from other places and with less at hand."""

import dataclasses
import json
import os
import shutil

import pytest
import small
from small_pretraining import LENGTHS, create_records, options
from test_run_classifier import write_weights

from albert_zh.checkpoint.files import read_meta, write_checkpoint
from albert_zh.checkpoint.fingerprint import weights_fingerprint
from albert_zh.config import ModelConfig
from albert_zh.model.heads.pretraining import PretrainingModel
from albert_zh.pretraining.run import pretrain
from albert_zh.runs.identity import INITIAL_WEIGHTS

pytestmark = pytest.mark.usefixtures("eager")


@pytest.fixture
def weights(data, tmp_path) -> str:
    """A released checkpoint."""
    config = ModelConfig.from_json_file(options(data, "").bert_config_file)
    folder = tmp_path / "released"
    folder.mkdir()
    return write_weights(PretrainingModel(config, seed=3), folder / "albert_model.ckpt")


def identity(run, step: int) -> dict:
    return read_meta(f"{run.output_dir}/model.ckpt-{step}")


def test_fingerprint_is_of_the_weights_alone(data, tmp_path, weights):
    run = options(data, tmp_path / "run", init_checkpoint=weights, num_train_steps=2)
    pretrain(run)
    # Step 0 holds the same weights, with moments and a counter.
    assert weights_fingerprint(f"{run.output_dir}/model.ckpt-0") == weights_fingerprint(weights)
    assert weights_fingerprint(f"{run.output_dir}/model.ckpt-2") != weights_fingerprint(weights)


def test_spelling_and_place_of_the_initial_checkpoint_do_not_matter(
    data, tmp_path, weights, monkeypatch, caplog
):
    run = options(data, tmp_path / "run", init_checkpoint=weights, num_train_steps=1)
    pretrain(run)
    monkeypatch.chdir(tmp_path)
    copy = shutil.copytree("released", "copy")
    spellings = [
        "released/albert_model.ckpt",
        "./released",
        f"{copy}/albert_model.ckpt.index",
        None,
    ]
    for step, spelling in enumerate(spellings, 2):
        pretrain(dataclasses.replace(run, init_checkpoint=spelling, num_train_steps=step))
    shutil.rmtree("released")
    run.check()
    pretrain(dataclasses.replace(run, num_train_steps=6))  # The checkpoint is gone.
    assert identity(run, 6)[INITIAL_WEIGHTS] == weights_fingerprint(f"{copy}/albert_model.ckpt")
    assert "does not exist any more; the run has checkpoints of its own" in caplog.text


def test_other_initial_weights_are_another_run(data, tmp_path, weights):
    run = options(data, tmp_path / "run", num_train_steps=1)
    pretrain(run)
    assert identity(run, 1)[INITIAL_WEIGHTS] == "random"
    for other in (weights, "nowhere/model.ckpt"):
        with pytest.raises(ValueError, match="its initial_weights is random, this one's is"):
            pretrain(dataclasses.replace(run, init_checkpoint=other))


@pytest.mark.parametrize("lost_by", ["run", "records"])
def test_unknown_vocabulary_is_taken_for_the_same(lost_by, data, tmp_path, caplog):
    """As with records of the published scripts, or after the loss of `manifest.json`."""
    bare = tmp_path / "records"
    bare.mkdir()
    shutil.copy(os.path.join(data, "records.tfrecord"), bare)
    files = [str(bare / "records.tfrecord"), os.path.join(data, "records.tfrecord")]
    first, second = files if lost_by == "run" else reversed(files)
    run = options(data, tmp_path / "run", input_file=first, num_train_steps=1)
    pretrain(run)
    pretrain(dataclasses.replace(run, input_file=second, num_train_steps=2))
    assert f"no manifest told the vocabulary of the {lost_by}" in caplog.text
    assert identity(run, 2)["vocabulary"]["size"] == len(small.VOCABULARY)


def test_records_that_lost_their_manifest_still_show_that_they_have_no_pairs(data, tmp_path):
    records = str(tmp_path / "single" / "records.tfrecord")
    corpus, vocab = (os.path.join(data, name) for name in ("corpus.txt", "vocab.txt"))
    create_records(corpus, vocab, records, **LENGTHS, full_sentences=True)
    run = options(data, tmp_path / "run", input_file=records, num_train_steps=1)
    pretrain(run)
    os.remove(tmp_path / "single" / "manifest.json")
    pretrain(dataclasses.replace(run, num_train_steps=2))
    assert identity(run, 2)["objective"]["sentence_order_weight"] == 0.0


def test_best_checkpoint_of_published_fine_tuning_is_not_passed_over(data, tmp_path, weights):
    """Google's evaluation renames the best checkpoint, so the newest to resume is an older one."""
    arrays = small.arrays(weights)
    for name, step in (("model.ckpt-0", 0), ("model.ckpt-best", 1000)):
        prefix = str(tmp_path / "theirs" / name)
        os.makedirs(os.path.dirname(prefix), exist_ok=True)
        write_checkpoint(prefix, {**arrays, "global_step": step}, {})
        os.remove(f"{prefix}.meta.json")
    with pytest.raises(ValueError, match=r"model\.ckpt-best is of step 1000.*--init_checkpoint="):
        pretrain(options(data, tmp_path / "theirs"))


def test_published_directory_that_was_set_back_is_a_question(data, tmp_path, weights):
    for step in (5, 9):
        prefix = str(tmp_path / "theirs" / f"model.ckpt-{step}")
        os.makedirs(os.path.dirname(prefix), exist_ok=True)
        write_checkpoint(prefix, small.arrays(weights), {})
        os.remove(f"{prefix}.meta.json")
    (tmp_path / "theirs" / "checkpoint").write_text('model_checkpoint_path: "model.ckpt-5"\n')
    with pytest.raises(ValueError, match=r"ckpt-5, but there is a newer model\.ckpt-9"):
        pretrain(options(data, tmp_path / "theirs"))


def score(directory) -> dict:
    with open(os.path.join(directory, "eval_results.json")) as file:
        return json.load(file)


def test_initial_checkpoint_is_evaluated_where_there_is_no_other(data, tmp_path):
    trained = options(data, tmp_path / "trained", num_train_steps=2, do_eval=True)
    pretrain(trained)
    initial = {"init_checkpoint": trained.output_dir, "do_eval": True}
    pretrain(options(data, tmp_path / "alone", do_train=False, **initial))
    pretrain(options(data, tmp_path / "zero", num_train_steps=0, **initial))
    for name in ("alone", "zero"):
        assert score(tmp_path / name) == score(trained.output_dir)
        assert not list((tmp_path / name).glob("model.ckpt-*"))


def test_evaluation_needs_a_whole_checkpoint(data, tmp_path, weights):
    evaluation = options(data, tmp_path / "out", do_train=False, do_eval=True)
    with pytest.raises(ValueError, match=r"no checkpoint to evaluate in --output_dir=.*/out; name"):
        pretrain(evaluation)
    encoder = str(tmp_path / "encoder.ckpt")
    arrays = small.arrays(weights)
    bert = {name: arrays[name] for name in arrays if not name.startswith("cls/")}
    write_checkpoint(encoder, bert, {})
    with pytest.raises(ValueError, match=r"cannot be evaluated, because it lacks cls/predictions"):
        pretrain(dataclasses.replace(evaluation, init_checkpoint=encoder))
    with pytest.raises(ValueError, match="at least 1, unless --do_eval=True is to evaluate"):
        options(data, tmp_path / "out", num_train_steps=0)
