"""The report on data before a training: what is said, warned of and refused."""

import pytest
import small

from albert_zh.tasks.catalog import find_task
from albert_zh.tasks.custom import custom_task
from albert_zh.tasks.examples import Answer, Entity, Example, ReadingExample, Split, TaggingExample
from albert_zh.tasks.kinds import reading
from albert_zh.tasks.report import check_labels_differ, report
from albert_zh.tasks.row_writer import featurize_texts
from albert_zh.tasks.task import Keys
from albert_zh.tasks.token_report import token_lines
from albert_zh.text.tokenizers import load_tokenizer

LABELS = ("a", "b")
TASK = custom_task(Keys(("text",)), LABELS)


def split(name: str, *rows: tuple[str, str | None]) -> Split:
    return Split(name, f"{name}.csv", tuple(Example(text, label=label) for text, label in rows))


TRAIN = split("train", ("一", "a"), ("二", "b"), ("三", "a"))


def test_dev_examples_that_are_all_trained_on_are_warned_of():
    found = report([TRAIN, split("dev", ("二", "b"), ("一", "a"))], labels=LABELS)
    (warning,) = found.warnings()
    assert warning.startswith("all 2 dev examples are also in train: scores on them do not tell")
    assert "--dev_fraction=0.1" in warning
    assert not any("also in" in line for line in found.lines())


def test_dev_examples_that_are_partly_trained_on_are_counted():
    found = report([TRAIN, split("dev", ("二", "b"), ("四", "a"))], labels=LABELS)
    assert not list(found.warnings())
    assert "1 of the 2 dev examples are also in train" in found.lines()


def test_dev_examples_of_one_label_are_warned_of():
    found = report([TRAIN, split("dev", ("四", "a"), ("五", "a"))], labels=LABELS)
    (warning,) = found.warnings()
    assert warning.startswith("all 2 dev examples have the label 'a'")


def test_marked_parts_are_counted_by_type():
    examples = (
        TaggingExample("我在北京", (Entity(0, 1, "b"), Entity(2, 4, "a"))),
        TaggingExample("你在上海", (Entity(2, 4, "a"),)),
        TaggingExample("好", ()),
    )
    found = report([Split("train", "train.json", examples)], labels=LABELS)
    assert list(found.lines()) == ["train: 3 examples; 2 of 'a' (66.7%), 1 of 'b' (33.3%)"]


def test_training_examples_of_one_label_are_refused():
    check_labels_differ(TASK, TRAIN)
    with pytest.raises(
        ValueError, match=r"train\.csv: all 2 examples have the label 'a', so there"
    ):
        check_labels_differ(TASK, split("train", ("一", "a"), ("二", "a")))
    numbers = custom_task(Keys(("text",)), (), kind="regression")
    with pytest.raises(ValueError, match=r"have the label '2\.5'"):
        check_labels_differ(numbers, split("train", ("一", "2.5")))
    texts = Split("train", "train.json", (TaggingExample("一", ()), TaggingExample("二", ())))
    check_labels_differ(find_task("cluener"), texts)


def test_tokens_are_reported_with_the_most_frequent_unknown_characters(tmp_path):
    tokenizer = load_tokenizer(small.write_vocabulary(tmp_path))
    texts = ["今天很热", "今天去京很远", "龘热龘 丷", "热"]
    rows = split("train", *((text, "a") for text in texts))
    features = featurize_texts(
        [(text,) for text in texts], targets={}, tokenizer=tokenizer, max_seq_length=7
    )
    assert list(token_lines(rows, features, tokenizer, max_seq_length=7)) == [
        "train: rows have 6 tokens in the median, 7 or fewer in 95 % of them, and 7 at most",
        "train: 1 of 4 examples (25.0%) exceed 7 tokens and were truncated",
        "train: 3 tokens (13.64%) are unknown to the vocabulary, most often 龘 (2), 丷 (1)",
    ]


def test_nothing_is_said_of_tokens_that_are_all_known(tmp_path):
    tokenizer = load_tokenizer(small.write_vocabulary(tmp_path))
    features = featurize_texts([("今天",)], targets={}, tokenizer=tokenizer, max_seq_length=7)
    (line,) = token_lines(split("dev", ("今天", "a")), features, tokenizer, max_seq_length=7)
    assert (
        line == "dev: rows have 4 tokens in the median, 4 or fewer in 95 % of them, and 4 at most"
    )


def test_questions_without_an_answer_are_counted_as_such():
    questions = [
        ReadingExample("Where?", "in Oslo", (Answer("Oslo", 3),)),
        ReadingExample("Who?", "in Oslo", ()),
        ReadingExample("When?", "in Oslo", ()),
    ]
    found = report([Split("dev", "dev.json", tuple(questions))], labels=("",))
    assert "1 of 'an answer' (33.3%), 2 of 'no answer' (66.7%)" in next(found.lines())
    assert not list(found.warnings())


def test_questions_that_are_cut_are_counted(tmp_path):
    tokenizer = load_tokenizer(small.write_vocabulary(tmp_path))
    rows = [
        ReadingExample("去" * length, "今天" * 50, (Answer("今", 0),)) for length in (9, 10, 70)
    ]
    for max_seq_length, line in (
        (24, "train: 1 of 3 questions (33.3%) exceed 10 tokens and were truncated"),
        (200, "train: 1 of 3 questions (33.3%) exceed 64 tokens and were truncated"),
    ):
        features = reading.featurize(
            rows, labels=(), tokenizer=tokenizer, max_seq_length=max_seq_length
        )
        split = Split("train", "train.json", tuple(rows))
        lines = [*token_lines(split, features, tokenizer, max_seq_length=max_seq_length)]
        assert line in lines
