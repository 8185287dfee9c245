#!/usr/bin/env bash
# The whole way on the embedded sample: text -> records -> pretrained -> fine-tuned -> exported.
#
#   bash scripts/quickstart.sh
#
# Everything it makes stands in quickstart_output/; run again, it goes on where it was stopped.
# Some three minutes on two cores after the set-up. Sample and model (albert_config_nano.json) are
# far too small to be of use: this shows the way, and that every stage works.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." >/dev/null
source scripts/setup.sh

out=quickstart_output
vocab=albert_config/vocab.txt
config=albert_config/albert_config_nano.json
lengths=(--max_seq_length=64 --max_predictions_per_seq=10)
mkdir -p $out

stage() { printf '\n== %s\n' "$*"; }

stage "1 of 5: text to records (every 10th document is held out)"
for part in train held_out; do
  awk -v RS= -v ORS='\n\n' -v part=$part \
    '(NR % 10 == 0) == (part == "held_out")' data/news_zh_1.txt >$out/$part.txt
done
make_records() {
  "$PYTHON" create_pretraining_data.py --input_file=$out/"$1".txt --output_file=$out/"$1".tfrecord \
    --vocab_file=$vocab --do_whole_word_mask=True "${lengths[@]}" --dupe_factor="$2"
}
make_records train 10
make_records held_out 2

stage "2 of 5: pretrain from random weights"
# Few steps at a low rate. More of either only learns which characters are frequent, on so little
# text, and the fine-tuning has to unlearn it.
"$PYTHON" run_pretraining.py --input_file=$out/train.tfrecord \
  --eval_input_file=$out/held_out.tfrecord --output_dir=$out/pretrained \
  --bert_config_file=$config "${lengths[@]}" --do_train=True --do_eval=True \
  --train_batch_size=64 --eval_batch_size=64 --num_train_steps=200 --num_warmup_steps=30 \
  --learning_rate=0.001 --save_checkpoints_steps=100

stage "3 of 5: fine-tune on the sample pairs (do two questions ask the same?)"
"$PYTHON" run_classifier.py --task_name=lcqmc --data_dir=data/lcqmc_sample \
  --output_dir=$out/fine_tuned --vocab_file=$vocab --bert_config_file=$config \
  --init_checkpoint=$out/pretrained/model.ckpt-200 --do_train=True --do_eval=True \
  --do_predict=True --max_seq_length=64 --train_batch_size=32 --learning_rate=5e-4 \
  --num_train_epochs=6

stage "4 of 5: export the best checkpoint, reload and compare"
if [ ! -e $out/exported ]; then
  "$PYTHON" scripts/export_model.py --checkpoint=$out/fine_tuned --export_dir=$out/exported
fi

stage "5 of 5: what came of it"
"$PYTHON" scripts/quickstart_table.py --directory=$out
