"""From documents to shards: the same bytes for any number of workers and after any kill."""

import hashlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest

from albert_zh.corpus.reading import CorpusReader, ReadingRules
from albert_zh.creation.building import BuildLimits, build_shards
from albert_zh.creation.maker import SliceRecords
from albert_zh.creation.outputs import Outputs, is_complete
from albert_zh.creation.work_directory import remove_leftovers
from albert_zh.records.manifest import RecordSet, read_manifest
from albert_zh.records.tfrecord import scan_frames

ROOT = pathlib.Path(__file__).parent.parent
RECORD_SET = RecordSet(
    recipe={"max_seq_length": 9}, vocabulary={"size": 3}, inputs=[], versions={"python": "3"}
)


def payloads_of(path: str) -> list[bytes]:
    return [each.payload for each in scan_frames(path)]


class EchoMaker:
    """A record for every text: the text itself, with a key made of it."""

    def __init__(self, *, delay=0.0, log=None):
        self.delay, self.log = delay, log

    def load(self):
        pass

    def __call__(self, corpus_slice):
        time.sleep(self.delay)
        if self.log:
            with open(self.log, "a", encoding="utf-8") as file:
                file.write(f"{corpus_slice.number}\n")
        records = []
        for place, texts in enumerate(corpus_slice.documents):
            for text in texts:
                name = f"{corpus_slice.first_document + place} {text}".encode()
                key = int.from_bytes(hashlib.sha256(name).digest()[:8], "big")
                records.append((key, name * 3))
        counts = Counter(documents=len(corpus_slice.documents), instances=len(records))
        return SliceRecords(records, counts)


def write_corpus(directory, *, documents=60):
    path = directory / "corpus.txt"
    text = "\n\n".join(
        f"第{number}篇\n" + "字" * (number * 37 % 5000) for number in range(documents)
    )
    path.write_text(text, encoding="utf-8")
    return path


def build(directory, corpus, *, maker=None, num_workers=1, name="a.tfrecord,b.tfrecord", **options):
    outputs = Outputs.parse(",".join(f"{directory}/{each}" for each in name.split(",")))
    options = {"record_set": RECORD_SET, "compressed": False} | options
    reader = CorpusReader([str(corpus)], ReadingRules())
    return build_shards(
        reader, maker or EchoMaker(), outputs=outputs, num_workers=num_workers, **options
    )


def contents(directory):
    return {path.name: path.read_bytes() for path in sorted(directory.iterdir())}


@pytest.fixture
def corpus(tmp_path):
    return write_corpus(tmp_path)


def test_every_record_is_in_one_shard_in_random_order(tmp_path, corpus):
    build(tmp_path / "out", corpus)
    shards = [payloads_of(str(tmp_path / "out" / f"{name}.tfrecord")) for name in "ab"]
    found = [record[: len(record) // 3].decode() for shard in shards for record in shard]
    texts = corpus.read_text(encoding="utf-8").split("\n\n")
    wanted = [f"{n} {text}" for n, lines in enumerate(texts) for text in lines.split("\n") if text]
    assert sorted(found) == sorted(wanted)
    numbers = [int(name.split()[0]) for name in found]
    ascending = sum(one <= other for one, other in pairwise(numbers))
    assert 0.3 < ascending / len(numbers) < 0.7
    assert min(map(len, shards)) > 0.3 * len(found)


def test_directory_holds_shards_and_manifest_and_nothing_else(tmp_path, corpus):
    written = build(tmp_path / "out", corpus)
    found = contents(tmp_path / "out")
    assert [*found] == ["a.tfrecord", "b.tfrecord", "manifest.json"]
    assert read_manifest(str(tmp_path / "out")) == [written]
    for shard in written.shards:
        content = found[shard.file]
        assert (shard.bytes, shard.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    text = corpus.read_bytes()
    assert written.inputs == [
        {"file": str(corpus), "bytes": len(text), "sha256": hashlib.sha256(text).hexdigest()}
    ]
    assert (written.counts["documents"], written.num_records) == (60, written.counts["instances"])


@pytest.mark.parametrize("num_workers", [2, 5])
def test_bytes_do_not_depend_on_the_number_of_workers(tmp_path, corpus, num_workers):
    build(tmp_path / "one", corpus)
    build(tmp_path / "many", corpus, num_workers=num_workers)
    assert contents(tmp_path / "one") == contents(tmp_path / "many")


def test_bytes_do_not_depend_on_the_memory_to_sort_in(tmp_path, corpus):
    build(tmp_path / "one", corpus)
    build(tmp_path / "many", corpus, limits=BuildLimits(sort_bytes=1000))
    assert contents(tmp_path / "one") == contents(tmp_path / "many")


def test_files_of_a_pattern_hold_the_records_of_one_file_in_its_order(tmp_path, corpus):
    build(tmp_path / "one", corpus, name="a.tfrecord")
    outputs = Outputs.parse(f"{tmp_path}/many/a-*.tfrecord", num_shards=3)
    reader = CorpusReader([str(corpus)], ReadingRules())
    options = {"outputs": outputs, "record_set": RECORD_SET, "compressed": False, "num_workers": 2}
    build_shards(reader, EchoMaker(), **options)
    parts = [
        (tmp_path / "many" / f"a-0000{index}-of-00003.tfrecord").read_bytes() for index in range(3)
    ]
    assert b"".join(parts) == (tmp_path / "one" / "a.tfrecord").read_bytes()


def test_compressed_shards_hold_the_same_records(tmp_path, corpus):
    build(tmp_path / "plain", corpus)
    written = build(tmp_path / "compressed", corpus, compressed=True)
    for shard in written.shards:
        plain, small = (tmp_path / name / shard.file for name in ("plain", "compressed"))
        assert payloads_of(str(small)) == payloads_of(str(plain))
        assert shard.bytes == small.stat().st_size < plain.stat().st_size
        assert shard.sha256 == hashlib.sha256(small.read_bytes()).hexdigest()
    again = build(tmp_path / "again", corpus, compressed=True)
    assert again.shards == written.shards


SLOW = """
import pathlib, sys
from tests.test_building import EchoMaker, build
directory, corpus, log = map(pathlib.Path, sys.argv[1:])
build(directory, corpus, maker=EchoMaker(delay=0.1, log=log), num_workers=2)
"""


def test_killed_run_resumes_and_ends_with_the_same_bytes(tmp_path):
    corpus = write_corpus(tmp_path, documents=200)
    build(tmp_path / "whole", corpus)
    log = tmp_path / "log"
    for kill_after in (2, 6, 9, 13):
        run = subprocess.Popen(
            [sys.executable, "-c", SLOW, tmp_path / "out", corpus, log], cwd=ROOT
        )
        while not log.exists() or len(log.read_text().split()) < kill_after:
            assert run.poll() is None
            time.sleep(0.01)
        run.send_signal(signal.SIGKILL)
        run.wait()
    build(tmp_path / "out", corpus, maker=EchoMaker(log=log), num_workers=2)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")
    made = Counter(log.read_text().split())
    assert len(made) > 15
    # A kill costs each of two workers the slice it was at, or has just logged.
    assert sum(made.values()) <= len(made) + 4 * 2


class KilledWhileMoving(Exception):
    pass


def test_shard_that_was_moved_before_a_kill_and_then_deleted_is_written_again(
    tmp_path, corpus, monkeypatch
):
    build(tmp_path / "whole", corpus)
    with monkeypatch.context() as patch:
        # A kill after the shards were moved.
        patch.setattr("albert_zh.creation.building.clear", None)
        with pytest.raises(TypeError):
            build(tmp_path / "out", corpus)
    (tmp_path / "out" / "a.tfrecord").unlink()
    build(tmp_path / "out", corpus)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


@pytest.mark.parametrize("moved", [0, 1, 2])
def test_run_killed_between_manifest_and_names_is_finished(tmp_path, corpus, monkeypatch, moved):
    build(tmp_path / "whole", corpus)
    replace_file, count = os.replace, 0

    def replace_some(source, target):
        nonlocal count
        if os.path.dirname(target) == str(tmp_path / "out") and target.endswith(".tfrecord"):
            count += 1
            if count > moved:
                raise KilledWhileMoving
        replace_file(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", replace_some)
        if moved == 2:
            patch.setattr(
                "albert_zh.creation.building.clear",
                lambda directory: replace_some("", f"{tmp_path}/out/x.tfrecord"),
            )
        with pytest.raises(KilledWhileMoving):
            build(tmp_path / "out", corpus)
    outputs = Outputs.parse(f"{tmp_path}/out/a.tfrecord,{tmp_path}/out/b.tfrecord")
    (known,) = read_manifest(outputs.directory)
    assert is_complete(outputs, replace(known, inputs=[]), lambda: known.inputs) == (moved == 2)
    if moved == 2:
        remove_leftovers(outputs)
    else:
        build(tmp_path / "out", corpus, maker=EchoMaker(log=tmp_path / "log"))
        assert not (tmp_path / "log").exists()
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def interrupted(directory, corpus, *, at=3, **options):
    """A run whose maker fails at a slice of the corpus."""

    class FailingMaker(EchoMaker):
        def __call__(self, corpus_slice):
            if corpus_slice.number == at:
                raise OSError("no space left")
            return super().__call__(corpus_slice)

    with pytest.raises(OSError, match="no space left"):
        build(directory, corpus, maker=FailingMaker(), **options)


def test_changed_text_is_made_anew_where_it_changed(tmp_path):
    corpus = write_corpus(tmp_path, documents=100)
    interrupted(tmp_path / "out", corpus)
    corpus.write_text(corpus.read_text(encoding="utf-8").replace("第60篇", "第六十篇"), "utf-8")
    build(tmp_path / "out", corpus, maker=EchoMaker(log=tmp_path / "log"))
    build(tmp_path / "whole", corpus)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")
    assert "0" not in (tmp_path / "log").read_text().split()


@pytest.mark.parametrize(
    "edit",
    [
        lambda documents: ["新的一篇", *documents],
        lambda documents: documents[1:],
        # The slices after the edit have the same text again, but the numbers of others.
        lambda documents: [*documents[:20], "第一半", "第二半", *documents[20:]],
        lambda documents: [*documents[:20], "\n".join(documents[20:22]), *documents[22:]],
        lambda documents: documents[::-1],
        lambda documents: documents[:50],
        lambda documents: documents * 2,
    ],
)
def test_corpus_edited_between_kill_and_resume_gives_the_bytes_of_a_clean_run(tmp_path, edit):
    corpus = write_corpus(tmp_path, documents=100)
    interrupted(tmp_path / "out", corpus, at=7)
    documents = corpus.read_text(encoding="utf-8").split("\n\n")
    corpus.write_text("\n\n".join(edit(documents)), encoding="utf-8")
    build(tmp_path / "out", corpus)
    build(tmp_path / "whole", corpus)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


@pytest.mark.parametrize("num_workers", [1, 3])
def test_without_duplicates_records_are_those_of_a_corpus_without_them(tmp_path, num_workers):
    corpus = write_corpus(tmp_path, documents=100)
    build(tmp_path / "whole", corpus)
    documents = corpus.read_text(encoding="utf-8").split("\n\n")
    mixed = [text for number in range(100) for text in documents[number // 2 : number + 1]]
    corpus.write_text("\n\n".join(mixed), encoding="utf-8")
    interrupted(tmp_path / "out", corpus, drop_duplicates=True)
    result = build(tmp_path / "out", corpus, drop_duplicates=True, num_workers=num_workers)
    assert result.counts["documents_dropped"] == len(mixed) - 100
    assert result.counts["documents"] == 100
    for name in ("a.tfrecord", "b.tfrecord"):
        assert contents(tmp_path / "out")[name] == contents(tmp_path / "whole")[name]


def test_duplicates_are_counted_where_they_are_used(tmp_path, corpus):
    corpus.write_text(2 * (corpus.read_text(encoding="utf-8") + "\n\n"), encoding="utf-8")
    counts = build(tmp_path / "out", corpus).counts
    assert (counts["documents"], counts["documents_repeated"]) == (120, 60)


@pytest.mark.parametrize("names", ["a.tfrecord", "a.tfrecord,c.tfrecord,d.tfrecord"])
def test_other_files_after_a_kill_get_records_of_their_own(tmp_path, corpus, names, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("albert_zh.creation.building.add_set", None)  # a kill after the shards
        with pytest.raises(TypeError):
            build(tmp_path / "out", corpus)
    build(tmp_path / "out", corpus, name=names)
    build(tmp_path / "whole", corpus, name=names)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"recipe": {"max_seq_length": 5}}, "max_seq_length is 9, not 5"),
        ({"versions": {"python": "4"}}, "its software was python 3"),
    ],
)
def test_unfinished_run_of_another_kind_is_an_error(tmp_path, corpus, changes, message):
    interrupted(tmp_path / "out", corpus)
    with pytest.raises(ValueError, match=rf"a\.tfrecord\.unfinished holds an unf.*{message}"):
        build(tmp_path / "out", corpus, record_set=replace(RECORD_SET, **changes))
    build(tmp_path / "out", corpus)


def test_two_runs_in_one_place_are_an_error(tmp_path, corpus):
    limits = BuildLimits(lock_seconds=0.1)

    class NestedMaker(EchoMaker):
        def __call__(self, corpus_slice):
            build(tmp_path / "out", corpus, limits=limits)

    with pytest.raises(
        ValueError, match=r"another process is at work in .*a\.tfrecord\.unfinished"
    ):
        build(tmp_path / "out", corpus, maker=NestedMaker())


TWICE = """
import pathlib, sys, time
from dataclasses import replace
from tests.test_building import RECORD_SET, EchoMaker, build
from albert_zh.creation.outputs import Outputs, is_complete
from albert_zh.records.manifest import read_manifest
out, corpus, length = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), int(sys.argv[3])
wanted = replace(RECORD_SET, recipe={"max_seq_length": length})
outputs = Outputs.parse(f"{out}/a.tfrecord,{out}/b.tfrecord")
def has_all():
    return is_complete(outputs, wanted, lambda: read_manifest(str(out))[0].inputs)
assert not has_all()
print("started", flush=True)
print(build(out, corpus, record_set=wanted, is_complete=has_all) and "wrote")
"""


@pytest.mark.parametrize(
    ("length", "end"), [(9, "None\n"), (5, "another run: max_seq_length is 9")]
)
def test_run_that_waited_for_another_finds_its_shards(tmp_path, corpus, length, end):
    class StartingMaker(EchoMaker):
        def __call__(self, corpus_slice):
            nonlocal other
            if other is None:
                other = subprocess.Popen(
                    [sys.executable, "-c", TWICE, tmp_path / "out", corpus, str(length)],
                    cwd=ROOT,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                )
                assert other.stdout.readline() == "started\n"
                time.sleep(0.3)  # It waits for the lock.
            return super().__call__(corpus_slice)

    other = None
    build(tmp_path / "out", corpus, maker=StartingMaker())
    output, _ = other.communicate(timeout=60)
    assert end in output
    assert (other.returncode == 0) == (length == 9)
    build(tmp_path / "whole", corpus)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_names_that_another_run_has_taken_meanwhile_stay_its_own(tmp_path, corpus):
    outputs = Outputs.parse(f"{tmp_path}/out/a.tfrecord,{tmp_path}/out/b.tfrecord")

    class OvertakenMaker(EchoMaker):
        def __call__(self, corpus_slice):
            if corpus_slice.number == 0:
                build(tmp_path / "out", corpus, name="b.tfrecord")
            return super().__call__(corpus_slice)

    with pytest.raises(ValueError, match=r"b\.tfrecord exists already, as one of 1 files"):
        build(
            tmp_path / "out",
            corpus,
            maker=OvertakenMaker(),
            is_complete=lambda: is_complete(outputs, RECORD_SET, list),
        )
    build(tmp_path / "whole", corpus, name="b.tfrecord")
    assert contents(tmp_path / "whole")["b.tfrecord"] == (tmp_path / "out/b.tfrecord").read_bytes()
    (known,) = read_manifest(outputs.directory)
    assert [shard.file for shard in known.shards] == ["b.tfrecord"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (" \n\n", r"corpus\.txt has only white space"),
        ("一\n", "1 instances for 2 output files leave files without"),
    ],
)
def test_too_little_text_is_an_error_that_leaves_nothing(tmp_path, text, message):
    (tmp_path / "corpus.txt").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        build(tmp_path / "out", tmp_path / "corpus.txt")
    assert not list(tmp_path.glob("out/*"))


FULL = """
import pathlib, resource, sys
from tests.test_building import build
resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))
build(*map(pathlib.Path, sys.argv[1:]), num_workers=2)
"""


def test_full_disk_is_an_error_and_the_run_resumes_after_it(tmp_path, corpus):
    done = subprocess.run(
        [sys.executable, "-c", FULL, tmp_path / "out", corpus],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert re.search(r"cannot write .*unfinished/\S+: File too large; make room", done.stderr)
    assert not list((tmp_path / "out").glob("*.tfrecord"))
    build(tmp_path / "out", corpus)
    build(tmp_path / "whole", corpus)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_unfinished_directory_says_what_it_is(tmp_path, corpus):
    interrupted(tmp_path / "out", corpus)
    with open(tmp_path / "out" / "a.tfrecord.unfinished" / "recipe.json", encoding="utf-8") as file:
        assert json.load(file)["recipe"] == RECORD_SET.recipe
