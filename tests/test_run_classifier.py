"""Whole fine-tuning runs on a small task."""

import dataclasses
import json
import os
import shutil

import numpy as np
import pytest
import small
import tensorflow as tf
from small import arrays, fine_tuning_options

from albert_zh.checkpoint.files import read_meta, write_checkpoint
from albert_zh.checkpoint.paths import find_checkpoint
from albert_zh.checkpoint.vocabulary_check import PROJECT_VOCABULARY
from albert_zh.config import ModelConfig
from albert_zh.finetuning.data import prepare_data, training_order
from albert_zh.finetuning.run import fine_tune
from albert_zh.model.heads.pretraining import PretrainingModel
from albert_zh.model.heads.sequence import Classifier
from albert_zh.model.scope import named_variables
from albert_zh.runs.companions import write_companions
from albert_zh.tasks.catalog import find_task
from albert_zh.text.tokenizers import load_tokenizer
from albert_zh.text.vocab import Vocab
from albert_zh.train.stopping import StopSignals

pytestmark = pytest.mark.usefixtures("module_eager")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A folder with vocabulary, task files and configuration."""
    directory = tmp_path_factory.mktemp("fine_tuning")
    small.write_vocabulary(directory)
    small.write_task(directory)
    return directory


def write_weights(model: tf.Module, prefix) -> str:
    """A checkpoint as other toolkits leave it: weights alone, nothing beside."""
    values = {name: variable.numpy() for name, variable in named_variables(model).items()}
    write_checkpoint(str(prefix), values, {})
    os.remove(f"{prefix}.meta.json")
    return str(prefix)


@pytest.fixture(scope="module")
def learned(data, tmp_path_factory) -> str:
    """Output directory of a run that trained, evaluated and predicted."""
    directory = tmp_path_factory.mktemp("learned")
    fine_tune(
        fine_tuning_options(
            data,
            directory,
            do_eval=True,
            do_predict=True,
            num_train_epochs=8.0,
            learning_rate=0.003,
            use_pooled_output=False,  # which so small a model learns from any seed
            save_checkpoints_steps=16,
            eval_batch_size=5,
            predict_batch_size=7,
        )
    )
    return directory


def test_model_learns_a_simple_task_and_the_best_checkpoint_is_noted(learned):
    with open(learned / "best_checkpoint.json") as file:
        best = json.load(file)
    assert best["eval_accuracy"] > 0.9
    with open(learned / "eval_results_albert_zh.txt") as file:
        text = file.read()
    blocks = text.split("***** Eval results ")[1:]
    steps = [int(block.split("model.ckpt-")[1].split(" ")[0]) for block in blocks]
    assert steps == [0, 16, 32, 48, 64]
    accuracies = [float(block.split("eval_accuracy = ")[1].split("\n")[0]) for block in blocks]
    assert max(accuracies) == best["eval_accuracy"]


def test_predictions_stand_in_the_order_of_the_test_file(data, learned):
    probabilities = np.loadtxt(learned / "test_results.tsv", delimiter="\t")
    with open(data / "test.txt", encoding="utf-8") as file:
        labels = [int(line.split("\t")[2]) for line in file]
    assert probabilities.shape == (len(labels), 2)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, atol=1e-5)
    assert np.mean(probabilities.argmax(axis=1) == labels) > 0.9
    with open(learned / "submit_results.tsv") as file:
        rows = [line.split() for line in file]
    assert rows == [[str(k), str(p)] for k, p in enumerate(probabilities.argmax(axis=1))]


def test_output_directory_holds_what_a_checkpoint_needs(data, learned):
    meta = read_meta(str(learned / "model.ckpt-64"))
    assert meta["task"]["labels"] == ["0", "1"]
    assert ModelConfig.from_json_file(str(learned / "albert_config.json")) == ModelConfig.from_dict(
        meta["config"]
    )
    assert (learned / "vocab.txt").read_bytes() == (data / "vocab.txt").read_bytes()


def test_prediction_alone_uses_the_best_checkpoint(data, learned, tmp_path):
    expected = (learned / "test_results.tsv").read_bytes()
    os.remove(learned / "test_results.tsv")
    alone = {"do_train": False, "use_pooled_output": False, "predict_batch_size": 7}
    fine_tune(fine_tuning_options(data, learned, do_predict=True, **alone))
    assert (learned / "test_results.tsv").read_bytes() == expected


def test_resumed_run_ends_bit_identical_to_an_uninterrupted_one(data, tmp_path):
    changes = {"num_train_epochs": 1.5, "save_checkpoints_steps": 5}
    fine_tune(fine_tuning_options(data, tmp_path / "whole", **changes))
    with small.killed_at(9) as on_row:
        fine_tune(fine_tuning_options(data, tmp_path / "parts", **changes), on_row=on_row)
    fine_tune(fine_tuning_options(data, tmp_path / "parts", **changes))
    small.assert_same(
        arrays(tmp_path / "parts" / "model.ckpt-12"), arrays(tmp_path / "whole" / "model.ckpt-12")
    )


def test_batches_by_tokens_are_not_taken_for_batches_by_examples(data, tmp_path):
    run = fine_tuning_options(data, tmp_path, train_batch_tokens=64)
    fine_tune(run)
    by_examples = fine_tuning_options(data, tmp_path)
    with pytest.raises(ValueError, match="its train_batch_size is 64 tokens, this one's is 8"):
        fine_tune(by_examples)
    with pytest.raises(ValueError, match="--micro_batch_size cannot divide"):
        fine_tuning_options(data, tmp_path, train_batch_tokens=64, micro_batch_size=2)


def test_run_with_a_damaged_meta_file_goes_on_without_it(data, tmp_path):
    changes = {"num_train_epochs": 1.5, "save_checkpoints_steps": 5}
    fine_tune(fine_tuning_options(data, tmp_path / "whole", **changes))
    with small.killed_at(9) as on_row:
        fine_tune(fine_tuning_options(data, tmp_path / "parts", **changes), on_row=on_row)
    meta = tmp_path / "parts" / "model.ckpt-5.meta.json"
    meta.write_text("")
    with pytest.raises(ValueError, match=rf"{meta} is damaged: .*, or delete this file alone"):
        fine_tune(fine_tuning_options(data, tmp_path / "parts", **changes))
    meta.unlink()
    fine_tune(fine_tuning_options(data, tmp_path / "parts", **changes))
    end = "model.ckpt-12"
    small.assert_same(arrays(tmp_path / "parts" / end), arrays(tmp_path / "whole" / end))


@pytest.mark.parametrize("changes", [{}, small.BRIGHTMART, {"ln_type": "preln"}])
def test_pretrained_weights_are_loaded_and_the_head_is_new(data, tmp_path, changes):
    changes = {**small.BRIGHTMART, **changes} if "ln_type" in changes else changes
    path = small.write_config(data, name="init.json", **changes)
    config = ModelConfig.from_json_file(path)
    prefix = write_weights(PretrainingModel(config, seed=5), tmp_path / "albert_model.ckpt")
    # With a learning rate of 0 what was loaded is what is saved.
    fine_tune(
        fine_tuning_options(
            data,
            tmp_path / "out",
            bert_config_file=path,
            init_checkpoint=prefix,
            learning_rate=0.0,
        )
    )
    saved, given = arrays(tmp_path / "out" / "model.ckpt-8"), arrays(prefix)
    encoder = [name for name in given if name.startswith("bert/")]
    assert encoder
    for name in encoder:
        np.testing.assert_array_equal(saved[name], given[name], err_msg=name)
    assert saved["output_weights"].shape == (2, 16)
    assert not any(name.startswith("cls/") for name in saved)


def test_head_of_a_task_with_other_labels_starts_anew(data, tmp_path, caplog):
    config = ModelConfig.from_json_file(small.write_config(data))
    prefix = write_weights(Classifier(config, 5), tmp_path / "model.ckpt-7")
    with caplog.at_level("WARNING"):
        fine_tune(fine_tuning_options(data, tmp_path / "out", init_checkpoint=prefix))
    assert "output_weights starts at random" in caplog.text
    assert arrays(tmp_path / "out" / "model.ckpt-8")["output_weights"].shape == (2, 16)


def test_head_of_a_task_with_its_labels_in_another_order_starts_anew(
    data, learned, tmp_path, caplog
):
    rows = [json.dumps({"text": "你好", "label": label}) for label in "10" * 8]
    task = {"kind": "classification", "texts": ["text"], "label": "label", "labels": ["1", "0"]}
    (tmp_path / "train.jsonl").write_text("\n".join(rows))
    (tmp_path / "task.json").write_text(json.dumps(task))
    options = fine_tuning_options(
        data,
        tmp_path / "out",
        init_checkpoint=str(learned),
        learning_rate=0.0,
        num_train_epochs=1.0,
        task_name=str(tmp_path / "task.json"),
        train_file=str(tmp_path / "train.jsonl"),
        use_pooled_output=False,
    )
    with caplog.at_level("WARNING"):
        fine_tune(options)
    assert "is not loaded: its labels are 0, 1, those of this task 1, 0" in caplog.text
    given, saved = (arrays(find_checkpoint(str(folder))) for folder in (learned, tmp_path / "out"))
    assert not np.array_equal(saved["output_weights"], given["output_weights"])
    encoder = "bert/embeddings/word_embeddings"
    np.testing.assert_array_equal(saved[encoder], given[encoder])


def test_mean_pooling_leaves_the_pooler_alone(data, tmp_path):
    fine_tune(fine_tuning_options(data, tmp_path, use_pooled_output=False))
    saved = arrays(tmp_path / "model.ckpt-8")
    assert "bert/pooler/dense/kernel" in saved
    assert "bert/pooler/dense/kernel/adam_m" not in saved
    assert read_meta(str(tmp_path / "model.ckpt-8"))["task"]["pooling"] == "mean"


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_training_in_parts_and_half_precision(data, tmp_path, precision):
    run = fine_tuning_options(
        data, tmp_path, num_train_epochs=0.5, micro_batch_size=2, precision=precision
    )
    fine_tune(run)
    meta = read_meta(str(tmp_path / "model.ckpt-4"))
    assert meta["batch_plan"]["micro_batch"] == 2
    with open(tmp_path / "history.jsonl") as file:
        row = json.loads(file.readlines()[-1])
    assert 0.5 < row["classification_loss"] < 1.0
    weights = arrays(tmp_path / "model.ckpt-4")
    assert all(value.dtype != np.float16 for value in weights.values())


def test_run_that_is_to_stop_saves_and_evaluates_nothing(data, tmp_path, monkeypatch):
    monkeypatch.setattr(StopSignals, "requested", property(lambda self: True))
    fine_tune(fine_tuning_options(data, tmp_path, do_eval=True))
    assert (tmp_path / "model.ckpt-1.index").exists()
    assert not (tmp_path / "eval_results_albert_zh.txt").exists()


def test_other_training_data_in_the_same_directory_is_refused(data, tmp_path):
    fine_tune(fine_tuning_options(data, tmp_path / "out"))
    other = tmp_path / "other"
    other.mkdir()
    small.write_task(other, labels=("1", "0"))
    with pytest.raises(
        ValueError, match=r"another run: .*/other/train\.txt is not its training data\. In"
    ):
        fine_tune(fine_tuning_options(data, tmp_path / "out", data_dir=str(other)))
    with pytest.raises(ValueError, match="its train_batch_size is 8, this one's is 4"):
        fine_tune(fine_tuning_options(data, tmp_path / "out", train_batch_size=4))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"do_train": False}, "nothing to do"),
        ({"do_train": False, "do_eval": True}, "there is no checkpoint in --output_dir="),
        ({"task_name": "lqcmc"}, "unknown task 'lqcmc'"),
        ({"max_seq_length": 64}, "exceeds max_position_embeddings 32"),
        ({"train_batch_size": 65}, "lower --train_batch_size"),
        ({"predict_batch_size": -1}, "--predict_batch_size=-1: it must be at least 1"),
        ({"vocab_file": None}, "set --vocab_file"),
        ({"num_train_epochs": 0.01}, "--num_train_epochs=0.01 of 64 examples are less than one"),
        ({"warmup_proportion": 1.5}, "--warmup_proportion=1.5: it must be at least 0 and at most"),
        ({"data_dir": "nowhere"}, "task lcqmc has no train file"),
        ({"init_checkpoint": "nowhere/model.ckpt"}, "there is no checkpoint"),
        ({"keep_checkpoint_max": -1}, "keep_checkpoint_max"),
    ],
)
def test_mistakes_are_named_before_any_training(data, tmp_path, changes, message):
    with pytest.raises((ValueError, OSError), match=message):
        fine_tune(fine_tuning_options(data, tmp_path, **changes))
    assert not list(tmp_path.glob("model.ckpt-*"))


def test_positions_are_continued_for_a_training_alone(data, tmp_path):
    trained = fine_tuning_options(data, tmp_path, trained_positions=16)
    with pytest.raises(ValueError, match="--trained_positions needs --init_checkpoint"):
        trained.check()
    with pytest.raises(ValueError, match="--trained_positions needs --do_train=True"):
        dataclasses.replace(trained, do_train=False, do_eval=True).check()


def test_vocabulary_of_another_size_is_refused(data, tmp_path):
    (tmp_path / "vocab.txt").write_text("\n".join(small.VOCABULARY[:-1]) + "\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"vocab\.txt has 27 entries.*vocab_size 28"):
        fine_tune(
            fine_tuning_options(data, tmp_path / "out", vocab_file=str(tmp_path / "vocab.txt"))
        )


def test_configuration_of_the_other_lineage_is_refused(data, tmp_path):
    path = small.write_config(data, name="brightmart.json", **small.BRIGHTMART)
    weights = PretrainingModel(ModelConfig.from_json_file(path))
    prefix = write_weights(weights, tmp_path / "albert_model.ckpt")
    with pytest.raises(ValueError, match=r"of the brightmart lineage.*key ln_type"):
        fine_tune(fine_tuning_options(data, tmp_path / "out", init_checkpoint=prefix))


def test_configuration_of_another_size_is_refused(data, tmp_path):
    weights = PretrainingModel(ModelConfig.from_json_file(small.write_config(data)))
    prefix = write_weights(weights, tmp_path / "albert_model.ckpt")
    config = small.write_config(data, name="wide.json", intermediate_size=48)
    with pytest.raises(
        ValueError, match=r"misshapen .*ffn_1/intermediate/dense/kernel.*\(16, 48\)"
    ):
        fine_tune(
            fine_tuning_options(
                data, tmp_path / "out", bert_config_file=config, init_checkpoint=prefix
            )
        )


def test_files_beside_the_initial_checkpoint_need_no_flags(data, tmp_path):
    config = ModelConfig.from_json_file(small.write_config(data))
    prefix = write_weights(PretrainingModel(config), tmp_path / "albert_model.ckpt")
    write_companions(str(tmp_path), config, Vocab.load(os.path.join(data, "vocab.txt")))
    unnamed = {"bert_config_file": None, "vocab_file": None}
    for number, source in enumerate((prefix, tmp_path)):
        output_dir = tmp_path / f"out{number}"
        run = fine_tuning_options(data, output_dir, init_checkpoint=str(source), **unnamed)
        run.check()
        fine_tune(run)
        assert (output_dir / "vocab.txt").exists()


def test_our_vocabulary_never_meets_weights_of_another_toolkit(data, tmp_path):
    size = len(Vocab.load(PROJECT_VOCABULARY))
    config = small.write_config(data, name="published.json", vocab_size=size)
    weights = PretrainingModel(ModelConfig.from_json_file(config))
    ours = {"vocab_file": PROJECT_VOCABULARY, "bert_config_file": config}
    ours["init_checkpoint"] = write_weights(weights, tmp_path / "albert_model.ckpt")
    with pytest.raises(ValueError, match="comes from another toolkit"):
        fine_tune(fine_tuning_options(data, tmp_path / "out", **ours))


def test_training_order_does_not_depend_on_where_it_was_interrupted(data, tmp_path):
    run = fine_tuning_options(data, tmp_path)
    tokenizer = load_tokenizer(run.vocab_file)
    prepared = prepare_data(run, find_task("lcqmc"), tokenizer)
    order = training_order(run, prepared, 0)
    whole = [next(order).indices.tolist() for _ in range(20)]
    for step in (3, 8, 13):
        resumed = training_order(run, prepared, step)
        assert [next(resumed).indices.tolist() for _ in range(20 - step)] == whole[step:]
    assert sorted(index for batch in whole[:8] for index in batch) == list(range(64))


def test_fine_tuned_initial_checkpoint_is_evaluated_and_predicts(data, learned, tmp_path):
    best = json.loads((learned / "best_checkpoint.json").read_text())["checkpoint"]
    fine_tune(
        fine_tuning_options(
            data,
            tmp_path,
            init_checkpoint=str(learned),
            eval_batch_size=5,
            use_pooled_output=False,
            do_train=False,
            do_eval=True,
            do_predict=True,
        )
    )
    (block,) = (tmp_path / "eval_results_albert_zh.txt").read_text().split("***** Eval")[1:]
    assert f"{learned}/{best} *****" in block
    wanted = (learned / "eval_results_albert_zh.txt").read_text()
    assert block.split("*****")[1] in wanted
    predictions = [np.loadtxt(folder / "test_results.tsv") for folder in (tmp_path, learned)]
    np.testing.assert_allclose(*predictions, atol=1e-6)
    assert not list(tmp_path.glob("model.ckpt-*"))


@pytest.mark.parametrize("flag", ["do_eval", "do_predict"])
def test_checkpoint_without_head_is_not_evaluated(flag, data, tmp_path):
    weights = PretrainingModel(ModelConfig.from_json_file(small.write_config(data)))
    prefix = write_weights(weights, tmp_path / "albert_model.ckpt")
    given = {"init_checkpoint": prefix, "do_train": False, flag: True}
    with pytest.raises(ValueError, match=r"albert_model\.ckpt is not fine-tuned: .*train it first"):
        fine_tune(fine_tuning_options(data, tmp_path / "out", **given))


@pytest.mark.parametrize("flag", ["do_eval", "do_predict"])
def test_head_of_another_task_is_not_evaluated(flag, data, learned, tmp_path):
    row = json.dumps({"premise": "你好", "hypo": "再见", "label": "neutral"})
    for name in ("dev.json", "test.json"):
        (tmp_path / name).write_text(f"{row}\n")
    options = fine_tuning_options(
        data,
        tmp_path / "out",
        init_checkpoint=str(learned),
        do_train=False,
        task_name="xnli",
        data_dir=str(tmp_path),
        **{flag: True},
    )
    with pytest.raises(ValueError, match="does not fit xnli: its labels are 0, 1, those of this"):
        fine_tune(options)


def test_evaluation_may_read_less_of_each_text_and_training_may_not(data, learned):
    shorter = {"max_seq_length": 8, "use_pooled_output": False, "save_checkpoints_steps": 16}
    copy = learned.parent / "shorter"
    shutil.copytree(learned, copy)
    fine_tune(fine_tuning_options(data, copy, do_train=False, do_eval=True, **shorter))
    with pytest.raises(ValueError, match="its task: max_seq_length is 16, this one's is 8"):
        fine_tune(fine_tuning_options(data, copy, **shorter))


def test_checkpoint_of_other_programs_in_the_output_directory_meets_the_vocabulary_check(
    data, tmp_path
):
    config = ModelConfig.from_json_file(small.write_config(data))
    out = tmp_path / "out"
    out.mkdir()
    write_weights(Classifier(config, 2), out / "model.ckpt-8")
    (out / "vocab.txt").write_text("\n".join(["[PAD]", *small.VOCABULARY[:0:-1]]) + "\n")
    with pytest.raises(ValueError, match=r"model\.ckpt-8 was trained with another vocabulary"):
        fine_tune(fine_tuning_options(data, out, do_train=False, do_eval=True))
