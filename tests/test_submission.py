"""scripts/make_submission.py: what CLUE's site accepts is packed, and damage is refused."""

import dataclasses
import json
import pathlib
import re
import subprocess
import zipfile

import pytest
from processes import run_script

from albert_zh.tasks.examples import Entity
from albert_zh.tasks.kinds.classification import LabelPrediction
from albert_zh.tasks.kinds.reading import TextPrediction
from albert_zh.tasks.kinds.tagging import TagPrediction
from albert_zh.tasks.submission_archive import (
    VERSIONS,
    find_predictions,
    read_archive,
    refusals,
    samples,
    wanted_files,
    write_archive,
)

ROOT = pathlib.Path(__file__).parent.parent
SAMPLE = str(ROOT / "data" / "clue_sample")


def predictions_for(each) -> str:
    """Right in form, for all examples of a test file."""
    kind, examples, labels = each.task.kind.name, each.test.examples, each.task.labels
    if kind == "reading":
        made = [TextPrediction(example.context[:4], 0.0) for example in examples]
    elif kind == "tagging":
        made = [TagPrediction((Entity(0, 2, "name"), Entity(3, 4, "name"))) for _ in examples]
    else:
        sure = (1.0, *[0.0] * (len(labels) - 1))
        made = [LabelPrediction(labels[0], sure) for _ in examples]
    return each.task.submission.content(examples, made, labels)


@pytest.fixture(scope="module", params=VERSIONS)
def version(request) -> str:
    return request.param


def write_predictions(folder: pathlib.Path, version: str, tasks=()) -> list:
    """The output directory of a run for each task."""
    wanted = wanted_files(version, tasks, SAMPLE)
    for each in wanted:
        (folder / each.task.name).mkdir(parents=True)
        (folder / each.task.name / each.name).write_text(predictions_for(each), encoding="utf-8")
    return wanted


def run(*flags: str) -> subprocess.CompletedProcess:
    return run_script("scripts/make_submission.py", *flags)


TASKS = {version: [name for name in VERSIONS[version] if name != "cmnli"] for version in VERSIONS}


def test_samples_make_an_archive_that_is_accepted(tmp_path, version):
    tasks = ",".join(TASKS[version])  # There is no sample of CMNLI.
    wanted = write_predictions(tmp_path / "out", version, TASKS[version])
    archive = tmp_path / "submit.zip"
    flags = (f"--data_dir={SAMPLE}", f"--version={version}", f"--tasks={tasks}")
    done = run(*flags, f"--predictions_dir={tmp_path}/out", f"--zip_file={archive}")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"^afqmc_predict.json +80 predictions$", done.stdout, re.MULTILINE)
    *_, verdict = done.stdout.splitlines()
    assert verdict.startswith(f"{archive} is right for these test files, but they are samples: ")
    assert "afqmc has 80 of 3,861 examples" in verdict
    names = zipfile.ZipFile(archive).namelist()
    assert names == [each.name for each in wanted]
    mark = version.replace(".", "")
    assert {f"{name}{mark}_predict.json" for name in ("tnews", "c3", "chid", "cluewsc")} <= {*names}
    done = run(*flags, f"--check_file={archive}")
    assert (done.returncode, done.stderr) == (0, "")
    before = archive.read_bytes()
    done = run(*flags, f"--predictions_dir={tmp_path}/out", f"--zip_file={archive}")
    assert (done.returncode, done.stderr) == (0, "")
    lines = tmp_path / "out" / "afqmc" / "afqmc_predict.json"
    lines.write_text(line(lines.read_text(), 1, label="1"))
    done = run(*flags, f"--predictions_dir={tmp_path}/out", f"--zip_file={archive}")
    assert done.returncode == 1
    assert "is there already, with other contents; move it away or write to an" in done.stderr
    assert archive.read_bytes() == before


def test_test_files_of_their_full_size_are_no_samples():
    (tnews,) = wanted_files("1.1", ["tnews"], SAMPLE)
    whole = dataclasses.replace(tnews.test, examples=tnews.test.examples[:1] * 10_000)
    assert samples([dataclasses.replace(tnews, test=whole)]) == []
    assert samples([tnews]) == [f"tnews has {len(tnews.test.examples)} of 10,000 examples"]


def test_task_that_is_named_twice_is_submitted_once():
    names = [
        each.task.name for each in wanted_files("1.1", ["wsc", "afqmc", "cluewsc2020"], SAMPLE)
    ]
    assert names == ["cluewsc2020", "afqmc"]


@pytest.mark.parametrize(("version", "task"), [("1.0", "ocnli"), ("1.1", "cmnli")])
def test_task_of_another_version_is_refused(version, task):
    other = next(each for each in VERSIONS if each != version)
    with pytest.raises(ValueError, match=f"{task} is no part of CLUE {version}; .*={other}"):
        wanted_files(version, [task], SAMPLE)


def test_refused_files_are_listed_with_their_reasons_and_nothing_is_written(tmp_path):
    write_predictions(tmp_path / "out", "1.1", ["afqmc", "tnews"])
    (tmp_path / "out" / "afqmc" / "afqmc_predict.json").write_text("")
    archive = tmp_path / "submit.zip"
    done = run(
        f"--data_dir={SAMPLE}",
        f"--predictions_dir={tmp_path}/out/afqmc,{tmp_path}/out/tnews",
        "--tasks=afqmc,tnews",
        f"--zip_file={archive}",
    )
    assert done.returncode == 1
    assert re.search("^afqmc_predict.json +it is empty$", done.stdout, re.MULTILINE)
    assert done.stderr == (
        "error: the site would refuse 1 of 2 files, or score them wrongly: afqmc_predict.json\n"
    )
    assert not archive.exists()


# ---- damage of a file


def line(content: str, number: int, /, **changes) -> str:
    """The file with other values in a line, counted from 1; None removes a key."""
    lines = content.splitlines(keepends=True)
    row = {**json.loads(lines[number - 1]), **changes}
    row = {key: value for key, value in row.items() if value is not None}
    lines[number - 1] = json.dumps(row, ensure_ascii=False) + "\n"
    return "".join(lines)


def swap(text: str) -> str:
    first, second, *others = text.splitlines(keepends=True)
    return "".join([second, first, *others])


def edit(text: str, **changes) -> str:
    """The object with other values, None removing one."""
    values = {**json.loads(text), **changes}
    return json.dumps({key: value for key, value in values.items() if value is not None})


DAMAGE = {
    "cut off": ("afqmc", lambda text: text[:-9], "line 80: not JSON"),
    "no JSON": ("afqmc", lambda text: "0\t1\n" + text, "line 1: not JSON"),
    "a list": ("afqmc", lambda text: "[0, 1]\n" + text, "line 1: it is no JSON object"),
    "an empty line": ("afqmc", lambda text: "\n" + text, "line 1: it is empty"),
    "another encoding": ("cluener", lambda text: text.encode("gbk"), "it is not UTF-8 (byte "),
    "a mark": ("afqmc", lambda text: "\ufeff" + text, "it begins with a byte-order mark"),
    "nothing": ("afqmc", lambda text: "\n", "it is empty"),
    "a key twice": (
        "afqmc",
        lambda text: text.replace('"label": "0"}', '"label": "0", "label": "1"}', 1),
        "line 1: the key 'label' stands in one object twice",
    ),
    "no label": ("afqmc", lambda text: line(text, 2, label=None), "line 2: it has no 'label'"),
    "no id": ("afqmc", lambda text: line(text, 2, id=None), "line 2: it has no 'id'"),
    "too few lines": (
        "afqmc",
        lambda text: "".join(text.splitlines(keepends=True)[:-2]),
        "2 of the 80 ids of the test file are missing, such as 78",
    ),
    "too many lines": (
        "afqmc",
        lambda text: text + '{"id": 80, "label": "1"}\n',
        "1 ids are not in the test file, such as 80; its own begin with 0, 1, 2",
    ),
    "an id twice": (
        "afqmc",
        lambda text: line(text, 5, id=3),
        "line 5: id 3 stands on line 4, too",
    ),
    "numbers of lines": (
        "csl",
        lambda text: "".join(f'{{"id": {number}, "label": "1"}}\n' for number in range(900, 924)),
        "24 ids are not in the test file, such as 900",
    ),
    "another order": (
        "afqmc",
        swap,
        "line 1: id 1 stands where the test file has 0; the lines have to be in its order",
    ),
    "numbers as labels": (
        "afqmc",
        lambda text: line(text, 3, label=1),
        'line 3: the label 1 is no text, such as "0"',
    ),
    "an unknown label": (
        "tnews",
        lambda text: line(line(text, 3, label="105"), 4, label="111"),
        "line 3: unknown label '105'; the labels are 100, 101,",
    ),
    "a label of many": (
        "iflytek",
        lambda text: line(text, 1, label="119"),
        "line 1: unknown label '119'; the labels are 0 ... 118",
    ),
    "a choice that is not there": (
        "c3",
        lambda text: text.replace('"label": "0"', '"label": "3"'),
        "unknown label '3'; the labels are 0, 1, 2",
    ),
    "answers as lines": (
        "cmrc2018",
        lambda text: '{"TEST_0_QUERY_0": "一"}\n{"TEST_0_QUERY_1": "二"}\n',
        "the whole file is one object: id -> prediction",
    ),
    "a question missing": (
        "cmrc2018",
        lambda text: edit(text, TEST_3_QUERY_1=None),
        "1 of the 36 ids of the test file are missing, such as TEST_3_QUERY_1",
    ),
    "an unknown question": (
        "cmrc2018",
        lambda text: edit(text, DEV_0_QUERY_0="一"),
        "DEV_0_QUERY_0",
    ),
    "an answer that is no text": (
        "cmrc2018",
        lambda text: edit(text, TEST_3_QUERY_1=["一"]),
        "TEST_3_QUERY_1: the answer ['一'] is no text",
    ),
    "a candidate as a text": (
        "chid",
        lambda text: edit(text, **{next(iter(json.loads(text))): "3"}),
        "'3' is no number of a candidate, from 0 to 9",
    ),
    "a candidate that is not there": (
        "chid",
        lambda text: edit(text, **{next(iter(json.loads(text))): 10}),
        "10 is no number of a candidate, from 0 to 9",
    ),
    "a blank missing": (
        "chid",
        lambda text: edit(text, **{next(iter(json.loads(text))): None}),
        "1 of the 12 ids of the test file are missing, such as #idiom",
    ),
    "an unknown type": (
        "cluener",
        lambda text: line(text, 4, label={"person": {}}),
        "line 4: unknown label 'person'; the labels are address, ",
    ),
    "an end that does not count": (
        "cluener",
        lambda text: line(
            text, 2, label={"name": {json.loads(text.splitlines()[1])["text"][:2]: [[0, 2]]}}
        ),
        "does not stand at 0 to 2; the first character is 0, and the last one of the part is",
    ),
    "places that are none": (
        "cluener",
        lambda text: line(text, 2, label={"name": {"小": [0, 1]}}),
        "line 2: the places of '小' are [0, 1], not such as [[0, 1]]",
    ),
    "no place": (
        "cluener",
        lambda text: line(text, 2, label={"name": {"小": []}}),
        "line 2: the places of '小' are [], not such as [[0, 1]]",
    ),
    "an empty part": (
        "cluener",
        lambda text: line(text, 2, label={"name": {"": [[3, 2]]}}),
        "line 2: '' does not stand at 3 to 2",
    ),
    "places counted from the end": (
        "cluener",
        lambda text: line(
            text, 2, label={"name": {json.loads(text.splitlines()[1])["text"][-3:-1]: [[-3, -2]]}}
        ),
        "does not stand at -3 to -2",
    ),
    "an end beyond the text": (
        "cluener",
        lambda text: line(
            text,
            2,
            label={"name": {json.loads(text.splitlines()[1])["text"][3:]: [[3, 1000]]}},
        ),
        "does not stand at 3 to 1000",
    ),
    "no text": (
        "cluener",
        lambda text: line(text, 2, text=None),
        "line 2: it has no 'text'",
    ),
    "entities as a list": (
        "cluener",
        lambda text: line(text, 2, label=["name"]),
        "line 2: the label ['name'] is no object",
    ),
    "another text": (
        "cluener",
        lambda text: line(text, 2, text="别的"),
        "line 2: its text is not that of the test file",
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_file_is_refused_with_the_reason(damage):
    name, change, reason = DAMAGE[damage]
    wanted = wanted_files("1.1", [name], SAMPLE)
    text = predictions_for(wanted[0])
    assert refusals(wanted, {wanted[0].name: text.encode()}) == {wanted[0].name: []}
    damaged = change(text)
    content = damaged if isinstance(damaged, bytes) else damaged.encode()
    problems = refusals(wanted, {wanted[0].name: content})[wanted[0].name]
    assert reason in "; ".join(problems)


def test_ids_may_be_texts_and_c3_may_have_numbers():
    wanted = wanted_files("1.1", ["c3"], SAMPLE)
    text = "".join(f'{{"id": "{number}", "label": {number % 3}}}\n' for number in range(22))
    assert refusals(wanted, {"c311_predict.json": text.encode()}) == {"c311_predict.json": []}


# ---- damage of the whole


def test_missing_files_are_named_with_those_that_may_have_been_meant(tmp_path):
    wanted = write_predictions(tmp_path, "1.1", ["afqmc", "tnews", "ocnli"])
    (tmp_path / "tnews" / "tnews11_predict.json").rename(tmp_path / "tnews" / "tnews_predict.json")
    (tmp_path / "ocnli" / "ocnli_50k_predict.json").unlink()
    with pytest.raises(FileNotFoundError) as error:
        find_predictions([str(tmp_path)], wanted)
    assert "tnews11_predict.json for tnews (there is tnews_predict.json, which" in str(error.value)
    assert "; ocnli_50k_predict.json for ocnli. Name the tasks that you have" in str(error.value)


def test_file_of_another_version_is_not_taken(tmp_path):
    write_predictions(tmp_path, "1.0", ["c3"])
    with pytest.raises(FileNotFoundError, match=r"there is c310_predict.json, which the site does"):
        find_predictions([str(tmp_path)], wanted_files("1.1", ["c3"], SAMPLE))


def test_two_files_of_one_name_are_refused(tmp_path):
    wanted = write_predictions(tmp_path, "1.1", ["afqmc"])
    (tmp_path / "afqmc_predict.json").write_text("")
    with pytest.raises(ValueError, match=r"afqmc_predict.json stands in .* and .*; move one"):
        find_predictions([str(tmp_path)], wanted)


def test_test_file_of_the_version_has_to_be_there(tmp_path):
    (tmp_path / "tnews").mkdir()
    (tmp_path / "tnews" / "test.json").write_text('{"id": 0, "sentence": "好"}')
    assert wanted_files("1.1", ["tnews"], str(tmp_path))[0].name == "tnews11_predict.json"
    with pytest.raises(
        FileNotFoundError, match=r"no test file for tnews10_predict.json, of CLUE 1"
    ):
        wanted_files("1.0", ["tnews"], str(tmp_path))


def test_task_without_a_submission_is_refused():
    with pytest.raises(ValueError, match="CLUE takes no predictions for lcqmc; it does for afqmc,"):
        wanted_files("1.1", ["lcqmc"], SAMPLE)


@pytest.fixture
def packed(tmp_path):
    """Wanted files, and a function that packs members into an archive of a name."""
    wanted = wanted_files("1.1", ["afqmc", "tnews"], SAMPLE)
    contents = {each.name: predictions_for(each) for each in wanted}

    def pack(members: dict[str, str], name: str = "submit.zip") -> str:
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            for member, content in members.items():
                archive.writestr(member, content)
        return str(tmp_path / name)

    return wanted, contents, pack


def test_archive_of_another_name_is_refused(packed, tmp_path):
    wanted, contents, pack = packed
    with pytest.raises(ValueError, match=r"has to be called submit.zip; the site takes no other"):
        read_archive(pack(contents, "submit_team.zip"), wanted)
    with pytest.raises(ValueError, match=r"the site takes only submit.zip"):
        write_archive(str(tmp_path / "mine.zip"), {})


def test_archive_with_a_folder_is_refused(packed):
    wanted, contents, pack = packed
    members = {f"submit/{name}": content for name, content in contents.items()}
    with pytest.raises(ValueError, match="its files must not lie in folders"):
        read_archive(pack(members), wanted)


def test_archive_with_a_foreign_file_is_refused(packed):
    wanted, contents, pack = packed
    with pytest.raises(ValueError, match=r"holds notes.txt, which the site does not know"):
        read_archive(pack({**contents, "notes.txt": ""}), wanted)


def test_archive_that_lacks_a_task_is_refused(packed):
    wanted, contents, pack = packed
    with pytest.raises(ValueError, match=r"lacks tnews11_predict.json; name the tasks that it has"):
        read_archive(pack({"afqmc_predict.json": contents["afqmc_predict.json"]}), wanted)


def test_damaged_archive_is_refused(packed):
    wanted, contents, pack = packed
    path = pathlib.Path(pack(contents))
    for damaged in (path.read_bytes()[:-30], path.read_bytes().replace(b'"label"', b'"LABEL"', 1)):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match="is no zip archive that can be read"):
            read_archive(str(path), wanted)


def test_archive_with_another_byte_anywhere_is_refused(tmp_path):
    wanted = wanted_files("1.1", ["afqmc"], SAMPLE)
    path = tmp_path / "submit.zip"
    write_archive(str(path), {wanted[0].name: predictions_for(wanted[0]).encode()})
    whole = path.read_bytes()
    for place in range(60, 200, 7):  # of the compressed predictions
        path.write_bytes(bytes([*whole[:place], whole[place] ^ 255, *whole[place + 1 :]]))
        with pytest.raises(ValueError, match="is no zip archive that can be read"):
            read_archive(str(path), wanted)
