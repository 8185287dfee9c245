"""Reading, tagging and multiple choice from files to predictions."""

import json
import os
import random

import pytest
import small
from small import fine_tuning_options

import albert_zh
from albert_zh.export.bundle import export_model
from albert_zh.finetuning.run import fine_tune
from albert_zh.inference.load import load_model
from albert_zh.tasks.examples import Entity

SIZES = {"train": 96, "dev": 16, "test": 8}


def reading_files(rng):
    """Where the only city of the context stands."""
    for split, size in SIZES.items():
        paragraphs = []
        for number in range(size):
            city, before = rng.choice(small.CITIES), "今天很" * rng.randint(0, 3)
            question = {"id": f"{split}{number}", "question": "去", "answers": []}
            question["answers"].append({"text": city, "answer_start": len(before)})
            paragraphs.append({"context": f"{before}{city}有雨", "qas": [question]})
        yield f"{split}.json", {"data": [{"paragraphs": paragraphs}]}


def tagging_files(rng):
    """Cities are addresses."""
    for split, size in SIZES.items():
        lines = []
        for _ in range(size):
            text = "".join(rng.choice([*small.CITIES, *"今天很有雨"]) for _ in range(6))
            places = {}
            for place, character in enumerate(text):
                if character in small.CITIES:
                    places.setdefault(character, []).append([place, place])
            row = {"text": text, "label": {"address": places} if places else {}}
            lines.append(json.dumps(row, ensure_ascii=False))
        yield f"{split}.json", "\n".join(lines)


def choice_files(rng):
    """The choice that is a city."""
    for split, size in SIZES.items():
        rows = []
        for number in range(size):
            choices = rng.sample(small.QUESTIONS, rng.randint(1, 3))
            answer = rng.choice(small.CITIES)
            choices.insert(rng.randint(0, len(choices)), answer)
            asked = {"question": "去", "choice": choices, "answer": answer}
            rows.append([["今天", "有雨"], [asked], str(number)])
        for kind, part in (("d", rows[::2]), ("m", rows[1::2])):
            yield f"c3-{kind}-{split}.json", part


TASKS = {
    "cmrc2018": (reading_files, "exact_match", 90.0, "predictions_answers.json"),
    "cluener": (tagging_files, "f1_address", 0.9, "predictions_entities.json"),
    "c3": (choice_files, "accuracy", 0.9, "submit_results.tsv"),
}


@pytest.fixture(params=TASKS)
def task(request, tmp_path):
    make, metric, target, file = TASKS[request.param]
    for name, content in make(random.Random(4)):
        text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
        (tmp_path / name).write_text(text, encoding="utf-8")
    small.write_vocabulary(tmp_path)
    options = fine_tuning_options(
        tmp_path,
        tmp_path / "out",
        task_name=request.param,
        do_eval=True,
        do_predict=True,
        max_seq_length=24,
        num_train_epochs=20.0,
        use_pooled_output=False,
        save_checkpoints_steps=24,
    )
    return options, metric, target, file


def test_kind_learns_predicts_and_is_loaded(task, tmp_path):
    options, metric, target, file = task
    fine_tune(options)
    with open(os.path.join(options.output_dir, "predictions.json")) as content:
        facts = json.load(content)
    assert facts["scores"][metric] >= target
    assert file in facts["files"]
    with open(os.path.join(options.output_dir, file), encoding="utf-8") as content:
        assert content.read().strip()
    predictor = albert_zh.load(options.output_dir)
    texts = {
        "reading": ("去", "今天很京有雨"),
        "tagging": "今天京有雨",
        "choice": ("今天", "去", "冷", "京"),
    }
    (prediction,) = predictor.predict([texts[predictor.kind.name]])
    if predictor.kind.name == "reading":
        assert prediction.text == "京"
    elif predictor.kind.name == "tagging":
        assert prediction.entities == (Entity(2, 3, "address"),)
    else:
        assert prediction.label in "01"
    with pytest.raises(ValueError, match=r"is not|is no choice|is neither"):
        predictor.predict([("a", "b", "c")])
    model = load_model(options.output_dir)
    export = {"export_dir": str(tmp_path / "export"), "formats": ["saved_model"]}
    assert export_model(model, **export)["task"]["kind"] == predictor.kind.name
    exported = albert_zh.load(export["export_dir"])
    assert exported.predict([texts[predictor.kind.name]]) == [prediction] or (
        predictor.kind.name == "choice"  # whose probabilities differ in the last digit
    )
