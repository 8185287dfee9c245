"""Batches: what is in them, in which order, and how they are masked."""

import gzip
import pathlib
from collections import Counter
from dataclasses import replace
from itertools import chain, combinations, islice, pairwise

import numpy as np
import pytest
import tensorflow as tf

from albert_zh.corpus.instances import Instance
from albert_zh.input.batches import evaluation_batches, named_read_errors, training_batches
from albert_zh.input.files import check_records
from albert_zh.input.reading import RecordRange
from albert_zh.input.rules import OnCorrupt
from albert_zh.masking.recipe import MaskingRecipe
from albert_zh.records.features import Layout, serialize
from albert_zh.records.tfrecord import frame

L, P = 8, 3
PUBLISHED = Layout(L, P)


def record(number, layout):
    """A record whose second token tells it apart."""
    instance = Instance(
        token_ids=(2, number, 4, 3, 9, 3),
        segment_ids=(0, 0, 0, 0, 1, 1),
        starts=(True,) * 6,
        masked_positions=(2,),
        masked_labels=(7,),
        swapped=number % 2 == 1,
    )
    return serialize(instance, layout)


def write(path, numbers, layout=PUBLISHED, *, compress=False):
    content = b"".join(frame(record(number, layout)) for number in numbers)
    path.write_bytes(gzip.compress(content) if compress else content)
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


def test_no_thread_tunes_the_batches(files):
    # On one core the end of a training would wait for that thread, for up to a minute.
    training = training_batches(files, batch_size=8, seed=1)
    evaluation = evaluation_batches(files, batch_size=8)
    assert training.options().autotune.enabled is False  # None: it is tuned
    assert evaluation.options().autotune.enabled is False


def test_evaluation_sees_every_record_once_in_order(files):
    found = numbers_in(evaluation_batches(files, batch_size=10, pad_last=False))
    assert found == [[*range(100, 110)], [*range(110, 120)], [*range(120, 125)]]


def test_rows_that_fill_up_the_last_batch_count_nowhere(files):
    batches = evaluation_batches(files, batch_size=10)
    assert all(value.shape.is_fully_defined() for value in batches.element_spec.values())
    *whole, last = batches
    *same, smaller = evaluation_batches(files, batch_size=10, pad_last=False)
    assert_same(whole, same)
    assert_same([{name: value[:5] for name, value in last.items()}], [smaller])
    filler = {name: set(value[5:].numpy().ravel().tolist()) for name, value in last.items()}
    assert filler == {name: {0} for name in last} | {"sentence_order": {-1}}


def test_records_without_pairs_have_no_known_order(files):
    (batch,) = evaluation_batches(replace(files, has_pairs=False), batch_size=25)
    assert batch["sentence_order"].numpy().tolist() == [-1] * 25
    (batch,) = islice(training_batches(replace(files, has_pairs=False), batch_size=9, seed=1), 1)
    assert batch["sentence_order"].numpy().tolist() == [-1] * 9


def test_record_of_one_segment_among_pairs_has_no_known_order(tmp_path):
    sentence = Instance(
        token_ids=(2, 102, 4, 3),
        segment_ids=(0,) * 4,
        starts=(True,) * 4,
        masked_positions=(2,),
        masked_labels=(7,),
        swapped=False,
    )
    records = [record(100, PUBLISHED), record(101, PUBLISHED), serialize(sentence, PUBLISHED)]
    path = tmp_path / "a.tfrecord"
    path.write_bytes(b"".join(map(frame, records)))
    files = check_records([str(path)], max_seq_length=L, max_predictions_per_seq=P)
    (batch,) = evaluation_batches(files, batch_size=3)
    assert batch["sentence_order"].numpy().tolist() == [0, 1, -1]


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


@pytest.mark.parametrize("bad", [[], [3, 4, 12, 24]])
def test_windows_mix_distant_records_and_are_passed_over(files, bad):
    sizes = {"window": 6, "lanes": 3}
    files = replace(files, ranges=without(files, bad))
    size = 25 - len(bad)
    epochs = training_numbers(files, 3, batch_size=size, seed=1, **sizes)
    good = [number for number in range(100, 125) if number - 100 not in bad]
    assert [sorted(epoch) for epoch in epochs] == [good] * 3
    assert len({number // 10 for number in epochs[0][:6]}) >= 2
    numbers = [number for epoch in epochs for number in epoch]
    for used in (0, 6, 10, 20, size + size % 2, 2 * size, 2 * size + 14):
        (first,) = training_numbers(files, 1, batch_size=2, seed=1, skip_batches=used // 2, **sizes)
        assert first == numbers[used : used + 2]


def without(files, bad):
    """The ranges of the files without some records, counted through all files."""
    ranges, start = [], 0
    for whole in files.ranges:
        places = [-1, *(each - start for each in bad if 0 <= each - start < whole.count)]
        for first, end in pairwise([*places, whole.count]):
            ranges.append(RecordRange(whole.path, first + 1, end - first - 1))
        start += whole.count
    return tuple(part for part in ranges if part.count)


def test_resume_reads_no_record_before_its_window(paths, files):
    expected = training_numbers(files, 6, batch_size=4, seed=1, window=8)
    used = {number for batch in expected[:4] for number in batch}
    for path, start in zip(paths, (100, 110, 120), strict=True):
        content = bytearray(pathlib.Path(path).read_bytes())
        size = len(frame(record(0, PUBLISHED))) + 1  # Numbers here take two bytes each.
        for number in used:
            if 0 <= (number - start) * size < len(content):
                content[(number - start) * size + 40] ^= 1
        pathlib.Path(path).write_bytes(content)
    later = training_numbers(files, 2, batch_size=4, seed=1, skip_batches=4, window=8)
    assert later == expected[4:]
    with pytest.raises(tf.errors.DataLossError):
        training_numbers(files, 1, batch_size=4, seed=1, window=8)


def test_epochs_begin_with_any_file(files):
    epochs = training_numbers(files, 20, batch_size=25, seed=1)
    assert {epoch[0] // 10 for epoch in epochs} == {10, 11, 12}


def test_batch_may_be_larger_than_an_epoch(files):
    (batch,) = training_numbers(files, 1, batch_size=60, seed=1)
    assert Counter(Counter(batch).values()) == {2: 15, 3: 10}


def assert_same(batches, expected):
    for batch, other in zip(batches, expected, strict=True):
        assert batch.keys() == other.keys()
        for name, value in batch.items():
            assert value.dtype == other[name].dtype
            np.testing.assert_array_equal(value, other[name], err_msg=name)


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("padded", [True, False])
def test_all_layouts_of_the_same_instances_give_the_same_batches(tmp_path, files, padded, compress):
    other = tmp_path / "other"
    other.mkdir()
    paths = [
        write(other / f"{index}.tfrecord", numbers, Layout(L, P, padded=padded), compress=compress)
        for index, numbers in enumerate([range(100, 110), range(110, 120), range(120, 125)])
    ]
    found = check_records(paths, max_seq_length=L, max_predictions_per_seq=P)
    assert_same(evaluation_batches(found, batch_size=10), evaluation_batches(files, batch_size=10))
    spec = training_batches(found, batch_size=4, seed=1).element_spec
    assert spec == training_batches(files, batch_size=4, seed=1).element_spec


@pytest.mark.parametrize("lengths", [{"max_seq_length": 5}, {"max_predictions_per_seq": 0}])
def test_compact_record_that_is_too_long_is_an_error_that_says_the_flag(tmp_path, lengths):
    path = write(tmp_path / "a.tfrecord", range(100, 104), Layout(L, P, padded=False))
    lengths = {"max_seq_length": L, "max_predictions_per_seq": P, **lengths}
    files = check_records([path], **lengths)
    (option,) = [name for name in lengths if lengths[name] not in (L, P)]
    with (
        pytest.raises(
            ValueError, match=rf"a\.tfrecord: record 0 needs .*; pass a larger --{option}"
        ),
        named_read_errors(files),
    ):
        list(evaluation_batches(files, batch_size=4))


def flip(path, place):
    content = bytearray(pathlib.Path(path).read_bytes())
    content[place] ^= 1
    pathlib.Path(path).write_bytes(content)


def stored(**values):
    """A record with other values of some features."""
    example = tf.train.Example.FromString(record(100, PUBLISHED))
    for name, numbers in values.items():
        del example.features.feature[name].int64_list.value[:]
        example.features.feature[name].int64_list.value.extend(numbers)
    return example.SerializeToString()


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        (stored(segment_ids=[0] * 9), "segment_ids has 9 values, but input_ids has 8"),
        (stored(masked_lm_ids=[]), "masked_lm_ids has 0 values, but masked_lm_positions has 3"),
        (stored(input_ids=[500] * 8), "input_ids goes beyond the 200 entries of the vocabulary"),
        (stored(masked_lm_ids=[-1, 0, 0]), "masked_lm_ids goes beyond the 200 entries"),
        (stored(masked_lm_positions=[8, 0, 0]), "masked_lm_positions points outside the tokens"),
        (stored(segment_ids=[0, 0, 0, 0, 2, 2, 2, 2]), "segment_ids is not zeros followed by ones"),
        (stored(next_sentence_labels=[2]), r"next_sentence_labels is \[2\], not"),
        (b"", "it lacks input_ids, input_mask, segment_ids, masked_lm_positions, masked_lm_ids"),
        (b"\xff\xff", r"it is not a tf\.Example"),
    ],
)
def test_record_that_fits_no_batch_is_an_error_that_names_it(tmp_path, bad, problem):
    path = tmp_path / "a.tfrecord"
    path.write_bytes(frame(record(100, PUBLISHED)) * 3 + frame(bad) + frame(stored()))
    files = check_records([str(path)], vocab_size=200)
    message = rf"a\.tfrecord: record 3, at byte [\d,]+: {problem}.* --on_corrupt=skip"
    with pytest.raises(ValueError, match=message), named_read_errors(files):
        list(evaluation_batches(files, batch_size=2))
    skipped = check_records([str(path)], vocab_size=200, on_corrupt=OnCorrupt.SKIP)
    assert (skipped.num_records, skipped.num_skipped) == (4, 1)
    assert numbers_in(evaluation_batches(skipped, batch_size=4)) == [[100] * 4]


def test_damage_met_in_a_compiled_step_is_an_error_that_names_the_record(paths, files):
    flip(paths[1], 40)
    batches = iter(training_batches(files, batch_size=25, seed=1))

    @tf.function
    def step():
        return tf.reduce_sum(next(batches)["input_ids"])

    with (
        pytest.raises(ValueError, match=r"b\.tfrecord: record 0, at byte 0: its checksum does not"),
        named_read_errors(files),
    ):
        step()


def test_errors_of_the_training_itself_pass(files):
    with (
        pytest.raises(tf.errors.InvalidArgumentError, match="Incompatible"),
        named_read_errors(files),
    ):
        tf.ones(2) + tf.ones(3)


def test_damage_that_is_gone_at_a_second_look_is_told(files):
    with (
        pytest.raises(ValueError, match=r"could not be read \(lost\), but now all can"),
        named_read_errors(files),
    ):
        raise tf.errors.DataLossError(None, None, "lost")


def test_order_without_bad_records_is_resumed(paths):
    size = len(frame(record(100, PUBLISHED)))
    flip(paths[0], size * 3 + 40)
    content = pathlib.Path(paths[2]).read_bytes()
    pathlib.Path(paths[2]).write_bytes(content[:-5])
    files = check_records(paths, on_corrupt=OnCorrupt.SKIP)
    assert (files.num_records, files.num_skipped) == (23, 2)
    epoch, *others = training_numbers(files, 4, batch_size=23, seed=1)
    assert sorted(epoch) == [each for each in range(100, 124) if each != 103]
    numbers = [*epoch, *others[0]]
    resumed = training_numbers(files, 3, batch_size=5, seed=1, skip_batches=4)
    assert [*chain(*resumed)] == numbers[20:35]


RECIPE = MaskingRecipe(
    masked_lm_prob=0.3,
    max_predictions_per_seq=P,
    mask_id=1,
    special_ids=frozenset((2, 3)),
    random_ids=(200, 201),
)


@pytest.fixture(params=[True, False], ids=["padded", "compact"])
def unmasked(tmp_path, request):
    """A file of ten records for dynamic masking."""
    layout = Layout(L, 0, masked=False, padded=request.param)
    return check_records(
        [write(tmp_path / "d.tfrecord", range(100, 110), layout)], max_seq_length=L
    )


def training(files, count, **options):
    options = {"batch_size": 5, "seed": 1, "masking": RECIPE, **options}
    return list(islice(training_batches(files, **options), count))


def restored(batch):
    """The texts of a batch, masks undone."""
    token_ids = batch["input_ids"].numpy()
    for row, weights in enumerate(batch["masked_lm_weights"].numpy() > 0):
        positions = batch["masked_lm_positions"].numpy()[row, weights]
        token_ids[row, positions] = batch["masked_lm_ids"].numpy()[row, weights]
    return token_ids.tolist()


def masks(batch):
    """Number of the record -> what the model sees of it."""
    numbers = [text[1] for text in restored(batch)]
    return dict(zip(numbers, batch["input_ids"].numpy().tolist(), strict=True))


def test_batch_masked_here_has_the_promised_tensors(files, unmasked):
    masked = training_batches(unmasked, batch_size=4, seed=1, masking=RECIPE)
    assert masked.element_spec == training_batches(files, batch_size=4, seed=1).element_spec
    (batch,) = evaluation_batches(unmasked, batch_size=10, masking=RECIPE)
    assert restored(batch) == [[2, number, 4, 3, 9, 3, 0, 0] for number in range(100, 110)]
    # 0.3 of the 6 tokens of a record
    assert batch["masked_lm_weights"].numpy().tolist() == [[1.0, 1.0, 0.0]] * 10


def test_every_epoch_masks_anew(unmasked):
    epochs = [masks(batch) for batch in training(unmasked, 4, batch_size=10)]
    assert all(epoch.keys() == {*range(100, 110)} for epoch in epochs)
    assert all(one != other for one, other in combinations(epochs, 2))


def test_resumed_run_sees_the_masks_of_the_uninterrupted_one(unmasked):
    uninterrupted = training(unmasked, 7)
    for used in (1, 2, 5):
        assert_same(training(unmasked, 7 - used, skip_batches=used), uninterrupted[used:])


def test_masks_are_a_function_of_the_seed_alone(unmasked):
    first = training(unmasked, 3)
    tf.random.set_seed(77)
    assert_same(training(unmasked, 3), first)
    one, other = (masks(*training(unmasked, 1, batch_size=10, seed=seed)) for seed in (1, 2))
    assert one != other


def test_evaluation_sees_the_same_masks_every_time(unmasked):
    batches = evaluation_batches(unmasked, batch_size=4, masking=RECIPE)
    assert_same(batches, list(batches))


def test_masking_recipe_belongs_to_unmasked_records_and_to_no_others(files, unmasked):
    with pytest.raises(ValueError, match="masking recipe"):
        evaluation_batches(files, batch_size=4, masking=RECIPE)
    with pytest.raises(ValueError, match="masking recipe"):
        training_batches(unmasked, batch_size=4, seed=1)


def test_records_of_the_published_script_are_read(golden_dir, tmp_path):
    path = tmp_path / "published.tfrecord"
    packed = (golden_dir / "data" / "wwm_seq128_dupe2.tfrecord.gz").read_bytes()
    path.write_bytes(gzip.decompress(packed))
    files = check_records([str(path)], max_seq_length=128, max_predictions_per_seq=20)
    assert files.num_records == 140
    batches = list(evaluation_batches(files, batch_size=32, pad_last=False))
    assert [len(batch["sentence_order"]) for batch in batches] == [32, 32, 32, 32, 12]
    # The counts that came with the file: labels 71/69, 2,638 masked tokens, mean length 126.886.
    assert sum(int(tf.reduce_sum(batch["sentence_order"])) for batch in batches) == 69
    assert sum(float(tf.reduce_sum(batch["masked_lm_weights"])) for batch in batches) == 2638
    tokens = sum(int(tf.reduce_sum(batch["input_mask"])) for batch in batches)
    assert tokens / 140 == pytest.approx(126.886, abs=1e-3)
