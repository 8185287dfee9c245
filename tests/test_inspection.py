"""Instances as readable lines, and all that is wrong with files, not only the first."""

import hashlib
import os
from dataclasses import replace

import pytest
import small

from albert_zh.corpus.instances import Instance
from albert_zh.input.decoding import decode
from albert_zh.input.files import check_records
from albert_zh.input.rules import OnCorrupt
from albert_zh.inspection.files import InspectedFiles
from albert_zh.inspection.rendering import examples, render
from albert_zh.inspection.verification import inspect_files
from albert_zh.records.features import Layout, serialize
from albert_zh.records.manifest import RecordSet, Shard, add_set
from albert_zh.records.paths import expand_records
from albert_zh.records.tfrecord import frame
from albert_zh.text.vocab import Vocab

VOCAB = Vocab((*small.VOCABULARY, "", "\u2028"))
ORDERS = ("in order", "swapped")


def ids(text):
    return tuple(VOCAB.ids[token] for token in text.split())


INSTANCE = Instance(
    token_ids=ids("[CLS] 今 [MASK] 去 沪 汉 [SEP] 很 冷 [SEP]"),
    segment_ids=(0, 0, 0, 0, 0, 0, 0, 1, 1, 1),
    starts=(True, True, False, True, True, True, True, True, False, True),
    masked_positions=(2, 4, 5),
    masked_labels=ids("天 京 汉"),
    swapped=False,
)
LAYOUT = Layout(12, 4)
RECORD = serialize(INSTANCE, LAYOUT)
SIZE = len(frame(RECORD))


def shown(instance, layout=LAYOUT, orders=ORDERS):
    return render(decode(serialize(instance, layout)), VOCAB, orders=orders)


def test_masks_show_what_is_read_and_what_is_to_be_predicted():
    assert shown(INSTANCE) == (
        "10 tokens, 3 to predict, in order\n"
        "  A  [CLS] 今 [天→MASK] 去 [京→沪] [汉→=] [SEP]\n"
        "  B  很 冷 [SEP]"
    )


def test_dynamic_records_show_their_words():
    assert shown(replace(INSTANCE, swapped=True), Layout(12, 0, masked=False)) == (
        "10 tokens, for dynamic masking, swapped\n"
        "  A  [CLS] 今·[MASK] 去 沪 汉 [SEP]\n"
        "  B  很·冷 [SEP]"
    )


def test_single_segment_has_no_order():
    single = replace(INSTANCE, segment_ids=(0,) * 10, swapped=True)
    assert shown(single) == (
        "10 tokens, 3 to predict, one segment\n"
        "  A  [CLS] 今 [天→MASK] 去 [京→沪] [汉→=] [SEP] 很 冷 [SEP]"
    )


def test_entries_that_cannot_be_seen_are_escaped():
    strange = replace(INSTANCE, token_ids=(*INSTANCE.token_ids[:7], len(VOCAB) - 2, len(VOCAB) - 1))
    strange = replace(strange, segment_ids=INSTANCE.segment_ids[:9])
    assert shown(strange).endswith(r"  B  '' '\u2028'")


@pytest.fixture
def shards(tmp_path):
    """Two listed shards of three records each."""
    paths = [tmp_path / "a.tfrecord", tmp_path / "b.tfrecord"]
    for path in paths:
        path.write_bytes(frame(RECORD) * 3)
    listed(tmp_path, ["a.tfrecord", "b.tfrecord"])
    return paths


def listed(directory, names, **recipe):
    contents = [(directory / name).read_bytes() for name in names]
    made = RecordSet(
        recipe={"max_seq_length": 12, "max_predictions_per_seq": 4, **recipe},
        vocabulary={"fingerprint": VOCAB.fingerprint, "size": len(VOCAB)},
        inputs=[],
        shards=tuple(
            Shard(name, 3, len(content), hashlib.sha256(content).hexdigest())
            for name, content in zip(names, contents, strict=True)
        ),
    )
    add_set(str(directory), made)


def found(paths, *, vocab=VOCAB, verify=True):
    files = InspectedFiles.find([str(path) for path in paths], vocab)
    inspection = inspect_files(files, verify=verify)
    return inspection.statistics, [str(problem) for problem in inspection.problems]


def test_whole_shards_have_no_problem(shards):
    statistics, problems = found(shards)
    assert problems == []
    assert statistics.counts["records"] == 6


def test_all_problems_are_listed_with_file_record_and_byte(shards):
    first, second = shards
    content = bytearray(first.read_bytes())
    content[SIZE + 30] ^= 1
    first.write_bytes(content)
    second.write_bytes(frame(RECORD) * 2 + frame(RECORD)[:50])
    statistics, problems = found(shards)
    assert statistics.counts["records"] == 4
    assert problems == [
        f"{first}: record 1, at byte {SIZE}: its checksum does not match",
        f"{first}: its SHA-256 is not the one in manifest.json",
        f"{second}: record 2, at byte {2 * SIZE}: the file ends within this record",
        f"{second}: it has {2 * SIZE + 50:,} bytes, but manifest.json says {3 * SIZE:,}",
    ]


def test_records_cut_off_between_two_are_missed(shards):
    shards[1].write_bytes(frame(RECORD))
    _, problems = found(shards)
    assert problems == [
        f"{shards[1]}: it has {SIZE} bytes, but manifest.json says {3 * SIZE:,}",
        f"{shards[1]}: it has 1 records, but manifest.json says 3",
    ]


def test_missing_shard_is_a_problem_and_only_with_verify(shards):
    shards[1].unlink()
    assert found(shards[:1])[1] == [f"{shards[1]}: it is missing, but manifest.json lists it"]
    assert found(shards[:1], verify=False)[1] == []


def test_other_bytes_are_no_problem_without_verify_as_long_as_records_are_whole(shards):
    shards[0].write_bytes(frame(RECORD))
    assert found(shards, verify=False)[1] == []


def test_same_problem_of_many_records_is_one_line(shards, tmp_path):
    listed(tmp_path, ["a.tfrecord", "b.tfrecord"], max_seq_length=16)
    assert found(shards)[1] == [
        f"{path}: records 0 to 2, from byte 0: input_ids has 12 values, not 16" for path in shards
    ]


def test_same_problem_with_a_good_record_between_is_two_lines(tmp_path):
    path = tmp_path / "a.tfrecord"
    short = frame(serialize(INSTANCE, replace(LAYOUT, max_seq_length=11)))
    path.write_bytes(short + frame(RECORD) + short)
    listed(tmp_path, ["a.tfrecord"])
    size = len(short)
    assert found([path])[1] == [
        f"{path}: record 0, at byte 0: input_ids has 11 values, not 12",
        f"{path}: record 2, at byte {size + SIZE}: input_ids has 11 values, not 12",
    ]


def test_record_of_another_layout_is_a_problem_as_it_is_to_training(tmp_path):
    path = tmp_path / "a.tfrecord"
    compact = frame(serialize(INSTANCE, replace(LAYOUT, padded=False)))
    path.write_bytes(frame(RECORD) + compact + frame(RECORD))
    assert found([path])[1] == [
        f"{path}: record 1, at byte {SIZE}: it lacks input_mask, masked_lm_weights"
    ]
    assert check_records([str(path)], on_corrupt=OnCorrupt.SKIP).num_skipped == 1


def test_ids_beyond_the_vocabulary_are_a_problem_with_or_without_a_manifest(shards, tmp_path):
    beyond = replace(INSTANCE, masked_labels=(7, 8, len(VOCAB)))
    lonely = tmp_path / "other" / "c.tfrecord"
    lonely.parent.mkdir()
    for path in (lonely, shards[0]):
        path.write_bytes(frame(serialize(beyond, LAYOUT)) * 3)
    problem = f"masked_lm_ids goes beyond the {len(VOCAB)} entries of the vocabulary"
    expected = [f"{lonely}: records 0 to 2, from byte 0: {problem}"]
    assert found([lonely])[1] == expected
    assert found([lonely], vocab=None)[1] == []
    assert found(shards, vocab=None)[1][0].endswith(problem)


GOOD = Instance(
    token_ids=ids("[CLS] 今 [MASK] [SEP] 很 冷 [SEP]"),
    segment_ids=(0, 0, 0, 0, 1, 1, 1),
    starts=(True,) * 7,
    masked_positions=(2, 5),
    masked_labels=ids("天 冷"),
    swapped=True,
)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({}, None),
        ({"masked_positions": (2, 2)}, "masked_lm_positions has a position twice"),
        (
            {"masked_positions": (2, 6)},
            "masked_lm_positions has a special token: [CLS] or the end of a segment",
        ),
        (
            {"masked_positions": (2, 3)},
            "masked_lm_positions has a special token: [CLS] or the end of a segment",
        ),
        (
            {"masked_positions": (0, 2)},
            "masked_lm_positions has a special token: [CLS] or the end of a segment",
        ),
    ],
)
def test_content_that_training_does_not_check_is_a_problem_even_without_a_vocabulary(
    tmp_path, changes, problem
):
    path = tmp_path / "a.tfrecord"
    path.write_bytes(frame(serialize(replace(GOOD, **changes), LAYOUT)))
    expected = [f"{path}: record 0, at byte 0: {problem}"] if problem else []
    assert found([path], vocab=None)[1] == expected
    assert check_records([str(path)]).num_records == 1


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({}, None),
        ({"segment_ids": (0,) * 7}, "segment_ids has fewer segments than input_ids has [SEP]"),
        (
            {"segment_ids": (0, 0, 0, 0, 0, 1, 1)},
            "segment_ids has a segment that does not end with [SEP]",
        ),
        (
            {"masked_labels": ids("天 [SEP]")},
            "masked_lm_ids has a special token: [CLS], [SEP], [MASK] or [PAD]",
        ),
        (
            {"token_ids": ids("[CLS] [MASK] [MASK] [SEP] 很 冷 [SEP]")},
            "input_ids has a [MASK] that is no prediction target",
        ),
        (
            {"token_ids": ids("今 今 [MASK] [SEP] 很 冷 [SEP]")},
            "input_ids does not begin with [CLS]",
        ),
    ],
)
def test_special_tokens_out_of_place_are_a_problem_with_a_vocabulary(tmp_path, changes, problem):
    path = tmp_path / "a.tfrecord"
    path.write_bytes(frame(serialize(replace(GOOD, **changes), LAYOUT)))
    expected = [f"{path}: record 0, at byte 0: {problem}"] if problem else []
    assert found([path])[1] == expected


def test_entries_that_the_text_holds_by_name_are_no_problem(tmp_path):
    path = tmp_path / "a.tfrecord"
    strange = replace(GOOD, token_ids=ids("[CLS] [SEP] [MASK] [SEP] [MASK] 冷 [SEP]"))
    path.write_bytes(frame(serialize(strange, LAYOUT)) * 3)
    assert len(found([path])[1]) == 1
    listed(tmp_path, ["a.tfrecord"], whole_entries="[MASK], [SEP]")
    assert found([path])[1] == []


def test_folder_stands_for_its_records_and_names_its_other_files(tmp_path):
    for name in ("b/part-1", "b/a.tfrecord.gz", "c", "x.unfinished/slice", ".hidden", "b/_old"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(frame(RECORD))
    (tmp_path / "b" / "damaged.tfrecord").write_bytes(b"no record")
    (tmp_path / "notes.txt").write_text("no record, either")
    (tmp_path / "events.out.tfevents.1").write_bytes(frame(RECORD))  # TensorBoard's
    listed(tmp_path, ["c"])
    os.mkfifo(tmp_path / "pipe")
    paths, others = expand_records(f"{tmp_path}, {tmp_path}/c")
    wanted = ("b/a.tfrecord.gz", "b/damaged.tfrecord", "b/part-1", "c")
    assert paths == [str(tmp_path / name) for name in wanted]
    assert others == [str(tmp_path / name) for name in ("events.out.tfevents.1", "notes.txt")]
    (tmp_path / "hid").mkdir()
    with pytest.raises(FileNotFoundError, match=r"no file in the folder .*hid holds records"):
        expand_records(str(tmp_path / "hid"))


def test_empty_file_is_a_problem(tmp_path):
    (tmp_path / "a.tfrecord").write_bytes(b"")
    assert found([tmp_path / "a.tfrecord"])[1] == [f"{tmp_path / 'a.tfrecord'}: it is empty"]


def test_files_without_a_manifest_are_read_and_named(shards, tmp_path):
    lonely = tmp_path / "c.tfrecord"
    lonely.write_bytes(frame(RECORD))
    paths = [str(path) for path in (*shards, lonely)]
    files = InspectedFiles.find(paths, None)
    assert files.unlisted() == [str(lonely)]
    assert files.num_listed is None
    assert InspectedFiles.find(paths[:2], None).num_listed == 6
    assert inspect_files(files, verify=True).problems == ()


def test_other_vocabulary_is_an_error(shards):
    paths = [str(path) for path in shards]
    with pytest.raises(ValueError, match=r"a\.tfrecord was made with a vocabulary of 30 entries"):
        InspectedFiles.find(paths, Vocab(tuple(small.VOCABULARY)))


def test_examples_are_the_first_good_records(tmp_path):
    path = tmp_path / "a.tfrecord"
    content = bytearray(frame(RECORD) * 4)
    content[30] ^= 1
    path.write_bytes(content)
    files = InspectedFiles.find([str(path)], VOCAB)
    lines = [example.splitlines()[0] for example in examples(files, count=2)]
    assert lines == [
        f"{path}, record {number}: 10 tokens, 3 to predict, in order" for number in (1, 2)
    ]


def test_label_of_a_random_next_sentence_is_named_so(shards, tmp_path):
    paths = [str(path) for path in shards]
    assert InspectedFiles.find(paths, VOCAB).orders == ("in order", "swapped")
    listed(tmp_path, ["a.tfrecord", "b.tfrecord"], random_next_sentence=True)
    assert InspectedFiles.find(paths, VOCAB).orders == ("in order", "of two documents")
