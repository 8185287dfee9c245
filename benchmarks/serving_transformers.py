"""Answers of transformers' ALBERT, one pair at a time by one thread: started by serving.py.

serving_transformers.py EXPORT SECONDS     sizes and vocabulary are those of the export
"""

import json
import os
import sys

import torch
from pretraining_step import transformers_config
from single_answers import make_pair, measure
from transformers import AlbertConfig, AlbertForSequenceClassification, BertTokenizerFast


def main() -> None:
    export, seconds = sys.argv[1:]
    torch.set_num_threads(1)
    config = AlbertConfig(**transformers_config(os.path.join(export, "albert_config.json")))
    model = AlbertForSequenceClassification(config).eval()
    tokenizer = BertTokenizerFast(os.path.join(export, "vocab.txt"))

    def answer():
        with torch.inference_mode():
            inputs = tokenizer(*make_pair(), return_tensors="pt")
            return model(**inputs).logits.softmax(-1).tolist()

    print(json.dumps(measure(answer, seconds=float(seconds))))


if __name__ == "__main__":
    main()
