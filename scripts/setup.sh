#!/usr/bin/env bash
# Finds or creates a Python environment with all packages that albert_zh needs.
#
#   bash scripts/setup.sh             print the path of its Python; --test: with the test tools too
#   source scripts/setup.sh [--test]  put the path into $PYTHON
#
# An active environment (venv or conda) that has all packages is used and never changed. Otherwise
# .venv in the project root is used; it is created, or missing packages are installed into it.
# Where there is no .venv, the python3 on PATH is used if it has all packages, as in containers.
#
# TensorFlow may be any of its packages: tensorflow, tensorflow-cpu, ... On a machine with an NVIDIA
# GPU, .venv gets TensorFlow's CUDA libraries too, about 3 GB:
#
#   bash scripts/setup.sh --cpu       without these libraries; .venv remembers it
#   bash scripts/setup.sh --cuda      with them, although there is no GPU now; .venv remembers it

if [ "${BASH_SOURCE[0]}" != "$0" ]; then
  # A child process does the work, so the caller's shell keeps its options and an error does not
  # exit it. A file that is sourced without arguments sees its caller's: only --test is for us.
  PYTHON=$(bash "${BASH_SOURCE[0]}" "$([ "${1-}" != --test ] || echo --test)") && export PYTHON
  return
fi

set -euo pipefail
root=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
source "$root/scripts/help.sh"
cd "$root"

venv=$PWD/.venv
# Exists while .venv is incomplete; contains the id of the process at work.
unfinished=$venv/.setup-unfinished
# What --cpu or --cuda has chosen for .venv.
chosen=$venv/.tensorflow
names="python3 python3.13 python3.12 python3.11 python3.10"
tests='' tensorflow=auto

say() { echo "setup: $*" >&2; }
fail() { say "$@"; exit 1; }

runs() { "$1" -c '' 2>/dev/null; }

supported() {
  "$1" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

# Prints the packages that the Python $1 lacks, in one line; fails if there are any. $2 is cuda if
# TensorFlow's libraries for a GPU are wanted, auto if they are wanted where there is a GPU.
check() { "$1" scripts/check_requirements.py $tests --tensorflow="$2"; }

use_active_environment() {
  local prefix python missing wanted=$tensorflow
  # An environment of the user's own may take these libraries from elsewhere.
  [ "$wanted" != auto ] || wanted=cpu
  for prefix in "${VIRTUAL_ENV-}" "${CONDA_PREFIX-}"; do
    python=$prefix/bin/python
    [ -n "$prefix" ] && [ ! "$prefix" -ef "$venv" ] && [ -x "$python" ] || continue
    if ! supported "$python"; then
      say "the active environment $prefix is not Python 3.10 to 3.13; using .venv"
    elif missing=$(check "$python" "$wanted"); then
      echo "$python"
      exit 0
    else
      say "the active environment $prefix lacks $missing; using .venv"
    fi
  done
  if [ ! -e "$venv" ] && supported python3 && check python3 "$wanted" >/dev/null; then
    command -v python3
    exit 0
  fi
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
  case $missing in
    *and-cuda*)
      say "TensorFlow gets the CUDA libraries for NVIDIA GPUs (about 3 GB, on disk 4 GB);" \
        "'bash scripts/setup.sh --cpu' does without them"
      ;;
  esac
  say "installing into .venv: $missing (TensorFlow takes minutes, only the first time)"
  echo $$ >"$unfinished"
  # Environments created by other tools may lack pip.
  runs_pip || "$venv/bin/python" -m ensurepip >&2 || true
  # Constraints, since `-r requirements.txt` would put a second TensorFlow beside tensorflow-cpu.
  set -f # Names have brackets.
  # shellcheck disable=SC2086  # $missing and $quiet are lists of words.
  "$venv/bin/python" -m pip install $quiet --no-input --disable-pip-version-check --retries 2 \
    -c requirements.txt $missing >&2 || status=$?
  set +f
  # pip leaves complete packages when it exits, but not when it is killed.
  [ "$status" -ge 128 ] || rm -f "$unfinished"
  [ "$status" -ne 0 ] || return 0
  if [ "$status" -lt 128 ] && check "$venv/bin/python" cpu >/dev/null; then
    say "pip could not install the CUDA libraries; going on with TensorFlow for the CPU." \
      "Run this again for another attempt, or 'bash scripts/setup.sh --cpu' for no more of them."
    return 0
  fi
  fail "pip could not install $missing; see the lines above. Without a" \
    "network: run 'pip download -r requirements.txt -d FOLDER' on a machine that has one, then here" \
    "'.venv/bin/python -m pip install --no-index --find-links=FOLDER $missing'." \
    "With a network: run this again."
}

runs_pip() { "$venv/bin/python" -m pip --version >/dev/null 2>&1; }

main() {
  local argument missing
  for argument; do
    case $argument in
      '') ;;
      --test) tests=--test ;;
      --cpu | --cuda) tensorflow=${argument#--} ;;
      *)
        fail "unknown argument $argument; usage: bash scripts/setup.sh [--test] [--cpu | --cuda]"
        ;;
    esac
  done
  use_active_environment
  [ "$tensorflow" != auto ] || [ ! -f "$chosen" ] || tensorflow=$(cat "$chosen")
  remove_incomplete_venv
  [ -e "$venv" ] || make_venv
  supported "$venv/bin/python" || fail "the Python of .venv is not 3.10 to 3.13;" \
    "move it away ('mv .venv .venv.old') and run this again."
  [ "$tensorflow" = auto ] || echo "$tensorflow" >"$chosen"
  missing=$(check "$venv/bin/python" "$tensorflow") || install "$missing"
  rm -f "$unfinished"
  echo "$venv/bin/python"
}

main "$@"
