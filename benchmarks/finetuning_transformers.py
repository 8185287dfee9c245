"""Fine-tune transformers' ALBERT on the same examples: started by finetuning.py.

It takes run_classifier.py's flags, ignores those that it does not need, and writes a history.jsonl
with as many rows. It needs torch and transformers, and nothing of TensorFlow.
"""

import argparse
import json
import os

import numpy as np
import torch
from pretraining_step import transformers_config
from transformers import AlbertConfig, AlbertForSequenceClassification

from albert_zh.tasks.catalog import find_task
from albert_zh.tasks.features import collate
from albert_zh.tasks.splits import read_split
from albert_zh.text.tokenizers import load_tokenizer


def main() -> None:
    flags = _flags()
    task = find_task(flags.task_name)
    features = task.kind.featurize(
        read_split(task, data_dir=flags.data_dir, split="train").examples,
        labels=task.labels,
        tokenizer=load_tokenizer(flags.vocab_file),
        max_seq_length=flags.max_seq_length,
    )
    batch_size = flags.train_batch_size
    num_steps = int(len(features) / batch_size * flags.num_train_epochs)
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    dtype = getattr(torch, flags.precision)
    config = {**transformers_config(flags.bert_config_file), "classifier_dropout_prob": 0.1}
    model = AlbertForSequenceClassification(AlbertConfig(**config, num_labels=len(task.labels)))
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), 1e-4, fused=True)
    history = os.path.join(flags.output_dir, "history.jsonl")
    random = np.random.default_rng(0)
    order = np.concatenate(
        [
            random.permutation(len(features))
            for _ in range(1 + num_steps * batch_size // len(features))
        ]
    )
    for step in range(1, num_steps + 1):
        chosen = order[(step - 1) * batch_size : step * batch_size]
        # Dynamic padding: to the longest example of the batch.
        batch = collate(features, chosen, padded_length=int(features.lengths[chosen].max()))
        tensors = {name: torch.from_numpy(values).long() for name, values in batch.items()}
        with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
            loss = model(
                input_ids=tensors["input_ids"],
                attention_mask=tensors["input_mask"],
                token_type_ids=tensors["segment_ids"],
                labels=tensors["label_ids"],
            ).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        if step % flags.log_steps == 0:
            with open(history, "a", encoding="utf-8") as file:
                print(json.dumps({"step": step, "loss": loss.item()}), file=file)


def _flags() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("task_name", "data_dir", "vocab_file", "bert_config_file", "output_dir"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("max_seq_length", "train_batch_size", "log_steps"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--num_train_epochs", type=float, required=True)
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    return parser.parse_known_args()[0]


if __name__ == "__main__":
    main()
