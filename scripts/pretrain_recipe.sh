#!/usr/bin/env bash
# Pretrains a small model from raw text by the recipe of docs/pretraining_recipe.md: a warm start,
# then 90 % of the steps at 128 tokens and the rest at 512 (section A.2 of Devlin et al. 2019), which
# begins with positions that continue those of the first 128.
#
#   bash scripts/pretrain_recipe.sh --input_file=corpus/ --output_dir=my_albert \
#       --vocab_file=albert_config/vocab.txt --bert_config_file=albert_config/albert_config_tiny.json
#
#   --input_file --vocab_file --bert_config_file --output_dir    as above, all required
#   --validation_file=          text to validate on, which the corpus does not have
#   --init_checkpoint=          start from a model instead of the warm start
#   --num_train_steps=10000     of both phases together
#   --train_batch_size=32       of the first phase; the second has as many tokens in a step
#   --learning_rate=1.6e-3      peak of the first phase; the second uses half of it
#   --lengths=128,512           tokens per example in each phase
#   --segmenter=jieba           finds the words, which are masked whole; rjieba is faster
#   any other flag              goes to run_pretraining.py in both phases
#
# It writes warm_start, records_128, records_512, phase_128 and phase_512, which holds the result,
# to the output directory. Ctrl-C and SIGTERM stop the stage at work and the script; the same
# command resumes.
set -euo pipefail
root=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
source "$root/scripts/help.sh"
source "$root/scripts/stages.sh"

fail() {
  echo "error: $*; the first lines of ${BASH_SOURCE[0]} list the flags" >&2
  exit 1
}

input_file='' vocab_file='' bert_config_file='' output_dir='' validation_file='' init_checkpoint=''
num_train_steps=10000 train_batch_size=32 learning_rate=1.6e-3 lengths=128,512 segmenter=jieba
own='input_file|vocab_file|bert_config_file|output_dir|validation_file|init_checkpoint'
own+='|num_train_steps|train_batch_size|learning_rate|lengths|segmenter'
flags=()
for argument; do
  if [[ $argument =~ ^--($own)=$ ]]; then
    fail "$argument has no value; give one, or leave the flag out"
  elif [[ $argument =~ ^--($own)=(.*)$ ]]; then
    printf -v "${BASH_REMATCH[1]}" %s "${BASH_REMATCH[2]}"
  elif [[ $argument =~ ^--($own)$ ]]; then
    fail "the value of a flag follows after an equals sign: $argument=..."
  else
    flags+=("$argument")
  fi
done
missing=
for name in input_file vocab_file bert_config_file output_dir; do
  [ -n "${!name}" ] || missing+=" --$name=..."
done
[ -z "$missing" ] || fail "missing:$missing"
whole='[1-9][0-9]*'
for name in num_train_steps train_batch_size; do
  [[ ${!name} =~ ^$whole$ ]] || fail "--$name=${!name} is not a whole number above 0"
done
[ "$num_train_steps" -ge 10 ] ||
  fail "--num_train_steps=$num_train_steps: the second phase is a tenth of at least 10 steps"
[[ $learning_rate =~ ^([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?$ ]] ||
  fail "--learning_rate=$learning_rate is not a number"
[[ $lengths =~ ^$whole,$whole$ ]] && [ "${lengths%,*}" != "${lengths#*,}" ] ||
  fail "--lengths=$lengths: it has to be two different numbers, such as 128,512"
for path in "$vocab_file" "$bert_config_file" ${validation_file:+"$validation_file"}; do
  # A text may be a pattern, or several.
  [[ $path == *,* ]] || compgen -G "$path" >/dev/null || fail "there is no file $path"
done
source "$root/scripts/setup.sh"

short=${lengths%,*} long=${lengths#*,}
positions=$(PYTHONPATH=$root "$PYTHON" - "$bert_config_file" <<'END'
import sys

from albert_zh.config import ModelConfig

try:
    print(ModelConfig.from_json_file(sys.argv[1]).max_position_embeddings)
except (OSError, ValueError) as error:
    sys.exit(f"error: {error}")
END
)
[ "$((short > long ? short : long))" -le "$positions" ] ||
  fail "--lengths=$lengths: the model of $bert_config_file has $positions positions"
second_steps=$((num_train_steps / 10))
first_steps=$((num_train_steps - second_steps))
second_batch=$(((train_batch_size * short + long - 1) / long))

# Makes the records of a text. Arguments: text, file, tokens per example, more flags.
make_records() {
  run_stage "$PYTHON" "$root/create_pretraining_data.py" --input_file="$1" --output_file="$2" \
    --vocab_file="$vocab_file" --max_seq_length="$3" --segmenter="$segmenter" "${@:4}"
}

# Runs one phase. Arguments: length, steps, batch size, learning rate, initial checkpoint, more flags.
phase() {
  local length=$1 steps=$2 batch=$3 rate=$4 initial=$5 records=$output_dir/records_$1 validation=()
  local reached
  reached=$(cd "$output_dir/phase_$length" 2>/dev/null && compgen -G 'model.ckpt-*.index' |
    sed 's/model.ckpt-//; s/.index//' | sort -n | tail -1) || true
  [ "${reached:-0}" -le "$steps" ] ||
    fail "--num_train_steps=$num_train_steps gives phase_$length $steps steps, but it has $reached" \
      "in $output_dir"
  printf '\n== %s steps of %s examples of %s tokens\n' "$steps" "$batch" "$length" >&2
  make_records "$input_file" "$records/part-*.tfrecord" "$length" --masking=dynamic --compact=True
  if [ -n "$validation_file" ]; then
    validation=(--eval_input_file="$records/validation.tfrecord")
    make_records "$validation_file" "$records/validation.tfrecord" "$length" --masking=word \
      --dupe_factor=1
  fi
  run_training "$output_dir/phase_$length/model.ckpt-$steps.index" \
    "$PYTHON" "$root/run_pretraining.py" --do_train=True --input_file="$records/part-*.tfrecord" \
    --output_dir="$output_dir/phase_$length" --bert_config_file="$bert_config_file" \
    --vocab_file="$vocab_file" --init_checkpoint="$initial" --masking=word --masked_lm_prob=0.3 \
    --optimizer=muon --learning_rate="$rate" --num_train_steps="$steps" \
    --num_warmup_steps=$((steps / 20)) --train_batch_size="$batch" --eval_batch_size=64 \
    ${validation[@]+"${validation[@]}"} "${@:6}" ${flags[@]+"${flags[@]}"}
}

continued=()
if [ -z "$init_checkpoint" ]; then
  # Fewer would not do for the thirteen frequencies of a warm start.
  if [ "$short" -ge 64 ] && [ "$long" -ge $((short + 64)) ]; then
    continued=(--trained_positions="$short")
  fi
  init_checkpoint=$output_dir/warm_start
  if [ ! -e "$init_checkpoint/model.ckpt.index" ]; then
    printf '\n== a warm start from the counts of the corpus\n' >&2
    run_stage "$PYTHON" "$root/scripts/warm_start.py" --input_file="$input_file" \
      --vocab_file="$vocab_file" --bert_config_file="$bert_config_file" \
      --output_dir="$init_checkpoint"
  fi
fi
phase "$short" "$first_steps" "$train_batch_size" "$learning_rate" "$init_checkpoint"
phase "$long" "$second_steps" "$second_batch" \
  "$(awk -v rate="$learning_rate" 'BEGIN { print rate / 2 }')" \
  "$output_dir/phase_$short/model.ckpt-$first_steps" ${continued[@]+"${continued[@]}"}
