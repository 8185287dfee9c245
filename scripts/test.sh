#!/usr/bin/env bash
# Set-up, lint, tests. Arguments go to pytest: bash scripts/test.sh tests/test_tasks.py -k label
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/setup.sh --test

"$PYTHON" -m ruff check .
"$PYTHON" -m ruff format --check .
"$PYTHON" -m pytest "$@"
