#!/usr/bin/env bash
# Fine-tunes ALBERT tiny on LCQMC (do two questions ask the same?) and evaluates it.
#
#   bash run_classifier_lcqmc.sh                                 data and weights as below
#   bash run_classifier_lcqmc.sh --data_dir=FOLDER --random_seed=1 ...  any flag of run_classifier.py
#
# The first that exists is used:
#   data     --data_dir, ./lcqmc (train.txt, dev.txt, test.txt), the sample in data/lcqmc_sample
#   weights  --init_checkpoint with its --vocab_file and --bert_config_file, ./albert_tiny_zh,
#            prev_trained_model/albert_tiny_zh, the published download, models/albert_tiny
set -euo pipefail
root=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
source "$root/scripts/help.sh"
source "$root/scripts/setup.sh"
source "$root/scripts/weights.sh"

flags=(
  --task_name=lcqmc --do_train=True --do_eval=True
  --max_seq_length=128 --train_batch_size=64 --learning_rate=1e-4 --num_train_epochs=5
  --output_dir="$root/lcqmc_output/"
)

if given data_dir "$@"; then
  :
elif [ -d "$root/lcqmc" ]; then
  say "data: ./lcqmc"
  flags+=(--data_dir="$root/lcqmc")
else
  say "data: the small sample data/lcqmc_sample. The ICRC group of Harbin Institute of Technology," \
    "Shenzhen, gives the real LCQMC on application (http://icrc.hitsz.edu.cn/info/1037/1146.htm);" \
    "put its train.txt, dev.txt and test.txt into ./lcqmc or name their folder with --data_dir"
  flags+=(--data_dir="$root/data/lcqmc_sample")
fi

choose_model "$@"

# The last value of a flag counts, so the caller's flags override these.
exec "$PYTHON" "$root/run_classifier.py" "${flags[@]}" ${model[@]+"${model[@]}"} "$@"
