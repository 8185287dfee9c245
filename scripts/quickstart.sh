#!/usr/bin/env bash
# All stages on the included sample: text -> records -> masks filled in -> pretraining -> fine-tuning
# -> export -> answers.
#
#   bash scripts/quickstart.sh
#
# All output goes to quickstart_output/. The same command resumes a run that was stopped. It takes
# about four minutes on two cores after the set-up. It starts from models/albert_tiny, a small model
# that this toolkit pretrained; the sample is far too small for a useful one.
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
model=models/albert_tiny
vocab=$model/vocab.txt
lengths=(--max_seq_length=64 --max_predictions_per_seq=10)
mkdir -p $out

stage() { printf '\n== %s\n' "$*"; }

stage "1 of 7: convert text to records (every 10th document goes to the validation set)"
for part in train validation; do
  awk -v RS= -v ORS='\n\n' -v part=$part \
    '(NR % 10 == 0) == (part == "validation")' data/news_zh_1.txt >$out/$part.txt
done
make_records() {
  run_stage "$PYTHON" create_pretraining_data.py --input_file=$out/"$1".txt \
    --output_file=$out/"$1".tfrecord --vocab_file=$vocab --do_whole_word_mask=True \
    "${lengths[@]}" --dupe_factor="$2"
}
make_records train 10
make_records validation 2

stage "2 of 7: fill in masks with $model"
printf '%s\n' '今天天气很[MASK]，我们去公园散步吧。' '我想喝一[MASK]热水。' \
  '这个问题我不[MASK]道怎么回答。' >$out/masked.txt
run_stage "$PYTHON" scripts/fill_mask.py --checkpoint=$model --input_file=$out/masked.txt

stage "3 of 7: pretrain $model further on the records"
run_training $out/pretrained/model.ckpt-40.index \
  "$PYTHON" run_pretraining.py --input_file=$out/train.tfrecord \
  --eval_input_file=$out/validation.tfrecord --output_dir=$out/pretrained \
  --init_checkpoint=$model "${lengths[@]}" --do_train=True --do_eval=True --optimizer=adamw \
  --train_batch_size=32 --eval_batch_size=64 --num_train_steps=40 --num_warmup_steps=10 \
  --learning_rate=5e-5 --save_checkpoints_steps=40

stage "4 of 7: fine-tune on the sample pairs (do two questions ask the same?)"
# The output of the first token has learnt nothing in pretraining (docs/pretraining_recipe.md), the
# mean of all tokens has. Muon learns more with each step than AdamW.
precision=float32
! grep -qsE 'avx512_bf16|amx_bf16' /proc/cpuinfo || precision=bfloat16 # others are slow in it
run_training $out/fine_tuned/test_results.tsv \
  "$PYTHON" run_classifier.py --task_name=lcqmc --data_dir=data/lcqmc_sample \
  --output_dir=$out/fine_tuned --init_checkpoint=$out/pretrained --use_pooled_output=False \
  --do_train=True --do_eval=True --do_predict=True --max_seq_length=64 --train_batch_size=64 \
  --optimizer=muon --learning_rate=8e-4 --num_train_epochs=2 --precision=$precision

stage "5 of 7: export the best checkpoint, load the export and compare outputs"
if [ ! -e $out/exported ]; then
  run_stage "$PYTHON" scripts/export_model.py --checkpoint=$out/fine_tuned \
    --export_dir=$out/exported
fi

stage "6 of 7: three answers of the exported model: do two questions ask the same?"
printf '%s\t%s\n' '我的手机丢了' '手机不见了怎么办' '明天会下雨吗' '明天需要带伞吗' \
  '苹果多少钱一斤' '香蕉多少钱一斤' >$out/pairs.tsv
run_stage "$PYTHON" scripts/similarity.py --model=$out/exported --input_file=$out/pairs.tsv

stage "7 of 7: results"
"$PYTHON" scripts/quickstart_table.py --directory=$out
