"""Batches: what is in them, in which order, and how unfit files are refused."""

import gzip
from collections import Counter
from itertools import islice

import pytest
import tensorflow as tf

from albert_zh.corpus.instances import Instance
from albert_zh.records.batches import (
    RecordFiles,
    check_records,
    evaluation_batches,
    training_batches,
)
from albert_zh.records.features import serialize
from albert_zh.records.manifest import RecordSet
from albert_zh.records.shards import write_shards
from albert_zh.records.tfrecord import frame

L, P = 8, 3


def record(number):
    """A record whose second token tells it apart."""
    instance = Instance(
        token_ids=(2, number, 4, 3, 9, 3),
        segment_ids=(0, 0, 0, 0, 1, 1),
        masked_positions=(2,),
        masked_labels=(7,),
        swapped=number % 2 == 1,
    )
    return serialize(instance, max_seq_length=L, max_predictions_per_seq=P)


def write(path, numbers):
    path.write_bytes(b"".join(frame(record(number)) for number in numbers))
    return str(path)


@pytest.fixture
def paths(tmp_path):
    """Three files with records 100-109, 110-119 and 120-124."""
    return [
        write(tmp_path / "a.tfrecord", range(100, 110)),
        write(tmp_path / "b.tfrecord", range(110, 120)),
        write(tmp_path / "c.tfrecord", range(120, 125)),
    ]


@pytest.fixture
def files(paths):
    return check_records(paths, max_seq_length=L, max_predictions_per_seq=P)


def numbers_in(batches):
    return [batch["input_ids"][:, 1].numpy().tolist() for batch in batches]


def test_batch_has_the_promised_tensors(files):
    batch = next(iter(evaluation_batches(files, batch_size=2)))
    assert {name: (value.dtype, value.shape.as_list()) for name, value in batch.items()} == {
        "input_ids": (tf.int32, [2, L]),
        "input_mask": (tf.int32, [2, L]),
        "segment_ids": (tf.int32, [2, L]),
        "masked_lm_positions": (tf.int32, [2, P]),
        "masked_lm_ids": (tf.int32, [2, P]),
        "masked_lm_weights": (tf.float32, [2, P]),
        "sentence_order": (tf.int32, [2]),
    }
    assert batch["input_ids"][0].numpy().tolist() == [2, 100, 4, 3, 9, 3, 0, 0]
    assert batch["input_mask"][0].numpy().tolist() == [1, 1, 1, 1, 1, 1, 0, 0]
    assert batch["segment_ids"][0].numpy().tolist() == [0, 0, 0, 0, 1, 1, 0, 0]
    assert batch["masked_lm_positions"][0].numpy().tolist() == [2, 0, 0]
    assert batch["masked_lm_ids"][0].numpy().tolist() == [7, 0, 0]
    assert batch["masked_lm_weights"][0].numpy().tolist() == [1.0, 0.0, 0.0]
    assert batch["sentence_order"].numpy().tolist() == [0, 1]


def test_training_batches_have_static_shapes(files):
    spec = training_batches(files, batch_size=4, seed=1).element_spec
    assert all(value.shape.is_fully_defined() for value in spec.values())


def test_evaluation_sees_every_record_once_in_order(files):
    found = numbers_in(evaluation_batches(files, batch_size=10))
    assert found == [[*range(100, 110)], [*range(110, 120)], [*range(120, 125)]]


def training_numbers(files, count, **options):
    return numbers_in(islice(training_batches(files, **options), count))


def test_every_epoch_has_every_record_in_another_order(files):
    epochs = training_numbers(files, 4, batch_size=25, seed=1)
    assert all(sorted(epoch) == [*range(100, 125)] for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 4


def test_order_is_a_function_of_the_seed_alone(files):
    first = training_numbers(files, 9, batch_size=4, seed=1)
    tf.random.set_seed(77)
    assert training_numbers(files, 9, batch_size=4, seed=1) == first
    assert training_numbers(files, 9, batch_size=4, seed=2) != first


def test_resumed_order_equals_the_uninterrupted_one(files):
    uninterrupted = training_numbers(files, 30, batch_size=4, seed=1)
    for used in (0, 1, 6, 7, 13, 25):
        resumed = training_numbers(files, 30 - used, batch_size=4, seed=1, skip_batches=used)
        assert resumed == uninterrupted[used:]


def test_order_mixes_files_and_windows(files, monkeypatch):
    monkeypatch.setattr("albert_zh.records.batches._WINDOW", 5)
    monkeypatch.setattr("albert_zh.records.batches._INTERLEAVED_FILES", 2)
    (epoch,) = training_numbers(files, 1, batch_size=25, seed=1)
    assert sorted(epoch) == [*range(100, 125)]
    assert len({number // 10 for number in epoch[:5]}) == 2
    resumed = training_numbers(files, 1, batch_size=5, seed=1, skip_batches=3)
    assert resumed == [epoch[15:20]]


def test_epochs_begin_with_any_file(files):
    epochs = training_numbers(files, 20, batch_size=25, seed=1)
    assert {epoch[0] // 10 for epoch in epochs} == {10, 11, 12}


def test_batch_may_be_larger_than_an_epoch(files):
    (batch,) = training_numbers(files, 1, batch_size=60, seed=1)
    assert Counter(Counter(batch).values()) == {2: 15, 3: 10}


def test_records_without_a_manifest_are_counted(paths):
    assert check_records(paths, max_seq_length=L, max_predictions_per_seq=P) == RecordFiles(
        paths=tuple(paths),
        max_seq_length=L,
        max_predictions_per_seq=P,
        num_records=25,
        vocabulary=None,
    )


def write_set(path, *, fingerprint="f00d"):
    described = RecordSet({}, {"fingerprint": fingerprint, "size": 9}, [])
    write_shards([record(number) for number in range(4)], paths=[str(path)], described=described)
    return str(path)


def test_manifest_tells_count_and_vocabulary(tmp_path, paths):
    listed = write_set(tmp_path / "listed.tfrecord")
    checked = check_records([listed, paths[2]], max_seq_length=L, max_predictions_per_seq=P)
    assert checked.num_records == 9
    assert checked.vocabulary == {"fingerprint": "f00d", "size": 9}


def test_file_shorter_than_its_manifest_says_is_an_error(tmp_path):
    path = write_set(tmp_path / "short.tfrecord")
    (tmp_path / "short.tfrecord").write_bytes(frame(record(1)))
    with pytest.raises(ValueError, match=r"short\.tfrecord has .* bytes, manifest\.json .* says"):
        check_records([path], max_seq_length=L, max_predictions_per_seq=P)


def test_records_of_different_vocabularies_are_an_error(tmp_path):
    paths = [
        write_set(tmp_path / "a.tfrecord", fingerprint="f00d"),
        write_set(tmp_path / "b.tfrecord", fingerprint="beef"),
    ]
    with pytest.raises(ValueError, match=r"a\.tfrecord and .*b\.tfrecord"):
        check_records(paths, max_seq_length=L, max_predictions_per_seq=P)


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        ((16, 3), "made with max_seq_length 8, not 16; pass --max_seq_length=8"),
        ((8, 5), "made with max_predictions_per_seq 3, not 5; pass --max_predictions_per_seq=3"),
    ],
)
def test_other_lengths_are_an_error_that_says_the_flag(paths, lengths, message):
    with pytest.raises(ValueError, match=rf"records in .*a\.tfrecord were {message}"):
        check_records(paths, max_seq_length=lengths[0], max_predictions_per_seq=lengths[1])


def example(**values):
    features = {
        name: tf.train.Feature(int64_list=tf.train.Int64List(value=numbers))
        for name, numbers in values.items()
    }
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\x1f\x8b not a record", "no whole record at byte 0"),
        (frame(record(1))[:-9], "no whole record at byte 0"),
        (frame(b"\xff\xff"), "does not hold pretraining records"),
        (frame(example(input_ids=[1] * L, label_ids=[1])), "lacks input_mask, segment_ids, mask"),
    ],
    ids=["empty", "other format", "cut off", "no example", "fine-tuning record"],
)
def test_unfit_file_is_an_error_that_names_it(tmp_path, paths, content, message):
    path = tmp_path / "unfit.tfrecord"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"unfit\.tfrecord.*{message}"):
        check_records([*paths, str(path)], max_seq_length=L, max_predictions_per_seq=P)


def test_feature_of_another_length_is_an_error(tmp_path):
    wrong = tf.train.Example.FromString(record(1))
    wrong.features.feature["segment_ids"].int64_list.value.append(1)
    path = tmp_path / "a.tfrecord"
    path.write_bytes(frame(wrong.SerializeToString()))
    with pytest.raises(
        ValueError, match="segment_ids of the first record has 9 values instead of 8"
    ):
        check_records([str(path)], max_seq_length=L, max_predictions_per_seq=P)


def test_records_of_the_published_script_are_read(golden_dir, tmp_path):
    path = tmp_path / "published.tfrecord"
    packed = (golden_dir / "data" / "wwm_seq128_dupe2.tfrecord.gz").read_bytes()
    path.write_bytes(gzip.decompress(packed))
    files = check_records([str(path)], max_seq_length=128, max_predictions_per_seq=20)
    assert files.num_records == 140
    batches = list(evaluation_batches(files, batch_size=32))
    assert [len(batch["sentence_order"]) for batch in batches] == [32, 32, 32, 32, 12]
    # The counts that came with the file: labels 71/69, 2,638 masked tokens, mean length 126.886.
    assert sum(int(tf.reduce_sum(batch["sentence_order"])) for batch in batches) == 69
    assert sum(float(tf.reduce_sum(batch["masked_lm_weights"])) for batch in batches) == 2638
    tokens = sum(int(tf.reduce_sum(batch["input_mask"])) for batch in batches)
    assert tokens / 140 == pytest.approx(126.886, abs=1e-3)
