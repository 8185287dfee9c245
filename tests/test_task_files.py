"""Task files as people have them: headers, ids, unknown labels, quotation marks, CSV."""

import csv
import dataclasses
import tempfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from albert_zh.tasks.catalog import find_task
from albert_zh.tasks.examples import Example
from albert_zh.tasks.splits import read_split
from albert_zh.tasks.task import Columns

PAIRS = find_task("lcqmc")
TEXTS = dataclasses.replace(PAIRS, columns=Columns(text_a=1, text_b=None, label=0))
HI, ONE = Example("你好", "再见"), Example("一", "二")


@pytest.fixture
def read(tmp_path):
    """Writes a file and reads it as a split of a task; its name tells which."""

    def written_and_read(content: str, name="train.tsv", task=PAIRS):
        (tmp_path / name).write_text(content, encoding="utf-8", newline="")
        return read_split(task, data_dir=str(tmp_path), split=name.partition(".")[0])

    return written_and_read


@pytest.mark.parametrize(("name", "tab"), [("train.tsv", "\t"), ("train.csv", ",")])
@pytest.mark.parametrize(("end", "number"), [("\r", 1), ("\r\n", 2)], ids=["all lines", "one line"])
def test_cr_between_rows_is_refused_and_the_line_named(read, name, tab, end, number):
    content = f"你好\t再见\t0{end}一\t二\t1\r三\t四\t0{end}".replace("\t", tab)
    with pytest.raises(ValueError, match=rf"{name}, line {number}: a CR inside the line.*convert"):
        read(content, name)


def test_cr_in_a_quoted_cell_is_part_of_its_text(read):
    assert read('你好,"再\r见",0\n', "train.csv").examples == (Example("你好", "再\r见", "0"),)


# ---- the first line


@pytest.mark.parametrize("first", ["我饿了\t我很饿\tyes", "我饿了\t我很饿\t是", "a\tb\tyes"])
def test_first_example_with_a_wrong_label_is_no_header(read, first):
    rest = "你好\t再见\t0\n" if first.startswith("我") else "good\tbye\t0\n"
    with pytest.raises(ValueError, match=r"line 1: unknown label .* If the line is a header, let"):
        read(f"{first}\n{rest}")


def test_first_example_with_one_tab_too_many_is_no_header(read):
    with pytest.raises(ValueError, match="line 1: 4 columns, expected 3"):
        read("我饿了\t\t我很饿\t1\n你好\t再见\t0\n")


@pytest.mark.parametrize("header", ["question1\tquestion2", "问题1\t问题2", "mine\tyours"])
def test_header_of_an_unlabelled_test_file_is_left_out_and_noted(read, header):
    split = read(f"{header}\n你好\t再见\n一\t二\n", "test.tsv")
    assert (split.examples, split.header) == ((HI, ONE), header)
    shown = header.replace("\t", " | ")
    assert any(f"is a header and no example: {shown}" in note for note in split.notes)


@pytest.mark.parametrize("header", ["text", "sentence", "内容"])
def test_header_of_single_texts_is_left_out(read, header):
    split = read(f"{header}\n你好\n再见\n", "test.tsv", TEXTS)
    assert split.examples == (Example("你好"), Example("再见"))


@pytest.mark.parametrize(
    ("content", "num_examples"),
    [("hello there\tworld\ngood day\tbye\n", 2), ("你好\tworld\na\tb\n", 2), ("a b\tc d\n", 1)],
)
def test_first_line_that_no_program_would_name_columns_with_is_an_example(
    read, content, num_examples
):
    assert len(read(content, "test.tsv").examples) == num_examples


@pytest.mark.parametrize("content", ["hello\tworld\ngood day\tbye\n", "ok\tno\nyes\tno\n你\t我\n"])
def test_first_line_that_may_be_either_is_a_question(read, content):
    with pytest.raises(ValueError, match=r"line 1 may be a header or an example.*text_a, text_b"):
        read(content, "test.tsv")
    split = read(f"text_a\ttext_b\n{content}", "test.tsv")
    assert len(split.examples) == content.count("\n")


def test_header_decides_which_column_is_which(read):
    split = read("label\tguid\tsentence1\tsentence2\n1\tq-7\t你好\t再见\n")
    assert split.examples == (Example("你好", "再见", "1", "q-7"),)
    assert any("its columns are label, id, text_a, text_b" in note for note in split.notes)


@pytest.mark.parametrize(
    "header",
    ["label\tsentence2\tsentence1", "label\ttext_b\ttext_a", "label\thypothesis\tpremise"],
)
def test_header_decides_which_text_is_the_first(read, header):
    split = read(f"{header}\n1\t再见\t你好\n")
    assert split.examples == (Example("你好", "再见", "1"),)
    assert any("its columns are label, text_b, text_a" in note for note in split.notes)


def test_texts_that_a_header_does_not_number_stay_in_the_order_of_the_file(read):
    assert read("title\tquery\tlabel\n你好\t再见\t1\n").examples == (Example("你好", "再见", "1"),)


# ---- ids and unknown labels


@pytest.mark.parametrize("header", ["", "id\ttext_a\ttext_b\n"])
def test_ids_may_stand_before_the_texts_of_a_test_file(read, header):
    split = read(f"{header}7\t你好\t再见\nq-9\t一\t二\n", "test.tsv")
    assert [example.id for example in split.examples] == ["7", "q-9"]
    assert [example.texts for example in split.examples] == [HI.texts, ONE.texts]


def test_ids_may_stand_before_labelled_examples(read):
    split = read("1\t你好\t再见\t0\n2\t一\t二\t1\n")
    assert split.examples == (Example("你好", "再见", "0", "1"), Example("一", "二", "1", "2"))


def test_ids_of_single_texts_are_no_labels(read):
    split = read("0\t你好\n1\t再见\n2\t一\n", "test.tsv", TEXTS)
    assert split.examples[2] == Example("一", id="2")
    labelled = read("0\t你好\n1\t再见\n1\t一\n", "test.tsv", TEXTS)
    assert labelled.examples[2] == Example("一", label="1")


@pytest.mark.parametrize("cell", ["-1", "?", "", "-", " "])
def test_labels_of_a_test_file_may_be_unknown(read, cell):
    assert read(f"你好\t再见\t{cell}\n一\t二\t{cell}\n", "test.tsv").examples == (HI, ONE)
    problem = "unknown label" if cell.strip() else "the label is empty"
    with pytest.raises(ValueError, match=f"line 2: {problem}"):
        read(f"你好\t再见\t1\n一\t二\t{cell}\n", "dev.tsv")


def test_some_labels_of_a_test_file_may_be_unknown(read):
    split = read("你好\t再见\t1\n一\t二\t\n", "test.tsv")
    assert [example.label for example in split.examples] == ["1", None]


# ---- quotation marks


@pytest.mark.parametrize("separator", [",", "\t"])
def test_csv_is_read_with_its_quotation_marks(read, separator):
    rows = [["text_a", "text_b", "label"], ["你好,吗", '说"再见"', "1"], ["一\n行", "二", "0"]]
    lines = [separator.join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]
    split = read("\r\n".join(lines) + "\r\n", "train.csv")
    assert split.examples == (
        Example("你好,吗", '说"再见"', "1"),
        Example("一\n行", "二", "0"),
    )


def test_quotation_marks_of_a_tab_separated_file_are_text(read):
    split = read('我很"饿"\t"再见"\t1\n"你好\t二\t0\n')
    assert [example.texts for example in split.examples] == [
        ('我很"饿"', '"再见"'),
        ('"你好', "二"),
    ]
    assert any("around 1 cells are kept as text" in note for note in split.notes)


@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])
def test_tab_separated_file_that_a_csv_writer_wrote_is_csv(read, tmp_path, quoting):
    with open(tmp_path / "train.tsv", "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", quoting=quoting)
        writer.writerows([['说"再见"', "再\t见", 1], ["一", "二", 0]])
    split = read_split(PAIRS, data_dir=str(tmp_path), split="train")
    assert split.examples == (Example('说"再见"', "再\t见", "1"), Example("一", "二", "0"))
    assert any("is read as CSV with tabs" in note for note in split.notes)


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        ('甲\t"乙\t1\n丙\t丁"\t0\n戊\t己\t1\n', [("甲", '"乙'), ("丙", '丁"'), ("戊", "己")]),
        ('甲\t"乙\t1\n丙\t丁"\t0\n', [("甲", '"乙'), ("丙", '丁"')]),
        ('"甲\t乙\t1\n丙"\t丁\t0\n', [('"甲', "乙"), ('丙"', "丁")]),
        (
            '甲\t"乙\t1\n丙"\t"丁\t1\n己"\t庚\t1\n辛\t壬\t1\n',
            [("甲", '"乙'), ('丙"', '"丁'), ('己"', "庚"), ("辛", "壬")],
        ),
    ],
)
def test_texts_with_one_quotation_mark_join_no_lines_that_are_examples(read, content, texts):
    assert [example.texts for example in read(content, "test.txt").examples] == texts


def test_cell_that_spans_lines_is_one_text_where_its_lines_are_no_examples(read):
    split = read('甲\t"乙\n丙"\t1\n"丁\n戊"\t己\t0\n')
    assert split.examples == (Example("甲", "乙\n丙", "1"), Example("丁\n戊", "己", "0"))


def test_wrong_number_of_columns_in_csv_recognised_by_its_quotation_marks_says_so(read):
    with pytest.raises(
        ValueError, match=r"line 1: 2 columns, expected 3.*train\.tsv is read as CSV"
    ):
        read('甲\t"乙\t1"\n丙\t丁\t0\n戊\t己\t0\n')


@given(st.lists(st.text('a"饿, ', min_size=1).filter(str.strip), min_size=2, max_size=6))
def test_texts_of_a_csv_file_come_back_whatever_quotation_marks_they_hold(texts):
    with tempfile.TemporaryDirectory() as directory:
        with open(f"{directory}/train.csv", "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([text, "二", 1] for text in texts)
        split = read_split(PAIRS, data_dir=directory, split="train")
    assert [example.text_a for example in split.examples] == texts


@pytest.mark.parametrize("row", ['"你好,再见,1', '"你好"吗,再见,1'])
def test_broken_quotation_names_the_line_where_the_row_begins(read, row):
    with pytest.raises(ValueError, match=r"train\.csv, line 2: no CSV"):
        read(f"一,二,0\n{row}\n三,四,1\n", "train.csv")


def test_second_file_of_a_split_is_named(read):
    read("一\t二\t1\n", "train.tsv")
    split = read("一\t二\t1\n三\t四\t0\n", "train.txt")
    assert len(split.examples) == 2
    assert any("train.tsv beside it is not" in note for note in split.notes)


def test_cell_of_a_whole_document_is_read(read):
    text = "天" * 200_000
    assert read(f"{text},再见,1\n", "train.csv").examples == (Example(text, "再见", "1"),)
