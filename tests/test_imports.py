"""Rules of ARCHITECTURE.md for the source: imports between parts, sizes, docstrings."""

import ast
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parent.parent
PACKAGE = ROOT / "albert_zh"

# What each part (a folder, or a file beside the folders) may import besides itself and `util`.
# A name with a dot allows one module of a part.
ALLOWED = {
    "util": set(),
    "toolkit": set(),
    "flags": {"toolkit"},
    "cli": {"flags"},
    "variants": set(),
    "config": {"variants"},
    "estimates": {"config", "variants", "train.rules.table"},
    "text": set(),
    "words": {"text"},
    "vocabulary": {"text", "words"},
    "word_vectors": {"text", "config", "variants", "corpus", "creation", "flags"},
    "masking": {"text", "flags"},
    "corpus": {"text", "words", "masking", "flags"},
    "records": {"text", "words", "corpus", "masking"},
    "creation": {"text", "words", "masking", "corpus", "records", "flags"},
    "input": {"records", "masking"},
    "inspection": {"flags", "text", "records", "input"},
    "model": {"config", "variants"},
    "objectives": {"config", "variants", "model", "train.losses", "train.metrics"},
    "train": set(),
    "checkpoint": {
        "flags",
        "toolkit",
        "config",
        "variants",
        "text",
        "vocabulary",
        "train.rules.table",
    },
    "runs": {"flags", "config", "variants", "estimates", "text", "train", "checkpoint", "model"},
    "tasks": {"text"},
    "download": {"toolkit", "config", "estimates", "tasks"},
    "aids": {"flags", "config", "variants", "model", "train.metrics"},
    "inference": {
        "flags",
        "config",
        "variants",
        "text",
        "model",
        "objectives",
        "train.metrics",
        "checkpoint",
        "tasks",
    },
    "exchange": {"flags", "config", "variants", "text", "model", "checkpoint", "inference"},
    "export": {
        "flags",
        "config",
        "variants",
        "text",
        "model",
        "checkpoint",
        "tasks",
        "inference",
        "exchange",
    },
}
ALLOWED["serving"] = {"inference", "export", "flags"}
# Whole runs put the parts together; no part imports them.
ALLOWED["finetuning"] = ALLOWED["pretraining"] = ALLOWED["testing"] = set(ALLOWED)
# Parts that start and are tested without TensorFlow, and know no flags.
PLAIN = {"text", "words", "vocabulary", "tasks", "config", "variants", "estimates"}
# Parts that have flags, but start without TensorFlow.
LIGHT = PLAIN | {"corpus", "records", "creation", "word_vectors", "download", "flags", "cli"}


def _modules() -> dict[str, pathlib.Path]:
    """Module name within the package -> file: `text.vocab`, `config`."""
    paths = sorted(PACKAGE.rglob("*.py"))
    names = (path.relative_to(PACKAGE).with_suffix("").parts for path in paths)
    return {
        ".".join(name).removesuffix(".__init__"): path
        for name, path in zip(names, paths, strict=True)
        if name != ("__init__",)
    }


MODULES = _modules()


def imports(path: pathlib.Path) -> set[str]:
    """Every module a file imports, anywhere in it, by its full name."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}, line {node.lineno}: write imports in full"
            # What is imported may be a module itself: `from albert_zh.util import files`.
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            known = {name for name in names if name.removeprefix("albert_zh.") in MODULES}
            found |= known or {node.module}
    return found


def _part(module: str) -> str:
    return module.partition(".")[0]


def test_every_part_has_a_rule():
    assert {_part(module) for module in MODULES} <= set(ALLOWED), (
        "a new part: say here and in ARCHITECTURE.md what it may import"
    )


@pytest.mark.parametrize("module", MODULES)
def test_module_imports_only_what_its_part_may(module):
    part = _part(module)
    allowed = ALLOWED[part] | {"util", part}
    used = {name for name in imports(MODULES[module]) if name.startswith("albert_zh.")}
    stray = {
        name
        for name in (name.removeprefix("albert_zh.") for name in used)
        if name not in allowed and _part(name) not in allowed
    }
    assert not stray, f"albert_zh.{module} may not import {', '.join(sorted(stray))}"


@pytest.mark.parametrize("module", MODULES)
def test_nothing_imports_a_script_or_a_test(module):
    scripts = {
        path.stem
        for folder in (ROOT, ROOT / "scripts", ROOT / "tests")
        for path in folder.glob("*.py")
    }
    used = {_part(name) for name in imports(MODULES[module])}
    assert not used & (scripts | {"scripts", "tests", "benchmarks"})


@pytest.mark.parametrize("module", [name for name in MODULES if _part(name) in LIGHT])
def test_light_parts_name_neither_tensorflow_nor_flags_of_absl(module):
    used = imports(MODULES[module])
    assert not {name for name in used if _part(name) in ("tensorflow", "keras")}
    assert module == "flags" or not {"absl.flags", "absl.app"} & used


@pytest.mark.parametrize(
    ("parts", "unwanted"),
    [(PLAIN, ("tensorflow", "keras", "absl.flags")), (LIGHT, ("tensorflow", "keras"))],
    ids=["plain", "light"],
)
def test_parts_load_without_tensorflow_or_flags(parts, unwanted):
    modules = [
        f"albert_zh.{name}"
        for name in MODULES
        if _part(name) in parts and not name.startswith("creation.beam")
    ]
    code = (
        f"import sys, importlib\nfor name in {modules}: importlib.import_module(name)\n"
        f"print([name for name in {unwanted} if name in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert result.stdout == "[]\n", result.stderr


def test_imports_inside_functions_and_of_modules_are_seen(tmp_path):
    file = tmp_path / "module.py"
    file.write_text(
        "import os.path\n"
        "from albert_zh.util import files\n"
        "from albert_zh.text import vocab\n"
        "def late():\n"
        "    from albert_zh.config import ModelConfig\n"
        "    import tensorflow as tf\n"
    )
    ours = {f"albert_zh.{name}" for name in ("util.files", "text.vocab", "config")}
    assert imports(file) == ours | {"os.path", "tensorflow"}


def test_modules_and_classes_are_short():
    for name, path in MODULES.items():
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 300, f"albert_zh.{name} is too long; split it"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ClassDef):
                lines = node.end_lineno - node.lineno + 1
                assert lines <= 150, f"albert_zh.{name}.{node.name} is too long; split it"


def test_few_modules_lie_beside_the_folders():
    assert len(list(PACKAGE.glob("*.py"))) <= 6, "put the new module into a folder"


@pytest.mark.parametrize("module", MODULES)
def test_docstrings_open_with_a_noun_or_a_verb(module):
    opening = re.compile(r"(What|Of|Where|Those|How|Which|Whether|Who|Whoever)\b")
    documented = ast.Module | ast.ClassDef | ast.FunctionDef
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        text = (isinstance(node, documented) and ast.get_docstring(node)) or ""
        assert not opening.match(text), f"albert_zh.{module}: {text.splitlines()[0]}"
