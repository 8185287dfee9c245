"""Places of word, position and segment vectors in a model that starts from them."""

import dataclasses

from albert_zh.config import ModelConfig

_MOST_FREQUENCIES = 13


@dataclasses.dataclass(frozen=True)
class Layout:
    """Widths of the parts of the input, which lie side by side: position, segment, word.

    Raises:
        ValueError: The model is too narrow for them.
    """

    config: ModelConfig

    def __post_init__(self):
        config = self.config
        fits = self.word_width > 0 and self.position_width
        if self.projects_words_first:
            fits = fits and config.embedding_size + self.place_width <= config.hidden_size
        if not fits:
            raise ValueError(
                f"embedding_size {config.embedding_size} and hidden_size {config.hidden_size} with "
                f"{config.num_attention_heads} heads leave no room for word, position and segment "
                "vectors side by side; a warm start needs a wider model"
            )

    @property
    def projects_words_first(self) -> bool:
        """True where words are projected before positions are added, as brightmart does."""
        return self.config.variant.project_words_first

    @property
    def head_size(self) -> int:
        return self.config.head_size

    @property
    def position_width(self) -> int:
        """Features of a position: a sine and a cosine for each frequency."""
        return 2 * min(_MOST_FREQUENCIES, self.head_size // 2)

    @property
    def place_width(self) -> int:
        """Features of a position, and one of its segment."""
        return self.position_width + 1

    @property
    def word_width(self) -> int:
        """Components of a word vector."""
        size = self.config.embedding_size
        return size if self.projects_words_first else size - self.place_width
