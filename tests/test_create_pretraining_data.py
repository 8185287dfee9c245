"""The script from end to end: text in, records out, and bad input refused."""

import gzip
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
from collections import Counter

import pytest
import tensorflow as tf
from processes import run_script
from small import payloads_of

from albert_zh.input.decoding import decode

ROOT = pathlib.Path(__file__).parent.parent
IDIOM = "画蛇添足"
CORPUS = """\
春天来了，公园里的花都开了。
孩子们在草地上放风筝，老人坐在长椅上聊天。
王老师说，写作文不要画蛇添足，要把话说清楚。
小猫 unhappy 地看着窗外的雨。

昨天晚上我们去看了一场足球比赛，两个队都踢得很好。
最后主队以一球取胜，球迷们高兴地唱起歌来。
解说员的话有点画蛇添足，但是大家都笑了。

这篇文档只有一句话，不过它也有用。

好
"""
ENGLISH_PIECES = ["un", "##happy"]
SPECIAL = ["[PAD]", "[unused1]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


@pytest.fixture
def corpus(tmp_path):
    path = tmp_path / "corpus.txt"
    path.write_text(CORPUS, encoding="utf-8")
    return path


@pytest.fixture
def vocab(tmp_path):
    characters = sorted(set(CORPUS) - set("\n unhappy"))
    continuations = [f"##{character}" for character in characters]
    tokens = [*SPECIAL, *characters, *ENGLISH_PIECES, *continuations]
    path = tmp_path / "vocab.txt"
    path.write_text("\n".join(tokens), encoding="utf-8")
    return tokens


def command(tmp_path, *flags):
    """The script on the fixtures' files; a flag given again wins."""
    return [
        sys.executable,
        ROOT / "create_pretraining_data.py",
        f"--input_file={tmp_path / 'corpus.txt'}",
        f"--output_file={tmp_path / 'out' / 'a.tfrecord'}",
        f"--vocab_file={tmp_path / 'vocab.txt'}",
        "--max_seq_length=32",
        "--max_predictions_per_seq=6",
        "--do_whole_word_mask=True",
        *flags,
    ]


def run(tmp_path, *flags, cwd=ROOT, text="", **environment):
    return run_script(*command(tmp_path, *flags)[1:], cwd=cwd, text=text, **environment)


def run_well(tmp_path, *flags, **options):
    done = run(tmp_path, *flags, **options)
    assert done.returncode == 0, done.stderr
    return done


def instances(path, *, length=32, predictions=6):
    """The records as a published reader parses them: every feature of a fixed length."""
    lengths = {
        "input_ids": length,
        "input_mask": length,
        "segment_ids": length,
        "masked_lm_positions": predictions,
        "masked_lm_ids": predictions,
        "next_sentence_labels": 1,
    }
    wanted = {name: tf.io.FixedLenFeature([size], tf.int64) for name, size in lengths.items()}
    wanted["masked_lm_weights"] = tf.io.FixedLenFeature([predictions], tf.float32)
    for record in payloads_of(str(path)):
        parsed = tf.io.parse_single_example(record, wanted)
        yield {name: value.numpy().tolist() for name, value in parsed.items()}


def masked_of(instance):
    """Position -> label, without padding."""
    count = int(sum(instance["masked_lm_weights"]))
    positions, labels = instance["masked_lm_positions"], instance["masked_lm_ids"]
    assert not any(positions[count:])
    assert not any(labels[count:])
    return dict(zip(positions[:count], labels[:count], strict=True))


def unmasked_tokens(instance, vocab):
    ids = [*instance["input_ids"]]
    for position, label in masked_of(instance).items():
        ids[position] = label
    return [vocab[index] for index in ids[: sum(instance["input_mask"])]]


def test_records_hold_the_text_in_the_published_format(tmp_path, corpus, vocab):
    run_well(tmp_path, "--dupe_factor=20")
    text = "".join(CORPUS.split()).replace("unhappy", "un##happy")
    found = list(instances(tmp_path / "out" / "a.tfrecord"))
    assert len(found) > 100
    for instance in found:
        tokens = unmasked_tokens(instance, vocab)
        assert (tokens[0], tokens[-1]) == ("[CLS]", "[SEP]")
        middle = tokens.index("[SEP]")
        if 1 not in instance["segment_ids"]:  # a sentence alone, without an order
            assert middle == len(tokens) - 1
            assert instance["next_sentence_labels"] == [0]
            assert "".join(tokens[1:-1]) in text
            continue
        assert tokens.count("[SEP]") == 2
        first, second = "".join(tokens[1:middle]), "".join(tokens[middle + 1 : -1])
        if text.count(first) == text.count(second) == 1:
            swapped = int(text.index(first) > text.index(second))
            assert instance["next_sentence_labels"] == [swapped]
        assert first in text
        assert second in text
        padding = [0] * (32 - len(tokens))
        assert instance["input_mask"] == [1] * len(tokens) + padding
        assert instance["segment_ids"] == (
            [0] * (middle + 1) + [1] * (len(tokens) - middle - 1) + padding
        )
        assert 1 <= len(masked_of(instance)) <= 6


def idiom_masks(path, vocab):
    """How many characters of each whole idiom in the records are masked."""
    counts = Counter()
    for instance in instances(path):
        tokens, masked = unmasked_tokens(instance, vocab), masked_of(instance)
        for begin in range(len(tokens) - 3):
            if "".join(tokens[begin : begin + 4]) == IDIOM:
                counts[sum(place in masked for place in range(begin, begin + 4))] += 1
    return counts


def test_idiom_is_masked_whole_or_not_at_all(tmp_path, corpus, vocab):
    run_well(tmp_path, "--dupe_factor=60")
    counts = idiom_masks(tmp_path / "out" / "a.tfrecord", vocab)
    assert set(counts) == {0, 4}


def test_single_tokens_are_masked_without_whole_words(tmp_path, corpus, vocab):
    run_well(tmp_path, "--dupe_factor=60", "--do_whole_word_mask=False")
    assert idiom_masks(tmp_path / "out" / "a.tfrecord", vocab)[1] > 10


def test_non_chinese_masks_written_words_whole_and_characters_singly(tmp_path, corpus, vocab):
    run_well(tmp_path, "--dupe_factor=60", "--non_chinese=True")
    path = tmp_path / "out" / "a.tfrecord"
    assert idiom_masks(path, vocab)[1] > 10
    masked_pieces = Counter()
    for instance in instances(path):
        tokens, masked = unmasked_tokens(instance, vocab), masked_of(instance)
        if "un" in tokens:
            begin = tokens.index("un")
            masked_pieces[(begin in masked) + (begin + 1 in masked)] += 1
    assert set(masked_pieces) == {0, 2}


def test_labels_are_balanced_and_never_continuations_of_characters(tmp_path, corpus, vocab):
    run_well(tmp_path, "--dupe_factor=150")
    found = list(instances(tmp_path / "out" / "a.tfrecord"))
    pairs = [instance for instance in found if 1 in instance["segment_ids"]]
    swapped = sum(instance["next_sentence_labels"][0] for instance in pairs)
    assert swapped / len(pairs) == pytest.approx(0.5, abs=0.05)
    labels = {vocab[label] for instance in found for label in masked_of(instance).values()}
    inputs = {vocab[index] for instance in found for index in instance["input_ids"]}
    assert {token for token in labels | inputs if token.startswith("##")} <= {"##happy"}
    assert not {"[PAD]", "[unused1]", "[CLS]", "[SEP]", "[MASK]"} & labels


def test_bytes_are_the_same_in_every_run(tmp_path, corpus, vocab):
    for name, seed in (("one", "1"), ("two", "2")):
        outputs = ",".join(str(tmp_path / name / shard) for shard in ("a.tfrecord", "b.tfrecord"))
        environment = os.environ | {"PYTHONHASHSEED": seed}
        run_here = command(tmp_path, f"--output_file={outputs}")
        subprocess.run(run_here, env=environment, capture_output=True, check=True)
    for shard in ("a.tfrecord", "b.tfrecord", "manifest.json"):
        one, two = ((tmp_path / name / shard).read_bytes() for name in ("one", "two"))
        assert one == two


@pytest.mark.parametrize("num_workers", [1, 3])
def test_bytes_are_the_same_for_any_number_of_workers(tmp_path, corpus, vocab, num_workers):
    corpus.write_text("\n\n".join(f"{CORPUS}{number}" for number in range(200)), encoding="utf-8")
    flags = ["--dupe_factor=2", "--random_next_sentence=True", "--masking=ngram"]
    for name, workers in (("two", 2), ("other", num_workers)):
        output = f"--output_file={tmp_path / name / 'part-*'}"
        run_well(tmp_path, output, f"--num_workers={workers}", "--num_shards=3", *flags)
    for shard in [*(f"part-0000{index}-of-00003" for index in range(3)), "manifest.json"]:
        two, other = ((tmp_path / name / shard).read_bytes() for name in ("two", "other"))
        assert two == other


def test_killed_run_resumes_and_ends_with_the_same_bytes(tmp_path, corpus, vocab):
    corpus.write_text("\n\n".join(f"{CORPUS}{number}" for number in range(1500)), encoding="utf-8")
    flags = ["--num_workers=2", "--num_shards=2", "--dupe_factor=1"]
    run_well(tmp_path, f"--output_file={tmp_path / 'whole' / 'a-*'}", *flags)
    unfinished = tmp_path / "out" / "a-all.unfinished"
    for num_slices in (1, 5, 9):
        run = subprocess.Popen(
            command(tmp_path, f"--output_file={tmp_path / 'out' / 'a-*'}", *flags)
        )
        while len(list(unfinished.glob("slice-*"))) < num_slices:
            assert run.poll() is None
            time.sleep(0.01)
        run.kill()
        run.wait()
    assert not list((tmp_path / "out").glob("a-0*"))
    run_well(tmp_path, f"--output_file={tmp_path / 'out' / 'a-*'}", *flags)
    whole, out = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()}
        for name in ("whole", "out")
    )
    assert [*sorted(out)] == ["a-00000-of-00002", "a-00001-of-00002", "manifest.json"]
    assert out == whole


def test_other_seed_gives_other_records(tmp_path, corpus, vocab):
    for seed in (1, 2):
        output = f"--output_file={tmp_path / 'out' / f'{seed}.tfrecord'}"
        # Of a short sentence alone there are only so many records.
        run_well(tmp_path, output, f"--random_seed={seed}", "--masked_lm_prob=0.4")
    one, two = (set(payloads_of(str(tmp_path / "out" / f"{seed}.tfrecord"))) for seed in (1, 2))
    assert len(one & two) < len(one) / 10


def test_records_of_a_document_do_not_depend_on_those_after_it(tmp_path, corpus, vocab):
    run_well(tmp_path)
    corpus.write_text(CORPUS.split("\n\n")[0], encoding="utf-8")
    run_well(tmp_path, f"--output_file={tmp_path / 'out' / 'first.tfrecord'}")
    every, first = (
        set(payloads_of(str(tmp_path / "out" / name))) for name in ("a.tfrecord", "first.tfrecord")
    )
    assert first < every


def test_summary_tells_what_was_and_was_not_used(tmp_path, corpus, vocab):
    corpus.write_text(CORPUS + "\x01\x01\n\n鑫鑫。\n", encoding="utf-8")
    shown = run_well(tmp_path, "--dupe_factor=3", "--short_seq_prob=0").stdout
    (record_set,) = json.loads((tmp_path / "out" / "manifest.json").read_text())["record_sets"]
    counts = record_set["counts"]
    assert {name: counts[name] for name in ("documents", "documents_unused")} == {
        "documents": 5,
        "documents_unused": 1,
    }
    assert {name: counts[name] for name in ("sentences", "sentences_unused")} == {
        "sentences": 11,
        "sentences_unused": 1,
    }
    assert counts["unknown_tokens"] == 2
    assert counts["tokens_left_over"] == 3
    assert record_set["shards"][0]["records"] == counts["instances"]
    assert "1 unused: not even two words" in shown
    assert "1 unused: no token in them" in shown
    assert f"wrote {counts['instances']:,} instances to" in shown


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ("", "Sentence order cannot be learnt from this corpus"),
        ("\n".join([CORPUS] * 3), "instances of one sentence, without a sentence order"),
    ],
)
def test_summary_says_where_sentences_have_no_order(tmp_path, corpus, vocab, others, said):
    sentences = CORPUS.split("\n\n")[0].replace("\n", "\n\n")
    corpus.write_text(f"{sentences}\n\n{others}", encoding="utf-8")
    shown = run_well(tmp_path).stdout
    assert said in shown
    assert ("cannot be learnt" in shown) == (not others)


def test_manifest_holds_the_recipe(tmp_path, corpus, vocab):
    run_well(tmp_path)
    (record_set,) = json.loads((tmp_path / "out" / "manifest.json").read_text())["record_sets"]
    assert record_set["recipe"] == {
        "input_format": "auto",
        "json_key": "text",
        "split_sentences": False,
        "do_lower_case": True,
        "segmenter": None,
        "traditional": False,
        "non_chinese": False,
        "masking": None,
        "do_whole_word_mask": True,
        "ngram": 3,
        "favor_shorter_ngram": True,
        "replace_per": None,
        "continuation_labels": "plain",
        "do_permutation": False,
        "random_next_sentence": False,
        "full_sentences": False,
        "max_seq_length": 32,
        "max_predictions_per_seq": 6,
        "masked_lm_prob": 0.15,
        "short_seq_prob": 0.1,
        "dupe_factor": 10,
        "random_seed": 12345,
        "compact": False,
        "compress": "none",
        "num_shards": None,
    }
    assert record_set["vocabulary"]["size"] == len(vocab)
    assert record_set["inputs"][0]["bytes"] == len(CORPUS.encode())


def test_second_run_finds_the_records_complete(tmp_path, corpus, vocab):
    run_well(tmp_path)
    output = tmp_path / "out" / "a.tfrecord"
    before = output.stat().st_mtime_ns
    assert "complete already" in run_well(tmp_path).stdout
    spelled_out = ("--segmenter=jieba", "--masking=word")
    assert "complete already" in run_well(tmp_path, *spelled_out).stdout
    assert output.stat().st_mtime_ns == before


def test_other_recipe_leaves_the_records_as_they_are(tmp_path, corpus, vocab):
    run_well(tmp_path)
    output = tmp_path / "out" / "a.tfrecord"
    before = output.read_bytes()
    done = run(tmp_path, "--dupe_factor=2")
    assert done.returncode == 1
    assert "dupe_factor is 10, not 2" in done.stderr
    assert output.read_bytes() == before


def test_long_line_and_control_characters_are_used(tmp_path, corpus, vocab):
    corpus.write_text("春天来了，公园里的花\x01都开了。" * 5_000, encoding="utf-8")
    run_well(tmp_path, "--dupe_factor=1", "--short_seq_prob=0")
    (record_set,) = json.loads((tmp_path / "out" / "manifest.json").read_text())["record_sets"]
    counts = record_set["counts"]
    assert counts["tokens"] == 70_000
    assert counts["tokens_cut"] + counts["tokens_left_over"] < 0.01 * counts["tokens"]


BAD_INPUT = {
    "no file": (["--input_file=nowhere*.txt"], r"no file matches 'nowhere\*.txt'"),
    "no vocabulary": (
        ["--vocab_file=nowhere.txt"],
        "--vocab_file=nowhere.txt: there is no such file",
    ),
    "short": (["--max_seq_length=4"], "--max_seq_length=4: it must be at least 8"),
    "no masks": (
        ["--max_predictions_per_seq=0"],
        "--max_predictions_per_seq=0: it must be at least 1",
    ),
    "share": (
        ["--masked_lm_prob=1.5"],
        "--masked_lm_prob=1.5: it must be more than 0 and less than 1",
    ),
    "passes": (["--dupe_factor=0"], "--dupe_factor=0: it must be at least 1"),
    "object store": (
        ["--output_file=gs://b/a.tfrecord"],
        r"output_file gs://b/a\.tfrecord is not .*create_pretraining_data_beam\.py",
    ),
    "remote input": (["--input_file=gs://b/a.txt"], r"gs://b/a\.txt is not .*_beam\.py"),
    "no output": (["--output_file=,"], "output_file names no file"),
}


def refuse(tmp_path, *flags):
    """Runs the script, which must fail with one line and write nothing; returns that line."""
    done = run(tmp_path, *flags)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.rglob("*.tfrecord")) + list(tmp_path.rglob("manifest.json"))
    return done.stderr.splitlines()[-1]


@pytest.mark.parametrize("case", BAD_INPUT)
def test_bad_flags_are_refused(tmp_path, corpus, vocab, case):
    flags, message = BAD_INPUT[case]
    assert re.match(f"error: {message}", refuse(tmp_path, *flags))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"corpus\.txt is empty"),
        (b"\n \n", r"corpus\.txt has only white space"),
        (b"\xe6\x98\xa5\0\n", r"corpus\.txt, line 1: a NUL at byte 3 of the file"),
        ("好\n\n好\n".encode(), "no instances: the input has 2 documents, none with two words"),
        (b'{"text": null}\n', r"no instances: .* \(left out: 1 texts null\)"),
        (
            "春天。\n".encode() + "来".encode("gb18030"),
            r"corpus\.txt, line 2: not UTF-8 at byte 10 ",
        ),
    ],
    ids=["empty", "blank", "NUL", "one word a document", "null", "not UTF-8"],
)
def test_bad_text_is_refused(tmp_path, corpus, vocab, content, message):
    corpus.write_bytes(content)
    assert re.match(f"error: .*{message}", refuse(tmp_path))


def test_vocabulary_without_special_entries_is_refused(tmp_path, corpus, vocab):
    (tmp_path / "vocab.txt").write_text("\n".join(vocab[6:]), encoding="utf-8")
    assert re.match(r"error: vocabulary .*vocab\.txt: no entry \[PAD\]", refuse(tmp_path))


def test_unknown_flag_is_refused(tmp_path, corpus, vocab):
    done = run(tmp_path, "--dup_factor=3")
    assert done.returncode == 1
    assert "unknown flag --dup_factor; did you mean --dupe_factor?" in done.stderr


def test_missing_flag_is_named():
    done = subprocess.run(
        [sys.executable, ROOT / "create_pretraining_data.py", "--input_file=a", "--vocab_file=b"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "--output_file" in done.stderr


def test_text_that_cannot_be_masked_as_asked_is_announced(tmp_path, corpus, vocab):
    done = run_well(tmp_path, "--max_predictions_per_seq=2")
    assert "max_predictions_per_seq=2 masks less" in done.stderr


def test_data_creation_needs_no_tensorflow():
    code = "import albert_zh.creation.run, sys; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_one_click_script_takes_flags_and_paths_of_the_caller(tmp_path, corpus, vocab):
    done = subprocess.run(
        [
            "bash",
            ROOT / "create_pretrain_data.sh",
            "--input_file=corpus.txt",
            "--vocab_file=vocab.txt",
            "--output_file=mine.tfrecord",
            "--dupe_factor=2",
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=os.environ | {"VIRTUAL_ENV": sys.prefix},
    )
    assert done.returncode == 0, done.stderr
    assert next(instances(tmp_path / "mine.tfrecord", length=512, predictions=51))
    (record_set,) = json.loads((tmp_path / "manifest.json").read_text())["record_sets"]
    assert record_set["recipe"]["dupe_factor"] == 2
    assert record_set["recipe"]["do_whole_word_mask"] is True


def test_sentencepiece_model_makes_records(tmp_path, test_data_dir):
    (tmp_path / "corpus.txt").write_text("The cat is unhappy.\nIt sat on a mat.\n")
    run_well(
        tmp_path,
        f"--spm_model_file={test_data_dir / 'vocab' / '30k-clean.model'}",
        f"--vocab_file={test_data_dir / 'vocab' / '30k-clean.vocab'}",
        "--non_chinese=True",
    )
    (record_set,) = json.loads((tmp_path / "out" / "manifest.json").read_text())["record_sets"]
    assert len(record_set["recipe"]["spm_model_file_sha256"]) == 64
    assert record_set["counts"]["instances"] == 10
    assert record_set["counts"]["unknown_tokens"] == 0


def record_set(tmp_path):
    (found,) = json.loads((tmp_path / "out" / "manifest.json").read_text())["record_sets"]
    return found


def records(tmp_path):
    return sorted(payloads_of(str(tmp_path / "out" / "a.tfrecord")))


def test_folders_json_lines_packed_files_and_standard_input_give_the_same_records(
    tmp_path, corpus, vocab
):
    run_well(tmp_path)
    plain = records(tmp_path)
    documents = CORPUS.split("\n\n")
    folder = tmp_path / "folder"
    folder.mkdir()
    rows = [json.dumps({"body": text}, ensure_ascii=False) + "\n" for text in documents]
    (folder / "a.jsonl").write_text("".join(rows[:2]), encoding="utf-8")
    (folder / "b.jsonl.gz").write_bytes(gzip.compress("".join(rows[2:]).encode()))
    (folder / ".hidden").write_text("不读")
    for flags, text in (
        ([f"--input_file={folder}", "--json_key=body"], ""),
        (["--input_file=-"], CORPUS),
    ):
        output = f"--output_file={tmp_path / 'again' / 'a.tfrecord'}"
        run_well(tmp_path, *flags, output, text=text)
        assert sorted(payloads_of(str(tmp_path / "again" / "a.tfrecord"))) == plain
        shutil.rmtree(tmp_path / "again")


def test_bad_text_is_counted_where_it_may_be_skipped(tmp_path, corpus, vocab):
    corpus.write_bytes(CORPUS.encode() + "\n来".encode("gb18030") + b"\n")
    assert run(tmp_path).returncode == 1
    shown = run_well(tmp_path, "--on_bad_text=skip").stdout
    assert record_set(tmp_path)["counts"]["lines_not_utf8"] == 1
    assert re.search("lines not utf8 +1   left out: not UTF-8", shown)


@pytest.mark.parametrize(
    "flags",
    [
        ["--compact=True"],
        ["--compress=gzip"],
        ["--segmenter=rjieba"],
    ],
)
def test_other_forms_of_records_hold_the_same_instances(tmp_path, corpus, vocab, flags):
    run_well(tmp_path)
    run_well(tmp_path, f"--output_file={tmp_path / 'other' / 'a.tfrecord'}", *flags)
    plain, other = (
        [
            (instance.token_ids.tolist(), instance.masked_labels.tolist(), instance.swapped)
            for instance in map(decode, payloads_of(str(path)))
        ]
        for path in (tmp_path / "out" / "a.tfrecord", tmp_path / "other" / "a.tfrecord")
    )
    assert plain == other


def test_disk_that_takes_nothing_keeps_nothing_to_resume(tmp_path, corpus, vocab):
    limit = "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10));"
    script = f"{limit} sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"
    flags = [*map(str, command(tmp_path))]
    done = subprocess.run(
        [flags[0], "-c", script, *flags[1:]], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert re.fullmatch(r"error: cannot write .*; ulimit -f may limit files\n", done.stderr)
    assert os.listdir(tmp_path / "out") == []


def test_full_disk_is_one_line_and_the_run_goes_on_after_it(tmp_path, corpus, vocab):
    limit = "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000));"
    script = f"{limit} sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"
    flags = [*map(str, command(tmp_path, "--num_workers=2"))]
    done = subprocess.run(
        [flags[0], "-c", script, *flags[1:]], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    unfinished = tmp_path / "out" / "a.tfrecord.unfinished"
    assert re.fullmatch(
        rf"error: cannot write {unfinished}/\S+: File too large; make room there, or choose another"
        rf" place; ulimit -f may limit files\. What is done is kept in {unfinished}: the same"
        r" command resumes from there",
        done.stderr.splitlines()[-1],
    )
    assert not list(tmp_path.rglob("*.tfrecord"))
    run_well(tmp_path)
