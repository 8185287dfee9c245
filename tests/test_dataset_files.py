"""Files of the known datasets, in the forms in which they are published."""

import dataclasses
import json
import os

import pytest
import small

from albert_zh.tasks.catalog import TASKS, find_task
from albert_zh.tasks.examples import Answer, ChoiceExample, Entity
from albert_zh.tasks.kinds import choice
from albert_zh.tasks.splits import fingerprint, read_split, split_off
from albert_zh.text.tokenizers import load_tokenizer

DATA = os.environ.get("ALBERT_ZH_TEST_DATA")


@pytest.fixture
def read(tmp_path):
    """Writes files of a task, objects as JSON and lists as lines of it, and reads a split."""

    def written_and_read(task, files, *, split="train"):
        for name, content in files.items():
            if isinstance(content, list):
                content = "\n".join(json.dumps(row, ensure_ascii=False) for row in content)
            elif not isinstance(content, str):
                content = json.dumps(content, ensure_ascii=False)
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        return read_split(find_task(task), data_dir=str(tmp_path), split=split)

    return written_and_read


def labelled(split):
    return [(*each.texts, each.label, each.id) for each in split.examples]


# ---- one text, and pairs


def test_keywords_of_csl_are_joined_by_blanks(read):
    row = {"id": 2415, "abst": "总结了", "keyword": ["台风", "数值预报"], "label": "1"}
    split = read("csl", {"train.json": [row]})
    assert labelled(split) == [("台风 数值预报", "总结了", "1", "2415")]


WSC = {
    "target": {"span1_text": "木头刺", "span1_index": 2, "span2_text": "它们", "span2_index": 7},
    "text": "拔出木头刺，把它们扔掉",
    "label": "true",
    "idx": 4,
}


@pytest.mark.parametrize("name", ["wsc", "cluewsc2020"])
def test_noun_and_pronoun_of_cluewsc_are_marked_as_published(read, name):
    split = read(name, {"train.json": [WSC]})
    assert labelled(split) == [("拔出_木头刺_，把[它们]扔掉", "true", "4")]


def test_pronoun_of_cluewsc_may_stand_before_the_noun(read):
    target = {"span2_text": "拔", "span2_index": 0, "span1_text": "它们", "span1_index": 7}
    split = read("wsc", {"train.json": [{**WSC, "target": target, "label": False}]})
    assert labelled(split) == [("[拔]出木头刺，把_它们_扔掉", "false", "4")]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"target": {**WSC["target"], "span1_index": 3}},
            "'木头刺' does not stand at 3, but '头刺，'",
        ),
        ({"target": {"span1_text": "木"}}, "no text with a noun and a pronoun"),
        ({"label": "1"}, "unknown label '1'"),
        ({"label": None}, "no 'label'; only the test file may lack labels"),
    ],
)
def test_bad_line_of_cluewsc_is_named(read, changes, message):
    with pytest.raises(ValueError, match="line 2: " + message):
        read("wsc", {"train.json": [WSC, {**WSC, **changes}]})


XNLI_DEV = (
    "language\tgold_label\tsentence1_binary_parse\tsentence1\tsentence2\tpromptID\tpairID\n"
    "ar\tneutral\t\tx\ty\t1\t1\n"
    "zh\tneutral\t\t他说，妈妈，我回来了。\t他没说话。\t1\t2\n"
)


def test_xnli_is_read_in_the_forms_of_its_publishers(read):
    clue = {"premise": "我回来了", "hypo": "他走了", "label": "contradiction"}
    split = read("xnli", {"train.json": [clue]})
    assert labelled(split) == [("我回来了", "他走了", "contradiction", None)]
    split = read("xnli", {"xnli.dev.tsv": XNLI_DEV}, split="dev")
    assert labelled(split) == [("他说，妈妈，我回来了。", "他没说话。", "neutral", "2")]


def test_machine_translated_training_file_of_xnli_has_another_word_for_a_label(read):
    train = "premise\thypo\tlabel\n我 回来 了\t他 走 了\tcontradictory\n"
    split = read("xnli", {"multinli/multinli.train.zh.tsv": train})
    assert labelled(split) == [("我 回来 了", "他 走 了", "contradiction", None)]


def test_sentence_pair_has_the_published_files_and_columns(read):
    split = read("sentence_pair", {"train_0827.tsv": "label\ttext_a\ttext_b\n1\t你好\t您好\n"})
    assert labelled(split) == [("你好", "您好", "1", None)]
    split = read("sentence_pair", {"dev_0827.tsv": "1\t你好\t您好\n"}, split="dev")
    assert labelled(split) == [("你好", "您好", "1", None)]


def test_chnsenticorp_has_its_label_first(read):
    split = read("chnsenticorp", {"train.tsv": "label\ttext_a\n1\t房间很好\n0\t房间太小\n"})
    assert labelled(split) == [("房间很好", "1", None), ("房间太小", "0", None)]
    split = read("chnsenticorp", {"dev.tsv": "qid\tlabel\ttext_a\n0\t1\t房间很好\n"}, split="dev")
    assert labelled(split) == [("房间很好", "1", "0")]


def test_bq_has_a_header_in_csv_and_none_in_text(read):
    split = read("bq", {"train.csv": "sentence1,sentence2,label\n怎么还款,如何还款,1\n"})
    assert labelled(split) == [("怎么还款", "如何还款", "1", None)]
    split = read("bq", {"dev.txt": "怎么还款\t如何还款\t1\n"}, split="dev")
    assert labelled(split) == [("怎么还款", "如何还款", "1", None)]


def test_untranslated_sentences_of_pawsx_are_left_out_and_counted(read):
    rows = "".join(f"{number}\t甲{number}\t乙\t1\n" for number in range(1, 200))
    content = f"id\tsentence1\tsentence2\tlabel\n{rows}200\t甲\t\t0\n"
    split = read("paws-x", {"translated_train.tsv": content})
    assert len(split.examples) == 199
    (note,) = (note for note in split.notes if "left out" in note)
    assert "1 malformed rows are left out, such as" in note
    assert "line 201: a text is empty" in note


def test_file_of_malformed_rows_is_an_error_all_the_same(read):
    content = "id\tsentence1\tsentence2\tlabel\n1\t甲\t乙\t1\n2\t甲\t\t0\n"
    with pytest.raises(ValueError, match="line 3: a text is empty"):
        read("paws-x", {"translated_train.tsv": content})


# ---- GLUE


@pytest.mark.parametrize(
    ("task", "header", "row", "expected"),
    [
        ("sst-2", "sentence label", "a fine film|1", ("a fine film", "1", None)),
        (
            "mrpc",
            "Quality|#1 ID|#2 ID|#1 String|#2 String",
            '1|7|8|He said "yes".|He said yes.',
            ('He said "yes".', "He said yes.", "1", None),
        ),
        (
            "sts-b",
            "index|genre|filename|year|old_index|source1|source2|sentence1|sentence2|score",
            "0|main|f|2012|1|none|none|A plane.|An air plane.|5.000",
            ("A plane.", "An air plane.", "5.000", "0"),
        ),
        (
            "qqp",
            "id|qid1|qid2|question1|question2|is_duplicate",
            "13|1|2|How old?|What age?|1",
            ("How old?", "What age?", "1", None),
        ),
        (
            "mnli",
            "index|promptID|pairID|genre|sentence1_parse|sentence1|sentence2|label1|gold_label",
            "0|3|3n|fiction|(|He left.|He is gone.|neutral|entailment",
            ("He left.", "He is gone.", "entailment", "0"),
        ),
        (
            "qnli",
            "index|question|sentence|label",
            "4|Who?|He did.|not_entailment",
            ("Who?", "He did.", "not_entailment", "4"),
        ),
        (
            "rte",
            "index|sentence1|sentence2|label",
            "4|He left.|He stayed.|not_entailment",
            ("He left.", "He stayed.", "not_entailment", "4"),
        ),
    ],
)
def test_glue_tables_are_read_by_the_names_of_their_columns(read, task, header, row, expected):
    header = header.replace(" ", "|") if task == "sst-2" else header
    split = read(task, {"train.tsv": f"{header}\n{row}\n".replace("|", "\t")})
    assert labelled(split) == [expected]


def test_test_file_of_glue_lacks_the_label(read):
    split = read("rte", {"test.tsv": "index\tsentence1\tsentence2\n7\ta\tb\n"}, split="test")
    assert labelled(split) == [("a", "b", None, "7")]


def test_cola_has_a_header_in_test_only(read):
    train = "gj04\t1\t\tOur friends left.\ngj04\t0\t*\tFriends our left.\n"
    split = read("cola", {"train.tsv": train})
    assert labelled(split) == [("Our friends left.", "1", None), ("Friends our left.", "0", None)]
    split = read("cola", {"test.tsv": "index\tsentence\n0\tBill left.\n"}, split="test")
    assert labelled(split) == [("Bill left.", None, "0")]


@pytest.mark.parametrize(("task", "part"), [("mnli", "matched"), ("mnli-mm", "mismatched")])
def test_mnli_is_evaluated_on_either_dev_file(read, task, part):
    content = "index\tsentence1\tsentence2\tgold_label\n0\ta\tb\tneutral\n"
    split = read(task, {f"dev_{part}.tsv": content}, split="dev")
    assert labelled(split) == [("a", "b", "neutral", "0")]


def test_broken_lines_of_qqp_are_left_out_and_counted(read):
    rows = "".join(f"{number}\t1\t2\tWhy {number}?\tWhy?\t1\n" for number in range(300))
    content = f"id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n{rows}7\t1\t2\tWhy \n"
    split = read("qqp", {"train.tsv": content})
    assert len(split.examples) == 300
    assert any("1 malformed rows are left out" in note for note in split.notes)


# ---- multiple choice

IDIOMS = ["百尺竿头", "随波逐流", "方兴未艾"]
CHID = {
    "candidates": IDIOMS,
    "content": ["今天#idiom000378#再进一步。", "去#idiom000379#，#idiom000380#"],
}
CHID_ANSWERS = {"#idiom000378#": 0, "#idiom000379#": 1, "#idiom000380#": 2}


def test_every_blank_of_chid_is_a_choice(read):
    split = read("chid", {"train.json": [CHID], "train_answer.json": CHID_ANSWERS})
    assert [(each.text, each.label, each.id, each.kept) for each in split.examples] == [
        ("今天____再进一步。", "0", "#idiom000378#", 2),
        ("去____，…", "1", "#idiom000379#", 1),
        ("去…，____", "2", "#idiom000380#", 3),
    ]
    assert split.examples[0].choices == tuple(IDIOMS)
    assert split.num_rows == 1


def test_blanks_of_a_row_are_never_split(read):
    rows, answers = [], {}
    for row in range(10):
        first, second, third = (f"#idiom{number:06}#" for number in range(3 * row, 3 * row + 3))
        passages = [f"第{row}次{first}再{second}", f"又{row}次{third}"]
        rows.append({"candidates": IDIOMS, "content": passages})
        answers |= {first: 0, second: 1, third: row % 3}
    whole = read("chid", {"train.json": rows, "train_answer.json": answers})
    parts = split_off(whole, 0.3, labels=("0", "1", "2"))
    assert [len(part.examples) for part in parts] == [21, 9]
    assert [part.num_rows for part in parts] == [21, 9]  # Their rows are not known.
    of_train, of_dev = ({each.passage for each in part.examples} for part in parts)
    assert not of_train & of_dev


def test_blanks_of_a_test_file_have_no_answers(read):
    split = read("chid", {"test1.1.json": [CHID]}, split="test")
    assert {each.label for each in split.examples} == {None}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"train.json": [CHID]}, "no answer for #idiom000378#; answers stand in .*train_answer"),
        (
            {"train.json": [CHID], "train_answer.json": {**CHID_ANSWERS, "#idiom000379#": 3}},
            "line 1: the answer 3 is none of the 3 candidates",
        ),
        ({"train.json": [CHID], "train_answer.json": [1]}, "train_answer.json holds no answers"),
        ({"train.json": [{"content": []}]}, "line 1: a line needs content and candidates"),
        ({"train.json": [{**CHID, "candidates": IDIOMS[:1]}]}, "line 1: 1 candidates"),
    ],
)
def test_bad_file_of_chid_is_named(read, files, message):
    with pytest.raises(ValueError, match=message):
        read("chid", files)


def test_late_blank_is_kept_when_its_passage_is_cut(tmp_path):
    tokenizer = load_tokenizer(small.write_vocabulary(tmp_path))
    text = "今天" * 40 + "____" + "有雨" * 40
    example = ChoiceExample(text, "", ("冷热远贵", "贵"), "0", kept=80)
    features = choice.featurize(
        [example], labels=("0", "1"), tokenizer=tokenizer, max_seq_length=32
    )
    tokens = [
        tokenizer.vocab.tokens[number] for number in features.token_ids[: features.offsets[1]]
    ]
    # The vocabulary of the tests has no underscore.
    assert tokens.count("[UNK]") == 4
    place = tokens.index("[UNK]")
    assert {*tokens[1:place]} == {"今", "天"}
    assert place > 8
    # A text without such a place, or one that is short enough, is left as it is.
    for whole in (
        dataclasses.replace(example, kept=0),
        dataclasses.replace(example, text="今天____", kept=2),
    ):
        made = choice.featurize([whole], labels=("0", "1"), tokenizer=tokenizer, max_seq_length=32)
        assert tokenizer.vocab.tokens[made.token_ids[1]] == "今"


def test_copa_asks_for_cause_or_effect_in_the_language_of_the_premise(read):
    rows = [
        {
            "premise": "我的身体投下阴影",
            "choice0": "太阳升起",
            "choice1": "草被割了",
            "question": "cause",
            "label": 0,
            "idx": 3,
        },
        {
            "premise": "It rained.",
            "choice1": "We stayed.",
            "choice2": "We left.",
            "question": "effect",
            "label": 1,
            "idx": 4,
        },
    ]
    split = read("copa", {"train.json": rows})
    assert split.examples == (
        ChoiceExample("我的身体投下阴影", "原因是什么？", ("太阳升起", "草被割了"), "0", "3"),
        ChoiceExample(
            "It rained.", "What happened as a result? ", ("We stayed.", "We left."), "1", "4"
        ),
    )
    for changes, message in (
        ({"question": "why"}, "the question is 'why'"),
        ({"choice1": " "}, "choice1 is"),
    ):
        with pytest.raises(ValueError, match=f"line 1: {message}"):
            read("copa", {"train.json": [{**rows[0], **changes}]})


RACE = {
    "article": "It rained, so we stayed at home.",
    "questions": ["Why did we stay?", "The day was _ ."],
    "options": [["rain", "snow", "sun", "wind"], ["wet", "dry", "hot", "cold"]],
    "answers": ["A", "B"],
}


def test_articles_of_race_are_files_of_two_folders(read, tmp_path):
    files = {f"train/{level}/{n}.txt": RACE for level in ("middle", "high") for n in (2, 10)}
    split = read("race", files)
    assert [each.id for each in split.examples][:4] == ["2-1", "2-2", "10-1", "10-2"]
    assert len(split.examples) == 8
    first, second = split.examples[:2]
    assert (first.question, first.label, first.choices[0]) == ("Why did we stay? ", "A", "rain")
    assert (second.question, second.label, second.choices[0]) == ("", "B", "The day was wet .")
    before = fingerprint(TASKS["race"], data_dir=str(tmp_path), split="train")
    assert before == split.sha256
    (tmp_path / "train/high/10.txt").write_text(json.dumps({**RACE, "answers": ["A", "A"]}))
    assert fingerprint(TASKS["race"], data_dir=str(tmp_path), split="train") != before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"answers": ["A"]}, r"1\.txt is no article"),
        ({"answers": ["A", "E"]}, r"1\.txt, question 2: the answer is 'E'"),
        ({"options": [["a"], ["b", "c"]]}, r"1\.txt, question 1: 1 options"),
    ],
)
def test_bad_article_is_named(read, changes, message):
    with pytest.raises(ValueError, match=message):
        read("race", {"train/high/1.txt": {**RACE, **changes}})


# ---- reading


def test_questions_of_squad_2_may_have_no_answer(read):
    answer = {"text": "home", "answer_start": 8}
    questions = [
        {"id": "a", "question": "Where?", "answers": [answer], "is_impossible": False},
        {
            "id": "b",
            "question": "When?",
            "answers": [],
            "is_impossible": True,
            "plausible_answers": [answer],
        },
    ]
    content = {"data": [{"paragraphs": [{"context": "We were home.", "qas": questions}]}]}
    split = read("squad2.0", {"train-v2.0.json": content})
    assert [each.answers for each in split.examples] == [(Answer("home", 8),), ()]
    assert [each.label for each in split.examples] == ["home", ""]


# ---- tagging

BIO = "小 B-PER\n明 I-PER\n在 O\n北 B-LOC\n京 I-LOC\n\n你 O\n好 O\n"
PADDLE = "text_a\tlabel\n小\x02明\x02在\x02北\x02京\tB-PER\x02I-PER\x02O\x02B-LOC\x02I-LOC\n好\tO\n"


def test_columns_of_characters_and_tags_are_texts_with_entities(read):
    expected = (Entity(0, 2, "PER"), Entity(3, 5, "LOC"))
    split = read("peoples_daily", {"example.train": BIO})
    assert [(each.text, each.entities) for each in split.examples] == [
        ("小明在北京", expected),
        ("你好", ()),
    ]
    split = read("msra_ner", {"msra_train_bio.txt": BIO.replace(" ", "\t")})
    assert split.examples[0].entities == expected
    split = read("msra_ner", {"dev.tsv": PADDLE}, split="dev")
    assert [(each.text, each.entities) for each in split.examples] == [
        ("小明在北京", expected),
        ("好", ()),
    ]


def test_words_are_joined_by_blanks_and_characters_are_not(read):
    content = (
        "EU NNP B-NP B-ORG\nrejects VBZ B-VP O\n. . O O\n\n用 O\niPhone B-ORG\n1 I-ORG\n2 I-ORG\n"
    )
    split = read("peoples_daily", {"example.train": content})
    first, second = split.examples
    assert (first.text, first.entities) == ("EU rejects.", (Entity(0, 2, "ORG"),))
    assert (second.text, second.entities) == ("用iPhone 12", (Entity(1, 10, "ORG"),))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("小 B-PER\n明 I-LOC\n", "line 2: I-LOC follows no B-LOC"),
        ("小 B-PER\n明 E-PER\n红 I-PER\n", "line 3: I-PER follows no B-PER"),
        ("小 S-PER\n明 E-PER\n", "line 2: E-PER follows no B-PER"),
        ("小 O\n明 I-PER\n", "line 2: I-PER follows no B-PER"),
        ("小 B-PER\n明 X\n", "line 2: 'X' is no tag"),
        ("小 B-PER\n明\n", "line 2: no tag, such as O or B-PER, while"),
        ("小 B-GPE\n", "line 1: unknown label 'GPE'; the labels of peoples_daily are LOC, ORG"),
        ("你 O\n\n小\n明\n", "line 3: no label; only the test file may lack them"),
        ("小\x02明\tO\n", "line 1: 2 characters, but 1 tags"),
    ],
)
def test_tags_out_of_order_are_named(read, content, message):
    with pytest.raises(ValueError, match=message):
        read("peoples_daily", {"example.train": content})


# ---- ids of a test file


def test_two_examples_of_one_id_are_refused_where_a_benchmark_reads_ids(read):
    rows = [{"id": 3, "sentence1": text, "sentence2": "乙"} for text in ("甲", "丙")]
    with pytest.raises(
        ValueError, match=r"2 examples have the id '3'; afqmc_predict\.json needs one"
    ):
        read("afqmc", {"test.json": rows}, split="test")


def test_examples_without_id_are_told_where_a_benchmark_reads_ids(read):
    rows = [{"sentence1": "甲", "sentence2": "乙"}]
    split = read("afqmc", {"test.json": rows}, split="test")
    assert any("its examples have no id; in afqmc_predict.json they are" in n for n in split.notes)
    assert not read("lcqmc", {"test.txt": "甲\t乙\n"}, split="test").notes


# ---- real files


@pytest.mark.skipif(DATA is None, reason="ALBERT_ZH_TEST_DATA is not set")
@pytest.mark.parametrize(
    ("task", "folder", "split", "size"),
    [
        ("iflytek", "iflytek", "dev", 2_599),
        ("csl", "csl", "dev", 3_000),
        ("cmnli", "cmnli", "dev", 12_241),
        ("ocnli", "ocnli", "dev", 2_950),
        ("drcd", "drcd", "dev", 3_524),
        ("drcd", "drcd", "test", 3_493),
        ("c3", "c3", "test", 3_892),
        ("chid", "fewclue/chid", "train", 202),
        ("cluewsc2020", "fewclue/cluewsc", "train", 160),
        ("csl", "fewclue/csl", "train", 160),
        ("iflytek", "fewclue/iflytek", "train", 3_024),
    ],
)
def test_published_files_have_their_known_sizes(task, folder, split, size):
    read = read_split(TASKS[task], data_dir=os.path.join(DATA, folder), split=split)
    assert len(read.examples) == size
    assert all(each.label is not None for each in read.examples)
