"""Print the requirements that this Python lacks, in one line; exit with status 1 if there are any.

`scripts/setup.sh` runs it before anything is installed, so it uses only the standard library. The
requirements are those of `requirements.txt`, with `--test` also the extra `test` of
`pyproject.toml`, each of the form `name>=version`.
"""

import ast
import pathlib
import re
import sys
from importlib import metadata

ROOT = pathlib.Path(__file__).resolve().parent.parent


def main() -> None:
    requirements = (ROOT / "requirements.txt").read_text(encoding="utf-8").split()
    if "--test" in sys.argv[1:]:
        requirements += test_extra((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    missing = [requirement for requirement in requirements if not is_met(requirement)]
    print(*missing)
    sys.exit(bool(missing))


def test_extra(pyproject: str) -> list[str]:
    """Requirements of the extra `test`, parsed without a TOML reader, which Python 3.10 lacks."""
    return ast.literal_eval(re.search(r"^test = (\[.*?\])", pyproject, re.M | re.S).group(1))


def is_met(requirement: str) -> bool:
    name, _, wanted = requirement.partition(">=")
    try:
        return release(metadata.version(name)) >= release(wanted)
    except metadata.PackageNotFoundError:
        return False


def release(version: str) -> tuple[int, ...]:
    """Leading numbers of a version, without trailing zeros: `2.21.0rc1` -> (2, 21)."""
    numbers = re.sub(r"(\.0)+$", "", re.match(r"\d+(\.\d+)*", version).group())
    return tuple(int(number) for number in numbers.split("."))


if __name__ == "__main__":
    main()
