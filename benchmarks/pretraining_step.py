"""One program's training step, timed on request: what pretraining.py starts.

  python benchmarks/pretraining_step.py '{"program": "albert_zh", "config_file": ..., ...}'

It says `ready`, then answers every line on its standard input with a line of JSON: `Measured`.
The programs of transformers need torch and transformers, and nothing of TensorFlow.
"""

import json
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

# Programs. transformers projects every position to the vocabulary; it can be made to project
# the masked ones alone, as we do.
OURS, THEIRS, THEIRS_GATHERED = "albert_zh", "transformers", "transformers, gathered"

_LEARNING_RATE = 1e-4
_PEAK_SIZE = 2048  # rows and columns of the matrices that the peak is measured with
_PEAK_SECONDS = 0.5


@dataclass(frozen=True)
class Case:
    """A training step."""

    program: str
    config_file: str
    max_seq_length: int
    max_predictions_per_seq: int
    batch_size: int
    precision: str  # float32 or bfloat16
    threads: int


@dataclass(frozen=True)
class Measured:
    """A stretch of steps."""

    seconds: list[float]  # of every step
    peak: float  # FLOP/s in matrix products, before these steps
    peak_mb: float  # memory of the process, at its largest so far


@dataclass(frozen=True)
class Program:
    """A step and a product of one framework; each call returns when it is done."""

    step: Callable[[], float]  # gives the loss
    product: Callable[[], None]  # of two matrices of `_PEAK_SIZE`, in the case's precision


def main() -> None:
    case = Case(**json.loads(sys.argv[1]))
    program = (_ours if case.program == OURS else _transformers)(case)
    for _ in range(2):
        program.step()
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(vars(measure(program, seconds=float(line)))), flush=True)


def measure(program: Program, *, seconds: float) -> Measured:
    # The best product and the single steps: other work on the machine slows some of them down.
    products = _times(program.product, _PEAK_SECONDS)
    peak_bytes = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return Measured(
        seconds=_times(program.step, seconds),
        peak=2 * _PEAK_SIZE**3 / min(products),
        peak_mb=peak_bytes / 1e6,
    )


def _times(call: Callable[[], object], seconds: float) -> list[float]:
    """Times of calls, for so many seconds; at least one."""
    times: list[float] = []
    while sum(times) < seconds:
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return times


def _ours(case: Case) -> Program:
    import tensorflow as tf

    from albert_zh.config import ModelConfig
    from albert_zh.testing.step import pretraining_trial
    from albert_zh.train.precision import Precision
    from albert_zh.train.rules.table import ADAMW

    tf.config.threading.set_intra_op_parallelism_threads(case.threads)
    trial = pretraining_trial(
        ModelConfig.from_json_file(case.config_file),
        batch_size=case.batch_size,
        max_seq_length=case.max_seq_length,
        max_predictions_per_seq=case.max_predictions_per_seq,
        rule=ADAMW,
        precision=Precision(case.precision),
    )
    batches = iter(tf.data.Dataset.from_tensors(trial.batch).repeat())
    matrix = tf.cast(tf.random.normal([_PEAK_SIZE, _PEAK_SIZE]), case.precision)
    return Program(
        step=lambda: float(trial.trainer.run(batches, 1).loss),
        product=lambda: tf.matmul(matrix, matrix)[0, 0].numpy(),
    )


def _transformers(case: Case) -> Program:
    import torch
    from transformers import AlbertConfig, AlbertForPreTraining

    from albert_zh.testing.synthetic_batch import made_up_batch

    torch.set_num_threads(case.threads)
    dtype = getattr(torch, case.precision)
    config = AlbertConfig(**transformers_config(case.config_file))
    model = AlbertForPreTraining(config).train()
    batch = made_up_batch(
        batch_size=case.batch_size,
        max_seq_length=case.max_seq_length,
        max_predictions_per_seq=case.max_predictions_per_seq,
        vocab_size=config.vocab_size,
    )
    batch = {name: torch.from_numpy(values) for name, values in batch.items()}
    inputs = {
        "input_ids": batch["input_ids"].long(),
        "attention_mask": batch["input_mask"].long(),
        "token_type_ids": batch["segment_ids"].long(),
    }
    positions, tokens = batch["masked_lm_positions"].long(), batch["masked_lm_ids"].long()
    order = batch["sentence_order"].long()
    labels = torch.full_like(inputs["input_ids"], -100).scatter(1, positions, tokens)
    optimizer = torch.optim.AdamW(model.parameters(), _LEARNING_RATE, fused=True)

    def loss() -> torch.Tensor:
        if case.program == THEIRS:
            return model(**inputs, labels=labels, sentence_order_label=order).loss
        encoded = model.albert(**inputs)
        rows = torch.arange(len(positions))[:, None]
        logits = model.predictions(encoded.last_hidden_state[rows, positions]).float()
        cross_entropy = torch.nn.functional.cross_entropy
        return cross_entropy(logits.flatten(0, 1), tokens.flatten()) + cross_entropy(
            model.sop_classifier(encoded.pooler_output).float(), order
        )

    def step() -> float:
        with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
            value = loss()
        value.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        return value.item()

    matrix = torch.randn(_PEAK_SIZE, _PEAK_SIZE).to(dtype)
    return Program(step=step, product=lambda: matrix @ matrix)


def transformers_config(path: str) -> dict:
    """Our configuration file in the terms of transformers."""
    with open(path, encoding="utf-8") as file:
        values = json.load(file)
    names = [
        "vocab_size",
        "embedding_size",
        "hidden_size",
        "num_hidden_layers",
        "num_attention_heads",
        "intermediate_size",
        "max_position_embeddings",
        "hidden_dropout_prob",
        "attention_probs_dropout_prob",
    ]
    return {name: values[name] for name in names} | {
        "hidden_act": "gelu_new",
        "classifier_dropout_prob": 0.0,
    }


if __name__ == "__main__":
    main()
