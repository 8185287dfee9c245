#!/usr/bin/env bash
# Fine-tunes ALBERT tiny on tasks of CLUE, evaluates it and predicts their test files.
#
#   bash run_classifier_clue.sh                 the nine tasks of CLUE 1.1
#   bash run_classifier_clue.sh tnews cluener   some tasks; cluener, cmnli and drcd are known, too
#   bash run_classifier_clue.sh --sample        the samples in data/clue_sample, in some minutes
#
#   --data_dir=CLUEdataset      has a folder for each task; without the flag, missing ones are
#                               downloaded to ./CLUEdataset
#   --output_dir=clue_output    gets a folder for each task, with its predictions; results.md and
#                               results.png compare the tasks
#   --version=1.1               1.0: the tasks and the test files of CLUE 1.0
#   any other flag              goes to run_classifier.py for every task: --random_seed=1 ...
#
# Batch size, length, epochs and learning rate are those with which the published tiny was measured.
# Weights are found as in run_classifier_lcqmc.sh, or named with --init_checkpoint; the samples start
# from models/albert_tiny. The same command resumes. scripts/make_submission.py packs the
# predictions.
set -euo pipefail
root=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
source "$root/scripts/help.sh"
source "$root/scripts/stages.sh"

tasks=() flags=() sample='' data_dir='' output_dir='' version=1.1
for argument; do
  case $argument in
    --sample) sample=yes ;;
    --data_dir= | --output_dir= | --version=)
      echo "error: $argument has no value; give one, or leave the flag out" >&2
      exit 1
      ;;
    --data_dir=*) data_dir=${argument#*=} ;;
    --output_dir=*) output_dir=${argument#*=} ;;
    --version=*) version=${argument#*=} ;;
    --data_dir | --output_dir | --version)
      echo "error: the value of a flag follows after an equals sign: $argument=..." >&2
      exit 1
      ;;
    -*) flags+=("$argument") ;;
    *) tasks+=("$argument") ;;
  esac
done
if [ -n "$sample" ] && [ -n "$data_dir" ]; then
  echo "error: give either --sample or --data_dir" >&2
  exit 1
fi
source "$root/scripts/setup.sh"
source "$root/scripts/weights.sh"

find=(--version="$version")
if [ -n "$sample" ]; then
  find+=(--data_dir="$root/data/clue_sample" --is_sample=True)
  output_dir=${output_dir:-$root/clue_sample_output}
elif [ -n "$data_dir" ]; then
  find+=(--data_dir="$data_dir")
else
  find+=(--data_dir="$root/CLUEdataset" --should_download=True)
fi
output_dir=${output_dir:-$root/clue_output}

if [ ${#tasks[@]} = 0 ]; then
  inference=ocnli
  [ "$version" != 1.0 ] || [ -n "$sample" ] || inference=cmnli # There is no sample of CMNLI.
  tasks=(afqmc tnews iflytek "$inference" cluewsc2020 csl cmrc2018 chid c3)
fi

if [ -z "$sample" ]; then
  choose_model ${flags[@]+"${flags[@]}"}
elif ! names_model ${flags[@]+"${flags[@]}"}; then
  our_model
fi

# All data is found before the first task trains for hours.
settings=()
for task in "${tasks[@]}"; do
  found=$("$PYTHON" "$root/scripts/clue_task.py" --task_name="$task" "${find[@]}")
  settings+=("$found")
done
for number in "${!tasks[@]}"; do
  task=${tasks[number]} of_task=()
  while IFS= read -r flag; do
    of_task+=("$flag")
  done <<<"${settings[number]}"
  printf '\n== %s\n' "$task" >&2
  # The last value of a flag counts, so the caller's flags override these.
  run_training "$output_dir/$task/metrics.json" \
    "$PYTHON" "$root/run_classifier.py" --do_train=True --do_eval=True --do_predict=True \
    "${of_task[@]}" ${model[@]+"${model[@]}"} --output_dir="$output_dir/$task" \
    ${flags[@]+"${flags[@]}"}
done

printf '\n' >&2
"$PYTHON" "$root/scripts/clue_table.py" --directory="$output_dir"
