#!/usr/bin/env bash
# All stages on the included sample: text -> records -> pretraining -> fine-tuning -> export.
#
#   bash scripts/quickstart.sh
#
# All output goes to quickstart_output/. The same command resumes a run that was stopped. It takes
# about two minutes on two cores after the set-up. Sample and model (albert_config_nano.json) are
# far too small for real use; they show that every stage works.
set -euo pipefail
root=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
source "$root/scripts/help.sh"
cd "$root"
if [ $# -gt 0 ]; then
  echo "error: unknown argument $1; this script takes none" >&2
  exit 1
fi
source scripts/stages.sh
source scripts/setup.sh

out=quickstart_output
vocab=albert_config/vocab.txt
config=albert_config/albert_config_nano.json
lengths=(--max_seq_length=64 --max_predictions_per_seq=10)
mkdir -p $out

stage() { printf '\n== %s\n' "$*"; }

stage "1 of 5: convert text to records (every 10th document goes to the validation set)"
for part in train validation; do
  awk -v RS= -v ORS='\n\n' -v part=$part \
    '(NR % 10 == 0) == (part == "validation")' data/news_zh_1.txt >$out/$part.txt
done
make_records() {
  run_stage "$PYTHON" create_pretraining_data.py --input_file=$out/"$1".txt \
    --output_file=$out/"$1".tfrecord --vocab_file=$vocab --do_whole_word_mask=True "${lengths[@]}" --dupe_factor="$2"
}
make_records train 10
make_records validation 2

stage "2 of 5: pretrain from random weights"
# Few steps at a low learning rate. On so little text, more steps or a higher rate only teach the
# model which characters are frequent, which fine-tuning has to undo.
run_training $out/pretrained/model.ckpt-200.index \
  "$PYTHON" run_pretraining.py --input_file=$out/train.tfrecord \
  --eval_input_file=$out/validation.tfrecord --output_dir=$out/pretrained \
  --bert_config_file=$config "${lengths[@]}" --do_train=True --do_eval=True \
  --train_batch_size=64 --eval_batch_size=64 --num_train_steps=200 --num_warmup_steps=30 \
  --learning_rate=0.001 --save_checkpoints_steps=100

stage "3 of 5: fine-tune on the sample pairs (do two questions ask the same?)"
run_training $out/fine_tuned/test_results.tsv \
  "$PYTHON" run_classifier.py --task_name=lcqmc --data_dir=data/lcqmc_sample \
  --output_dir=$out/fine_tuned --vocab_file=$vocab --bert_config_file=$config \
  --init_checkpoint=$out/pretrained/model.ckpt-200 --do_train=True --do_eval=True \
  --do_predict=True --max_seq_length=64 --train_batch_size=32 --learning_rate=5e-4 \
  --num_train_epochs=6

stage "4 of 5: export the best checkpoint, load the export and compare outputs"
if [ ! -e $out/exported ]; then
  run_stage "$PYTHON" scripts/export_model.py --checkpoint=$out/fine_tuned \
    --export_dir=$out/exported
fi

stage "5 of 5: results"
"$PYTHON" scripts/quickstart_table.py --directory=$out
