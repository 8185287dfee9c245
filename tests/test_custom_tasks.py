"""The user's own files: columns, labels, a dev set out of train, task.json, predictions."""

import csv
import dataclasses
import gzip
import json
import random

import numpy as np
import pytest
import small
from hypothesis import given
from hypothesis import strategies as st

import albert_zh
from albert_zh.finetuning.options import ClassifierOptions
from albert_zh.finetuning.run import fine_tune
from albert_zh.tasks.custom import infer_task, load_task, to_json
from albert_zh.tasks.custom_forms import custom_task
from albert_zh.tasks.examples import (
    Answer,
    ChoiceExample,
    Entity,
    Example,
    ReadingExample,
    Split,
    TaggingExample,
)
from albert_zh.tasks.kinds.classification import LabelPrediction
from albert_zh.tasks.kinds.reading import READING, TextPrediction
from albert_zh.tasks.readers import named
from albert_zh.tasks.splits import hold_out_fold, read_split, split_off
from albert_zh.tasks.task import Keys


@pytest.fixture
def write(tmp_path):
    def written(content: str, name: str = "my.csv") -> str:
        path = tmp_path / name
        data = content.encode()
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return str(path)

    return written


def examples(task, path, split="train"):
    return [(each.texts, each.label, each.id) for each in task.read(task, path, split).examples]


CSV = 'id,text,class,source\n7,你好,闲聊,a\n8,"退货,怎么办",服务,b\n'
ROWS = [(("你好",), "闲聊", "7"), (("退货,怎么办",), "服务", "8")]
JSON = "\n".join(
    json.dumps(dict(zip(("id", "text", "class"), row, strict=True)), ensure_ascii=False)
    for row in ((7, "你好", "闲聊"), (8, "退货,怎么办", "服务"))
)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("my.csv", CSV),
        ("my.csv.gz", CSV),
        ("my.tsv", "id\ttext\tclass\n7\t你好\t闲聊\n8\t退货,怎么办\t服务\n"),
        ("my.jsonl", JSON),
        ("my.json.gz", JSON),
    ],
)
def test_columns_with_telling_names_need_no_flags(write, name, content):
    path = write(content, name)
    task = infer_task(path)
    assert task.labels == ("服务", "闲聊")
    assert examples(task, path) == ROWS


def test_flags_name_columns(write):
    path = write("甲,乙,丙,丁\n一,二,x,9\n三,四,y,8\n")
    task = infer_task(path, text_columns="乙,甲", label_column="丙")
    assert examples(task, path) == [(("二", "一"), "x", None), (("四", "三"), "y", None)]
    assert "丁" in task.read(task, path, "train").notes[0]


def test_columns_of_a_file_without_header_have_numbers(write):
    path = write("你好\t0\n再见\t1\n", "my.tsv")
    task = infer_task(path, text_columns="1", label_column="2")
    assert examples(task, path) == [(("你好",), "0", None), (("再见",), "1", None)]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [(("10", "9", "-1.5"), ("-1.5", "9", "10")), (("b", "a", "10"), ("10", "a", "b"))],
)
def test_labels_are_ordered_as_numbers_if_all_are(write, labels, expected):
    path = write("text,label\n" + "".join(f"你好,{label}\n" for label in labels))
    assert infer_task(path).labels == expected


@pytest.mark.parametrize(
    ("content", "flags", "message"),
    [
        ("a,b\n你,x\n", {}, r"which of its columns \(a, b\) hold the texts and the labels"),
        ("text,label\n你,x\n好,y\n", {"text_columns": "txt"}, "no column 'txt'; its columns are"),
        ("text,label\n你,x\n好,y\n", {"label_column": "class"}, "no column 'class'"),
        ("text,text,label\n你,好,x\n", {}, "two columns are called 'text'"),
        ("text,label\n你,x\n好\n", {}, "line 3: 1 columns, expected 2"),
        ("text,label\n你,x\n好,x\n", {}, "column 'label' holds one label: x"),
        ("text,label\n你,\n", {}, "column 'label' holds no label"),
        ("text,label\n" + "".join(f"你,{n}\n" for n in range(30)), {}, "30 different labels in 30"),
        ("", {}, "is empty"),
        ("question1,question2,title,label\n你,好,吗,x\n", {}, "which of its columns"),
    ],
)
def test_unclear_file_is_an_error_with_the_way_out(write, content, flags, message):
    with pytest.raises(ValueError, match=message):
        infer_task(write(content), **flags)


@pytest.mark.parametrize(
    ("rows", "split", "message"),
    [
        ("好,z\n", "train", "line 2: unknown label 'z'; the labels of custom are x, y"),
        ("好,\n", "dev", "line 2: the label is empty; fill it in"),
        (" ,x\n", "train", "line 2: the text in column 'text' is ' '"),
        ("", "train", "holds no examples"),
    ],
)
def test_bad_row_is_named(write, rows, split, message):
    task = infer_task(write("text,label\n你,x\n好,y\n"))
    with pytest.raises(ValueError, match=message):
        task.read(task, write(f"text,label\n{rows}", "other.csv"), split)


def test_file_to_predict_may_lack_labels_and_have_other_columns(write):
    task = infer_task(write("text,label\n你,x\n好,y\n"))
    assert examples(task, write("n,text\n1,你\n", "new.csv"), "test") == [(("你",), None, None)]
    with pytest.raises(ValueError, match="no column 'text', which the task reads"):
        task.read(task, write("txt\n你\n", "bad.csv"), "test")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("new.txt", "你好\n再见,怎么办\n"),
        ("new.txt.gz", "你好\n再见,怎么办\n"),
        ("new.txt", "sentence\n你好\n再见,怎么办\n"),
        ("new.txt", "n\ttext\n1\t你好\n2\t再见,怎么办\n"),
        ("new.csv", 'label,n,text\nx,1,你好\n,2,"再见,怎么办"\n'),
        ("new.jsonl", '{"text": "你好"}\n{"text": "再见,怎么办", "label": "x"}\n'),
    ],
)
def test_file_to_predict_may_have_many_forms(write, name, content):
    task = infer_task(write("text,label\n你,x\n好,y\n"))
    assert [texts for texts, *_ in examples(task, write(content, name), "test")] == [
        *(("你好",), ("再见,怎么办",)),
    ]


def test_texts_alone_suit_columns_with_numbers(write):
    task = infer_task(write("x\t你\ny\t好\n", "my.tsv"), text_columns="2", label_column="1")
    assert examples(task, write("你好\n", "new.txt"), "test") == [(("你好",), None, None)]
    assert examples(task, write("x\t你好\n", "new.txt"), "test") == [(("你好",), "x", None)]


def test_pairs_alone_are_read_and_a_single_text_is_named(write):
    task = infer_task(write("a1,a2,label\n你,我,x\n好,坏,y\n"), text_columns="a1,a2")
    assert examples(task, write("你\t我\n", "new.txt"), "test") == [(("你", "我"), None, None)]
    for content, message in (
        ("你\t我\n你好\n", "line 2: 1 columns, where the task takes two texts with a tab"),
        ("你好\n", r"line 1: 1 columns, where the task takes two .* \(a1, a2\)"),
    ):
        with pytest.raises(ValueError, match=message):
            examples(task, write(content, "new.txt"), "test")
    with pytest.raises(ValueError, match=r"new\.jsonl, line 1: there is no 'a2', only a1"):
        examples(task, write('{"a1": "你"}\n{"a1": "你", "a2": "我"}\n', "new.jsonl"), "test")


def test_ids_that_stand_for_several_examples_are_told(write):
    path = write("id,text,label\n7,你,a\n7,好,b\n8,我,a\n")
    task = dataclasses.replace(infer_task(path), files={"train": (path,)})
    notes = read_split(task, data_dir=None, split="train").notes
    assert any("1 ids stand for several examples: 7 ..." in note for note in notes)


def test_answers_of_questions_with_one_id_are_not_found_by_it():
    examples = [ReadingExample("谁？", "小明。", id=name) for name in ("A", "B", "A")]
    answers = [TextPrediction(text, 0.9) for text in "小明。"]
    assert READING.submission(examples, answers, ()) == {}
    ((_, content),) = READING.submission(examples[:2], answers[:2], ()).items()
    assert json.loads(content) == {"A": "小", "B": "明"}


def test_task_file_is_a_task(write, tmp_path):
    task = infer_task(write(CSV))
    path = write(to_json(task), "task.json")
    assert load_task(path) == task


@pytest.mark.parametrize(
    ("key", "value"),
    [("texts", "text"), ("labels", ["a"]), ("kind", "regresion"), ("label", None), ("texts", [])],
)
def test_damaged_task_file_is_named(write, key, value):
    values = json.loads(to_json(infer_task(write(CSV))))
    path = write(json.dumps({**values, key: value}), "task.json")
    with pytest.raises(ValueError, match=r"task\.json"):
        load_task(path)


def test_training_file_is_read_once(write, monkeypatch):
    opened = []
    real = named.read_table
    monkeypatch.setattr(named, "read_table", lambda path: opened.append(path) or real(path))
    path = write(CSV)
    tasks = [infer_task(path) for _ in range(2)]
    assert examples(tasks[1], path) == ROWS
    assert opened == [path]
    # A file that changed is read again.
    write(CSV + "9,再见,告别,c\n")
    assert infer_task(path).labels == ("告别", "服务", "闲聊")


# ---- other kinds of tasks

BIO = "小 B-PER\n明 I-PER\n在 O\n北 B-LOC\n京 I-LOC\n\n你 O\n好 O\n"
MARKED = (Entity(0, 2, "PER"), Entity(3, 5, "LOC"))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("my.txt", BIO),
        ("my.bio.gz", BIO),
        ("my.jsonl", '{"text": "小明在北京", "label": [[0, 2, "PER"], [3, 5, "LOC"]]}\n'),
        (
            "my.json",
            '{"text": "小明在北京", "label": {"PER": {"小明": [[0, 1]]}, '
            '"LOC": {"北京": [[3, 4]]}}}\n',
        ),
    ],
)
def test_types_of_entities_are_found(write, name, content):
    path = write(content, name)
    task = infer_task(path, kind="tagging")
    assert (task.kind.name, task.labels, task.metric) == ("tagging", ("LOC", "PER"), "f1")
    assert task.read(task, path, "train").examples[0].entities == MARKED


QUESTION = {"id": "q1", "question": "在哪里？", "answers": [{"text": "北京", "answer_start": 3}]}
CONTEXT = "小明在北京工作。"


def lines(*rows):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("my.json", lines({"data": [{"paragraphs": [{"context": CONTEXT, "qas": [QUESTION]}]}]})),
        ("my.jsonl", lines({"context": CONTEXT, **QUESTION})),
        ("my.json.gz", lines(*[{"context": CONTEXT, **QUESTION}] * 2)),
        (
            "my.jsonl.gz",
            lines(
                {
                    **QUESTION,
                    "context": CONTEXT,
                    "answers": {"text": ["北京"], "answer_start": [3]},
                }
            ),
        ),
    ],
)
def test_questions_stand_in_an_object_as_of_squad_or_on_lines(write, name, content):
    path = write(content, name)
    task = infer_task(path, kind="reading")
    assert (task.kind.name, task.labels, task.metric) == ("reading", (), "average")
    example = task.read(task, path, "train").examples[0]
    assert (example.question, example.context, example.id) == ("在哪里？", CONTEXT, "q1")
    assert example.answers == (Answer("北京", 3),)


def test_questions_without_an_answer_make_a_task_with_that_label(write):
    none = {"question": "When?", "context": "In Oslo.", "answers": {"text": [], "answer_start": []}}
    some = {**none, "answers": {"text": ["Oslo"], "answer_start": [3]}}
    task = infer_task(write(lines(none, some), "my.jsonl"), kind="reading")
    assert (task.labels, task.metric) == (("",), "f1")


CHOICES = {"text": "女：我去南方工作。", "question": "谈论什么？", "choices": ["旅行", "工作"]}


@pytest.mark.parametrize("label", [1, "1", "B", "工作"])
def test_choices_are_numbered_lettered_or_written_out(write, label):
    path = write(lines({**CHOICES, "label": label}), "my.jsonl")
    task = infer_task(path, kind="choice")
    assert (task.kind.name, task.labels) == ("choice", ("0", "1"))
    (example,) = task.read(task, path, "train").examples
    assert (example.choices, example.label) == (("旅行", "工作"), "1")


@pytest.mark.parametrize(
    ("kind", "content", "message"),
    [
        ("tagging", "小 O\n明 I-PER\n", "line 2: I-PER follows no B-PER"),
        ("tagging", "小 O\n明 O\n", "marks no part of a text; expected a character and a tag"),
        ("reading", lines({**QUESTION, "context": CONTEXT})[:-3], "is no reading file"),
        ("reading", lines({**QUESTION, "context": ""}), "question q1: its context is ''"),
        ("reading", lines({"context": CONTEXT, "question": "谁？"}), "question 谁？: no answers"),
        (
            "choice",
            lines({**CHOICES, "label": "2"}),
            "line 1: the label '2' is none of the choices",
        ),
        ("choice", lines({**CHOICES, "choices": ["a"]}), "line 1: its choices are"),
        ("choice", lines(CHOICES), "line 1: no label; only the test file may lack labels"),
        ("choice", lines(CHOICES)[:-3], "line 1: no JSON"),
    ],
)
def test_bad_file_of_another_kind_is_named(write, kind, content, message):
    path = write(content, "my.txt" if kind == "tagging" else "my.json")

    def read():
        task = infer_task(path, kind=kind)
        task.read(task, path, "train")

    with pytest.raises(ValueError, match=message):
        read()


def test_questions_of_unequal_numbers_of_choices_are_read_and_more_than_in_train_refused(write):
    three = {**CHOICES, "choices": ["旅行", "工作", "家庭"], "label": 0}
    path = write(lines({**CHOICES, "label": 0}, three), "my.jsonl")
    task = infer_task(path, kind="choice")
    assert task.labels == ("0", "1", "2")
    four = write(lines({**three, "choices": list("甲乙丙丁")}), "dev.jsonl")
    with pytest.raises(ValueError, match="line 1: 4 choices; the task has 3 at most"):
        task.read(task, four, "dev")


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("tagging", BIO),
        ("reading", lines({**QUESTION, "context": CONTEXT})),
        (
            "reading",
            lines({**QUESTION, "context": "In Oslo.", "answers": {"text": [], "answer_start": []}}),
        ),
        ("choice", lines({**CHOICES, "label": 0})),
    ],
)
def test_task_file_of_every_kind_is_a_task(write, kind, content):
    task = infer_task(write(content, "my.txt" if kind == "tagging" else "my.json"), kind=kind)
    assert load_task(write(to_json(task), "task.json")) == task


def test_columns_are_flags_of_tables_only(write):
    with pytest.raises(ValueError, match="name columns of tables; files of --kind=tagging have"):
        infer_task(write(BIO, "my.txt"), kind="tagging", text_columns="a")


# ---- a dev set out of train


@given(st.lists(st.sampled_from("abcdefghijklmnop"), min_size=12, max_size=60), st.integers(0, 5))
def test_split_is_stable_stratified_and_keeps_equal_texts_together(letters, seed):
    rows = tuple(Example(letter, label=str(letter < "h")) for letter in letters)
    whole = Split("train", "my.csv", rows, sha256="x")
    try:
        train, dev = split_off(whole, 0.3, labels=("True", "False"), seed=seed)
    except ValueError:
        assert len(set(letters)) < 6
        return
    assert not {each.texts for each in train.examples} & {each.texts for each in dev.examples}
    assert sorted(map(repr, train.examples + dev.examples)) == sorted(map(repr, rows))
    shuffled = dataclasses.replace(whole, examples=rows[::-1])
    assert set(split_off(shuffled, 0.3, labels=("True", "False"), seed=seed)[1].examples) == set(
        dev.examples
    )
    assert len({each.texts for each in dev.examples}) == round(0.3 * len(set(letters)))
    for label in ("True", "False"):
        groups = {each.texts for each in rows if each.label == label}
        of_dev = {each.texts for each in dev.examples if each.label == label}
        assert abs(len(of_dev) - 0.3 * len(groups)) <= 1
        if len(set(letters)) > 2:
            assert of_dev < groups or not groups, "train knows every label"
    added = dataclasses.replace(whole, examples=(*rows, Example("new", label="True")))
    after = set(split_off(added, 0.3, labels=("True", "False"), seed=seed)[1].examples)
    assert len({each.texts for each in after ^ set(dev.examples)}) <= 3


def test_small_classes_share_the_examples_of_dev():
    rows = tuple(Example(f"{label} {n}", label=label) for label in "abcdefghij" for n in range(4))
    whole = Split("train", "my.csv", rows)
    for seed in range(3):
        _, dev = split_off(whole, 0.1, labels="abcdefghij", seed=seed)
        assert len({each.label for each in dev.examples}) == len(dev.examples) == 4
    chosen = [split_off(whole, 0.1, labels="abcdefghij", seed=n)[1].examples for n in range(3)]
    assert len({frozenset(each.label for each in part) for part in chosen}) > 1


def test_split_that_leaves_nothing_is_an_error():
    whole = Split("train", "my.csv", 8 * (Example("a", label="x"), Example("b", label="y")))
    with pytest.raises(ValueError, match=r"0\.1 of 2 different examples leaves none for dev"):
        split_off(whole, 0.1, labels=("x", "y"))


@pytest.mark.parametrize("kind", ["reading", "regression", "tagging"])
def test_examples_without_classes_are_split_off_too(kind):
    answers = {
        "reading": lambda n: ReadingExample(f"q{n}", f"c{n}", (Answer(f"a{n}", 0),)),
        "regression": lambda n: Example(f"t{n}", label=str(n / 10)),
        "tagging": lambda n: TaggingExample(f"t{n}", (Entity(0, n % 3, "name"),)),
    }
    rows = tuple(map(answers[kind], range(50)))
    labels = ("name",) if kind == "tagging" else ()
    train, dev = split_off(Split("train", "my.csv", rows), 0.1, labels=labels)
    assert (len(train.examples), len(dev.examples)) == (45, 5)


@pytest.mark.parametrize(
    "make",
    [
        lambda text, n: ReadingExample(f"q{n}", text, (Answer(text, 0),)),
        lambda text, n: ChoiceExample(text, f"q{n}", ("yes", "no"), label=str(n % 2)),
    ],
)
def test_questions_about_a_text_are_not_parted(make):
    rows = tuple(make(f"text {n // 5}", n) for n in range(50))
    whole, labels = Split("train", "my.jsonl", rows), ("0", "1")
    parted = [split_off(whole, 0.3, labels=labels)]
    parted += [hold_out_fold(whole, fold, num_folds=3, labels=labels) for fold in (1, 2, 3)]
    for train, dev in parted:
        seen, held_out = ({each.shared_texts for each in part.examples} for part in (train, dev))
        assert len(seen) + len(held_out) == 10
        assert len(held_out) >= 3


@given(
    st.lists(st.sampled_from("abcdefghijklmnop"), min_size=12, max_size=60),
    st.integers(2, 4),
    st.integers(0, 5),
)
def test_folds_share_out_every_label_and_keep_equal_texts_together(letters, num_folds, seed):
    rows = tuple(Example(letter, label=str(letter < "h")) for letter in letters)
    whole, labels = Split("train", "my.csv", rows, sha256="x"), ("True", "False")
    groups = {label: {each.texts for each in rows if each.label == label} for label in labels}
    settings = {"num_folds": num_folds, "labels": labels, "seed": seed}
    if any(0 < len(texts) < num_folds for texts in groups.values()):
        with pytest.raises(ValueError, match=f"are fewer than --num_folds={num_folds}"):
            hold_out_fold(whole, 1, **settings)
        return
    parts = [hold_out_fold(whole, fold, **settings) for fold in range(1, num_folds + 1)]
    held_out = [each for _, dev in parts for each in dev.examples]
    assert sorted(map(repr, held_out)) == sorted(map(repr, rows))
    for train, dev in parts:
        assert not {each.texts for each in train.examples} & {each.texts for each in dev.examples}
        assert len(train.examples) + len(dev.examples) == len(rows)
        for texts in groups.values():
            share = len(texts) / num_folds
            assert abs(len(texts & {each.texts for each in dev.examples}) - share) < 1
    assert len({dev.sha256 for _, dev in parts}) == num_folds
    shuffled = dataclasses.replace(whole, examples=rows[::-1])
    assert set(hold_out_fold(shuffled, 1, **settings)[1].examples) == set(parts[0][1].examples)


def test_fold_without_a_label_is_an_error():
    rows = (*(Example(letter, label="x") for letter in "abcd"), Example("e", label="y"))
    with pytest.raises(ValueError, match="1 different examples of label 'y' are fewer than --num"):
        hold_out_fold(Split("train", "my.csv", rows), 1, num_folds=2, labels=("x", "y"))


# ---- from a CSV to predictions


def test_three_hundred_rows_of_a_csv_become_a_model_that_predicts(tmp_path, caplog):
    rng = random.Random(5)
    words = {"天气": "冷热", "距离": "远", "价钱": "贵"}

    def rows(number):
        for _ in range(number):
            label = rng.choice(list(words))
            city, word = rng.choice(small.CITIES), rng.choice(words[label])
            yield {"question": f"去{city}{word}吗", "class": label, "n": rng.random()}

    with open(tmp_path / "mine.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["n", "question", "class"])
        writer.writeheader()
        writer.writerows(rows(300))
    new = list(rows(20))
    lines = (json.dumps({"question": row["question"]}, ensure_ascii=False) for row in new)
    (tmp_path / "new.jsonl").write_text("\n".join(lines), encoding="utf-8")
    small.write_vocabulary(tmp_path)
    options = small.fine_tuning_options(
        tmp_path,
        tmp_path / "out",
        data_dir=None,
        task_name="custom",
        train_file=str(tmp_path / "mine.csv"),
        dev_fraction=0.1,
        do_eval=True,
        num_train_epochs=4.0,
        learning_rate=0.001,
        use_pooled_output=False,
        save_checkpoints_steps=60,
    )
    options.check()
    with caplog.at_level("INFO", logger="absl"):
        fine_tune(options)
    with open(tmp_path / "out" / "best_checkpoint.json") as file:
        assert json.load(file)["eval_accuracy"] > 0.9
    assert load_task(str(tmp_path / "out" / "task.json")).labels == ("价钱", "天气", "距离")
    assert "texts are read from 'question', labels from 'class'" in caplog.text
    assert json.loads((tmp_path / "out" / "metrics.json").read_text())["dev_fraction"] == 0.1
    moved, elsewhere = tmp_path / "moved", tmp_path / "elsewhere"
    (tmp_path / "out").rename(moved)
    (tmp_path / "mine.csv").unlink()
    for output_dir in (None, str(elsewhere)):
        predict = ClassifierOptions(
            model=str(moved),
            input_file=str(tmp_path / "new.jsonl"),
            output_dir=output_dir,
            do_predict=True,
        )
        predict.check()
        fine_tune(predict)
    written = (moved / "new.predictions.tsv").read_bytes()
    assert (elsewhere / "new.predictions.tsv").read_bytes() == written
    with open(moved / "new.predictions.tsv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert [row["question"] for row in rows] == [row["question"] for row in new]
    predicted = [row["prediction"] for row in rows]
    hits = sum(one == row["class"] for one, row in zip(predicted, new, strict=True))
    assert hits >= 18


def regression_options(folder, **changes) -> ClassifierOptions:
    """Of a training on the numbers of a folder's train.tsv and dev.tsv."""
    small.write_vocabulary(folder)
    common = {"task_name": "custom", "kind": "regression", "do_eval": True}
    return small.fine_tuning_options(folder, folder / "out", **common, **changes)


def test_numbers_are_learnt_as_numbers(tmp_path):
    rng = random.Random(6)
    for name, size in (("train", 160), ("dev", 24)):
        with open(tmp_path / f"{name}.tsv", "w", encoding="utf-8") as file:
            file.write("text\tscore\n")
            for _ in range(size):
                words = rng.choices("冷热远贵今天去坐", k=5)
                file.write(f"{''.join(words)}\t{sum(each in '冷热' for each in words) / 2}\n")
    options = regression_options(
        tmp_path,
        do_predict=True,
        input_file=str(tmp_path / "dev.tsv"),
        use_pooled_output=False,
        num_train_epochs=12.0,
        learning_rate=0.003,
        save_checkpoints_steps=120,
    )
    options.check()
    fine_tune(options)
    with open(tmp_path / "out" / "predictions.json") as file:
        scores = json.load(file)["scores"]
    assert min(scores["pearson"], scores["spearman"]) > 0.8
    assert load_task(str(tmp_path / "out" / "task.json")).metric == "corr"
    (prediction,) = albert_zh.load(options.output_dir).predict(["冷热远"])
    assert isinstance(prediction.value, float)


def test_new_head_of_regression_begins_at_the_mean(tmp_path):
    (tmp_path / "train.tsv").write_text("text\tscore\n" + "冷\t70\n热\t90\n" * 8)
    (tmp_path / "dev.tsv").write_text("text\tscore\n冷\t70\n远\t95\n")
    options = regression_options(tmp_path, num_train_epochs=1.0)
    fine_tune(options)
    (prediction,) = albert_zh.load(options.output_dir).predict(["冷"])
    assert prediction.value == pytest.approx(80, abs=1)
    scores = json.loads((tmp_path / "out" / "metrics.json").read_text())["best"]["scores"]
    assert scores["mae"] == pytest.approx(12.5, abs=1)  # of 10 and 15
    assert scores["loss"] == pytest.approx(162.5, rel=0.1)


@pytest.mark.parametrize(
    ("columns", "names"),
    [
        (("问题", "答案"), ["问题", "答案"]),
        (("1", "2"), ["text_a", "text_b"]),
        (("prediction", "问题"), ["text_a", "问题"]),
        (("fold", "问题"), ["text_a", "问题"]),  # a cell of cross-validations
    ],
)
def test_rows_of_predictions_have_the_names_of_the_columns(columns, names):
    task = custom_task(Keys(columns), ("a", "b"))
    prediction = LabelPrediction("a", np.float32([0.75, 0.25]))
    row = task.kind.row(Example("一", "二"), prediction, task.labels)
    assert [name for name, value in row.items() if value in ("一", "二")] == names
    assert row["prediction"] == "a"


def test_label_that_is_no_number_is_named(write):
    task = infer_task(write("text,score\n你,1.5\n好,2\n"), kind="regression")
    assert task.labels == ()
    with pytest.raises(ValueError, match="line 2: the label 'much' is no number"):
        task.read(task, write("text,score\n你,much\n", "bad.csv"), "train")


def test_flags_that_contradict_are_refused(tmp_path):
    common = {"output_dir": str(tmp_path), "task_name": "lcqmc"}
    with pytest.raises(ValueError, match="--dev_file and --dev_fraction both name"):
        ClassifierOptions(**common, dev_file="a", dev_fraction=0.1)
    with pytest.raises(ValueError, match="--text_columns, --label_column and --kind are for"):
        ClassifierOptions(**common, label_column="a").task()


def test_the_same_flags_resume_a_run_and_other_columns_are_named(write, tmp_path):
    path = write("a,b,text,class\n我,x,你,1\n他,y,好,0\n")
    (tmp_path / "task.json").write_text(to_json(infer_task(path)), encoding="utf-8")
    common = {"output_dir": str(tmp_path), "task_name": "custom", "train_file": path}
    for flags in ({}, {"text_columns": " text", "label_column": "class", "kind": "classification"}):
        assert ClassifierOptions(**common, **flags).task().keys.texts == ("text",)
    for flags, message in (
        ({"text_columns": "a"}, r"--text_columns=a: .*task\.json says that this run reads text;"),
        ({"label_column": "b"}, r"--label_column=b: .*says that this run reads class"),
        ({"kind": "regression"}, r"--kind=regression: .* reads classification"),
    ):
        with pytest.raises(ValueError, match=message):
            ClassifierOptions(**common, **flags).task()


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("new.txt", "小明在北京\n你 好\n", ["小明在北京", "你 好"]),
        ("new.txt.gz", "小明在北京\n", ["小明在北京"]),
        ("new.txt", "小 B-a\n明 I-a\n\n好 O\n", ["小明", "好"]),
        ("new.txt", "小\n明\n\n好\n", ["小明", "好"]),
        ("new.txt", "小\n明\n", ["小明"]),
        ("new.jsonl", '{"text": "小明在北京"}\n', ["小明在北京"]),
    ],
)
def test_texts_without_marks_have_a_line_each_or_a_line_for_each_character(
    write, name, content, expected
):
    task = infer_task(write("小 B-a\n明 I-a\n好 O\n", "train.txt"), kind="tagging")
    found = task.read(task, write(content, name), "test").examples
    assert [each.text for each in found] == expected
