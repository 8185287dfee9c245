#!/usr/bin/env bash
# Finds or makes a Python that has everything albert_zh needs.
#
#   bash scripts/setup.sh             print the path of that Python; --test: with the test tools too
#   source scripts/setup.sh [--test]  the same, kept in $PYTHON
#
# An active environment (venv or conda) that has everything is used as it is and never changed.
# Otherwise .venv in the project root is made, or completed with what is missing.

if [ "${BASH_SOURCE[0]}" != "$0" ]; then
  # A child does the work, so the caller's shell keeps its options and is not ended by an error.
  # Sourced without arguments, a file sees those of its caller: only --test is meant for us.
  PYTHON=$(bash "${BASH_SOURCE[0]}" "$([ "${1-}" != --test ] || echo --test)") && export PYTHON
  return
fi

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." >/dev/null

venv=$PWD/.venv
# Stands in .venv, with the process at work, while it is incomplete.
unfinished=$venv/.setup-unfinished
names="python3 python3.13 python3.12 python3.11 python3.10"
extra=${1-}

say() { echo "setup: $*" >&2; }
fail() { say "$@"; exit 1; }

runs() { "$1" -c '' 2>/dev/null; }

supported() {
  "$1" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

# Prints what `$1`, a Python, lacks, in one line; fails when it lacks anything.
check() { "$1" scripts/check_requirements.py $extra; }

use_active_environment() {
  local prefix python missing
  for prefix in "${VIRTUAL_ENV-}" "${CONDA_PREFIX-}"; do
    python=$prefix/bin/python
    [ -n "$prefix" ] && [ ! "$prefix" -ef "$venv" ] && [ -x "$python" ] || continue
    if ! supported "$python"; then
      say "the active environment $prefix is not Python 3.10 to 3.13; using .venv"
    elif missing=$(check "$python"); then
      echo "$python"
      exit 0
    else
      say "the active environment $prefix lacks $missing; using .venv"
    fi
  done
}

find_base_python() {
  local name incomplete=
  for name in $names; do
    supported "$name" || continue
    if "$name" -c 'import ensurepip, venv' 2>/dev/null; then
      command -v "$name"
      return
    fi
    incomplete=$name
  done
  if [ -n "$incomplete" ]; then
    fail "$incomplete cannot make environments: its module venv or ensurepip is missing." \
      "On Debian and Ubuntu: sudo apt-get install python3-venv. Then run this again."
  fi
  fail "no Python 3.10 to 3.13 found (looked for $names). Install one, for example with" \
    "'sudo apt-get install python3 python3-venv', 'brew install python@3.12' or" \
    "'conda create -n albert_zh python=3.12', have it on PATH, and run this again."
}

drop_half_made_venv() {
  local owner
  if [ -f "$unfinished" ]; then
    owner=$(cat "$unfinished")
    if [ -n "$owner" ] && kill -0 "$owner" 2>/dev/null; then
      fail "process $owner is setting up .venv right now: wait for it and run this again" \
        "(if it is something else, delete .venv first)."
    fi
    say "an earlier setup was cut off; making .venv anew"
    rm -rf "$venv"
  elif [ -e "$venv" ] && ! runs "$venv/bin/python"; then
    say "the Python behind .venv is gone; making .venv anew"
    rm -rf "$venv"
  fi
}

make_venv() {
  local base
  base=$(find_base_python)
  say "making .venv with $base ($("$base" -c 'import platform; print(platform.python_version())'))"
  mkdir "$venv"
  echo $$ >"$unfinished"
  "$base" -m venv "$venv" >&2 || fail "$base could not make .venv; see the lines above."
}

install() {
  local missing=$1 quiet=--quiet status=0
  [ ! -t 2 ] || quiet=
  say "installing into .venv: $missing (TensorFlow takes minutes, once)"
  echo $$ >"$unfinished"
  # Environments made by other tools may lack pip.
  runs_pip || "$venv/bin/python" -m ensurepip >&2 || true
  # shellcheck disable=SC2086  # $missing and $quiet are lists of words.
  "$venv/bin/python" -m pip install $quiet --no-input --disable-pip-version-check --retries 2 \
    -r requirements.txt $missing >&2 || status=$?
  # pip that ends by itself leaves whole packages; pip that is killed does not.
  [ "$status" -ge 128 ] || rm -f "$unfinished"
  [ "$status" -eq 0 ] || fail "pip could not install $missing; its reason stands above. Without" \
    "network: fetch the packages where there is one ('pip download -r requirements.txt -d FOLDER')," \
    "then here '.venv/bin/python -m pip install --no-index --find-links=FOLDER $missing'." \
    "With network: run this again."
}

runs_pip() { "$venv/bin/python" -m pip --version >/dev/null 2>&1; }

main() {
  local missing
  case $extra in
    '' | --test) ;;
    *) fail "unknown argument $extra; usage: bash scripts/setup.sh [--test]" ;;
  esac
  use_active_environment
  drop_half_made_venv
  [ -e "$venv" ] || make_venv
  supported "$venv/bin/python" || fail "the Python of .venv is not 3.10 to 3.13;" \
    "move it away ('mv .venv .venv.old') and run this again."
  missing=$(check "$venv/bin/python") || install "$missing"
  rm -f "$unfinished"
  echo "$venv/bin/python"
}

main
