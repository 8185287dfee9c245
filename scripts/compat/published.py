"""Run a script of today with the flags of a published one, whose defaults and meanings differ."""

import os
import pathlib
import re
import sys
from collections.abc import Callable, Mapping, Sequence

# Of the clone, or of the folder with the scripts in an installed package.
_ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def run(
    script: str,
    *,
    defaults: Mapping[str, str],
    translated: Mapping[str, Callable[[str], Sequence[str]]] | None = None,
    without: Mapping[str, str] | None = None,
) -> None:
    """Run the script in place of this one, and tell in one line with which flags.

    Args:
        script: Path in the project.
        defaults: Published defaults that differ; a flag on the command line wins.
        translated: Flag whose values have another meaning -> today's arguments for a value.
        without: Flag that no script has any more -> the reason; it is left out.
    """
    given, added, dropped = sys.argv[1:], [], []
    for name, translate in (translated or {}).items():
        given, values = _take(given, name)
        added += [argument for value in values[-1:] for argument in translate(value)]
    for name, reason in (without or {}).items():
        given, values = _take(given, name)
        dropped += [f"--{name} is left out: {reason}" for _ in values[-1:]]
    names = {re.sub(r"^--?(no)?", "", argument.partition("=")[0]) for argument in given}
    missing = [f"--{name}={value}" for name, value in defaults.items() if name not in names]
    said = "; ".join([" ".join([script, *missing, *added]), *dropped])
    line = f"{os.path.basename(sys.argv[0])} runs {said}"
    if {"--help", "-help", "-h"} & {*given}:
        print(f"{sys.modules['__main__'].__doc__}\n{line}:\n", flush=True)
    else:
        print(line, file=sys.stderr, flush=True)
    os.execv(sys.executable, [sys.executable, str(_ROOT / script), *missing, *given, *added])


def _take(arguments: Sequence[str], name: str) -> tuple[list[str], list[str]]:
    """The arguments without a flag, and its values: --name=1, --name 1, --name or --noname."""
    rest, values = [], []
    remaining = list(arguments)
    while remaining:
        argument = remaining.pop(0)
        flag, has_value, value = re.sub("^--?", "", argument).partition("=")
        if not argument.startswith("-") or flag not in (name, f"no{name}"):
            rest.append(argument)
        elif has_value:
            values.append(value)
        elif flag == name and remaining and not remaining[0].startswith("-"):
            values.append(remaining.pop(0))
        else:
            values.append(str(flag == name))
    return rest, values
