"""Outputs of models of transformers, for test_exchange.py: run by a Python that has it.

python transformers_outputs.py FOLDER INPUTS.npz OUTPUTS.npz [SAVED_AGAIN]
"""

import json
import os
import sys

import numpy as np


def main(folder, inputs, outputs, *again):
    import torch  # of that Python alone
    import transformers

    with open(os.path.join(folder, "config.json"), encoding="utf-8") as file:
        (architecture,) = json.load(file)["architectures"]
    with np.load(inputs) as arrays:
        batch = {name: torch.from_numpy(arrays[name]).long() for name in arrays.files}
    model, report = getattr(transformers, architecture).from_pretrained(
        folder, output_loading_info=True
    )
    faults = {key: list(report[key]) for key in ("missing_keys", "mismatched_keys") if report[key]}
    assert not faults, faults
    model.eval()
    with torch.no_grad():
        found = model(
            input_ids=batch["input_ids"],
            attention_mask=batch["input_mask"],
            token_type_ids=batch["segment_ids"],
        )
    results = {name: value.numpy() for name, value in found.items() if torch.is_tensor(value)}
    if again:
        model.save_pretrained(again[0])
        transformers.AutoTokenizer.from_pretrained(folder).save_pretrained(again[0])
    np.savez(outputs, **results)


if __name__ == "__main__":
    main(*sys.argv[1:])
