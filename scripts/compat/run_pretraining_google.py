"""Pretrain by the flags of the published run_pretraining_google.py, with its defaults.

It runs run_pretraining.py. Lengths come from the records; the published 512 tokens and 20
predictions had to equal theirs.
"""

import published

if __name__ == "__main__":
    published.run(
        "run_pretraining.py",
        defaults={
            "do_train": "True",
            "train_batch_size": "4096",
            "eval_batch_size": "64",
            "learning_rate": "0.00176",
            "num_train_steps": "125000",
            "num_warmup_steps": "3125",
            "save_checkpoints_steps": "5000",
        },
        without={
            "masked_lm_budget": "--masking makes masks in training, see --help",
        },
    )
