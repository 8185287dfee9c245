"""Pages are equal in both languages, link to what exists, and hold commands that work."""

import contextlib
import json
import os
import pathlib
import re
import runpy
import shutil
import sys

import pytest
from absl import flags
from pages import (
    CHINESE,
    ROOT,
    chinese,
    code_of,
    commands_of,
    english_pages,
    numbers_of,
    read_page,
    script_of,
    without_comment,
)
from processes import run_script
from test_exchange import write_model

from albert_zh import cli
from albert_zh.config import ModelConfig
from albert_zh.flags import parse_flags
from albert_zh.serving.endpoints import ENDPOINTS

CARD = ROOT / "models" / "albert_tiny" / "MODEL_CARD.md"
PAGES = [pytest.param(path, id=path.name) for path in english_pages()]


@pytest.mark.parametrize("path", PAGES)
def test_both_languages_have_the_same_headings(path):
    english, other = read_page(path), read_page(chinese(path))
    assert [level for level, _ in other.headings] == [level for level, _ in english.headings]


@pytest.mark.parametrize("path", PAGES)
def test_both_languages_have_the_same_code(path):
    english, other = read_page(path), read_page(chinese(path))
    assert len(other.blocks) == len(english.blocks)
    for one, two in zip(english.blocks, other.blocks, strict=True):
        assert two.language == one.language
        assert [*map(without_comment, two.lines)] == [*map(without_comment, one.lines)]


@pytest.mark.parametrize("path", PAGES)
def test_both_languages_have_the_same_tables(path):
    english, other = read_page(path), read_page(chinese(path))
    assert [len(table) for table in other.tables] == [len(table) for table in english.tables]
    for one, two in zip(english.tables, other.tables, strict=True):
        for row, own in zip(one, two, strict=True):
            assert len(own) == len(row), own
            for cell, translated in zip(row, own, strict=True):
                assert sorted(code_of(translated)) == sorted(code_of(cell)), translated
                assert numbers_of(translated) == numbers_of(cell), translated


@pytest.mark.parametrize("path", PAGES)
def test_both_languages_have_the_same_links(path):
    english, other = read_page(path), read_page(chinese(path))

    def target(page, link):
        """The page that is linked to, in English, and the number of the heading."""
        if "://" in link:
            return link
        name, _, anchor = link.partition("#")
        path = pathlib.Path(os.path.normpath(page.path.parent / name)) if name else page.path
        number = read_page(path).anchors.index(anchor) if anchor else None
        return f"{path}#{number}".replace(CHINESE, ".md")

    # Each links to the other, and to no other page of the other language where there is its own.
    assert english.links[0] == chinese(path).name
    assert other.links[0] == path.name
    ours, theirs = (
        sorted(target(page, link) for link in page.links[1:]) for page in (english, other)
    )
    assert theirs == ours
    for link in other.links[1:]:
        name = link.partition("#")[0]
        if "://" not in link and name.endswith(".md") and not name.endswith(CHINESE):
            assert not chinese(other.path.parent / name).exists(), link


@pytest.mark.parametrize(
    "path",
    [pytest.param(page, id=page.name) for path in english_pages() for page in (path, chinese(path))]
    + [
        pytest.param(ROOT / name, id=name)
        for name in ("ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "data/README.md")
    ]
    + [pytest.param(CARD, id=CARD.name)],
)
def test_links_lead_somewhere(path):
    for link in read_page(path).links:
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = path.parent / name if name else path
        assert target.exists(), link
        if anchor:
            assert anchor in read_page(target).anchors, link


# --- commands -----------------------------------------------------------------------------------

# Flags that make a training short.
SHORT = {
    "run_pretraining.py": (
        "--num_train_steps=2",
        "--num_warmup_steps=1",
        "--train_batch_size=2",
        "--save_checkpoints_steps=2",
        "--max_eval_steps=1",
    ),
    "run_classifier.py": ("--num_train_epochs=0.3", "--train_batch_size=16"),
}
# Of shell scripts, and of other programs.
OTHER_FLAGS = {
    "help",
    "version",
    "cpu",
    "cuda",
    "test",
    "sample",
    "user",
    "model_base_path",
    "list_tasks",
    "verbosity",
    "masked_lm_budget",
}
SET_UP = "PYTHON=$(bash scripts/setup.sh)"  # Without it, no test would run.
SMALL = {
    "vocab_size": 21128,
    "embedding_size": 8,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 512,
    "lineage": "brightmart",
}
COMMANDS = [
    (path, block, command)
    for path in (
        *english_pages(),
        ROOT / "CONTRIBUTING.md",
        CARD,
    )
    for block in read_page(path).blocks
    if block.language == "bash"
    for command in commands_of(block)
]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A folder with everything that commands name, as small as it can be."""
    folder = tmp_path_factory.mktemp("world")
    shutil.copytree(ROOT / "data", folder / "data", ignore=shutil.ignore_patterns("*.tfrecord"))
    (folder / "albert_config").mkdir()
    shutil.copy(ROOT / "albert_config" / "vocab.txt", folder / "albert_config")
    for name in ("tiny", "base", "nano"):
        config = folder / "albert_config" / f"albert_config_{name}.json"
        config.write_text(json.dumps(SMALL), encoding="utf-8")
    vocab = str(ROOT / "albert_config" / "vocab.txt")
    config = ModelConfig.from_dict(SMALL)
    write_model(folder / "models" / "albert_tiny", config, vocab_file=vocab)
    shutil.copy(
        folder / "albert_config" / "albert_config_tiny.json",
        folder / "models" / "albert_tiny" / "albert_config.json",
    )
    pair = {"kind": "classification", "num_texts": 2, "labels": ("0", "1")}
    write_model(folder / "lcqmc_output", config, vocab_file=vocab, **pair)
    texts = {
        "new.txt": "很好\n不好\n",
        "pairs.tsv": "手机丢了\t手机不见了\n",
        "questions.txt": "手机不见了\n天气好\n",
        "texts.txt": "天气好\n",
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    for name in ("run1", "run2"):
        (folder / name).mkdir()
        row = {"kind": "train", "step": 1, "loss": 2.0}
        (folder / name / "history.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    return folder


def all_flags() -> set[str]:
    """Names that an option class of any script defines."""
    found = set()
    for folder in ("albert_zh", "scripts", "benchmarks"):
        for path in (ROOT / folder).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            found |= set(re.findall(r"^    (\w+): .*= option\(", text, re.MULTILINE))
            found |= set(re.findall(r'alias="(\w+)"', text))
    return found


@pytest.mark.parametrize(
    "command", dict.fromkeys(command for *_, command in COMMANDS if script_of(command))
)
def test_flags_of_commands_exist(command, world, monkeypatch):
    script, arguments = script_of(command)
    found = []

    def read_flags(main, *option_classes, answers=None, **_) -> None:
        found.append(option_classes)
        given = [each for each in sys.argv[1:] if each != "..."]
        given = [each for each in given if each.removeprefix("--") not in (answers or ())]
        if answers and not given:
            return
        # Only the flags are the question, not their files; ... leaves further ones to the reader.
        allowed = [contextlib.suppress(FileNotFoundError)]
        if "..." in arguments:
            allowed.append(pytest.raises(ValueError, match="give --"))
        with contextlib.ExitStack() as stack:
            for each in allowed:
                stack.enter_context(each)
            parse_flags(["script", *given], *option_classes, flag_values=flags.FlagValues())

    monkeypatch.chdir(world)
    monkeypatch.setattr(cli, "run", read_flags)
    monkeypatch.setattr(sys, "argv", [str(ROOT / script), *arguments])
    monkeypatch.syspath_prepend(str((ROOT / script).parent))
    runpy.run_path(str(ROOT / script), run_name="__main__")
    assert found


def test_commands_that_are_not_run_here_say_why():
    for path, block, command in COMMANDS:
        if block.note is None:
            assert command == SET_UP or script_of(command), f"{path.name}: {command}"
        elif block.note.startswith("run by "):
            for test in block.note.removeprefix("run by ").split(", "):
                assert (ROOT / test).is_file(), block.note
        else:
            assert block.note.startswith("not run: "), block.note


@pytest.mark.parametrize("path", [*english_pages(), ROOT / "CONTRIBUTING.md", CARD])
def test_blocks_and_what_they_name_are_known(path):
    for block in read_page(path).blocks:
        assert block.language in ("", "bash", "python", "json", "kotlin"), block.language
        if block.language != "bash":
            continue
        for command in commands_of(block):
            for name in re.findall(r"(?:bash |=)([\w/]+\.(?:sh|json|csv))", command):
                if name.endswith(".sh") or name.startswith(("data/", "albert_config/")):
                    assert (ROOT / name).exists(), f"{path.name}: {name}"
            for address in re.findall(r"http://127.0.0.1:8000/v1/models/\w+/(\w+)", command):
                assert address in {endpoint.name for endpoint in ENDPOINTS}, command


def test_flags_that_pages_explain_exist():
    known = all_flags() | OTHER_FLAGS
    for path in (*english_pages(), CARD):
        text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        for code in re.findall(r"`([^`]+)`", text):
            if code.startswith(("pip ", "docker ", "ruff ", "grep ", "iconv ")):
                continue
            for name in re.findall(r"(?<![\w-])--(\w+)", code):
                assert name in known, f"{path.name}: {code}"


@pytest.mark.parametrize("path", PAGES)
def test_commands_of_a_page_run(path, world):
    commands = [
        command
        for own, block, command in COMMANDS
        if own == path and block.note is None and command != SET_UP
    ]
    if not commands:
        pytest.skip("all commands of this page are run elsewhere, or not at all, as it says")
    done = world / "done"
    done.touch()
    for command in commands:
        if command in done.read_text(encoding="utf-8").splitlines():
            continue  # on an earlier page
        script, arguments = script_of(command)
        result = run_script(
            script, *arguments, *SHORT.get(script, ()) * ("--do_train=True" in arguments), cwd=world
        )
        assert result.returncode == 0, f"{command}\n{result.stderr[-3000:]}"
        with done.open("a", encoding="utf-8") as file:
            file.write(command + "\n")


def test_python_of_the_page_about_using_models_runs(world, monkeypatch):
    monkeypatch.chdir(world)
    blocks = [
        each for each in read_page(ROOT / "docs" / "service.md").blocks if each.language == "python"
    ]
    assert blocks
    for block in blocks:
        exec("\n".join(block.lines), {})
