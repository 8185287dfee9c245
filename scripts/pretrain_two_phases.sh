#!/usr/bin/env bash
# Pretrains on short texts first and on long texts at the end: 90 % of the steps at 128 tokens,
# the rest at 512, as in section A.2 of Devlin et al. 2019.
#
#   bash scripts/pretrain_two_phases.sh --input_file=corpus/ --output_dir=my_albert \
#       --vocab_file=albert_config/vocab.txt --bert_config_file=albert_config/albert_config_tiny.json
#
#   --input_file --vocab_file --bert_config_file --output_dir    as above, all required
#   --num_train_steps=125000    of both phases together
#   --train_batch_size=64       of the first phase; the second uses half of it
#   --learning_rate=0.00176     peak of the first phase; the second uses 0.7 of it, by the
#                               square-root rule of LAMB for half the batch (You et al. 2020)
#   --lengths=128,512           tokens per example in each phase
#   any other flag              goes to run_pretraining.py in both phases
#
# It writes records_128, records_512, phase_128 and phase_512, which holds the result, to the output
# directory. Ctrl-C and SIGTERM stop the phase at work and the script; the same command resumes.
set -euo pipefail
root=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
source "$root/scripts/help.sh"
source "$root/scripts/stages.sh"

fail() {
  echo "error: $*; the first lines of ${BASH_SOURCE[0]} list the flags" >&2
  exit 1
}

input_file='' vocab_file='' bert_config_file='' output_dir=''
num_train_steps=125000 train_batch_size=64 learning_rate=0.00176 lengths=128,512
flags=()
for argument; do
  case $argument in
    --input_file=* | --vocab_file=* | --bert_config_file=* | --output_dir=* | --lengths=* | \
      --num_train_steps=* | --train_batch_size=* | --learning_rate=*)
      name=${argument%%=*}
      printf -v "${name#--}" %s "${argument#*=}"
      ;;
    --input_file | --vocab_file | --bert_config_file | --output_dir | --lengths | \
      --num_train_steps | --train_batch_size | --learning_rate)
      fail "the value of a flag follows after an equals sign: $argument=..."
      ;;
    *) flags+=("$argument") ;;
  esac
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
source "$root/scripts/setup.sh"

short=${lengths%,*} long=${lengths#*,}
second_steps=$((num_train_steps / 10))
first_steps=$((num_train_steps - second_steps))

# Runs one phase. Arguments: length, steps, batch size, learning rate, then more flags.
phase() {
  local length=$1 steps=$2 batch=$3 rate=$4
  shift 4
  printf '\n== %s steps of %s examples of %s tokens\n' "$steps" "$batch" "$length" >&2
  run_stage "$PYTHON" "$root/create_pretraining_data.py" --input_file="$input_file" \
    --output_file="$output_dir/records_$length/part-*.tfrecord" --vocab_file="$vocab_file" \
    --max_seq_length="$length"
  run_training "$output_dir/phase_$length/model.ckpt-$steps.index" \
    "$PYTHON" "$root/run_pretraining.py" --do_train=True \
    --input_file="$output_dir/records_$length/part-*.tfrecord" \
    --output_dir="$output_dir/phase_$length" --bert_config_file="$bert_config_file" \
    --num_train_steps="$steps" --num_warmup_steps=$((steps / 10)) \
    --train_batch_size="$batch" --learning_rate="$rate" ${flags[@]+"${flags[@]}"} "$@"
}

phase "$short" "$first_steps" "$train_batch_size" "$learning_rate"
phase "$long" "$second_steps" $(((train_batch_size + 1) / 2)) \
  "$(awk -v rate="$learning_rate" 'BEGIN { print 0.7 * rate }')" \
  --init_checkpoint="$output_dir/phase_$short/model.ckpt-$first_steps"
