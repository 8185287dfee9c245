#!/usr/bin/env bash
# Set-up, lint, tests. Arguments go to pytest: bash scripts/test.sh tests/test_tasks.py -k label
set -euo pipefail
root=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
source "$root/scripts/help.sh"
cd "$root"
source scripts/setup.sh --test

"$PYTHON" -m ruff check .
"$PYTHON" -m ruff format --check .
# Many processes read the same modules; none should compile them again.
unset PYTHONDONTWRITEBYTECODE
# All tests run on all cores. Tests of one file share a process and its fixtures.
[ $# -gt 0 ] || set -- -n auto --dist loadfile --no-loadscope-reorder
"$PYTHON" -m pytest "$@"
