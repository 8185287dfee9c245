"""Programs that answer lines of text: similarity.py, fill_mask.py, encode.py, predict.py."""

import json
import os
import pathlib
import pty
import subprocess
import sys

import numpy as np
import pytest
from processes import run_script
from test_exchange import small_config, write_model
from test_export_formats import export

import albert_zh
from albert_zh.export.source import load_source
from albert_zh.serving.streams import read_batches

SCRIPTS = pathlib.Path(__file__).parent.parent / "scripts"
PAIRS = [("一丁", "一七"), ("丂万", "上丁丄"), ("丈", "丈")]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Exports, which start without TensorFlow: name -> path."""
    folder = tmp_path_factory.mktemp("models")
    config = small_config("brightmart")
    pairs = {"kind": "classification", "labels": ("0", "1"), "num_texts": 2}
    made = {
        "pairs": write_model(folder / "pairs_run", config, **pairs),
        "masked": write_model(folder / "masked_run", config),
        "tags": write_model(folder / "tags_run", config, kind="tagging"),
        "reader": write_model(folder / "reader_run", config, kind="reading"),
    }
    for name, path in made.items():
        export(load_source(path), folder / name, "onnx")
        made[name] = str(folder / name)
    export(load_source(str(folder / "masked_run"), is_encoder=True), folder / "vectors", "onnx")
    return {**made, "vectors": str(folder / "vectors")}


def run(script, model, *flags, text="", code=0):
    done = run_script(SCRIPTS / script, f"--model={model}", *flags, text=text)
    assert done.returncode == code, done.stderr
    return done.stderr if code else done.stdout


def objects(output: str) -> list[dict]:
    return [json.loads(line) for line in output.splitlines()]


# --- similarity.py ------------------------------------------------------------------------------


def test_similarity_of_lines_in_every_format(models, tmp_path):
    expected = albert_zh.load(models["pairs"], use="similarity").probabilities(PAIRS)
    (tmp_path / "pairs.tsv").write_text("".join(f"{a}\t{b}\n" for a, b in PAIRS), "utf-8")
    file = f"--input_file={tmp_path}/pairs.tsv"
    rows = objects(run("similarity.py", models["pairs"], file, "--output_format=jsonl"))
    assert [(row["text_a"], row["text_b"]) for row in rows] == PAIRS
    np.testing.assert_allclose([row["probability"] for row in rows], expected, rtol=1e-5)
    assert [row["similar"] for row in rows] == [value >= 0.5 for value in expected]
    header, *lines = run("similarity.py", models["pairs"], file, "--output_format=tsv").splitlines()
    assert header.split("\t") == list(rows[0])
    assert [line.split("\t")[:2] for line in lines] == [list(pair) for pair in PAIRS]
    out = f"--output_file={tmp_path}/out.txt"
    assert run("similarity.py", models["pairs"], file, out) == ""
    shown = (tmp_path / "out.txt").read_text("utf-8").splitlines()
    assert [line.split()[-2:] for line in shown] == [list(pair) for pair in PAIRS]
    (alone,) = run("similarity.py", models["pairs"], "--text=一丁\t一七").splitlines()
    assert alone == shown[0]


def test_lines_are_ranked_by_their_similarity_to_a_query(models):
    texts = [b for _, b in PAIRS]
    ranked = albert_zh.load(models["pairs"], use="similarity").rank("一丁", texts, top_k=2)
    flags = ("--query=一丁", "--top_k=2", "--output_format=jsonl")
    rows = objects(run("similarity.py", models["pairs"], *flags, text="\n".join(texts)))
    assert [row["text_b"] for row in rows] == [each.text for each in ranked]


def test_threshold_comes_from_labelled_pairs(models, tmp_path):
    values = albert_zh.load(models["pairs"], use="similarity").probabilities(PAIRS)
    labels = [int(value == values.max()) for value in values]
    lines = [f"{a}\t{b}\t{label}\n" for (a, b), label in zip(PAIRS, labels, strict=True)]
    (tmp_path / "dev.tsv").write_text("".join(lines), "utf-8")
    text = "".join(f"{a}\t{b}\n" for a, b in PAIRS)
    flags = (f"--dev_file={tmp_path}/dev.tsv", "--output_format=jsonl")
    rows = objects(run("similarity.py", models["pairs"], *flags, text=text))
    assert [int(row["similar"]) for row in rows] == labels
    (tmp_path / "dev.tsv").write_text("一\t丁\t1\n一\t丁\n", "utf-8")
    message = run("similarity.py", models["pairs"], *flags, text=text, code=1)
    assert "dev.tsv, line 2: it is not two texts and a label, 0 or 1" in message


# --- fill_mask.py, encode.py, predict.py ----------------------------------------------------------


def test_masks_are_filled_with_entries_or_words(models):
    text, model = "一[MASK][MASK]丁", albert_zh.load(models["masked"])
    flags = (f"--text={text}", "--top_k=2", "--output_format=jsonl")
    for more, expected in (((), model.fill), (("--words",), model.fill_words)):
        (row,) = objects(run("fill_mask.py", models["masked"], *flags, *more))
        assert [[each["token"] for each in masks] for masks in row["masks"]] == [
            [each.token for each in masks] for masks in expected([text], top_k=2)[0]
        ]
    (chosen,) = objects(run("fill_mask.py", models["masked"], *flags, "--candidates=七, 丁"))
    assert {each["token"] for each in chosen["masks"][0]} == {"七", "丁"}


def test_vectors_go_into_an_array_or_beside_their_texts(models, tmp_path):
    texts = [a for a, _ in PAIRS] * 200  # several batches
    expected = albert_zh.load(models["vectors"]).encode(texts)
    text = "\n".join(texts)
    run("encode.py", models["vectors"], f"--output_file={tmp_path}/v.npy", text=text)
    np.testing.assert_allclose(np.load(tmp_path / "v.npy"), expected, atol=1e-6)
    flags = ("--output_format=jsonl", "--normalize")
    rows = objects(run("encode.py", models["vectors"], *flags, text=text))
    assert [row["text"] for row in rows] == texts
    lengths = np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose([row["vector"] for row in rows], expected / lengths, atol=1e-6)
    flags = ("--query=一丁", "--top_k=1", "--output_format=jsonl")
    (found,) = objects(run("encode.py", models["vectors"], *flags, text="丂万\n一丁\n丈"))
    assert found == {"text": "一丁", "cosine": pytest.approx(1.0, abs=1e-6)}
    run("encode.py", models["vectors"], f"--output_file={tmp_path}/v.npy", text="一\n\n丁\n")
    expected = albert_zh.load(models["vectors"]).encode(["一", "", "丁"])
    np.testing.assert_allclose(np.load(tmp_path / "v.npy"), expected, atol=1e-6)
    message = run("encode.py", models["vectors"], f"--output_file={tmp_path}/w.npy", code=1)
    assert "has no text" in message
    assert not (tmp_path / "w.npy").exists()


@pytest.mark.parametrize(
    ("name", "example"),
    [("pairs", ("一丁", "一七")), ("tags", ("一丁丂",)), ("reader", ("一丁", "丂万上"))],
)
def test_every_task_is_predicted_as_in_python(models, name, example):
    line, model = "\t".join(example), albert_zh.load(models[name])
    (row,) = objects(run("predict.py", models[name], f"--text={line}", "--output_format=jsonl"))
    (expected,) = model.rows([example if len(example) > 1 else example[0]])
    assert row == json.loads(json.dumps(expected))
    assert run("predict.py", models[name], f"--text={line}").strip()


def test_model_for_something_else_is_said(models):
    assert "has no task to predict" in run("predict.py", models["vectors"], "--text=一", code=1)
    message = run("fill_mask.py", models["pairs"], "--text=一[MASK]", code=1)
    assert "has no masked-LM head" in message
    assert "compare two texts" in run("similarity.py", models["masked"], "--text=一\t丁", code=1)


# --- lines --------------------------------------------------------------------------------------


def test_line_without_an_answer_ends_the_work_after_those_before_it(models, tmp_path):
    (tmp_path / "texts.txt").write_text("一[MASK]\n\n丁[MASK]\n上丁\n七[MASK]\n", "utf-8")
    command = [SCRIPTS / "fill_mask.py", f"--model={models['masked']}"]
    command += [f"--input_file={tmp_path}/texts.txt", "--output_format=jsonl"]
    done = run_script(*command)
    assert done.returncode == 1
    assert [row["text"] for row in objects(done.stdout)] == ["一[MASK]", "丁[MASK]"]
    assert "texts.txt, line 4: there is no [MASK] to fill in '上丁'" in done.stderr
    (tmp_path / "texts.txt").write_text("一[MASK]\n\n \n", "utf-8")
    done = run_script(*command)
    assert (done.returncode, len(objects(done.stdout))) == (0, 1)
    assert "texts.txt: 2 empty lines were passed over" in done.stderr


@pytest.mark.parametrize(
    ("form", "content", "message"),
    [
        ("lines", b"\xff\xfe\n", "not UTF-8"),
        ("jsonl", b'"a"\n{', "line 2: it is no JSON"),
        ("jsonl", b"[1]\n", "line 1: [1] is neither a string nor a list of strings"),
        ("jsonl", b"[]\n", "neither a string nor a list"),
    ],
)
def test_malformed_lines_are_named(models, tmp_path, form, content, message):
    (tmp_path / "texts.txt").write_bytes(content)
    flag = f"--input_format={form}"
    file = f"--input_file={tmp_path}/texts.txt"
    assert message in run("encode.py", models["vectors"], file, flag, code=1)
    assert message in run("encode.py", models["vectors"], flag, text=content, code=1)


def test_form_of_a_file_is_told_by_its_name(models, tmp_path):
    (tmp_path / "new.jsonl").write_text('["一\\t丁", "七"]\n', "utf-8")
    command = ("similarity.py", models["pairs"], "--output_format=jsonl")
    (row,) = objects(run(*command, f"--input_file={tmp_path}/new.jsonl"))
    assert row["text_a"] == "一\t丁"
    (tmp_path / "new.jsonl").write_text('{"text_a": "一", "text_b": "七"}\n', "utf-8")
    message = run(*command, f"--input_file={tmp_path}/new.jsonl", code=1)
    assert "run_classifier.py --do_predict=True --model=MODEL --input_file=FILE reads" in message
    (tmp_path / "new.csv").write_text("text_a,text_b\n一,丁\n", "utf-8")
    message = run(*command, f"--input_file={tmp_path}/new.csv", code=1)
    assert "new.csv is a table, but here a line is a text; run_classifier.py" in message
    tagged = ("predict.py", models["tags"], "--output_format=jsonl", "--input_format=lines")
    rows = objects(run(*tagged, f"--input_file={tmp_path}/new.csv"))
    assert [row["text"] for row in rows] == ["text_a,text_b", "一,丁"]


def test_texts_with_tabs_and_line_ends_come_as_json(models):
    text = json.dumps(["一\t丁\n", "七"], ensure_ascii=False) + "\n"
    flags = ("--input_format=jsonl", "--output_format=tsv")
    _, line = run("similarity.py", models["pairs"], *flags, text=text).splitlines()
    first, second, *_ = line.split("\t")
    assert (json.loads(first), second) == ("一\t丁\n", "七")


def test_pipe_gets_each_answer_when_it_has_written_the_line(models):
    command = [sys.executable, str(SCRIPTS / "fill_mask.py"), f"--model={models['masked']}"]
    with subprocess.Popen(
        [*command, "--output_format=jsonl"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        for text in ("一[MASK]", "丁[MASK]"):
            process.stdin.write(f"{text}\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["text"] == text
        process.stdin.close()
        assert process.wait(60) == 0


def test_batches_hold_what_is_there(tmp_path):
    (tmp_path / "texts.txt").write_text("".join(f"{n}\n" for n in range(1000)), "utf-8")
    batches = list(read_batches(str(tmp_path / "texts.txt"), "lines"))
    assert [texts for batch in batches for _, (texts,) in batch] == [str(n) for n in range(1000)]
    assert max(map(len, batches)) <= 256


def test_person_gets_a_prompt_and_may_mistype(models):
    main, terminal = pty.openpty()
    command = [sys.executable, str(SCRIPTS / "fill_mask.py"), f"--model={models['masked']}"]
    with subprocess.Popen(
        command, stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        os.close(terminal)
        os.write(main, "上丁\n一[MASK]\n\x04".encode())
        output = process.stdout.read()
        assert process.wait(60) == 0
    os.close(main)
    assert output.count("text with [MASK]: ") == 3
    assert "there is no [MASK] to fill in '上丁'" in output
    assert " %   " in output


def test_one_source_of_texts(models):
    message = run("encode.py", models["vectors"], "--text=一", "--input_file=a.txt", code=1)
    assert "not both" in message
    message = run("encode.py", models["vectors"], "--query=一", "--output_file=a.npy", code=1)
    assert "which no .npy file holds" in message
