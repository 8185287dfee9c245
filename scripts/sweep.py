r"""Fine-tune with every combination of some values of flags, and compare the scores.

  python3 scripts/sweep.py --grid="learning_rate=1e-4,2e-4 train_batch_size=32,64" --num_seeds=3 \
      --task_name=lcqmc --data_dir=lcqmc --init_checkpoint=albert_tiny_zh --output_dir=my_sweep \
      --num_train_epochs=3

All other flags are those of run_classifier.py; training and evaluation need not be asked for.
Each combination has a folder in the output directory. scores.md, scores.tsv and scores.json there
have a row for each, the best on the validation set first, and the output directory itself gets
the best model, for use like that of a run. The same command goes on after a stop, and with further
values in the grid it trains only those.

The best of many on the validation set is better there than elsewhere, because it was chosen there.
--do_predict=True scores the best model, and it alone, on the test file, if that has labels.
"""

from project import cli

from albert_zh.finetuning.sweep_options import SweepOptions


def main(options: SweepOptions) -> None:
    from albert_zh.finetuning.series import sweep

    sweep(options)


if __name__ == "__main__":
    cli.run(main, SweepOptions, needs_tensorflow=True)
