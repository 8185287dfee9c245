"""The user's own files as programs write them and people mistype them: read right, or refused."""

import gzip
import json

import pytest

from albert_zh.tasks.custom import infer_task
from albert_zh.tasks.examples import Entity, TaggingExample


@pytest.fixture
def read(tmp_path):
    """Writes a file of train, objects as JSON lines, and reads it, or another split of its task."""

    def written(content, name: str) -> str:
        if not isinstance(content, str):
            content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in content)
        path = tmp_path / name
        data = content.encode(errors="surrogatepass")
        path.write_bytes(gzip.compress(data) if name.lower().endswith(".gz") else data)
        return str(path)

    def read(content, *, kind="classification", name="my.jsonl", test=None, dev=None, **columns):
        path = written(content, name)
        task = infer_task(path, kind=kind, **columns)
        split = "test" if test is not None else "dev" if dev is not None else "train"
        if split != "train":
            path = written(test or dev, f"new_{name}")
        return task.read(task, path, split)

    return read


def labels(split):
    return [each.label for each in split.examples]


def texts(*values):
    return [{"text": f"文{number}", "label": value} for number, value in enumerate(values)]


# ---- labels of classes


def test_number_that_is_written_in_two_ways_is_refused(read):
    with pytest.raises(ValueError, match=r"my.csv: column 'label' has the labels '1' and '1.0'"):
        read("text,label\n一,1\n二,0\n三,1.0\n", name="my.csv")
    assert labels(read("text,label\n一,1.0\n二,0.0\n", name="my.csv")) == ["1.0", "0.0"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"text": 123, "label": "a"}, "line 2: 'text' is 123 and no text; a text stands in quot"),
        ({"txt": "一", "label": "a"}, "line 2: there is no 'text', only txt, label"),
        ({"text": None, "label": "a"}, "line 2: the text in column 'text' is None; fill it in"),
    ],
)
def test_row_without_its_text_is_named(read, row, message):
    with pytest.raises(ValueError, match=message):
        read([*texts("a"), row, *texts("b")])


def test_cells_that_mean_no_label_in_test_are_labels_of_a_training_file(read):
    rows = texts("-1", "0", "1", "-1")
    split = read(rows)
    assert labels(split) == ["-1", "0", "1", "-1"]
    (_, note) = split.notes
    assert "its labels are -1, 0, 1; if '-1' stands for no label, remove those lines" in note
    assert labels(read(rows, test=texts("-1", "0", "?", ""))) == ["-1", "0", None, None]
    assert labels(read("text,label\n好,+\n坏,-\n", name="my.csv")) == ["+", "-"]


def test_empty_line_is_called_so(read):
    with pytest.raises(ValueError, match=r"my.csv, line 3: the line is empty; remove it"):
        read("text,label\n一,0\n\n二,1\n", name="my.csv")


def test_empty_label_of_a_training_file_is_none(read):
    with pytest.raises(
        ValueError, match=r"my.csv, line 4: the label is empty; .*the labels .* 0, 1"
    ):
        read("text,label\n一,0\n二,1\n三,\n", name="my.csv")


def test_number_is_one_label_however_json_writes_it(read):
    assert labels(read(texts(1, 1.0, 2, "1"))) == ["1", "1", "2", "1"]


@pytest.mark.parametrize("value", [None, float("nan")])
def test_label_that_json_lacks_is_no_class(read, value):
    with pytest.raises(ValueError, match=r"line 3: the label is empty; .*the labels .* are a, b"):
        read(texts("a", "b", value))
    assert labels(read(texts("a", "b"), test=texts(value))) == [None]


@pytest.mark.parametrize("value", [["a"], {"a": 1}, float("inf")])
def test_label_that_is_no_text_is_named(read, value):
    with pytest.raises(ValueError, match=r"my.jsonl, line 3: the label .* is neither a text nor"):
        read(texts("a", "b", value))


# ---- numbers


@pytest.mark.parametrize(
    "cell", ["nan", "NaN", "inf", "-Infinity", "1e400", "1e39", "1_000", "３ｘ"]
)
def test_label_that_no_model_can_learn_is_no_number(read, cell):
    with pytest.raises(
        ValueError, match=f"my.csv, line 3: the label '{cell}' is no number, such as"
    ):
        read(f"text,score\n一,1.5\n二,{cell}\n", name="my.csv", kind="regression")


def test_numbers_are_read_in_all_their_forms(read):
    cells = ["1", "-1", "+.5", "3.", "1e-3", "2E5", "0"]
    rows = "".join(f"文,{cell}\n" for cell in cells)
    assert labels(read(f"text,score\n{rows}", name="my.csv", kind="regression")) == cells
    assert labels(read(texts(1, 2.5, "3"), kind="regression")) == ["1", "2.5", "3"]


# ---- columns


@pytest.mark.parametrize("header", ["text,label", "sentence,class", "评论,标签", "text,stars"])
def test_header_of_columns_that_are_named_by_number_is_no_example(read, header):
    text, label = header.split(",")
    with pytest.raises(
        ValueError, match=rf"line 1: a header, .* give --text_columns={text} --label_column={label}"
    ):
        read(
            f"{header}\n好,x\n坏,y\n",
            name="my.csv",
            text_columns="1",
            label_column="2",
        )


def test_first_example_with_the_word_of_a_column_is_no_header(read):
    split = read("好,y\ntext,n\n坏,y\n", name="my.csv", text_columns="1", label_column="2")
    assert labels(split) == ["y", "n", "y"]


WORDS = {"text_columns": "words"}
PAIRS = {"name": "my.tsv", "text_columns": "1,2", "label_column": "3"}


@pytest.mark.parametrize("header", ["问题一\t问题二", "question1\tquestion2\t是否相同"])
def test_header_over_numbered_columns_is_left_out_of_new_files_with_a_note(read, header):
    rows = "你\t我\t1\n好\t坏\t0\n" if header.count("\t") == 2 else "你\t我\n好\t坏\n"
    train = "你\t我\t1\n好\t坏\t0\n"
    split = read(train, **PAIRS, test=f"{header}\n{rows}")
    assert [each.texts for each in split.examples] == [("你", "我"), ("好", "坏")]
    first = " | ".join(header.split("\t")[:2])
    assert f"its first line, {first}, is a header and no example" in split.notes[0]


def test_pair_of_words_that_name_columns_is_an_example_with_a_label_or_below_a_header(read):
    train, words = "你\t我\t1\n好\t坏\t0\n", "问题一\t问题二"
    assert len(read(train, **PAIRS, dev=f"{words}\t1\n{train}").examples) == 3
    assert len(read(train, **PAIRS, test=f"{words}\n{words}\n你\t我\n").examples) == 2


def test_numbered_column_that_is_called_an_id_is_no_text(read):
    with pytest.raises(ValueError, match=r"line 1: column 1, which .* as a text, is called '编号'"):
        read("你\t我\t1\n好\t坏\t0\n", **PAIRS, test="编号\t评论内容\n7\t好\n")


@pytest.mark.parametrize(
    ("lines", "expected", "is_told"),
    [
        (["标题", "很好吃"], ["很好吃"], True),
        (["text", "标题", "很好吃"], ["标题", "很好吃"], True),
        (["评论", "很好吃"], ["评论", "很好吃"], False),  # no usual name of a column
    ],
)
def test_line_of_text_that_is_taken_for_a_header_is_told(read, lines, expected, is_told):
    split = read("words\tlabel\n好\tx\n坏\ty\n", name="my.txt", **WORDS, test="\n".join(lines))
    assert [each.text_a for each in split.examples] == expected
    assert (f"its first line, {lines[0]}, is a header" in split.notes[0]) == is_told


@pytest.mark.parametrize(
    "columns",
    [{"text_columns": "text,text"}, {"text_columns": "label", "label_column": "label"}],
)
def test_column_that_is_named_twice_is_refused(read, columns):
    with pytest.raises(ValueError, match=r"name a column twice; the columns .* are text, label"):
        read("text,label\n好,x\n坏,y\n", name="my.csv", **columns)


# ---- choices


def question(choices, label):
    return {"text": "一加一", "choices": choices, "label": label}


def test_json_number_is_the_place_of_a_choice_whatever_they_say(read):
    rows = [question(["1", "2", "3", "4"], number) for number in range(4)]
    assert labels(read([*rows, question(["1", "2"], 1.0)], kind="choice")) == [*"0123", "1"]
    with pytest.raises(ValueError, match=r"line 1: the label 20 is the number of none .* marks"):
        read([question(["10", "20"], 20)], kind="choice")


@pytest.mark.parametrize(
    ("others", "label", "expected"),
    [
        ([question(["旅行", "工作"], "工作")], "1", "0"),
        ([question(["旅行", "工作"], "1")], "1", "1"),
        ([question(["旅行", "工作"], 1), question(["旅行", "工作"], "旅行")], "1", "0"),
    ],
)
def test_text_that_may_be_a_number_or_a_choice_is_what_all_labels_are(
    read, others, label, expected
):
    split = read([question(["1", "0"], label), *others], kind="choice")
    assert labels(split)[0] == expected


def test_text_of_two_choices_is_no_label(read):
    rows = [question(["旅行", "工作"], "工作"), question(["北京", "上海", "北京"], "北京")]
    with pytest.raises(ValueError, match=r"line 2: several of its choices are '北京', the label"):
        read(rows, kind="choice")


def test_letters_are_told_from_choices_by_the_file(read):
    rows = [question(["B", "A"], "A"), question(["旅行", "工作"], "B")]
    assert labels(read(rows, kind="choice")) == ["0", "1"]


@pytest.mark.parametrize(
    "rows",
    [
        [question(["1", "0"], "1")],
        [question(["旅行", "工作"], "工作"), question(["B", "A"], "A"), question(["1", "2"], "B")],
        [question(["旅行", "工作"], 1), question(["1", "0"], "1")],
    ],
)
def test_text_that_stays_unclear_is_refused(read, rows):
    with pytest.raises(ValueError, match=r"line \d: the label may be .* or .* different choices"):
        read(rows, kind="choice")


@pytest.mark.parametrize("choice", [None, ["二"], True])
def test_choice_that_is_no_text_is_named(read, choice):
    with pytest.raises(ValueError, match=r"my.jsonl, line 1: the choice .* is no text"):
        read([question(["一", choice], 0)], kind="choice")


def test_empty_choice_is_refused(read):
    with pytest.raises(ValueError, match=r"my.jsonl, line 1: the choice ' ' is empty"):
        read([question(["一", " "], 0)], kind="choice")


# ---- marked parts


def marked(label, text="小明在北京"):
    return {"text": text, "label": label}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (marked([], text=None), "no text with marked parts .*the text is None"),
        (marked([], text=["小明"]), r"the text is \['小明'\]"),
        (marked([[0, 1.5, "PER"]]), "1.5 is no whole number"),
        (marked([[0, True, "PER"]]), "True is no whole number"),
        (marked([[0, 2, None]]), "the name None of a part is no text"),
        (marked([[0, 2, 7]]), "the name 7 of a part is no text"),
        (marked([[0, 2, ["PER"]]]), r"the name \['PER'\] of a part is no text"),
        (marked([[0, 2, ""]]), "the part '小明' has the label ''"),
        (marked({"O": {"小明": [[0, 1]]}}), "the part '小明' has the label 'O'"),
    ],
)
def test_marked_part_of_another_form_is_named(read, row, message):
    with pytest.raises(ValueError, match=f"my.jsonl, line 2: .*{message}"):
        read([marked([[0, 2, "PER"]]), row], kind="tagging")


def test_type_o_of_columns_is_refused(read):
    with pytest.raises(ValueError, match="line 1: the part '小明' has the label 'O'"):
        read("小 B-O\n明 I-O\n", name="my.txt", kind="tagging")


def test_places_may_be_what_programs_make_of_whole_numbers(read):
    (example,) = read([{**marked([[0.0, "2", "PER"]]), "id": None}], kind="tagging").examples
    assert example == TaggingExample("小明在北京", (Entity(0, 2, "PER"),))


def test_part_that_is_marked_twice_counts_once_and_overlaps_are_counted_and_named(read):
    parts = [[0, 2, "PER"], [0, 2, "PER"], [3, 5, "LOC"]]
    split = read([marked(parts)], kind="tagging")
    assert (len(split.examples[0].entities), split.notes) == (2, ())
    rows = [marked(parts), marked([*parts, [1, 2, "LOC"], [3, 4, "LOC"]])]
    (note,) = read(rows, kind="tagging").notes
    assert "2 marked parts overlap another one, such as 明 (LOC) and 小明 (PER) in line 2;" in note
    assert "only the part that begins first is learnt" in note


@pytest.mark.parametrize("start", ["-DOCSTART- O", "-DOCSTART- -X- -X- O"])
def test_starts_of_documents_are_no_texts(read, start):
    split = read(f"{start}\n\n小 B-PER\n明 I-PER\n", name="my.txt", kind="tagging")
    assert [each.text for each in split.examples] == ["小明"]
    assert "1 lines -DOCSTART- are no texts and left out" in split.notes[0]


def test_text_of_one_character_is_no_column(read):
    texts = ["小明在北京工作", "好", "上海的天气很好"]
    given = {"content": "小 B-PER\n明 I-PER\n", "name": "my.txt", "kind": "tagging"}
    split = read(**given, test="\n".join(texts))
    assert [each.text for each in split.examples] == texts
    split = read(**given, test="小\n明\n2024\n年")
    assert [each.text for each in split.examples] == ["小明2024年"]


# ---- reading


def asked(**values):
    return {
        "id": "q1",
        "question": "在哪里？",
        "context": "小明在北京工作。",
        "answers": [{"text": "北京", "answer_start": 3}],
        **values,
    }


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"answers": [{"text": "北京", "answer_start": 0.9}]}, "0.9 is no whole number"),
        ({"answers": [{"text": None, "answer_start": 3}]}, "the text is None"),
        ({"is_impossible": True}, "is_impossible is true, but there is the answer '北京'"),
        ({"is_impossible": "maybe"}, "its is_impossible is 'maybe'; expected true or false"),
        ({"is_impossible": "false", "answers": []}, "no answers; only the test file"),
    ],
)
def test_answer_of_another_form_is_named(read, values, message):
    with pytest.raises(ValueError, match=f"my.jsonl, question q1: .*{message}"):
        read([asked(**values)], kind="reading")


def test_is_impossible_may_be_a_text(read):
    split = read(
        [asked(is_impossible="false"), asked(is_impossible="true", answers=[])], kind="reading"
    )
    assert labels(split) == ["北京", ""]


def test_empty_answer_stands_nowhere(read):
    empty = asked(id="q2", answers=[{"text": "", "answer_start": 0}])
    split = read([asked(), empty], kind="reading")
    assert [each.id for each in split.examples] == ["q1"]
    assert (
        "1 answers do not stand where answer_start says, such as that of q2; left" in split.notes[0]
    )
    none = asked(id="q2", answers=[{"text": "", "answer_start": -1}], is_impossible=True)
    assert labels(read([asked(), none], kind="reading")) == ["北京", ""]


def test_place_before_the_text_is_no_place(read):
    before = asked(id="q2", answers=[{"text": "。", "answer_start": -1}])
    split = read([asked(), before], kind="reading")
    assert [each.id for each in split.examples] == ["q1"]


def test_file_whose_answers_all_stand_elsewhere_says_so(read):
    rows = [asked(answers=[{"text": "北京", "answer_start": 4}])]
    with pytest.raises(ValueError, match=r"all 1 answers stand elsewhere .* that of q1; it counts"):
        read(rows, kind="reading")


@pytest.mark.parametrize("questions", ["x", ["x"], {"x": 1}])
def test_questions_that_are_no_objects_are_no_reading_file(read, questions):
    content = {"data": [{"paragraphs": [{"context": "小明", "qas": questions}]}]}
    with pytest.raises(ValueError, match=r"my.json is no reading file .*'x' of qas is no object"):
        read(json.dumps(content), name="my.json", kind="reading")


# ---- any JSON lines

HALF = r"\ud800"


@pytest.mark.parametrize(
    ("kind", "row", "place"),
    [
        ("classification", f'{{"text": "x{HALF}y", "label": "a"}}', "line 2"),
        ("tagging", f'{{"text": "x{HALF}y", "label": []}}', "line 2"),
        ("choice", f'{{"text": "x{HALF}y", "choices": ["a", "b"], "label": 0}}', "line 2"),
        ("reading", json.dumps(asked(id="q2")).replace("q2", HALF), "line 2"),
    ],
)
def test_half_a_character_is_named(read, kind, row, place):
    first = {
        "classification": texts("b")[0],
        "tagging": marked([[0, 2, "PER"]]),
        "choice": question(["a", "b"], 0),
        "reading": asked(),
    }[kind]
    with pytest.raises(ValueError, match=rf"my.jsonl, {place}: \\ud800 is half a character"):
        read(f"{json.dumps(first)}\n{row}\n", kind=kind)


def test_half_a_character_of_a_whole_reading_file_is_named_with_the_question(read):
    content = json.dumps({"data": [{"paragraphs": [{"context": f"小明{HALF}", "qas": [asked()]}]}]})
    with pytest.raises(ValueError, match=r"my.json, question q1: \\ud800 is half a character"):
        read(content.replace(r"\\ud", r"\ud"), name="my.json", kind="reading")


def test_character_of_two_escapes_is_one(read):
    rows = '{"text": "\\ud83d\\ude00", "label": "a"}\n{"text": "\\\\ud800", "label": "b"}\n'
    assert [each.text_a for each in read(rows).examples] == ["\U0001f600", "\\ud800"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ('{"text": "一", "label": "a", "text": "二"}', "the key 'text' stands in one object twice"),
        ('{"text": "一", "label": ' + "[" * 100_000, "nested too deeply"),
    ],
)
def test_line_that_says_two_things_or_too_much_is_named(read, row, message):
    with pytest.raises(ValueError, match=f"my.jsonl, line 1: {message}"):
        read(f"{row}\n")


@pytest.mark.parametrize(
    ("indent", "place"), [(None, r"my\.json, line 1: "), (2, r"my\.json: ")], ids=["line", "lines"]
)
def test_key_that_stands_twice_in_a_reading_file_is_named(read, indent, place):
    one = json.dumps(asked(), indent=indent).replace('"context"', '"id": "q0", "context"')
    whole = {"data": [{"paragraphs": [{"context": "小明", "qas": [asked()]}]}]}
    two = json.dumps(whole, indent=indent).replace('"q1"', '"", "id": 1')
    for content in (one, two):
        with pytest.raises(ValueError, match=f"{place}the key 'id' stands in one object twice"):
            read(content, name="my.json", kind="reading")


def test_endings_of_files_may_be_capitals(read):
    assert labels(read(texts("a", "b"), name="MY.JSONL.GZ")) == ["a", "b"]
