"""Costs of a training before it starts: parameters, operations, memory, time. No TensorFlow.

B batch, L length, P masked positions, R tokens that are read of the last block, D hidden,
E embedding, I intermediate, N heads, V vocabulary.
"""

from albert_zh.config import ModelConfig
from albert_zh.train.rules.table import find_rule

_FLOAT32 = 4  # bytes
# Bytes of a number that layers compute with; layer normalisation and softmax stay in float32.
_ITEM = {"float32": 4, "bfloat16": 2, "float16": 2}
PRECISIONS = tuple(_ITEM)
# Bytes that layer normalisation keeps of a number: normal, in float32, and its result.
_NORMALISED = {item: _FLOAT32 + item for item in _ITEM.values()}

# Memory that an example takes, as measured, over what it must hold: allocators leave holes, and
# operations that could follow each other run at once. Measured for tiny and base at lengths 128 and
# 512: 0.92 to 1.03 in float32, 1.20 in bfloat16. Too high costs speed, too low ends a training.
_HOLES = {4: 1.04, 2: 1.25}


def parameters(config: ModelConfig) -> int:
    """Numbers in the pretraining model: encoder, pooler and both heads.

    Stored layers count once, however often they are applied.
    """
    words_first = config.variant.project_words_first
    embedding, hidden, vocab = config.embedding_size, config.hidden_size, config.vocab_size
    width = _embedding_width(config)
    tables = config.type_vocab_size + config.max_position_embeddings
    embeddings = vocab * embedding + tables * width + 2 * width
    projection = 0
    if words_first:
        projection = embedding * hidden
    elif embedding != hidden:
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
    """Floating-point operations of the matrix products that one training example takes.

    A backward pass has two products for each one of the forward pass. Of the last block, masked LM
    reads the masked tokens and the first one alone, so others are not computed there. What else
    is computed (normalisation, activations, optimizer) is bound by memory and not counted, as is
    usual for the model FLOPs utilisation (Chowdhery et al. 2022, appendix B).

    Args:
        config: Sizes of the model.
        max_seq_length: L; padding counts, as it is computed.
        max_predictions_per_seq: P; 0 for a classifier.
        recompute: Whether layers are computed a second time in the backward pass.
    """
    embedding, hidden = config.embedding_size, config.hidden_size
    words_first = config.variant.project_words_first
    width = _embedding_width(config)
    project = embedding * hidden if words_first or embedding != hidden else 0
    guess = hidden * width + embedding * config.vocab_size + (project if words_first else 0)
    pooled = hidden * hidden + 2 * hidden
    read = _tokens_read(max_seq_length, max_predictions_per_seq)
    last = _block_products(config, max_seq_length, read)
    whole = _block_products(config, max_seq_length, max_seq_length)
    blocks = (_applied_blocks(config) - 1) * whole + last
    rest = max_seq_length * project + max_predictions_per_seq * guess + pooled
    multiplications = 3 * (blocks + rest) + (blocks if recompute else 0)
    return 2 * multiplications


def training_seconds(flops: float, *, peak: float, mfu: float, steps: int, batch: int) -> float:
    """Seconds that a training takes.

    Args:
        flops: Of one example, from `training_flops` (without recompute, by the usual definition
            of the utilisation).
        peak: FLOP/s of all devices together.
        mfu: Share of the peak that is reached, in (0, 1].
        steps: Optimizer steps.
        batch: Examples of one step.
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
    """Bytes that one device holds at the peak of a training step, by what they are for.

    Args:
        config: Sizes of the model.
        max_seq_length: L.
        max_predictions_per_seq: P; 0 for a classifier.
        micro_batch: Examples that the device computes at once.
        precision: Of the layers: float32, bfloat16 or float16.
        recompute: Whether the backward pass computes a layer anew instead of keeping it.
        accumulate: Whether gradients of several micro batches are summed up.
        optimizer: Name of the update rule, which keeps moments for every parameter.
    """
    weights = _FLOAT32 * parameters(config)
    per_example = activation_bytes(
        config,
        max_seq_length=max_seq_length,
        max_predictions_per_seq=max_predictions_per_seq,
        precision=precision,
        recompute=recompute,
    )
    # Every application of a shared layer has gradients of its own, until all are summed up.
    applied = _applied_blocks(config)
    is_shared = applied > _stored_groups(config) * config.inner_group_num
    unsummed = _FLOAT32 * applied * _block_kernels(config) if is_shared else 0
    return {
        "weights": weights,
        "gradients": weights + unsummed,
        "moments": len(find_rule(optimizer).slots) * weights,
        "accumulated gradients": weights if accumulate else 0,
        "kernels as computed with": _kernel_copies(
            config, precision, recompute, reads_all=not max_predictions_per_seq
        ),
        "activations": micro_batch * per_example,
    }


def training_memory(config: ModelConfig, **settings) -> int:
    """Bytes that one device needs: the sum of `memory_parts`, whose arguments it takes."""
    return sum(memory_parts(config, **settings).values())


def largest_micro_batch(config: ModelConfig, *, memory: int, **settings) -> int:
    """Most examples that a device can compute at once; 0 where not even one fits.

    Args:
        config: Sizes of the model.
        memory: Bytes that the device has for training.
        **settings: Of `memory_parts`, without `micro_batch`.
    """
    fixed = training_memory(config, micro_batch=0, **settings)
    one = training_memory(config, micro_batch=1, **settings) - fixed
    return max(0, (memory - fixed) // one)


def activation_bytes(config: ModelConfig, **settings) -> int:
    """Bytes that one more example adds to the peak of a training step.

    It holds for operations that run one by one; XLA joins them and keeps less.

    Args:
        config: Sizes of the model.
        **settings: Of `kept_bytes`.
    """
    length, masks = settings["max_seq_length"], settings["max_predictions_per_seq"]
    item = _item(settings.get("precision", "float32"))
    # What is widest has gradients and intermediate results besides what is kept.
    inner = item * length * config.intermediate_size
    scores = _FLOAT32 * config.num_attention_heads * length**2
    logits = _FLOAT32 * masks * config.vocab_size
    working = max(4 * inner, 4 * scores, 2 * logits)
    return int(_HOLES[item] * (kept_bytes(config, **settings) + working))


def kept_bytes(
    config: ModelConfig,
    *,
    max_seq_length: int,
    max_predictions_per_seq: int,
    precision: str = "float32",
    recompute: bool = False,
) -> int:
    """Bytes of one example that the forward pass leaves for the backward pass.

    Args:
        config: Sizes of the model.
        max_seq_length: L.
        max_predictions_per_seq: P; 0 for a classifier.
        precision: Of the layers, one of `PRECISIONS`.
        recompute: Whether only the input of a layer is kept; the layer that is computed anew
            counts in full.
    """
    item = _item(precision)
    block = _kept_in_block(config, max_seq_length, max_seq_length, item)
    blocks = _applied_blocks(config)
    if recompute:
        encoder = block + blocks * item * max_seq_length * config.hidden_size
    else:
        read = _tokens_read(max_seq_length, max_predictions_per_seq)
        encoder = (blocks - 1) * block + _kept_in_block(config, max_seq_length, read, item)
    width, activated = _embedding_width(config), _kept_by_activation(config.hidden_act, item)
    dropped = 1 if config.hidden_dropout_prob else 0
    embeddings = (_NORMALISED[item] + dropped) * max_seq_length * width
    guess = (_NORMALISED[item] + activated) * width + _FLOAT32 * config.vocab_size
    return encoder + embeddings + max_predictions_per_seq * guess


def _kept_in_block(config: ModelConfig, length: int, read: int, item: int) -> int:
    """Bytes of one example that the backward pass reads again in a block of which R are read."""
    seen, states = length * config.hidden_size, read * config.hidden_size
    inner = read * config.intermediate_size
    scores = config.num_attention_heads * read * length
    kept = item * (2 * seen + 3 * states)  # key, value; query, context in two orders
    kept += 2 * _NORMALISED[item] * states
    kept += _kept_by_activation(config.hidden_act, item) * inner
    kept += item * scores
    if config.attention_probs_dropout_prob:
        kept += (item + 1) * scores  # what is left of them, and a byte for which that is
    return kept + (2 * states if config.hidden_dropout_prob else 0)


def _kept_by_activation(name: str, item: int) -> int:
    """Bytes for a number that an activation gives, itself with what its gradient needs."""
    needs = {"gelu": _FLOAT32, "swish": item}
    return item + needs.get(name, 0)


def _tokens_read(length: int, masks: int) -> int:
    """R: the masked tokens and the first one; all where there are no masks."""
    return min(length, masks + 1) if masks else length


def _item(precision: str) -> int:
    if precision not in _ITEM:
        raise ValueError(f"precision {precision!r} is none of {', '.join(_ITEM)}")
    return _ITEM[precision]


def _embedding_width(config: ModelConfig) -> int:
    """Width in which words, token types and positions are summed; the masked-LM head's too."""
    if config.variant.project_words_first:
        return config.hidden_size
    return config.embedding_size


def _stored_groups(config: ModelConfig) -> int:
    """Layer k of n uses group `int(k / n * groups)`; only groups in use are stored."""
    layers, groups = config.num_hidden_layers, config.num_hidden_groups
    return len({int(layer / layers * groups) for layer in range(layers)})


def _applied_blocks(config: ModelConfig) -> int:
    return config.num_hidden_layers * config.inner_group_num


def _block_kernels(config: ModelConfig) -> int:
    """Numbers in the matrices of one block: what a token is multiplied with."""
    groups = config.variant.feed_forward_groups
    feed_forward = 2 * config.hidden_size * config.intermediate_size // groups
    return 4 * config.hidden_size**2 + feed_forward


def _block_products(config: ModelConfig, length: int, read: int) -> int:
    """Multiplications of one example in a block of which R tokens are read."""
    hidden = config.hidden_size
    feed_forward = _block_kernels(config) - 4 * hidden**2
    attention = 2 * hidden**2 + 2 * length * hidden  # of a token: query and output; scores, sum
    return 2 * hidden**2 * length + (attention + feed_forward) * read


def _kernel_copies(config: ModelConfig, precision: str, recompute: bool, *, reads_all: bool) -> int:
    """Bytes of kernels joined or rounded for the products, which the backward pass reads again."""
    item, blocks = _item(precision), 1 if recompute else _applied_blocks(config)
    if item < _FLOAT32:
        rounded = blocks * _block_kernels(config) + config.vocab_size * config.embedding_size
        return item * rounded
    # Query, key and value are joined; key and value alone where few tokens of a block are read.
    return item * (3 * blocks - (0 if reads_all else 1)) * config.hidden_size**2
