"""Metrics against numbers worked out by hand by the rules of the official evaluations."""

import numpy as np
import pytest

from albert_zh.tasks.examples import Entity, TaggingExample
from albert_zh.tasks.scorers import clue_reading, correlation, entities


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (" 《三国志》、1889年。", "三国志1889年"),
        ("A-B_c*D/e\\f~g`h+i=j^k", "abcdefghijk"),
        ("等等……好…", "等等好…"),  # two characters are the mark, one is not
        ("‘a’, b. (c)! d?", "‘a, b. (c)! d?"),  # ‘ and ASCII marks stay
        ("x  y", "x  y"),  # inner blanks count
    ],
)
def test_marks_are_deleted_before_answers_are_compared(answer, expected):
    assert clue_reading.answer_text(answer) == expected


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
