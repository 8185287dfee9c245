"""The scripts as commands, and the files that come with them, from any folder.

```
albert-zh run-pretraining --bert_config_file=albert_config/albert_config_tiny.json ...
```
runs run_pretraining.py. In a clone the scripts, albert_config/ and models/ lie beside the package;
an installed package has copies of them in this folder, which the build makes (`pyproject.toml`).
"""

import ast
import difflib
import os
import sys

from albert_zh import __version__
from albert_zh.util import standard_streams, uncaught  # noqa: F401  # errors in one line

SCRIPTS = (
    "create_pretraining_data.py",
    "run_pretraining.py",
    "run_classifier.py",
    "scripts/sweep.py",
    "scripts/inspect_records.py",
    "scripts/predict.py",
    "scripts/similarity.py",
    "scripts/fill_mask.py",
    "scripts/encode.py",
    "scripts/serve.py",
    "scripts/export_model.py",
    "scripts/benchmark_model.py",
    "scripts/build_vocab.py",
    "scripts/warm_start.py",
    "scripts/convert_checkpoint.py",
    "scripts/slim_checkpoint.py",
    "scripts/estimate.py",
    "scripts/plot_history.py",
    "scripts/launch_local.py",
    "scripts/create_pretraining_data_beam.py",
    "scripts/check_tpu.py",
    "scripts/make_submission.py",
    "scripts/download.py",
    # The published names, flags and defaults.
    "scripts/compat/run_classifier_clue.py",
    "scripts/compat/run_classifier_sp_google.py",
    "scripts/compat/run_pretraining_google.py",
    "scripts/compat/create_pretraining_data_google.py",
)
FILES = "albert_config"  # folder of configurations and our vocabulary
_FOLDERS = (FILES, "models")

_HERE = os.path.dirname(os.path.abspath(__file__))
_IS_INSTALLED = os.path.isdir(os.path.join(_HERE, FILES))
ROOT = _HERE if _IS_INSTALLED else os.path.dirname(os.path.dirname(_HERE))


def main() -> None:
    """Run the command line `albert-zh`; a script takes over this process."""
    command, *arguments = sys.argv[1:] or ["--help"]
    if command in ("--help", "-h", "help"):
        print(_help(), flush=True)
    elif command == "--version":
        print(f"albert_zh {__version__}")
    elif script := find_script(command):
        sys.stdout.flush()
        os.execv(sys.executable, [sys.executable, script, *arguments])
    else:
        close = difflib.get_close_matches(command, _commands(), n=1)
        hint = f"; did you mean {close[0]}?" if close else ";"
        sys.exit(f"error: unknown command {command}{hint} albert-zh --help lists all")


def find_script(command: str) -> str | None:
    """Path of the script that a command runs; None if there is no such command.

    >>> os.path.basename(find_script("run-pretraining"))
    'run_pretraining.py'
    """
    script = _commands().get(command.removesuffix(".py").replace("_", "-"))
    return script and os.path.join(ROOT, script)


def find_file(path: str) -> str:
    """Path of a file: `albert_config/...` and `models/...` are ours where there is no such one.

    >>> os.path.exists(find_file("albert_config/vocab.txt"))
    True
    >>> os.path.exists(find_file("models/albert_tiny"))
    True
    """
    normal = os.path.normpath(path)
    own = os.path.join(ROOT, normal)
    is_ours = normal.split(os.sep)[0] in _FOLDERS and os.path.exists(own)
    return own if is_ours and not os.path.exists(path) else path


def _commands() -> dict[str, str]:
    """Command -> script."""
    return {
        os.path.basename(script).removesuffix(".py").replace("_", "-"): script for script in SCRIPTS
    }


def _help() -> str:
    lines = [
        "Train small Chinese ALBERT encoders.",
        "",
        "  albert-zh COMMAND [flags]     albert-zh COMMAND --help describes the flags",
        "",
    ]
    width = max(map(len, _commands()))
    for command, script in _commands().items():
        with open(os.path.join(ROOT, script), encoding="utf-8") as file:
            summary = ast.get_docstring(ast.parse(file.read())).partition("\n")[0]
        lines.append(f"  {command.ljust(width)}  {summary}")
    lines += [
        "",
        "Flags that name a configuration, a vocabulary or a checkpoint take ours from any folder:",
        f"albert_config/NAME and models/NAME stand for those in {ROOT},",
        "unless there is such a file or folder here.",
    ]
    return "\n".join(lines)
