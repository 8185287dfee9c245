"""The manifest of a directory: the shards of each run, even if several write at the same time."""

import json
import multiprocessing

import pytest

from albert_zh.records.manifest import RecordSet, Shard, add_set, find_sets, read_manifest

MADE_OF = {
    "recipe": {"max_seq_length": 128},
    "vocabulary": {"fingerprint": "f00d", "size": 9},
    "inputs": [{"file": "news.txt", "bytes": 5, "sha256": "beef"}],
    "counts": {"documents": 2},
    "versions": {"python": "3.11"},
}


def record_set(*files):
    return RecordSet(**MADE_OF, shards=tuple(Shard(file, 3, 1, "0") for file in files))


def test_manifest_is_plain_json_and_read_back(tmp_path):
    add_set(str(tmp_path), record_set("a", "b"))
    shards = [{"file": name, "records": 3, "bytes": 1, "sha256": "0"} for name in "ab"]
    stored = json.loads((tmp_path / "manifest.json").read_text())
    assert stored == {"record_sets": [MADE_OF | {"shards": shards}]}
    (found,) = read_manifest(str(tmp_path))
    assert (found, found.num_records) == (record_set("a", "b"), 6)


@pytest.mark.parametrize(
    ("recipe", "counts", "expected"),
    [
        ({}, {"single_segments": 2}, True),
        ({}, {"single_segments": 3}, False),
        ({}, {}, True),
        ({"full_sentences": True}, {}, False),
    ],
)
def test_set_has_pairs_unless_all_records_are_single_segments(recipe, counts, expected):
    found = RecordSet(recipe, {}, [], shards=(Shard("a", 3, 1, "0"),), counts=counts)
    assert found.has_pairs is expected


def test_files_find_the_set_they_belong_to(tmp_path):
    add_set(str(tmp_path), record_set("a", "b"))
    paths = [str(tmp_path / name) for name in ("a", "b", "c")]
    assert find_sets([*paths, "elsewhere/a"]) == [*[record_set("a", "b")] * 2, None, None]


def test_set_takes_the_place_of_one_with_the_same_files(tmp_path):
    for files in (["a", "b"], ["c"], ["b"]):
        add_set(str(tmp_path), record_set(*files))
    assert read_manifest(str(tmp_path)) == [record_set("b"), record_set("c")]


@pytest.mark.parametrize("content", ["[]", '{"record_sets": [{"recipe": {}}]}', "no JSON"])
def test_something_else_under_its_name_is_an_error(tmp_path, content):
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(ValueError, match=r"manifest\.json is not a manifest of pretraining"):
        read_manifest(str(tmp_path))


def _add(directory, name):
    add_set(directory, record_set(name))


def test_processes_that_finish_together_lose_no_entry(tmp_path):
    names = [f"{number:02}.tfrecord" for number in range(12)]
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        pool.starmap(_add, [(str(tmp_path), name) for name in names], chunksize=1)
    assert [entry.shards[0].file for entry in read_manifest(str(tmp_path))] == names


@pytest.mark.parametrize(
    ("ours", "theirs", "words"),
    [
        ({"drop_duplicates": True}, {}, "drop_duplicates is True, not False"),
        ({}, {"drop_duplicates": True}, "drop_duplicates is False, not True"),
        ({"whole_entries": "[NUM]"}, {}, "whole_entries is [NUM], not none"),
        ({"user_dict": None}, {"user_dict": "a"}, "user_dict is none, not a"),
        ({"user_dict": None}, {}, None),
        ({"segmenter": None}, {"segmenter": "jieba"}, None),
        ({"segmenter": None}, {"segmenter": "rjieba"}, "segmenter is jieba, not rjieba"),
        ({"non_chinese": True}, {"segmenter": "none"}, None),
        ({"do_whole_word_mask": True}, {"masking": "word"}, None),
        ({"do_whole_word_mask": True}, {}, "masking is word, not token"),
        ({"do_whole_word_mask": True}, {"masking": "ngram"}, "masking is word, not ngram"),
    ],
)
def test_differences_are_plain_words(ours, theirs, words):
    assert RecordSet(ours, {}, []).difference(RecordSet(theirs, {}, [])) == words
