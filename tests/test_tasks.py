"""Task files into examples, features and batches."""

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from albert_zh.tasks.batches import (
    PaddedBatch,
    bucket_lengths,
    epoch_batches,
    eval_batches,
    in_original_order,
    padding_share,
)
from albert_zh.tasks.catalog import TASKS, find_task
from albert_zh.tasks.examples import Example, Split
from albert_zh.tasks.features import NO_LABEL, collate
from albert_zh.tasks.kinds.classification import featurize
from albert_zh.tasks.report import SplitReport, report
from albert_zh.tasks.row_writer import truncated_lengths
from albert_zh.tasks.splits import read_split
from albert_zh.tasks.task import Columns
from albert_zh.text.tokenizers import load_tokenizer

LCQMC = TASKS["lcqmc"]
ONE_TEXT = dataclasses.replace(LCQMC, columns=Columns(text_a=1, text_b=None, label=0))
BUCKETS = (8, 16, 32)

# ---- tasks and their files


@pytest.fixture
def read(tmp_path):
    """Writes `content` as a file of a task and reads that split."""

    def written_and_read(content: str | bytes, *, name="train.txt", split="train", task=LCQMC):
        raw = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
        (tmp_path / name).write_bytes(raw)
        return read_split(task, data_dir=str(tmp_path), split=split)

    return written_and_read


@pytest.mark.parametrize("name", ["lcqmc", "lcqmc_pair", "LCQMC"])
def test_both_published_names_are_the_pair_task(name):
    task = find_task(name)
    assert (task.name, task.labels, len(task.columns.texts)) == (name.lower(), ("0", "1"), 2)


def test_unknown_task_is_an_error_that_lists_the_known_ones():
    with pytest.raises(
        ValueError, match=r"unknown task 'lcqm'; known tasks are afqmc, .*lcqmc, lcqmc_pair"
    ):
        find_task("lcqm")


@pytest.mark.parametrize(
    ("name", "labels", "num_texts"),
    [("afqmc", 2, 2), ("tnews", 15, 1), ("iflytek", 119, 1), ("ocnli", 3, 2), ("cmnli", 3, 2)],
)
def test_clue_tasks_have_their_labels_and_texts(name, labels, num_texts):
    task = find_task(name)
    assert (len(set(task.labels)), len(task.columns.texts)) == (labels, num_texts)
    assert len(task.keys.texts) == num_texts


def test_json_lines_are_examples_and_other_keys_are_not_read(read):
    content = (
        '{"id": 3, "sentence1": "我饿了", "sentence2": "我很饿\u2028", "label": "1", "x": [1]}\n'
        "\n"
        '{"sentence2": "再见", "sentence1": "你好", "label": 0}\n'
    )
    split = read(content, name="train.json", task=TASKS["afqmc"])
    assert split.examples == (
        Example("我饿了", "我很饿\u2028", "1", "3"),
        Example("你好", "再见", "0"),
    )


def test_json_rows_without_agreement_are_left_out_and_counted(read):
    rows = [
        f'{{"sentence1": "{number}", "sentence2": "b", "label": "{label}"}}'
        for number, label in enumerate(("neutral", "-", "entailment"))
    ]
    split = read("\n".join(rows), name="dev.json", split="dev", task=TASKS["ocnli"])
    assert [example.text_a for example in split.examples] == ["0", "2"]
    assert any("1 rows with the label '-' are left out" in note for note in split.notes)
    # In test they are predicted.
    split = read("\n".join(rows), name="test.json", split="test", task=TASKS["ocnli"])
    assert [example.label for example in split.examples] == ["neutral", None, "entailment"]


@pytest.mark.parametrize("label", ["", ', "label": "-1"', ', "label": null'])
def test_json_test_file_may_lack_labels(read, label):
    content = f'{{"id": 0, "sentence": "好"{label}}}'
    split = read(content, name="test.json", split="test", task=TASKS["tnews"])
    assert split.examples == (Example("好", None, None, "0"),)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"sentence": "好", "label": "100"', r"line 2: no JSON \(Expecting"),
        ('["好"]', r"line 2: \[\"好\"\] is no JSON object"),
        ('{"sentence": "好"}', "line 2: no 'label'; only the test file may lack labels"),
        ('{"sentence": "好", "label": "105"}', "line 2: unknown label '105'; the labels of tnews"),
        ('{"sentence": " ", "label": "100"}', "line 2: the text 'sentence' is empty"),
        ('{"text": "好", "label": "100"}', "line 2: no text 'sentence'; its keys are label, text"),
        ('{"sentence": 7, "label": "100"}', "line 2: no text 'sentence'"),
    ],
)
def test_bad_json_line_is_named(read, line, message):
    good = '{"sentence": "好", "label": "100"}'
    with pytest.raises(ValueError, match=r"train\.json, " + message):
        read(f"{good}\n{line}\n{good}\n", name="train.json", task=TASKS["tnews"])


@pytest.mark.parametrize("content", ["", "\n\n"])
def test_json_file_without_examples_is_an_error(read, content):
    with pytest.raises(ValueError, match=r"train\.json holds no examples"):
        read(content, name="train.json", task=TASKS["tnews"])


def test_every_row_of_a_file_without_header_is_an_example(read):
    split = read('我 饿了\t我很"饿\t1\n你好\t再见\t0\n')
    assert split.examples == (Example("我 饿了", '我很"饿', "1"), Example("你好", "再见", "0"))
    assert split.header is None


@pytest.mark.parametrize("header", ["text_a\ttext_b\tlabel", "句子1\t句子2\t标签"])
def test_row_that_names_the_columns_is_kept_apart(read, header):
    split = read(f"{header}\n你好\t再见\t0\n", name="train.tsv")
    assert split.header == header
    assert split.examples == (Example("你好", "再见", "0"),)


def test_only_newlines_separate_rows_and_windows_line_ends_and_marks_are_dropped(read):
    split = read("\ufeff一\u2028二\x0b三\t四\x85五\t1\r\n六\t七\t0\r\n\n")
    assert split.examples == (
        Example("一\u2028二\x0b三", "四\x85五", "1"),
        Example("六", "七", "0"),
    )


def test_columns_of_the_task_decide_what_is_what(read):
    split = read("1\t你好\n0\t再见\n", task=ONE_TEXT)
    assert split.examples == (Example("你好", None, "1"), Example("再见", None, "0"))


def test_first_of_the_names_that_exists_is_read(read):
    read("二\t二\t0\n", name="dev.tsv", split="dev")
    assert read("一\t一\t1\n", name="dev.txt", split="dev").path.endswith("dev.txt")


@pytest.mark.parametrize("header", ["", "text_a\ttext_b\n"])
def test_test_split_may_lack_labels(read, header):
    split = read(f"{header}你好\t再见\n一\t二\n", name="test.txt", split="test")
    assert split.examples == (Example("你好", "再见"), Example("一", "二"))


def test_unlabelled_single_text_is_read_although_its_label_comes_first(read):
    split = read("你好\n", name="test.txt", split="test", task=ONE_TEXT)
    assert split.examples == (Example("你好"),)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("一\t二\t1\n三\t四\n", r", line 2: 2 columns, expected 3 .*text_a, text_b, label"),
        ("一\t二\t1\t\n", r", line 1: 4 columns, expected 3"),
        ("一\t二\t1\n\n三\t四\t0\n", r", line 2: the line is empty; remove it"),
        ("一\t二\t2\n", r", line 1: unknown label '2'; the labels of lcqmc are 0, 1"),
        ("text_a\ttext_b\tlabel\n一\t二\tlabel\n", r", line 2: unknown label 'label'"),
        ("一\t \u3000\t1\n", r", line 1: a text is empty"),
        ("", r" is empty"),
        ("\ufeff\r\n\n", r" is empty"),
        ("text_a\ttext_b\tlabel\n", r" holds a header and no examples"),
        (b"a\tb\t1\nc\xc4\xe3\td\t0\n", r", line 2: not UTF-8 at byte 7 of the file \(0xc4\)"),
        (b"\xef\xbb\xbfa\tb\xff\t1\n", r", line 1: not UTF-8 at byte 6 of the file \(0xff\)"),
    ],
)
def test_malformed_file_is_an_error_with_file_and_line(read, content, complaint):
    with pytest.raises(ValueError, match=f"train.txt{complaint}"):
        read(content)


def test_rows_of_an_unlabelled_test_split_must_all_lack_labels(read):
    with pytest.raises(
        ValueError, match=r"test.txt, line 2: 3 columns, expected 2 .*text_a, text_b"
    ):
        read("你好\t再见\n一\t二\t1\n", name="test.txt", split="test")


def test_missing_labels_are_an_error_outside_test(read):
    with pytest.raises(ValueError, match=r"dev.txt, line 1: 2 columns, expected 3"):
        read("你好\t再见\n", name="dev.txt", split="dev")


def test_missing_file_is_an_error_that_lists_the_names_tried(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"looked for dev\.txt, dev\.tsv, dev\.csv in"):
        read_split(LCQMC, data_dir=str(tmp_path), split="dev")


# ---- report


def test_report_counts_labels_repetitions_and_shared_examples():
    train = [("一", "二", "1"), ("一", "二", "0"), ("一", "二", "1"), ("三", "四", "0")]
    dev = [("三", "四", "1"), ("五", "六", "0")]
    splits = [
        Split(name, f"{name}.txt", tuple(Example(*row) for row in rows))
        for name, rows in (("train", train), ("dev", dev))
    ]
    found = report(splits, labels=LCQMC.labels)
    assert found.splits == (
        SplitReport("train", 4, {"0": 2, "1": 2}, 4, num_repeated=2, num_contradicting=1),
        SplitReport("dev", 2, {"0": 1, "1": 1}, 2, num_repeated=0, num_contradicting=0),
    )
    assert found.shared == {("train", "dev"): 1}
    assert list(found.lines()) == [
        "train: 4 examples; 2 of '0' (50.0%), 2 of '1' (50.0%)",
        "train: 2 examples repeat earlier ones, 1 of them with a different label",
        "dev: 2 examples; 1 of '0' (50.0%), 1 of '1' (50.0%)",
        "1 of the 2 dev examples are also in train",
    ]


def test_report_of_unlabelled_examples_says_so():
    split = Split("test", "test.txt", (Example("一", "二"),))
    found = report([split], labels=LCQMC.labels)
    assert list(found.lines()) == ["test: 1 examples; no labels"]


def test_report_of_partly_labelled_examples_counts_the_labelled_ones():
    examples = (Example("一", "二"), Example("三", "四", "1"), Example("五", "六"))
    found = report([Split("test", "test.txt", examples)], labels=LCQMC.labels)
    assert list(found.lines()) == [
        "test: 3 examples; 1 of 3 labelled: 0 of '0' (0.0%), 1 of '1' (100.0%)"
    ]


# ---- features


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    path = tmp_path_factory.mktemp("vocab") / "vocab.txt"
    # ids                                      5   6   7   8   9
    entries = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"我你爱好吗"]
    path.write_text("\n".join(entries), encoding="utf-8")
    return load_tokenizer(str(path))


def _featurize(examples, tokenizer, max_seq_length=16):
    return featurize(
        examples, tokenizer=tokenizer, labels=("0", "1"), max_seq_length=max_seq_length
    )


def test_pair_becomes_ids_segments_mask_and_label(tokenizer):
    features = _featurize([Example("我爱你", "你好", "1"), Example("好", "吗", "0")], tokenizer)
    batch = collate(features, np.array([0, 1]), padded_length=9)
    expected = {
        "input_ids": [[2, 5, 7, 6, 3, 6, 8, 3, 0], [2, 8, 3, 9, 3, 0, 0, 0, 0]],
        "input_mask": [[1, 1, 1, 1, 1, 1, 1, 1, 0], [1, 1, 1, 1, 1, 0, 0, 0, 0]],
        "segment_ids": [[0, 0, 0, 0, 0, 1, 1, 1, 0], [0, 0, 0, 1, 1, 0, 0, 0, 0]],
        "label_ids": [1, 0],
    }
    assert {name: array.tolist() for name, array in batch.items()} == expected
    assert {array.dtype for array in batch.values()} == {np.dtype(np.int32)}


def test_single_text_has_one_segment_and_no_label_is_marked(tokenizer):
    features = _featurize([Example("我爱你")], tokenizer)
    batch = collate(features, np.array([0]), padded_length=6)
    assert batch["input_ids"].tolist() == [[2, 5, 7, 6, 3, 0]]
    assert batch["segment_ids"].tolist() == [[0] * 6]
    assert batch["label_ids"].tolist() == [NO_LABEL]


def test_batch_holds_the_chosen_examples_in_the_order_asked_for(tokenizer):
    features = _featurize([Example(text, "好", "0") for text in "我你爱"], tokenizer)
    batch = collate(features, np.array([2, 0]), padded_length=5)
    assert batch["input_ids"].tolist() == [[2, 7, 3, 8, 3], [2, 5, 3, 8, 3]]


def test_examples_beyond_the_limit_are_shortened_and_counted(tokenizer):
    examples = [
        Example("我爱你我", "好吗", "0"),  # one too many: the longer text loses it
        Example("我爱你", "好吗", "0"),  # just fits
        Example("我爱", "好吗好吗好吗", "1"),
    ]
    features = _featurize(examples, tokenizer, max_seq_length=8)
    batch = collate(features, np.array([0, 1, 2]), padded_length=8)
    assert batch["input_ids"].tolist() == [
        [2, 5, 7, 6, 3, 8, 9, 3],
        [2, 5, 7, 6, 3, 8, 9, 3],
        [2, 5, 7, 3, 8, 9, 8, 3],
    ]
    assert features.num_truncated == 2


def test_thousands_of_examples_are_tokenized_as_each_of_them(tokenizer):
    """Texts are tokenized a thousand at a time."""
    examples = [Example("我爱你"[: 1 + n % 3], "好吗" * (1 + n % 5), "0") for n in range(2100)]
    features = _featurize(examples, tokenizer, max_seq_length=10)
    alone = [_featurize([example], tokenizer, max_seq_length=10) for example in examples]
    for number, each in enumerate(alone):
        assert features.token_ids[features.row(number)].tolist() == each.token_ids.tolist()
    assert features.first_lengths.tolist() == [int(each.first_lengths[0]) for each in alone]
    assert features.example_ids.tolist() == list(range(2100))
    assert features.num_truncated == sum(each.num_truncated for each in alone) > 100


def test_single_text_keeps_its_beginning(tokenizer):
    features = _featurize([Example("我爱你好吗", None, "0")], tokenizer, max_seq_length=5)
    assert features.token_ids.tolist() == [2, 5, 7, 6, 3]


def test_no_examples_make_empty_features(tokenizer):
    features = _featurize([], tokenizer)
    assert len(features) == 0
    assert features.lengths.tolist() == []


@pytest.mark.parametrize(
    ("example", "least"), [(Example("我", "你", "0"), 5), (Example("我", None, "0"), 3)]
)
def test_limit_without_room_for_every_text_is_an_error(tokenizer, example, least):
    with pytest.raises(ValueError, match=f"must be at least {least}"):
        _featurize([example], tokenizer, max_seq_length=least - 1)
    assert len(_featurize([example], tokenizer, max_seq_length=least)) == 1


def _pop_one_by_one(first: int, second: int, limit: int) -> tuple[int, int]:
    """The published rule, token by token: the longer list loses its last, of equals the second."""
    while first + second > limit:
        if first > second:
            first -= 1
        else:
            second -= 1
    return first, second


def test_truncation_equals_dropping_tokens_one_by_one():
    for limit in range(2, 12):
        lengths = list(itertools.product(range(9), range(9)))
        kept = truncated_lengths(np.array(lengths).T, limit)
        expected = [_pop_one_by_one(*pair, limit) for pair in lengths]
        assert np.transpose(kept).tolist() == [list(pair) for pair in expected]


# ---- batches


@given(st.lists(st.integers(3, 32), min_size=1, max_size=80), st.integers(1, 100))
def test_batches_by_tokens_hold_every_example_once_within_the_tokens(lengths, tokens):
    epochs = [
        epoch_batches(lengths, batch_size=1, buckets=[32], seed=7, epoch=epoch, batch_tokens=tokens)
        for epoch in (0, 1)
    ]
    assert len({len(batches) for batches in epochs}) == 1  # so a step tells its epoch
    for batches in epochs:
        places = np.concatenate([batch.indices for batch in batches])
        assert sorted(places.tolist()) == list(range(len(lengths)))
        for batch in batches:
            longest = -(-max(lengths[place] for place in batch.indices) // 4) * 4
            assert len(batch.indices) == 1 or len(batch.indices) * longest <= tokens


LENGTHS = st.lists(st.integers(3, 32), min_size=1, max_size=80)


def _train(lengths, *, batch_size=4, seed=7, epoch=0) -> list[PaddedBatch]:
    return epoch_batches(lengths, batch_size=batch_size, buckets=BUCKETS, seed=seed, epoch=epoch)


def _as_lists(batches: list[PaddedBatch]) -> list[tuple[list[int], int]]:
    return [(batch.indices.tolist(), batch.padded_length) for batch in batches]


@given(lengths=LENGTHS, batch_size=st.integers(1, 9), epoch=st.integers(0, 3))
def test_epoch_has_full_batches_of_distinct_examples_that_fit(lengths, batch_size, epoch):
    if len(lengths) < batch_size:
        with pytest.raises(ValueError, match="lower --train_batch_size"):
            _train(lengths, batch_size=batch_size, epoch=epoch)
        return
    batches = _train(lengths, batch_size=batch_size, epoch=epoch)
    assert len(batches) == len(lengths) // batch_size
    assert {len(batch.indices) for batch in batches} == {batch_size}
    chosen = [index for batch in batches for index in batch.indices]
    assert len(set(chosen)) == len(chosen)
    for batch in batches:
        longest = max(lengths[index] for index in batch.indices)
        assert batch.padded_length == min(bucket for bucket in BUCKETS if bucket >= longest)


def test_epoch_is_a_function_of_seed_and_number():
    lengths = np.arange(100) % 30 + 3
    batches = _as_lists(_train(lengths))
    assert _as_lists(_train(lengths)) == batches
    assert _as_lists(_train(lengths, epoch=1)) != batches
    assert _as_lists(_train(lengths, seed=8)) != batches


def test_epochs_leave_out_different_examples_and_shuffle_the_batches():
    lengths = np.repeat([5, 12, 30], 34)  # 102 examples: 2 are left over from batches of 4
    left_out, orders = set(), set()
    for epoch in range(8):
        batches = _train(lengths, epoch=epoch)
        used = np.concatenate([batch.indices for batch in batches])
        left_out.add(frozenset(range(102)) - frozenset(used.tolist()))
        orders.add(tuple(batch.padded_length for batch in batches))
    assert len(left_out) == 8
    assert len(orders) == 8


def test_at_most_one_batch_per_bucket_mixes_lengths():
    lengths = np.random.RandomState(0).randint(3, 33, size=1000)
    batches = _train(lengths, batch_size=10)
    buckets = np.searchsorted(BUCKETS, lengths)
    mixed = [batch for batch in batches if len(set(buckets[batch.indices])) > 1]
    assert len(mixed) <= len(BUCKETS) - 1


def test_examples_of_one_bucket_meet_different_partners_in_every_epoch():
    epochs = [_train([5] * 64, epoch=epoch) for epoch in range(6)]
    partners = {
        frozenset(batch.indices.tolist())
        for batches in epochs
        for batch in batches
        if 0 in batch.indices
    }
    assert len(partners) == 6


@given(lengths=LENGTHS, batch_size=st.integers(1, 9))
def test_evaluation_takes_every_example_once_and_results_find_their_way_back(lengths, batch_size):
    batches = eval_batches(lengths, batch_size=batch_size, buckets=BUCKETS)
    for batch in batches[:-1]:
        assert len(batch.indices) == batch_size * BUCKETS[-1] // batch.padded_length
    results = [np.array([lengths[index] for index in batch.indices]) for batch in batches]
    assert np.concatenate(results).tolist() == sorted(lengths, reverse=True)
    assert in_original_order(batches, results).tolist() == lengths


def test_buckets_end_at_the_limit():
    assert bucket_lengths(14) == (4, 8, 12, 14)
    assert bucket_lengths(128)[-2:] == (124, 128)
    assert bucket_lengths(128, coarse=True) == (16, 24, 32, 48, 64, 96, 128)
    assert bucket_lengths(100, coarse=True)[-2:] == (96, 100)
    assert bucket_lengths(10, coarse=True) == (10,)


def test_examples_of_a_batch_are_the_same_on_every_device():
    lengths = np.random.RandomState(0).randint(3, 33, size=200)
    batches = {
        buckets: epoch_batches(lengths, batch_size=8, buckets=buckets, seed=1, epoch=2)
        for buckets in ((32,), bucket_lengths(32), bucket_lengths(32, coarse=True))
    }
    (first, *others) = (
        [batch.indices.tolist() for batch in of_device] for of_device in batches.values()
    )
    assert all(other == first for other in others)


# ---- real data


def test_real_lcqmc_is_read_whole_and_hardly_padded(test_data_dir):
    split = read_split(LCQMC, data_dir=str(test_data_dir / "lcqmc"), split="dev")
    assert len(split.examples) == 8802
    assert split.header == "text_a\ttext_b\tlabel"
    assert report([split], labels=LCQMC.labels).splits[0].labels == {"0": 4400, "1": 4402}
    features = featurize(
        split.examples,
        tokenizer=load_tokenizer(str(test_data_dir / "vocab/bert_zh_vocab.txt")),
        labels=LCQMC.labels,
        max_seq_length=128,
    )
    batches = epoch_batches(
        features.lengths, batch_size=64, buckets=bucket_lengths(128), seed=0, epoch=0
    )
    # Padded to 128 tokens, four fifths of the positions are padding.
    assert 1 - features.lengths.mean() / 128 > 0.75
    assert padding_share(features.lengths, batches) < 0.07
