"""Cost of a training, estimated before it starts: parameters, operations, memory, time.

B batch, L length, P prediction targets, R tokens that the last block computes, D hidden,
E embedding, I intermediate, N heads, V vocabulary. No TensorFlow.
"""

from albert_zh.config import ModelConfig
from albert_zh.train.rules.table import find_rule

_FLOAT32 = 4  # bytes
# Bytes per number in the type that layers compute in; layer normalisation and softmax use float32.
_ITEM = {"float32": 4, "bfloat16": 2, "float16": 2}
PRECISIONS = tuple(_ITEM)
# Bytes per number that layer normalisation keeps: the normalised value in float32, and the result.
_NORM_BYTES = {item: _FLOAT32 + item for item in _ITEM.values()}

# Measured memory per example, divided by the bytes that must be kept: allocators fragment memory,
# and independent operations run at the same time. Measured for tiny and base at lengths 128 and
# 512: 0.92 to 1.03 in float32, 1.20 in bfloat16. A factor that is too high costs speed; one that is
# too low lets a training run out of memory.
_OVERHEAD = {4: 1.04, 2: 1.25}


def parameters(config: ModelConfig) -> int:
    """Number of parameters in the pretraining model: encoder, pooler and both heads.

    A shared layer counts once, however often it is applied.
    """
    words_first = config.variant.project_words_first
    embedding, hidden, vocab = config.embedding_size, config.hidden_size, config.vocab_size
    width = _embedding_width(config)
    tables = config.type_vocab_size + config.max_position_embeddings
    embeddings = vocab * embedding + tables * width + 2 * width
    projection = 0
    if words_first:
        projection = embedding * hidden
    elif config.has_embedding_mapping:
        projection = embedding * hidden + hidden
    biases = 9 * hidden + config.intermediate_size  # and scales: 4 + 1 layers, 2 normalisations
    block = _block_kernels(config) + biases
    pooler = hidden * hidden + hidden
    masked_lm = hidden * width + 3 * width + vocab
    sentence_order = 2 * hidden + 2
    stored_blocks = _stored_groups(config) * config.inner_group_num
    return embeddings + projection + stored_blocks * block + pooler + masked_lm + sentence_order


def training_flops(
    config: ModelConfig,
    *,
    max_seq_length: int,
    max_predictions_per_seq: int,
    recompute: bool = False,
) -> int:
    """Floating-point operations per training example, in matrix products.

    The backward pass has two products for each product of the forward pass. The heads read the
    masked tokens and the first token, so the last block computes only those. Operations that are
    bound by memory (normalisation, activations, optimizer) are not counted, as is usual for the
    model FLOPs utilisation (Chowdhery et al. 2022, appendix B).

    Args:
        config: Sizes of the model.
        max_seq_length: L; padding counts because it is computed too.
        max_predictions_per_seq: P; 0 for a classifier.
        recompute: Whether the backward pass computes layers again.
    """
    embedding, hidden = config.embedding_size, config.hidden_size
    words_first = config.variant.project_words_first
    width = _embedding_width(config)
    project = embedding * hidden if words_first or config.has_embedding_mapping else 0
    target = hidden * width + embedding * config.vocab_size + (project if words_first else 0)
    pooler = hidden * hidden + 2 * hidden
    num_read = _tokens_read(max_seq_length, max_predictions_per_seq)
    last_block = _block_products(config, max_seq_length, num_read)
    full_block = _block_products(config, max_seq_length, max_seq_length)
    blocks = (_applied_blocks(config) - 1) * full_block + last_block
    others = max_seq_length * project + max_predictions_per_seq * target + pooler
    multiplications = 3 * (blocks + others) + (blocks if recompute else 0)
    return 2 * multiplications


def training_seconds(flops: float, *, peak: float, mfu: float, steps: int, batch: int) -> float:
    """Seconds that a training takes.

    Args:
        flops: Operations per example, from `training_flops` (without recompute, by the usual
            definition of the utilisation).
        peak: FLOP/s of all devices together.
        mfu: Share of the peak that the training reaches, in (0, 1].
        steps: Optimizer steps.
        batch: Examples per step.
    """
    return flops * batch * steps / (peak * mfu)


def memory_parts(
    config: ModelConfig,
    *,
    max_seq_length: int,
    max_predictions_per_seq: int,
    micro_batch: int,
    precision: str = "float32",
    recompute: bool = False,
    accumulate: bool = True,
    optimizer: str = "lamb",
) -> dict[str, int]:
    """Peak memory of a training step on one device: bytes by purpose.

    Args:
        config: Sizes of the model.
        max_seq_length: L.
        max_predictions_per_seq: P; 0 for a classifier.
        micro_batch: Examples that the device computes at once.
        precision: Type that layers compute in: float32, bfloat16 or float16.
        recompute: Whether the backward pass computes layers again instead of keeping their values.
        accumulate: Whether gradients are summed over several micro batches.
        optimizer: Name of the update rule, which keeps moments of every parameter.
    """
    weights = _FLOAT32 * parameters(config)
    per_example = activation_bytes(
        config,
        max_seq_length=max_seq_length,
        max_predictions_per_seq=max_predictions_per_seq,
        precision=precision,
        recompute=recompute,
    )
    # Each application of a shared layer has its own gradients until all are summed.
    applied = _applied_blocks(config)
    is_shared = applied > _stored_groups(config) * config.inner_group_num
    unsummed = _FLOAT32 * applied * _block_kernels(config) if is_shared else 0
    return {
        "weights": weights,
        "gradients": weights + unsummed,
        "moments": len(find_rule(optimizer).slots) * weights,
        "accumulated gradients": weights if accumulate else 0,
        "rounded kernels": _rounded_kernels(config, precision, recompute),
        "activations": micro_batch * per_example,
    }


def training_memory(config: ModelConfig, **settings) -> int:
    """Bytes that one device needs: the sum of `memory_parts`, with the same arguments."""
    return sum(memory_parts(config, **settings).values())


def largest_micro_batch(config: ModelConfig, *, memory: int, **settings) -> int:
    """Largest number of examples that a device can compute at once; 0 if not even one fits.

    Args:
        config: Sizes of the model.
        memory: Bytes that the device has for training.
        **settings: Arguments of `memory_parts`, without `micro_batch`.
    """
    fixed = training_memory(config, micro_batch=0, **settings)
    one = training_memory(config, micro_batch=1, **settings) - fixed
    return max(0, (memory - fixed) // one)


def activation_bytes(config: ModelConfig, **settings) -> int:
    """Bytes that one more example adds to the peak of a training step.

    This assumes that operations run one by one; XLA fuses them and keeps less.

    Args:
        config: Sizes of the model.
        **settings: Arguments of `kept_bytes`.
    """
    length, masks = settings["max_seq_length"], settings["max_predictions_per_seq"]
    item = _item(settings.get("precision", "float32"))
    # The widest operation also needs its gradients and intermediate results.
    inner = item * length * config.intermediate_size
    scores = _FLOAT32 * config.num_attention_heads * length**2
    logits = _FLOAT32 * masks * config.vocab_size
    working = max(4 * inner, 4 * scores, 2 * logits)
    return int(_OVERHEAD[item] * (kept_bytes(config, **settings) + working))


def kept_bytes(
    config: ModelConfig,
    *,
    max_seq_length: int,
    max_predictions_per_seq: int,
    precision: str = "float32",
    recompute: bool = False,
) -> int:
    """Bytes per example that the forward pass keeps for the backward pass.

    Args:
        config: Sizes of the model.
        max_seq_length: L.
        max_predictions_per_seq: P; 0 for a classifier.
        precision: Type that layers compute in, one of `PRECISIONS`.
        recompute: Whether only the inputs of layers are kept; the one layer that is being computed
            again counts in full.
    """
    item = _item(precision)
    block = _kept_in_block(config, max_seq_length, max_seq_length, item)
    blocks = _applied_blocks(config)
    if recompute:
        encoder = block + blocks * item * max_seq_length * config.hidden_size
    else:
        num_read = _tokens_read(max_seq_length, max_predictions_per_seq)
        encoder = (blocks - 1) * block + _kept_in_block(config, max_seq_length, num_read, item)
    width, activated = _embedding_width(config), _kept_by_activation(config.hidden_act, item)
    dropout_mask = 1 if config.hidden_dropout_prob else 0
    embeddings = (_NORM_BYTES[item] + dropout_mask) * max_seq_length * width
    target = (_NORM_BYTES[item] + activated) * width + _FLOAT32 * config.vocab_size
    return encoder + embeddings + max_predictions_per_seq * target


def _kept_in_block(config: ModelConfig, length: int, num_read: int, item: int) -> int:
    """Bytes per example that a block keeps for the backward pass if it computes R tokens."""
    context, states = length * config.hidden_size, num_read * config.hidden_size
    inner = num_read * config.intermediate_size
    scores = config.num_attention_heads * num_read * length
    kept = item * (2 * context + 3 * states)  # key, value; query, attention output in two layouts
    kept += 2 * _NORM_BYTES[item] * states
    kept += _kept_by_activation(config.hidden_act, item) * inner
    kept += item * scores
    if config.attention_probs_dropout_prob:
        kept += (item + 1) * scores  # scores after dropout, and the dropout mask in bytes
    return kept + (2 * states if config.hidden_dropout_prob else 0)


def _kept_by_activation(name: str, item: int) -> int:
    """Bytes per output of an activation function: the output, and the values for its gradient."""
    for_gradient = {"gelu": _FLOAT32, "swish": item}
    return item + for_gradient.get(name, 0)


def _tokens_read(length: int, masks: int) -> int:
    """R: the masked tokens and the first token; all tokens if none is masked."""
    return min(length, masks + 1) if masks else length


def _item(precision: str) -> int:
    if precision not in _ITEM:
        raise ValueError(f"precision {precision!r} is none of {', '.join(_ITEM)}")
    return _ITEM[precision]


def _embedding_width(config: ModelConfig) -> int:
    """Width of the sum of word, token type and position vectors, and of the masked-LM head."""
    if config.variant.project_words_first:
        return config.hidden_size
    return config.embedding_size


def _stored_groups(config: ModelConfig) -> int:
    """Number of stored layer groups. Layer k of n uses group `int(k / n * groups)`."""
    layers, groups = config.num_hidden_layers, config.num_hidden_groups
    return len({int(layer / layers * groups) for layer in range(layers)})


def _applied_blocks(config: ModelConfig) -> int:
    return config.num_hidden_layers * config.inner_group_num


def _block_kernels(config: ModelConfig) -> int:
    """Weights in the matrices of one block, which are its multiplications per token."""
    groups = config.variant.feed_forward_groups
    feed_forward = 2 * config.hidden_size * config.intermediate_size // groups
    return 4 * config.hidden_size**2 + feed_forward


def _block_products(config: ModelConfig, length: int, num_read: int) -> int:
    """Multiplications per example in a block that computes R tokens."""
    hidden = config.hidden_size
    feed_forward = _block_kernels(config) - 4 * hidden**2
    attention = 2 * hidden**2 + 2 * length * hidden  # per token: query, output; scores, sum
    return 2 * hidden**2 * length + (attention + feed_forward) * num_read


def _rounded_kernels(config: ModelConfig, precision: str, recompute: bool) -> int:
    """Bytes of copies of kernels in half precision, which are kept for the backward pass."""
    item, blocks = _item(precision), 1 if recompute else _applied_blocks(config)
    if item == _FLOAT32:
        return 0
    return item * (blocks * _block_kernels(config) + config.vocab_size * config.embedding_size)
