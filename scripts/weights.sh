# shellcheck shell=bash
# Sourced by scripts that fine-tune, after $root and $PYTHON are set: finds the weights to start from.

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
  [ "$status" -lt 128 ] || exit "$status" # Ctrl-C is no wish for other weights.
  return "$status"
}

# Flags for this project's model. The output of its first token has learnt nothing in pretraining
# (docs/pretraining_recipe.md), the mean of all tokens has; and its weights are larger than those of
# published models, so that they need a higher rate.
our_model() {
  model=(--init_checkpoint="$root/models/albert_tiny" --use_pooled_output=False)
  model+=(--learning_rate=2e-4)
}

names_model() { given 'init_checkpoint|vocab_file|bert_config_file|albert_config_file' "$@"; }

# Sets `model` to flags of run_classifier.py: the published tiny, or ours where there is none.
# Nothing if the arguments name a model.
choose_model() {
  model=()
  if names_model "$@"; then
    return
  elif find_weights; then
    say "weights: $weights"
    # Checkpoint, configuration and vocabulary go together.
    model+=(--init_checkpoint="$root/$weights/albert_model.ckpt")
    model+=(--bert_config_file="$root/$weights/albert_config_tiny.json")
    model+=(--vocab_file="$root/$weights/vocab.txt")
  else
    say "weights: models/albert_tiny, this project's small model. For better results, put the" \
      "published model into ./albert_tiny_zh"
    our_model
  fi
}
