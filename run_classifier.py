r"""Fine-tune ALBERT on a task, evaluate it and predict.

  python3 run_classifier.py --task_name=lcqmc --data_dir=lcqmc --output_dir=lcqmc_output \
      --vocab_file=albert_tiny_zh/vocab.txt --init_checkpoint=albert_tiny_zh/albert_model.ckpt \
      --bert_config_file=albert_tiny_zh/albert_config_tiny.json --do_train=True --do_eval=True \
      --max_seq_length=128 --train_batch_size=64 --learning_rate=1e-4 --num_train_epochs=5

  python3 run_classifier.py --task_name=custom --train_file=mine.csv --dev_fraction=0.1 \
      --init_checkpoint=albert_tiny_zh --output_dir=my_model --do_train=True --do_eval=True

  python3 run_classifier.py --do_predict=True --model=my_model --input_file=new.csv

  python3 run_classifier.py --list_tasks

The output directory gets the newest checkpoints (model.ckpt-N) with their vocab.txt and
albert_config.json, the scores of all checkpoints on the dev file (eval_results_albert_zh.txt; with
data, seed and versions: metrics.json), the best checkpoint and its name (best_checkpoint.json), the
metrics of training and validation (history.jsonl, curves.png) and the flags (options.json); and for
the dev examples that the best checkpoint gets wrong: errors.tsv, labels.tsv, confusion_matrix.tsv,
pictures of both. The same command resumes a run that was stopped.

--do_predict=True writes the predictions for the test file, or for --input_file=new.csv:
new.predictions.tsv and .jsonl (ids, texts, labels, probabilities), new.predictions.json (data,
checkpoint, and the scores if the file has labels), and the files to publish: test_results.tsv
(probabilities alone), submit_results.tsv (id and label), or others of the task.
"""

from albert_zh import cli
from albert_zh.finetuning.options import ClassifierOptions
from albert_zh.tasks.listing import list_tasks


def main(options: ClassifierOptions) -> None:
    from albert_zh.finetuning.series import fine_tune_all

    fine_tune_all(options)


if __name__ == "__main__":
    cli.run(main, ClassifierOptions, needs_tensorflow=True, answers={"list_tasks": list_tasks})
