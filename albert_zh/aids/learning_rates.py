"""Learning rates by level (Howard and Ruder 2018, arXiv:1801.06146, section 3.2).

The rate of a level is that of the level above times a factor x below 1 (in the paper 1 / 2.6; Sun
et al. 2019, arXiv:1905.05583, section 5.3.3, found 0.95 best for the twelve layers of BERT):

    head, pooler   1            the head's own factor comes on top
    last group     x
    ...
    first group    x ^ groups
    embeddings     x ^ (groups + 1)

A level of ALBERT is a group of layers that share their weights, most often all of them, so that
there are three levels, and little is gained by their order. More is by the head's own factor: it
alone begins at random, and learns slowly at a rate that spares the rest.
"""

import tensorflow as tf


def learning_rate_factors(
    model: tf.Module, *, decay: float = 1.0, head_factor: float = 1.0
) -> dict[str, float]:
    """Factors of the learning rate that are not 1, by name of the variable.

    Args:
        model: Encoder with a head.
        decay: The x above.
        head_factor: Factor of the variables that the head owns.
    """
    by_name = model.albert.encoder.groups
    groups = [by_name[name] for name in sorted(by_name, key=int)]
    factors = {}
    for variable in model.trainable_variables:
        factors[variable.name] = head_factor if _is_of_head(variable, model) else 1.0
    for depth, blocks in enumerate(reversed(groups), start=1):
        factors |= {each.name: decay**depth for block in blocks for each in block.variables}
    embeddings = model.albert.embeddings.variables
    factors |= {each.name: decay ** (len(groups) + 1) for each in embeddings}
    return {name.removesuffix(":0"): factors[name] for name in factors if factors[name] != 1.0}


def _is_of_head(variable: tf.Variable, model: tf.Module) -> bool:
    return variable.name.startswith(tuple(model.stored_names))
