"""Initial weights whose word table tells from the start which tokens occur near each other.

```
vectors of the corpus  -> rows of the word table           all other weights are random
log frequencies        -> bias of the masked-LM head
```
"""

import os

import numpy as np

from albert_zh.checkpoint.files import write_checkpoint
from albert_zh.checkpoint.meta import CheckpointMeta
from albert_zh.checkpoint.vocabulary_check import vocabulary_identity
from albert_zh.config import ModelConfig
from albert_zh.model.heads.pretraining import PretrainingModel
from albert_zh.model.scope import named_variables
from albert_zh.runs.companions import write_companions
from albert_zh.word_vectors.corpus import CorpusVectors
from albert_zh.word_vectors.options import WarmStartOptions

# Standard deviation of the word table.
_DEVIATION = 0.5


def write_warm_start(options: WarmStartOptions, config: ModelConfig, vectors: CorpusVectors) -> str:
    """Write a checkpoint for --init_checkpoint, with configuration and vocabulary.

    Returns:
        The checkpoint's prefix.

    Raises:
        OSError: The directory cannot be written.
    """
    model = PretrainingModel(config, seed=options.random_seed)
    words = model.albert.embeddings.words
    words.assign(_word_table(words.numpy(), vectors))
    # An entry that does not occur counts as if it occurred once more often.
    frequencies = (vectors.counts + 1) / (vectors.counts + 1).sum()
    model.masked_lm.bias.assign(np.log(frequencies).astype(np.float32))
    write_companions(
        options.output_dir, config, vectors.vocab, spm_model_file=options.spm_model_file
    )
    prefix = os.path.join(options.output_dir, "model.ckpt")
    meta = CheckpointMeta(config=config, vocabulary=vocabulary_identity(vectors.vocab))
    write_checkpoint(prefix, named_variables(model), meta.to_json())
    return prefix


def _word_table(random: np.ndarray, vectors: CorpusVectors) -> np.ndarray:
    """Centred vectors; entries without one keep their random direction. All of one deviation."""
    table = random * (_DEVIATION / random.std())
    centred = vectors.vectors - vectors.vectors.mean(axis=0)
    table[vectors.entries] = centred * (_DEVIATION / centred.std())
    return table
