"""Record files: what is found out about them, and how unfit ones are refused."""

import gzip
from dataclasses import replace

import pytest
import tensorflow as tf

from albert_zh.corpus.instances import Instance
from albert_zh.input.files import RecordFiles, check_records
from albert_zh.input.reading import RecordRange, RecordReader
from albert_zh.records.features import Layout, serialize
from albert_zh.records.manifest import RecordSet, Shard, add_set
from albert_zh.records.paths import split_files
from albert_zh.records.tfrecord import frame

PUBLISHED = Layout(8, 3)
COMPACT = Layout(8, 3, padded=False)
DYNAMIC = Layout(8, 0, masked=False)
RECIPE = {"max_seq_length": 8, "max_predictions_per_seq": 3}
INSTANCE = Instance(
    token_ids=(2, 6, 4, 3, 9, 3),
    segment_ids=(0, 0, 0, 0, 1, 1),
    starts=(True,) * 6,
    masked_positions=(2,),
    masked_labels=(7,),
    swapped=False,
)


@pytest.fixture
def write(tmp_path):
    """Writes a file of records; with a recipe, its manifest entry too."""

    def write(name, layout=PUBLISHED, *, count=4, compress=False, recipe=None, vocabulary="f00d"):
        content = frame(serialize(INSTANCE, layout)) * count
        content = gzip.compress(content) if compress else content
        path = tmp_path / name
        path.write_bytes(content)
        if recipe is not None:
            shard = Shard(name, records=count, bytes=len(content), sha256="")
            described = {"fingerprint": vocabulary, "size": 10}
            add_set(str(tmp_path), RecordSet(recipe, described, [], shards=(shard,)))
        return str(path)

    return write


def test_records_without_a_manifest_are_counted(write):
    paths = [write("a.tfrecord"), write("b.tfrecord", count=7)]
    assert check_records(paths) == RecordFiles(
        ranges=(RecordRange(paths[0], 0, 4), RecordRange(paths[1], 0, 7)),
        reader=RecordReader(Layout(8, 3)),
        vocabulary=None,
        mask_id=4,
    )


def test_manifest_tells_count_and_vocabulary(write):
    paths = [write("listed.tfrecord", recipe=RECIPE), write("b.tfrecord", count=5)]
    files = check_records(paths)
    assert files.num_records == 9
    assert files.vocabulary == {"fingerprint": "f00d", "size": 10}


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("padded", [True, False])
@pytest.mark.parametrize("masked", [True, False])
def test_layout_is_found_out(write, tmp_path, masked, padded, compress):
    layout = Layout(8, 3, masked=masked, padded=padded)
    files = check_records([write("a.tfrecord", layout, compress=compress, recipe=RECIPE)])
    assert files == RecordFiles(
        ranges=(RecordRange(str(tmp_path / "a.tfrecord"), 0, 4),),
        reader=RecordReader(
            Layout(8, 3 if masked else 0, masked=masked, padded=padded),
            compression="GZIP" if compress else "",
            vocab_size=10,
        ),
        vocabulary={"fingerprint": "f00d", "size": 10},
        mask_id=4 if masked else None,
    )


def test_masks_beside_word_starts_count_as_googles_published_records_have_both(tmp_path):
    example = tf.train.Example.FromString(serialize(INSTANCE, PUBLISHED))
    example.features.feature["token_boundary"].int64_list.value.extend([1] * 8)
    path = tmp_path / "google.tfrecord"
    path.write_bytes(frame(example.SerializeToString()))
    assert check_records([str(path)]).masked


def test_files_of_which_one_has_pairs_have_pairs(write, tmp_path):
    single = replace(INSTANCE, segment_ids=(0,) * 6)
    path = tmp_path / "single.tfrecord"
    path.write_bytes(4 * frame(serialize(single, PUBLISHED)))
    assert not check_records([str(path)]).has_pairs
    assert check_records([str(path), write("pairs.tfrecord")]).has_pairs


@pytest.mark.parametrize(
    ("flags", "has_pairs"),
    [({}, True), ({"random_next_sentence": True}, True), ({"full_sentences": True}, False)],
)
def test_manifest_tells_whether_there_are_pairs(write, flags, has_pairs):
    assert check_records([write("a.tfrecord", recipe={**RECIPE, **flags})]).has_pairs is has_pairs


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"max_seq_length": 16},
            "made with max_seq_length 8, not 16; pass --max_seq_length=8",
        ),
        (
            {"max_predictions_per_seq": 5},
            "made with max_predictions_per_seq 3, not 5; pass --max_predictions_per_seq=3",
        ),
    ],
)
def test_other_lengths_are_an_error_that_says_the_flag(write, options, message):
    with pytest.raises(ValueError, match=rf"records in .*a\.tfrecord were {message}"):
        check_records([write("a.tfrecord")], **options)


def test_compact_records_may_be_padded_further_but_not_cut(write):
    path = write("a.tfrecord", COMPACT, recipe=RECIPE)
    files = check_records([path], max_seq_length=16, max_predictions_per_seq=5)
    assert (files.max_seq_length, files.max_predictions_per_seq) == (16, 5)
    with pytest.raises(ValueError, match="made with max_seq_length 8, not 7"):
        check_records([path], max_seq_length=7)


@pytest.mark.parametrize(
    ("options", "missing"),
    [({}, "max_seq_length"), ({"max_seq_length": 8}, "max_predictions_per_seq")],
)
def test_lengths_that_nothing_tells_have_to_be_given(write, options, missing):
    with pytest.raises(ValueError, match=rf"a\.tfrecord: no manifest tells .* pass --{missing}"):
        check_records([write("a.tfrecord", COMPACT)], **options)


@pytest.mark.parametrize(
    ("trait", "one", "other"),
    [
        ("layout", {}, {"layout": COMPACT}),
        ("layout", {}, {"layout": DYNAMIC}),
        ("layout", {}, {"compress": True}),
        ("max_seq_length", {}, {"layout": Layout(9, 3)}),
        ("max_predictions_per_seq", {}, {"layout": Layout(8, 4)}),
        ("vocabulary", {"recipe": RECIPE}, {"recipe": RECIPE, "vocabulary": "beef"}),
        ("pairing", {"recipe": RECIPE}, {"recipe": {**RECIPE, "random_next_sentence": True}}),
    ],
)
def test_files_that_differ_are_an_error_that_names_two(write, trait, one, other):
    paths = [write("a.tfrecord", **one), write("b.tfrecord", **other)]
    message = rf"different {trait} cannot be mixed: .*a\.tfrecord \(.*\) and .*b\.tfrecord \("
    with pytest.raises(ValueError, match=message):
        check_records(paths)


def test_file_shorter_than_its_manifest_says_is_an_error(write, tmp_path):
    path = write("short.tfrecord", recipe=RECIPE)
    (tmp_path / "short.tfrecord").write_bytes(frame(serialize(INSTANCE, PUBLISHED)))
    with pytest.raises(ValueError, match=r"short\.tfrecord has .* bytes, manifest\.json .* says"):
        check_records([path])


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
        (b"\x1f\x8b not a record", "record 0, at byte 0: the compressed data is damaged"),
        (frame(serialize(INSTANCE, PUBLISHED))[:-9], "record 0, at byte 0: the file ends within"),
        (frame(b"\xff\xff"), r"record 0, at byte 0: it is not a tf\.Example"),
        (
            frame(example(input_ids=[1] * 8, input_mask=[1] * 8, label_ids=[1])),
            "it lacks segment_ids, masked_lm_positions, masked_lm_ids, masked_lm_weights, next_sen",
        ),
    ],
    ids=["empty", "other format", "cut off", "no example", "fine-tuning record"],
)
def test_unfit_file_is_an_error_that_names_it(tmp_path, write, content, message):
    path = tmp_path / "unfit.tfrecord"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"unfit\.tfrecord.*{message}"):
        check_records([write("a.tfrecord"), str(path)])


def test_feature_of_another_length_is_an_error(tmp_path):
    wrong = tf.train.Example.FromString(serialize(INSTANCE, PUBLISHED))
    wrong.features.feature["segment_ids"].int64_list.value.append(1)
    path = tmp_path / "a.tfrecord"
    path.write_bytes(frame(wrong.SerializeToString()))
    with pytest.raises(ValueError, match="record 0, at byte 0: segment_ids has 9 values, but"):
        check_records([str(path)])


def guesses(seen, label):
    """A record whose third token is to be predicted."""
    token_ids = (2, 6, seen, 3, 9, 3)
    return serialize(replace(INSTANCE, token_ids=token_ids, masked_labels=(label,)), PUBLISHED)


@pytest.mark.parametrize(
    ("shown", "mask_id"), [("MMMMMM", 4), ("MMMM=5", 4), ("M=====", None), ("568865", None)]
)
def test_id_of_mask_is_what_most_masked_tokens_are_read_as(tmp_path, shown, mask_id):
    seen = {"M": 4, "=": 7}
    records = [guesses(seen.get(each) or int(each), label=7) for each in shown]
    (tmp_path / "a.tfrecord").write_bytes(b"".join(map(frame, records)))
    assert check_records([str(tmp_path / "a.tfrecord")]).mask_id == mask_id


PATHS = [f"{number}.tfrecord" for number in range(10)]


@pytest.mark.parametrize(
    ("fraction", "num_held_out"), [(0.01, 1), (0.1, 1), (0.25, 2), (0.5, 5), (0.99, 9)]
)
def test_files_are_split_into_two_parts_that_seed_and_names_decide(fraction, num_held_out):
    training, held_out = split_files(PATHS, fraction, seed=1)
    assert len(held_out) == num_held_out
    assert sorted(training + held_out) == PATHS
    assert split_files(PATHS[::-1], fraction, seed=1) == (training, held_out)


def test_other_seeds_hold_out_other_files():
    assert len({split_files(PATHS, 0.1, seed=seed)[1][0] for seed in range(20)}) > 3


@pytest.mark.parametrize(
    ("paths", "fraction", "message"),
    [
        (PATHS, 0.0, "--eval_fraction is a part of the files, between 0 and 1, not 0.0"),
        (PATHS, 1.0, "between 0 and 1, not 1.0"),
        (PATHS[:1], 0.1, r"there is only 0\.tfrecord; .* --eval_input_file"),
    ],
)
def test_split_that_leaves_nothing_is_an_error(paths, fraction, message):
    with pytest.raises(ValueError, match=message):
        split_files(paths, fraction, seed=1)
