"""The script from end to end: what it prints, what it writes, how it exits."""

import pathlib

import pytest
import small
from processes import run_script

from albert_zh.corpus.instances import Instance
from albert_zh.inspection.options import InspectOptions
from albert_zh.inspection.rendering import LEGEND
from albert_zh.inspection.run import inspect_records
from albert_zh.records.features import Layout, serialize
from albert_zh.records.tfrecord import frame
from albert_zh.text.vocab import Vocab

SCRIPT = pathlib.Path(__file__).parent.parent / "scripts" / "inspect_records.py"
VOCAB = Vocab(tuple(small.VOCABULARY))


def ids(text):
    return tuple(VOCAB.ids[token] for token in text.split())


INSTANCE = Instance(
    token_ids=ids("[CLS] 今 [MASK] [SEP] 很 冷 [SEP]"),
    segment_ids=(0, 0, 0, 0, 1, 1, 1),
    starts=(True,) * 7,
    masked_positions=(2, 5),
    masked_labels=ids("天 冷"),
    swapped=True,
)
RECORD = frame(serialize(INSTANCE, Layout(10, 2)))


@pytest.fixture
def records(tmp_path):
    path = tmp_path / "a.tfrecord"
    path.write_bytes(RECORD * 4)
    return path


@pytest.fixture
def run(records, tmp_path, capsys):
    """Runs the inspection in this process; gives what it prints."""
    vocab_file = small.write_vocabulary(tmp_path)

    def run(**options):
        options = {"input_file": str(records), "vocab_file": vocab_file} | options
        chosen = InspectOptions(**options)
        chosen.check()
        inspect_records(chosen)
        return capsys.readouterr().out

    return run


def test_instances_then_statistics_then_the_verdict_are_printed(run, records):
    legend, example, statistics, histogram, note, verdict = run(num_shown=1).strip().split("\n\n")
    assert legend == LEGEND
    assert example == (
        f"{records}, record 0: 7 tokens, 2 to predict, swapped\n"
        "  A  [CLS] 今 [天→MASK] [SEP]\n"
        "  B  很 [冷→=] [SEP]"
    )
    assert "read as   50.0 % [MASK], 50.0 % the token itself, 0.0 % another token" in statistics
    assert histogram.endswith("7           4  ########################################")
    assert note == f"no manifest.json lists them; only their records were checked: {records}"
    assert verdict == f"in order: 4 records of {records}"


def test_without_a_vocabulary_it_says_what_one_would_add(run):
    output = run(vocab_file=None)
    assert "With --vocab_file (or --spm_model_file): instances as tokens" in output
    assert "[CLS]" not in output
    assert "read as   " not in output


def test_without_verify_no_manifest_is_missed(run):
    assert "manifest" not in run(verify=False)


def test_several_files_are_named_by_the_first(run, records, tmp_path):
    (tmp_path / "b.tfrecord").write_bytes(RECORD)
    output = run(input_file=str(tmp_path / "*.tfrecord"), num_shown=0)
    assert output.endswith(f"in order: 5 records of {records} and 1 more\n")


@pytest.mark.pictures
def test_picture_is_written(run, tmp_path):
    pytest.importorskip("matplotlib", reason="pictures need matplotlib")
    picture = tmp_path / "lengths.png"
    assert f"wrote {picture}" in run(histogram_file=str(picture))
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_picture_of_another_name_is_refused_before_any_work(run, tmp_path):
    with pytest.raises(ValueError, match=r"ends in \.png, not lengths\.pdf"):
        run(histogram_file="lengths.pdf", input_file=str(tmp_path / "nothing there"))


def test_file_without_a_good_record_has_no_statistics(run, records):
    records.write_bytes(b"")
    with pytest.raises(ValueError, match=r"a\.tfrecord: it is empty"):
        run()


def test_damage_exits_with_1_and_every_place_of_it(records, tmp_path):
    content = bytearray(RECORD * 4)
    for record in (1, 3):
        content[record * len(RECORD) + 20] ^= 1
    records.write_bytes(content)
    done = run_script("scripts/inspect_records.py", f"--input_file={records}")
    assert done.returncode == 1
    assert "records   2" in done.stdout
    assert done.stderr.endswith(
        "error: the records have errors:\n"
        f"{records}: record 1, at byte {len(RECORD)}: its checksum does not match\n"
        f"{records}: record 3, at byte {3 * len(RECORD)}: its checksum does not match\n"
    )
