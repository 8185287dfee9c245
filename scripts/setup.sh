#!/usr/bin/env bash
# Finds or creates a Python environment with all packages that albert_zh needs.
#
#   bash scripts/setup.sh             print the path of its Python; --test: with the test tools too
#   source scripts/setup.sh [--test]  put the path into $PYTHON
#
# An active environment (venv or conda) that has all packages is used and never changed. Otherwise
# .venv in the project root is used; it is created, or missing packages are installed into it.

if [ "${BASH_SOURCE[0]}" != "$0" ]; then
  # A child process does the work, so the caller's shell keeps its options and an error does not
  # exit it. A file that is sourced without arguments sees its caller's: only --test is for us.
  PYTHON=$(bash "${BASH_SOURCE[0]}" "$([ "${1-}" != --test ] || echo --test)") && export PYTHON
  return
fi

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." >/dev/null

venv=$PWD/.venv
# Exists while .venv is incomplete; contains the id of the process at work.
unfinished=$venv/.setup-unfinished
names="python3 python3.13 python3.12 python3.11 python3.10"
extra=${1-}

say() { echo "setup: $*" >&2; }
fail() { say "$@"; exit 1; }

runs() { "$1" -c '' 2>/dev/null; }

supported() {
  "$1" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

# Prints the packages that the Python `$1` lacks, in one line; fails if there are any.
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
    fail "$incomplete cannot create environments: its module venv or ensurepip is missing." \
      "On Debian and Ubuntu: sudo apt-get install python3-venv. Then run this again."
  fi
  fail "no Python 3.10 to 3.13 found (looked for $names). Install one, for example with" \
    "'sudo apt-get install python3 python3-venv', 'brew install python@3.12' or" \
    "'conda create -n albert_zh python=3.12', have it on PATH, and run this again."
}

remove_incomplete_venv() {
  local owner
  if [ -f "$unfinished" ]; then
    owner=$(cat "$unfinished")
    if [ -n "$owner" ] && kill -0 "$owner" 2>/dev/null; then
      fail "process $owner is setting up .venv: wait for it and run this again" \
        "(if that process is something else, delete .venv first)."
    fi
    say "an earlier setup was interrupted; creating .venv again"
    rm -rf "$venv"
  elif [ -e "$venv" ] && ! runs "$venv/bin/python"; then
    say "the Python of .venv does not exist any more; creating .venv again"
    rm -rf "$venv"
  fi
}

make_venv() {
  local base
  base=$(find_base_python)
  say "creating .venv with $base ($("$base" -c 'import platform; print(platform.python_version())'))"
  mkdir "$venv"
  echo $$ >"$unfinished"
  "$base" -m venv "$venv" >&2 || fail "$base could not create .venv; see the lines above."
}

install() {
  local missing=$1 quiet=--quiet status=0
  [ ! -t 2 ] || quiet=
  say "installing into .venv: $missing (TensorFlow takes minutes, only the first time)"
  echo $$ >"$unfinished"
  # Environments created by other tools may lack pip.
  runs_pip || "$venv/bin/python" -m ensurepip >&2 || true
  # shellcheck disable=SC2086  # $missing and $quiet are lists of words.
  "$venv/bin/python" -m pip install $quiet --no-input --disable-pip-version-check --retries 2 \
    -r requirements.txt $missing >&2 || status=$?
  # pip leaves complete packages when it exits, but not when it is killed.
  [ "$status" -ge 128 ] || rm -f "$unfinished"
  [ "$status" -eq 0 ] || fail "pip could not install $missing; see the lines above. Without a" \
    "network: run 'pip download -r requirements.txt -d FOLDER' on a machine that has one, then here" \
    "'.venv/bin/python -m pip install --no-index --find-links=FOLDER $missing'." \
    "With a network: run this again."
}

runs_pip() { "$venv/bin/python" -m pip --version >/dev/null 2>&1; }

main() {
  local missing
  case $extra in
    '' | --test) ;;
    *) fail "unknown argument $extra; usage: bash scripts/setup.sh [--test]" ;;
  esac
  use_active_environment
  remove_incomplete_venv
  [ -e "$venv" ] || make_venv
  supported "$venv/bin/python" || fail "the Python of .venv is not 3.10 to 3.13;" \
    "move it away ('mv .venv .venv.old') and run this again."
  missing=$(check "$venv/bin/python") || install "$missing"
  rm -f "$unfinished"
  echo "$venv/bin/python"
}

main
