"""Word vectors of a corpus.

```
corpus -> token ids (a file) -> counts [V]
                             -> neighbours at each distance [N, N] -> association
                                            -> vectors [N, E], a map [E, E] for each offset
```
"""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from absl import logging

from albert_zh.corpus.counts import left_out
from albert_zh.corpus.options import ReadingOptions
from albert_zh.corpus.reading import CorpusReader, with_progress
from albert_zh.creation.inputs import find_inputs
from albert_zh.text.encoding import is_chinese
from albert_zh.text.tokenizers import Tokenizer
from albert_zh.text.vocab import Vocab
from albert_zh.util.process_pool import available_cores
from albert_zh.util.progress import Progress
from albert_zh.word_vectors import token_file
from albert_zh.word_vectors.factorization import association, nearest, vectors_and_maps
from albert_zh.word_vectors.neighbours import count_neighbours
from albert_zh.word_vectors.options import WarmStartOptions

_EXAMPLES, _NEIGHBOURS = 5, 5


@dataclass(frozen=True)
class CorpusVectors:
    """Vectors of the most frequent entries of a vocabulary."""

    vocab: Vocab
    counts: np.ndarray  # of all entries in the corpus, [V]
    entries: np.ndarray  # ids, the most frequent first, [N]
    vectors: np.ndarray  # [N, E]
    maps: Mapping[int, np.ndarray]  # offset of a neighbour -> [E, E], see `factorization`

    def centred(self) -> np.ndarray:
        """The vectors, of mean 0 and of mean squared norm 1 over the text, `[N, E]`."""
        weights = self._frequencies()[:, None]
        centred = self.vectors - (weights * self.vectors).sum(axis=0)
        return centred / np.sqrt((weights * centred**2).sum())

    def strengths(self) -> np.ndarray:
        """Mean square of each component over the text, `[E]`, of sum 1."""
        return self._frequencies() @ self.centred() ** 2

    def _frequencies(self) -> np.ndarray:
        counts = self.counts[self.entries]
        return counts / counts.sum()

    def summary(self) -> list[str]:
        """Lines for people: how much of the text has vectors, and neighbours to judge them by."""
        vocab, counts, entries = self.vocab, self.counts, self.entries
        total = counts.sum()
        unknown, covered = counts[vocab.unk_id] / total, counts[entries].sum() / total
        lines = [
            f"{total:,} tokens, {100 * unknown:.2f} % unknown to the vocabulary",
            f"{len(entries):,} of {len(vocab):,} entries get vectors; {100 * covered:.2f} % of the "
            "tokens are theirs",
            f"{np.count_nonzero(counts == 0):,} entries do not occur in the corpus",
            "nearest entries of some, to judge the vectors by:",
        ]
        for row in self._examples():
            near = [vocab.tokens[entries[each]] for each in nearest(self.vectors, row, _NEIGHBOURS)]
            lines.append(f"  {vocab.tokens[entries[row]]}  {' '.join(near)}")
        return lines

    def _examples(self) -> Sequence[int]:
        """Rows of some Chinese characters: not the most frequent, which meet all, nor rare ones."""
        names = [self.vocab.tokens[entry] for entry in self.entries]
        chinese = [row for row, name in enumerate(names) if len(name) == 1 and is_chinese(name)]
        middle = chinese[len(chinese) // 20 : len(chinese) // 4] or list(range(len(names)))
        return middle[:: max(1, len(middle) // _EXAMPLES)][:_EXAMPLES]


def corpus_vectors(
    options: WarmStartOptions, reading: ReadingOptions, tokenizer: Tokenizer, *, size: int
) -> CorpusVectors:
    """Count a corpus and factorize the associations of its neighbours.

    Args:
        options: The corpus, and how many entries get vectors.
        reading: How to read it.
        tokenizer: The model's tokenizer.
        size: Components of a vector.

    Raises:
        ValueError, OSError: The corpus cannot be read, or has fewer different entries than vectors
            have components.
    """
    reader = CorpusReader(find_inputs(options.input_file), reading.rules)
    workers = options.num_workers or available_cores()
    with tempfile.NamedTemporaryFile(dir=options.output_dir, prefix=".token_ids.") as file:
        counts = token_file.write_ids(
            with_progress(reader, "tokenizing"), tokenizer, file, num_workers=workers
        )
        file.flush()
        entries = _most_frequent(counts, tokenizer.vocab, options.num_entries)
        if len(entries) < size:
            lost = left_out(reader.counts)
            raise ValueError(
                f"{len(entries):,} entries of the vocabulary, of --num_entries="
                f"{options.num_entries}, occur in {options.input_file}"
                f"{f' (left out: {lost})' if lost else ''}; vectors of {size} components need at "
                "least as many"
            )
        total = token_file.count_ids(file.name)
        with Progress(description="counting pairs", unit="token", total=total) as progress:
            neighbours = count_neighbours(
                file.name,
                entries,
                len(tokenizer.vocab),
                num_workers=workers,
                on_progress=progress.advance,
            )
    logging.info("factorizing the associations of %s entries", f"{len(entries):,}")
    vectors, maps = vectors_and_maps(
        {distance: association(pairs) for distance, pairs in neighbours.items()},
        counts[entries] / counts[entries].sum(),
        size,
        seed=options.random_seed,
    )
    return CorpusVectors(tokenizer.vocab, counts, entries, vectors, maps)


def _most_frequent(counts: np.ndarray, vocab: Vocab, number: int) -> np.ndarray:
    """Ids of the most frequent entries that occur, without the unknown one."""
    known = counts.copy()
    known[vocab.unk_id] = 0
    order = np.argsort(-known, kind="stable")[:number]
    return order[known[order] > 0]
