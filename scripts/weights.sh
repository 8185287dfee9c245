# shellcheck shell=bash
# Sourced by scripts that fine-tune, after $root and $PYTHON are set: finds the published tiny.

say() { echo "$*" >&2; }

# True if one of the flags $1 (names separated by |) is among the other arguments.
given() {
  local names=$1 argument
  shift
  for argument; do
    [[ ! $argument =~ ^--?($names)(=|$) ]] || return 0
  done
  return 1
}

# True if folder $1 of the project holds the published model; prints the files it lacks, if any.
holds_model() {
  local folder=$root/$1 name missing=
  [ -d "$folder" ] || return 1
  for name in albert_config_tiny.json vocab.txt albert_model.ckpt.index; do
    [ -f "$folder/$name" ] || missing+=" $name"
  done
  # Found in the folder: a [ in its own path would be taken for a pattern.
  (cd "$folder" && compgen -G 'albert_model.ckpt.data-*' >/dev/null) ||
    missing+=" albert_model.ckpt.data-*"
  [ -n "$missing" ] || return 0
  say "weights: $1 is not used, because it lacks$missing"
  return 1
}

# Sets `weights` to the folder of the published model; downloads it if necessary.
find_weights() {
  for weights in albert_tiny_zh prev_trained_model/albert_tiny_zh; do
    ! holds_model "$weights" || return 0
  done
  local status=0
  "$PYTHON" "$root/scripts/download.py" --model=albert_tiny_zh --to="$root/$weights" >&2 ||
    status=$?
  [ "$status" -lt 128 ] || exit "$status" # Ctrl-C is no wish for random weights.
  return "$status"
}
