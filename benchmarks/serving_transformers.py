"""Answers of transformers' ALBERT, one pair at a time by one thread: started by serving.py.

serving_transformers.py FOLDER SECONDS '["first text", "second text"]'
"""

import json
import sys

import torch
from single_answers import measure
from transformers import AlbertForSequenceClassification, AutoTokenizer


def main() -> None:
    folder, seconds, pair = sys.argv[1:]
    torch.set_num_threads(1)
    model = AlbertForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    first, second = json.loads(pair)

    def answer():
        with torch.inference_mode():
            inputs = tokenizer(first, second, return_tensors="pt")
            return model(**inputs).logits.softmax(-1).tolist()

    print(json.dumps(measure(answer, seconds=float(seconds))))


if __name__ == "__main__":
    main()
