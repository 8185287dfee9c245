r"""Pretrain ALBERT on records of create_pretraining_data.py: masked LM and sentence order.

  python3 run_pretraining.py --input_file='data/tf*.tfrecord' --output_dir=my_albert \
      --bert_config_file=albert_config/albert_config_tiny.json --do_train=True --do_eval=True \
      --train_batch_size=64 --num_train_steps=125000 --num_warmup_steps=12500 \
      --learning_rate=0.00176

The output directory gets the newest checkpoints (model.ckpt-N) with their albert_config.json and,
where it is found, vocab.txt, the scores (eval_results.txt), the training metrics (history.jsonl)
and the flags (options.json). The same command resumes a run that was stopped.

Records made with --masking=dynamic have no masks; they get new ones here in every epoch. This
needs the vocabulary and masking flags:

  python3 run_pretraining.py ... --vocab_file=albert_config/vocab.txt --masking=ngram
"""

from albert_zh import cli
from albert_zh.pretraining.options import PretrainingOptions


def main(options: PretrainingOptions) -> None:
    from albert_zh.pretraining.run import pretrain

    pretrain(options)


if __name__ == "__main__":
    cli.run(main, PretrainingOptions, needs_tensorflow=True)
