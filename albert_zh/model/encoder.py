"""The transformer stack: few stored layers, applied many times.

B batch, L length, R queries of the last block, D hidden.
"""

from collections.abc import Callable

import tensorflow as tf

from albert_zh.config import ModelConfig, NormOrder
from albert_zh.model.attention import SelfAttention
from albert_zh.model.layers import (
    ACTIVATIONS,
    Dense,
    DropoutSeeds,
    GroupedDense,
    LayerNorm,
    dropout,
)
from albert_zh.model.scope import Scope


class FeedForward(tf.Module):
    """`[B, L, D] -> [B, L, D]` through the intermediate size."""

    def __init__(self, scope: Scope, config: ModelConfig):
        super().__init__()
        groups = scope.variant.feed_forward_groups

        def dense(at: Scope, inputs: int, outputs: int) -> tf.Module:
            if groups == 1:
                return Dense(at, inputs, outputs)
            return GroupedDense(at, inputs, outputs, groups)

        hidden, inner = config.hidden_size, config.intermediate_size
        self.intermediate = dense(scope / "intermediate" / "dense", hidden, inner)
        self.output = dense(scope / "intermediate" / "output" / "dense", inner, hidden)
        self._activation = ACTIVATIONS[config.hidden_act]

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        return self.output(self._activation(self.intermediate(x)))


class Block(tf.Module):
    """Attention and feed-forward network, each with residual sum and layer normalisation."""

    def __init__(self, scope: Scope, config: ModelConfig):
        super().__init__()
        self._norm_order = config.norm_order
        self._dropout_rate = config.hidden_dropout_prob
        self.attention = SelfAttention(scope / "attention_1", config)
        self.attention_norm = LayerNorm(scope / "LayerNorm", config.hidden_size)
        self.feed_forward = FeedForward(scope / "ffn_1", config)
        self.output_norm = LayerNorm(scope / "LayerNorm_1", config.hidden_size)

    def __call__(
        self,
        x: tf.Tensor,
        bias: tf.Tensor,
        seeds: DropoutSeeds | None,
        positions: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """`[B, L, D] -> [B, L, D]`, or `[B, R, D]` for the tokens at `positions [B, R]`."""

        def drop(y: tf.Tensor) -> tf.Tensor:
            return dropout(y, self._dropout_rate, seeds)

        def queries_of(y: tf.Tensor) -> tf.Tensor:
            return y if positions is None else tf.gather(y, positions, batch_dims=1)

        if self._norm_order is NormOrder.PRE:
            normal = self.attention_norm(x)
            attention = self.attention(queries_of(normal), normal, bias, seeds)
            x = queries_of(x) + drop(attention)
            return x + drop(self.feed_forward(self.output_norm(x)))
        queries = queries_of(x)
        x = self.attention_norm(queries + drop(self.attention(queries, x, bias, seeds)))
        return self.output_norm(x + drop(self.feed_forward(x)))


class Encoder(tf.Module):
    """`[B, L, D] -> list of [B, L, D]`, one entry per applied block.

    Layer k of n uses group `int(k / n * groups)`; groups that no layer uses are not stored.
    (ALBERT, Lan et al. 2020, section 3.1, shares all parameters: one group.)
    """

    def __init__(self, scope: Scope, config: ModelConfig, *, recompute: bool = False):
        """With `recompute`, blocks keep only their inputs; the backward pass runs them again."""
        super().__init__()
        self._recompute = recompute
        layers, groups = config.num_hidden_layers, config.num_hidden_groups
        # The published code divides floats; integer division can give another group.
        self._group_of_layer = [int(layer / layers * groups) for layer in range(layers)]
        self.groups = {
            str(group): [
                Block(scope / "transformer" / f"group_{group}" / f"inner_group_{inner}", config)
                for inner in range(config.inner_group_num)
            ]
            for group in sorted(set(self._group_of_layer))
        }

    def __call__(
        self,
        x: tf.Tensor,
        bias: tf.Tensor,
        seeds: DropoutSeeds | None,
        positions: tf.Tensor | None = None,
    ) -> list[tf.Tensor]:
        """With `positions [B, R] int32`, the last block computes only these tokens."""
        blocks = [block for group in self._group_of_layer for block in self.groups[str(group)]]
        outputs = []
        for number, block in enumerate(blocks, start=1):
            seed = None if seeds is None else seeds.next()
            run = _repeatable(block, bias, seed, positions if number == len(blocks) else None)
            x = tf.recompute_grad(run)(x) if self._recompute else run(x)
            outputs.append(x)
        return outputs


def _repeatable(
    block: Block, bias: tf.Tensor, seed: tf.Tensor | None, positions: tf.Tensor | None
) -> Callable[[tf.Tensor], tf.Tensor]:
    """A function that applies the block, with the same dropout at every call."""

    def run(x: tf.Tensor) -> tf.Tensor:
        seeds = None if seed is None else DropoutSeeds(seed)
        return block(x, bias, seeds, positions)

    return run
