"""Print the requirements that this Python lacks, in one line; exit with status 1 if there are any.

  python3 scripts/check_requirements.py [--test] [--tensorflow=cpu|cuda|auto]

`scripts/setup.sh` runs it before anything is installed, so it uses only the standard library. The
requirements are those of `requirements.txt`, with `--test` also the extra `test` of
`pyproject.toml`, each of the form `name>=version`. `cuda` adds the libraries that TensorFlow needs
for an NVIDIA GPU; `auto` adds them where there is one. A TensorFlow of another name, such as
tensorflow-cpu, is as good as tensorflow, and is never given these libraries.
"""

import ast
import pathlib
import platform
import re
import sys
from importlib import metadata

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from albert_zh.util.nvidia import find_nvidia_gpu  # noqa: E402

CUDA = "and-cuda"  # TensorFlow's extra
# Other packages with the module tensorflow.
OTHER_TENSORFLOWS = (
    "tensorflow-cpu",
    "tensorflow-cpu-aws",
    "tensorflow-gpu",
    "tensorflow-intel",
    "tensorflow-macos",
    "tensorflow-rocm",
    "tensorflow-tpu",
    "tf-nightly",
    "tf-nightly-cpu",
)


def main() -> None:
    arguments = sys.argv[1:]
    requirements = (ROOT / "requirements.txt").read_text(encoding="utf-8").split()
    if "--test" in arguments:
        requirements += test_extra((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    if "--tensorflow=cuda" in arguments or ("--tensorflow=auto" in arguments and can_use_cuda()):
        requirements = [
            re.sub("^tensorflow>", f"tensorflow[{CUDA}]>", requirement)
            for requirement in requirements
        ]
    requirements = map(under_installed_name, requirements)
    missing = [requirement for requirement in requirements if not is_met(requirement)]
    print(*missing)
    sys.exit(bool(missing))


def can_use_cuda() -> bool:
    """True if there is an NVIDIA GPU and TensorFlow has packages that can use it."""
    has_packages = (sys.platform, platform.machine()) == ("linux", "x86_64")
    return has_packages and find_nvidia_gpu() is not None


def test_extra(pyproject: str) -> list[str]:
    """Requirements of the extra `test`, parsed without a TOML reader, which Python 3.10 lacks."""
    return ast.literal_eval(re.search(r"^test = (\[.*?\])", pyproject, re.M | re.S).group(1))


def under_installed_name(requirement: str) -> str:
    """The requirement of tensorflow for the package that is installed in its place, if one is."""
    package, _, wanted = requirement.partition(">=")
    if package.partition("[")[0] == "tensorflow" and not is_installed("tensorflow"):
        for name in filter(is_installed, OTHER_TENSORFLOWS):
            return f"{name}>={wanted}"
    return requirement


def is_met(requirement: str) -> bool:
    """True if the requirement, of the form `name>=version` or `name[extra]>=version`, is met."""
    package, _, wanted = requirement.partition(">=")
    name, _, extra = package.rstrip("]").partition("[")
    return is_installed(name, wanted) and (not extra or has_extra(name, extra))


def is_installed(name: str, wanted: str = "0") -> bool:
    try:
        return release(metadata.version(name)) >= release(wanted)
    except metadata.PackageNotFoundError:
        return False


def has_extra(name: str, extra: str) -> bool:
    """True if all packages of an extra are installed, of any version."""
    return all(
        is_installed(re.match(r"[\w.-]+", requirement).group())
        for requirement in metadata.requires(name) or ()
        if re.search(rf"extra == ['\"]{extra}['\"]", requirement)
    )


def release(version: str) -> tuple[int, ...]:
    """Leading numbers of a version, without trailing zeros: `2.21.0rc1` -> (2, 21)."""
    numbers = re.sub(r"(\.0)+$", "", re.match(r"\d+(\.\d+)*", version).group())
    return tuple(int(number) for number in numbers.split("."))


if __name__ == "__main__":
    main()
