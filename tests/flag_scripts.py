"""The scripts of the project that read flags."""

import pathlib

ROOT = pathlib.Path(__file__).parent.parent
SCRIPTS = sorted(
    str(path.relative_to(ROOT))
    for folder in (".", "scripts", "benchmarks")
    for path in (ROOT / folder).glob("*.py")
    if "cli.run(" in path.read_text(encoding="utf-8")
)
