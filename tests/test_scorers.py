"""Metrics against numbers worked out by hand by the rules of the official evaluations."""

import numpy as np
import pytest

from albert_zh.tasks.catalog import TASKS
from albert_zh.tasks.examples import Answer, Entity, Example, ReadingExample, TaggingExample
from albert_zh.tasks.kinds.classification import LabelPrediction
from albert_zh.tasks.kinds.reading import TextPrediction
from albert_zh.tasks.scorers import clue_reading, correlation, entities, measures, squad


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (" 《三国志》、1889年。", "三国志1889年"),
        ("A-B_c*D/e\\f~g`h+i=j^k", "abcdefghijk"),
        ("等等……好…", "等等……好…"),  # listed as one mark, but compared character by character
        ("‘a’, b. (c)! d?", "‘a, b. (c)! d?"),  # ‘ and ASCII marks stay
        ("x  y", "x  y"),  # inner blanks count
    ],
)
def test_marks_are_deleted_before_answers_are_compared(answer, expected):
    assert clue_reading.answer_text(answer) == expected


def test_no_answer_is_right_where_there_is_none():
    answers = {"q1": [], "q2": [], "q3": [], "q4": ["北京"]}
    predicted = {"q1": "", "q2": "北京", "q4": "北京"}
    assert clue_reading.scores(predicted, answers) == {"exact_match": 50, "f1": 50, "average": 50}


def test_clue_reading_scores_of_hand_made_answers():
    """
    q1  right                                    EM 1  F1 1
    q2  三国志 of 三国志》卷一: 3 of 3, 3 of 5      EM 0  F1 2 * 1 * 0.6 / 1.6 = 0.75
    q3  ab三 of 三ab: tokens ab 三 and 三 ab, run 1  EM 0  F1 0.5
    q4  second answer of two                      EM 1  F1 1
    q5  empty, q6 missing                         0     0
    """
    predicted = {"q1": "北京。", "q2": "三国志", "q3": "ab三", "q4": "1889 年", "q5": ""}
    answers = {
        "q1": ["北京"],
        "q2": ["三国志》卷一"],
        "q3": ["三ab"],
        "q4": ["一八八九年", "1889 年"],
        "q5": ["南京"],
        "q6": ["南京"],
    }
    scores = clue_reading.scores(predicted, answers)
    assert scores["exact_match"] == pytest.approx(100 * 2 / 6)
    assert scores["f1"] == pytest.approx(100 * (1 + 0.75 + 0.5 + 1) / 6)
    assert scores["average"] == pytest.approx((scores["exact_match"] + scores["f1"]) / 2)


def test_missing_answer_is_wrong_even_where_the_right_one_is_marks_alone():
    assert clue_reading.scores({}, {"q1": ["。"]})["exact_match"] == 0


def test_runs_that_are_not_chinese_are_tokenized_as_words():
    assert clue_reading.answer_tokens("共3.5 million元") == ["共", "3.5", "million", "元"]
    assert clue_reading.answer_tokens("a-b") == ["ab"]  # marks go before


def test_cluener_ignores_places_and_gives_0_to_labels_that_are_never_right():
    """
    name  found 小明 小红 in row 0, right 小明 in rows 0 and 1: 1 hit, F1 2 / (2 + 2) = 0.5
    book  found nothing, right 红楼梦: 0
    game  neither found nor right: 0
    """
    examples = [
        TaggingExample("小明和小明、小红", (Entity(0, 2, "name"), Entity(3, 5, "name"))),
        TaggingExample("小明读红楼梦", (Entity(0, 2, "name"), Entity(3, 6, "book"))),
    ]
    found = [[Entity(3, 5, "name"), Entity(6, 8, "name")], []]
    scores = entities.cluener_f1(examples, found, ("name", "book", "game"))
    assert scores == {"f1": pytest.approx(0.5 / 3), "f1_name": 0.5, "f1_book": 0, "f1_game": 0}


def test_correlations_of_hand_made_numbers():
    """Ranks of 1 2 3 4 and 1 2.5 2.5 4: differences 0 -.5 .5 0; with ties by Pearson on ranks."""
    first, second = np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.0, 5.0, 5.0, 6.0])
    scores = correlation.correlations(first, second)
    assert scores["pearson"] == pytest.approx(np.corrcoef(first, second)[0, 1])
    assert scores["spearman"] == pytest.approx(4.5 / np.sqrt(5 * 4.5))
    assert scores["corr"] == pytest.approx((scores["pearson"] + scores["spearman"]) / 2)


def test_constant_predictions_correlate_with_nothing():
    scores = correlation.correlations(np.ones(3), np.array([1.0, 2.0, 3.0]))
    assert scores == {"pearson": 0.0, "spearman": 0.0, "corr": 0.0}


def test_squad_2_scores_of_hand_made_answers():
    """
    q1  "The Eiffel-Tower." of "eiffeltower"                       EM 1  F1 1
    q2  "in Paris in May" of "Paris": 1 common, P 1/4, R 1          EM 0  F1 2 * .25 / 1.25 = 0.4
    q3  better of two answers: "red car" of "car" and "a red car"   EM 1  F1 1
    q4  no answer, predicted none                                   EM 1  F1 1
    q5  no answer, predicted "Rome"                                 0     0
    q6  answer "Oslo", predicted none; q7 missing                   0     0
    """
    predicted = {
        "q1": "The Eiffel-Tower.",
        "q2": "in Paris in May",
        "q3": "red car",
        "q4": "",
        "q5": "Rome",
        "q6": "",
    }
    answers = {
        "q1": ["eiffeltower"],
        "q2": ["Paris"],
        "q3": ["car", "a red car"],
        "q4": [],
        "q5": [],
        "q6": ["Oslo"],
        "q7": ["Bergen"],
    }
    assert squad.scores(predicted, answers) == {
        "exact_match": pytest.approx(100 * 3 / 7),
        "f1": pytest.approx(100 * 3.4 / 7),
        "has_answer_exact_match": pytest.approx(100 * 2 / 5),
        "has_answer_f1": pytest.approx(100 * 2.4 / 5),
        "no_answer_exact_match": 50.0,
        "no_answer_f1": 50.0,
    }


def test_words_of_squad_count_as_often_as_both_have_them():
    """In "a b b" the article goes; of "b b b" two are common: P 1, R 2/3, F1 4/3 / (5/3) = 0.8."""
    scores = squad.scores({"q": "a b b"}, {"q": ["b b b"]})
    assert scores == {"exact_match": 0.0, "f1": pytest.approx(80.0)}


def test_f1_of_entities_counts_places_and_types():
    """
    found 4, right 4, hits 2: LOC in row 0, PER in row 1; the others have another type or end
    LOC: found 3, right 2, hit 1: F1 2 / 5.  PER: found 1, right 2, hit 1: F1 2 / 3.  ORG: 0
    """
    right = [
        [Entity(0, 2, "LOC"), Entity(3, 5, "PER")],
        [Entity(0, 2, "PER"), Entity(3, 5, "LOC")],
    ]
    found = [
        [Entity(0, 2, "LOC"), Entity(3, 5, "LOC")],
        [Entity(0, 2, "PER"), Entity(3, 4, "LOC")],
    ]
    assert entities.placed_f1(right, found, ("LOC", "PER", "ORG")) == {
        "precision": 0.5,
        "recall": 0.5,
        "f1": 0.5,
        "f1_LOC": pytest.approx(2 / 5),
        "f1_PER": pytest.approx(2 / 3),
        "f1_ORG": 0.0,
    }


def test_matthews_correlation_and_f1_of_a_table_of_four():
    """
    tp 3  fp 1  fn 2  tn 4:  (3 * 4 - 1 * 2) / sqrt(4 * 5 * 5 * 6) = 10 / sqrt(600)
    F1 of the second label: 2 * 3 / (4 + 5)
    """
    pairs = [("1", "1")] * 3 + [("1", "0")] + [("0", "1")] * 2 + [("0", "0")] * 4
    examples = [Example("a", label=right) for _, right in pairs]
    predictions = [LabelPrediction(found, ()) for found, _ in pairs]
    scores = measures.matthews(examples, predictions, ("0", "1"))
    assert scores == {"matthews": pytest.approx(10 / np.sqrt(600))}
    assert measures.f1_of_second(examples, predictions, ("0", "1")) == {"f1": pytest.approx(6 / 9)}
    only = [LabelPrediction("0", ())] * len(examples)
    assert measures.matthews(examples, only, ("0", "1")) == {"matthews": 0.0}
    assert measures.f1_of_second(examples, only, ("0", "1")) == {"f1": 0.0}


def test_tasks_score_labelled_examples_by_their_own_metric():
    task = TASKS["squad2.0"]
    examples = [
        ReadingExample("Where?", "in Oslo", (Answer("Oslo", 3),), "q1"),
        ReadingExample("When?", "in Oslo", (), "q2"),
    ]
    predictions = [TextPrediction("Oslo", 1.0), TextPrediction("", 1.0)]
    scores = task.measure(examples, predictions, task.labels)
    assert (scores["exact_match"], scores["f1"]) == (100.0, 100.0)
    assert task.metric in scores
