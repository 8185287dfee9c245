"""Made-up pretraining batches, for trying, timing and compiling a training step without data."""

import numpy as np


def made_up_batch(
    *,
    batch_size: int,
    max_seq_length: int,
    max_predictions_per_seq: int,
    vocab_size: int,
    seed: int = 0,
) -> dict[str, np.ndarray]:
    """A batch like those of `input.batches`, of random tokens: full rows, and every mask used.

    Returns:
        The features of a training batch (see `input.batches`), a function of the arguments.

    Raises:
        ValueError: There are more masks than tokens beside [CLS].
    """
    if not max_predictions_per_seq < max_seq_length:
        raise ValueError(
            f"max_predictions_per_seq {max_predictions_per_seq} is too large for a max_seq_length "
            f"of {max_seq_length}: [CLS] is never masked"
        )
    rng = np.random.default_rng(seed)
    tokens, masks = (batch_size, max_seq_length), (batch_size, max_predictions_per_seq)
    second_starts = rng.integers(1, max_seq_length, size=[batch_size, 1])
    positions = rng.permuted(np.tile(np.arange(1, max_seq_length), [batch_size, 1]), axis=1)
    batch = {
        "input_ids": rng.integers(vocab_size, size=tokens),
        "input_mask": np.ones(tokens),
        "segment_ids": np.arange(max_seq_length) >= second_starts,
        "masked_lm_positions": np.sort(positions[:, :max_predictions_per_seq], axis=1),
        "masked_lm_ids": rng.integers(vocab_size, size=masks),
        "sentence_order": rng.integers(2, size=batch_size),
    }
    batch = {name: values.astype(np.int32) for name, values in batch.items()}
    return {**batch, "masked_lm_weights": np.ones(masks, np.float32)}
