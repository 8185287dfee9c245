"""Outputs of bert4keras for a checkpoint, for test_bert4keras.py: run by a Python that has it.

  python bert4keras_outputs.py CONFIG.json CHECKPOINT INPUTS.npz OUTPUTS.npz

Python 3.7 reads it.
"""

import sys

import numpy as np


def main(config, checkpoint, inputs, outputs):
    from bert4keras.backend import set_gelu
    from bert4keras.models import build_transformer_model

    def predict(**settings):
        model = build_transformer_model(config, checkpoint, model="albert", **settings)
        return model.predict(batch)

    set_gelu("tanh")  # the published one
    with np.load(inputs) as arrays:
        batch = [arrays["input_ids"], arrays["segment_ids"]]
    np.savez(
        outputs,
        sequence_output=predict(),
        pooled_output=predict(with_pool=True),
        masked_lm_logits=predict(with_mlm="linear"),
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
