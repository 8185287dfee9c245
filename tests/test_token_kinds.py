"""Reading, tagging and multiple choice: files, features, and the way back to characters."""

import itertools
import json

import numpy as np
import pytest
import small
from hypothesis import given
from hypothesis import strategies as st

from albert_zh.finetuning.batches import gathered_batches
from albert_zh.tasks.batches import bucket_lengths, eval_batches, in_original_order
from albert_zh.tasks.catalog import TASKS
from albert_zh.tasks.examples import (
    Answer,
    ChoiceExample,
    Entity,
    ReadingExample,
    TaggingExample,
)
from albert_zh.tasks.features import NO_LABEL, collate
from albert_zh.tasks.kinds import choice, reading, tagging
from albert_zh.tasks.splits import read_split
from albert_zh.text.tokenizers import load_tokenizer

LABELS = ("name", "place")


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return load_tokenizer(small.write_vocabulary(tmp_path_factory.mktemp("vocab")))


@pytest.fixture
def read(tmp_path):
    """Writes `content` as a file of a task and reads that split."""

    def written_and_read(task, content, *, name, split="train"):
        text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
        (tmp_path / name).write_text(text, encoding="utf-8")
        return read_split(TASKS[task], data_dir=str(tmp_path), split=split)

    return written_and_read


# ---- reading


def squad(*questions, context="小明在北京工作，小红在杭州。"):
    return {"data": [{"paragraphs": [{"context": context, "qas": list(questions)}]}]}


def question(number, text, start, **more):
    answers = [{"text": text, "answer_start": start}]
    return {"id": number, "question": "在哪里？", "answers": answers, **more}


def test_reading_file_gives_questions_with_their_answers(read):
    split = read("cmrc2018", squad(question("q1", "北京", 3)), name="train.json")
    (example,) = split.examples
    assert (example.id, example.answers) == ("q1", (Answer("北京", 3),))
    assert example.context[3:5] == "北京"


def test_misplaced_answers_are_left_out_of_train_and_kept_in_dev(read):
    content = squad(question("q1", "北京", 3), question("q2", "北京", 4))
    split = read("cmrc2018", content, name="train.json")
    assert [each.id for each in split.examples] == ["q1"]
    assert "1 answers do not stand where answer_start says, such as that of q2" in split.notes[0]
    split = read("cmrc2018", content, name="dev.json", split="dev")
    assert [each.id for each in split.examples] == ["q1", "q2"]


def test_questions_of_test_may_lack_answers(read):
    content = squad({"id": "q1", "question": "在哪里？"})
    (example,) = read("cmrc2018", content, name="test.json", split="test").examples
    assert example.answers is None
    assert example.label is None


def test_answers_of_test_that_stand_in_no_context_are_not_known(read):
    hidden = [question("q1", "FAKE_1", -1), question("q2", "FAKE_2", -1)]
    split = read("cmrc2018", squad(*hidden), name="test.json", split="test")
    assert [each.label for each in split.examples] == [None, None]
    assert "its answers stand in no context, so they are taken for unknown ones" in split.notes[0]
    known = [*hidden, question("q3", "北京", 3)]
    split = read("cmrc2018", squad(*known), name="test.json", split="test")
    assert [each.label for each in split.examples] == ["FAKE_1", "FAKE_2", "北京"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[1", "is no reading file"),
        ({"data": [{"paragraphs": [{"qas": [{}]}]}]}, "is no reading file"),
        (squad(), "holds no questions"),
        (squad({"id": "q1", "question": "在哪里？"}), "question q1: no answers"),
        (squad({"id": "q1", "question": " "}), "question q1: its question is ' '"),
        (squad({"id": "q1", "question": "哪？", "answers": [{"text": "a"}]}), "needs text and"),
    ],
)
def test_bad_reading_file_is_named(read, content, message):
    with pytest.raises(ValueError, match=message):
        read("cmrc2018", content, name="train.json")


@given(st.integers(0, 700), st.integers(1, 400))
def test_windows_cover_every_token_and_overlap(num_tokens, width):
    found = reading.windows(num_tokens, width)
    assert found[0][0] == 0
    assert found[-1][1] == num_tokens
    for (_, end), (begin, _) in itertools.pairwise(found):
        assert begin <= end
    assert all(end - begin <= width for begin, end in found)


def test_answers_come_back_to_the_character_from_windows(tokenizer):
    context = "天空很蓝。" * 12 + "小明在北京 2008 年工作，" + "天空很蓝。" * 12
    start = context.index("北京 2008 年")
    example = ReadingExample("在哪里？", context, (Answer("北京 2008 年", start),), "q1")
    features = reading.featurize([example], labels=(), tokenizer=tokenizer, max_seq_length=48)
    assert len(features) > 3
    targets = features.targets["answer_spans"]
    holding = np.flatnonzero(targets[:, 0])
    assert len(holding)
    outputs = {
        name: np.where(np.arange(48) == targets[:, end : end + 1], 5.0, 0.0)
        for end, name in enumerate(("start_logits", "end_logits"))
    }
    (prediction,) = reading.decode(outputs, features, [example], ())
    assert prediction.text == "北京 2008 年"
    scores = reading.score(outputs, features, ())
    assert scores["span_accuracy"] == 1.0
    assert 0 < scores["loss"] < 0.5


def test_no_answer_is_predicted_only_where_examples_may_lack_one(tokenizer):
    known = ReadingExample("在哪里？", "小明在北京。", (Answer("北京", 3),), "q1")
    nothing = ReadingExample("在哪里？", "小明在北京。", (), "q2")
    for examples in ([known, known], [known, nothing]):
        features = reading.featurize(examples, labels=(), tokenizer=tokenizer, max_seq_length=24)
        length = int(features.lengths.max())
        starts = np.zeros([2, length])
        starts[1, 0] = 9.0  # [CLS] for the second
        outputs = {"start_logits": starts, "end_logits": starts}
        texts = [each.text for each in reading.decode(outputs, features, examples, ())]
        assert (texts[1] == "") == (examples[1] is nothing)
        assert texts[0]


# ---- tagging


@st.composite
def marked_text(draw):
    text = draw(st.text(alphabet="小明在北京，我 abc1", min_size=1, max_size=40))
    cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=8)))
    pairs = zip(cuts[::2], cuts[1::2], strict=False)
    return text, tuple(Entity(a, b, draw(st.sampled_from(LABELS))) for a, b in pairs)


@given(marked_text())
def test_entities_of_whole_tokens_survive_tags(tokenizer, made):
    text, entities = made
    encoding = tokenizer.encode(text)
    starts = {start for start, _ in encoding.spans}
    ends = {end for _, end in encoding.spans}
    entities = [each for each in entities if each.start in starts and each.end in ends]
    tags = tagging.tags_of(entities, encoding.spans, LABELS)
    assert tagging.entities_of(tags, encoding.spans, LABELS) == sorted(entities)


def test_tags_that_begin_nothing_begin_an_entity():
    spans = [(0, 1), (1, 2), (2, 3), (3, 4)]
    inside_name, begin_place, inside_place = 2, 3, 4
    tags = [inside_name, inside_place, inside_place, begin_place]
    assert tagging.entities_of(tags, spans, LABELS) == [
        Entity(0, 1, "name"),
        Entity(1, 3, "place"),
        Entity(3, 4, "place"),
    ]


def test_long_texts_become_rows_and_come_back_as_one(tokenizer):
    text = "小明在北京工作，" * 5
    entities = tuple(Entity(8 * n + 3, 8 * n + 5, "place") for n in range(5))
    examples = [TaggingExample(text, entities), TaggingExample("你好", ())]
    features = tagging.featurize(examples, labels=LABELS, tokenizer=tokenizer, max_seq_length=12)
    assert features.example_ids.tolist() == [0, 0, 0, 0, 1]
    tags = collate(features, np.arange(5), padded_length=12)["tags"]
    assert (tags[:, 0] == NO_LABEL).all()  # [CLS]
    outputs = {"tag_logits": np.eye(5)[np.maximum(tags, 0)]}
    first, second = tagging.decode(outputs, features, examples, LABELS)
    # An entity that is cut in two rows comes back whole: its second half continues it.
    assert (first.entities, second.entities) == (entities, ())
    scores = tagging.score(outputs, features, LABELS)
    # Every tag has a logit of 1 more than the four others.
    assert scores == {"tag_accuracy": 1.0, "loss": pytest.approx(np.log(1 + 4 / np.e))}


def test_cluener_lines_are_read(read):
    line = {
        "text": "小明在北京",
        "label": {"name": {"小明": [[0, 1]]}, "address": {"北京": [[3, 4]]}},
    }
    (example,) = read("cluener", line, name="train.json").examples
    assert set(example.entities) == {Entity(0, 2, "name"), Entity(3, 5, "address")}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"text": "小明"}', "line 1: no label; only the test file may lack them"),
        ('{"text": "小明", "label": {"name": {"小红": [[0, 1]]}}}', "does not stand at 0 to 1"),
        ('{"text": "小明", "label": {"nam": {"小明": [[0, 1]]}}}', "unknown label 'nam'"),
        ('{"text": "小明", "label": ["name"]}', "no text with marked parts"),
        ('{"text": "小明"', "line 1: no JSON"),
        ("", "holds no texts"),
    ],
)
def test_bad_cluener_line_is_named(read, line, message):
    with pytest.raises(ValueError, match=message):
        read("cluener", line, name="train.json")


# ---- multiple choice

C3_NAMES = ("c3-d-train.json", "c3-m-train.json")


def c3(answer="工作", choices=("旅行", "工作", "家庭")):
    asked = {"question": "谈论什么?", "choice": list(choices), "answer": answer}
    return [[["男：去南方工作?", "女：是呀。"], [asked], "47-275"]]


def test_two_files_are_read_together(read, tmp_path):
    (tmp_path / C3_NAMES[1]).write_text(json.dumps(c3("旅行")), encoding="utf-8")
    split = read("c3", c3(), name=C3_NAMES[0])
    assert [each.label for each in split.examples] == ["1", "0"]
    assert split.examples[0].text == "男：去南方工作?\n女：是呀。"
    assert all(name in split.path for name in C3_NAMES)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (c3("吃饭"), "text 47-275: the answer '吃饭' is none of the choices"),
        (c3(None), "text 47-275: the answer None is none of the choices"),
        (c3(choices=("工作",)), "text 47-275: 1 choices; a question has 2 to 4"),
        (c3(choices=tuple("工作吃饭天")), "text 47-275: 5 choices"),
        ([], "holds no questions"),
        ([["a"]], "is no file of C3"),
    ],
)
def test_bad_choice_file_is_named(read, tmp_path, content, message):
    (tmp_path / C3_NAMES[1]).write_text(json.dumps(c3()), encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        read("c3", content, name=C3_NAMES[0])


def test_choices_are_rows_of_one_unit(tokenizer):
    examples = [
        ChoiceExample("小明在北京工作", "在哪里？", ("北京", "杭州"), "0"),
        ChoiceExample("天空很蓝，" * 3, "颜色？", ("蓝", "天空很蓝", "我"), "1"),
    ]
    features = choice.featurize(
        examples, labels=("0", "1", "2"), tokenizer=tokenizer, max_seq_length=32
    )
    assert (len(features), features.rows_per_unit) == (2, 3)
    assert features.targets["label_ids"].tolist() == [0, 1]
    batches = eval_batches(features.lengths, batch_size=2, buckets=bucket_lengths(32))
    (batch,) = gathered_batches(features, batches).as_numpy_iterator()
    expected = collate(features, batches[0].indices, padded_length=batches[0].padded_length)
    assert batch.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_array_equal(batch[name], values)
    assert batch["input_ids"].shape[:2] == (2, 3)


def test_choices_that_fill_up_are_never_predicted(tokenizer):
    examples = [
        ChoiceExample("小明在北京", "在哪里？", ("北京", "杭州"), "1"),
        ChoiceExample("小明在北京", "在哪里？", ("北京", "杭州", "我"), "2"),
    ]
    labels = ("0", "1", "2")
    features = choice.featurize(examples, labels=labels, tokenizer=tokenizer, max_seq_length=32)
    logits = np.log(np.array([[0.1, 0.2, 0.7], [0.1, 0.2, 0.7]], np.float32))
    outputs = {"logits": logits, "probabilities": np.exp(logits)}
    first, second = choice.decode(outputs, features, examples, labels)
    assert (first.label, second.label) == ("1", "2")
    np.testing.assert_allclose(first.probabilities, [1 / 3, 2 / 3, 0], rtol=1e-6)
    scores = choice.score(outputs, features, labels)
    assert scores["accuracy"] == 1.0
    assert scores["loss"] == pytest.approx(-(np.log(2 / 3) + np.log(0.7)) / 2)


def test_targets_of_tokens_are_gathered_as_they_are_collated(tokenizer):
    examples = [TaggingExample("小明在北京", (Entity(0, 2, "name"),)), TaggingExample("我", ())]
    features = tagging.featurize(examples, labels=LABELS, tokenizer=tokenizer, max_seq_length=16)
    batches = eval_batches(features.lengths, batch_size=2, buckets=bucket_lengths(16))
    (batch,) = gathered_batches(features, batches).as_numpy_iterator()
    expected = collate(features, batches[0].indices, padded_length=batches[0].padded_length)
    np.testing.assert_array_equal(batch["tags"], expected["tags"])


def test_outputs_of_tokens_are_padded_to_one_length():
    batches = eval_batches([3, 9], batch_size=1, buckets=[4, 12])
    results = [np.ones([1, 12, 2]), np.full([1, 4, 2], 2.0)]
    ordered = in_original_order(batches, results)
    assert ordered.shape == (2, 12, 2)
    assert ordered[0, :4].min() == 2.0
    assert not ordered[0, 4:].any()
