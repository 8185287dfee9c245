#!/usr/bin/env bash
# Creates pretraining records from the sample corpus in data/.
#
#   bash create_pretrain_data.sh                       published settings
#   bash create_pretrain_data.sh --dupe_factor=2 ...   any flag of create_pretraining_data.py
set -euo pipefail
root=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
source "$root/scripts/help.sh"
source "$root/scripts/setup.sh"

# The last value of a flag counts, so the caller's flags override these.
exec "$PYTHON" "$root/create_pretraining_data.py" \
  --input_file="$root/data/news_zh_1.txt" \
  --output_file="$root/data/tf_news_2016_zh_raw_news2016zh_1.tfrecord" \
  --vocab_file="$root/albert_config/vocab.txt" \
  --do_lower_case=True \
  --do_whole_word_mask=True \
  --max_seq_length=512 \
  --max_predictions_per_seq=51 \
  --masked_lm_prob=0.10 \
  "$@"
