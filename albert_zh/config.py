"""ModelConfig: the sizes of one model, from the JSON file that comes with every ALBERT model."""

import dataclasses
import difflib
import enum
import json
from typing import Any

from albert_zh.util.json_objects import read_object
from albert_zh.variants import VARIANTS, Variant, find_variant


class NormOrder(enum.Enum):
    """Place of layer normalisation: after the residual sum, or at the input of each sublayer."""

    POST = "postln"
    PRE = "preln"


class Pooling(enum.Enum):
    """Vector that a classifier reads: the output of the pooler, or the mean of all tokens."""

    POOLED = "pooled"
    MEAN = "mean"


# Keys of published files that no published code reads.
UNUSED_KEYS = frozenset(
    {
        "directionality",
        "down_scale_factor",
        "gap_size",
        "layers_to_keep",
        "net_structure_type",
        "num_memory_blocks",
        "pooler_fc_size",
        "pooler_num_attention_heads",
        "pooler_num_fc_layers",
        "pooler_size_per_head",
        "pooler_type",
    }
)

# Keys of transformers' files whose values are fixed here.
_FIXED = {
    "model_type": "albert",
    "layer_norm_eps": 1e-12,
    "classifier_dropout_prob": 0.1,
    "position_embedding_type": "absolute",
    "is_decoder": False,
    "add_cross_attention": False,
    "tie_word_embeddings": True,
}
# Keys by which a file of transformers is known. It has many that say nothing about the model, such
# as `pad_token_id`, and more with each version.
_OF_TRANSFORMERS = frozenset({"model_type", "architectures", "transformers_version"})

ACTIVATIONS = ("linear", "relu", "gelu", "tanh", "swish")
# Other spellings. Ours is the tanh form of gelu, which the published code calls `gelu`.
_SPELLINGS = {
    "": "linear",
    "gelu_new": "gelu",
    "gelu_pytorch_tanh": "gelu",
    "gelu_fast": "gelu",
    "silu": "swish",
}


@dataclasses.dataclass(frozen=True)
class ModelConfig:
    """Sizes and switches of one ALBERT model, under the keys of the published JSON files."""

    vocab_size: int  # entries
    embedding_size: int  # E, width of the factorised word table
    hidden_size: int  # H, width of the encoder
    num_hidden_layers: int  # layers applied; fewer are stored, as layers share weights
    num_attention_heads: int
    intermediate_size: int  # I, inner width of the feed-forward network
    lineage: str  # key of `variants.VARIANTS`: the published code whose form the model has
    norm_order: NormOrder = NormOrder.POST  # key ln_type, which only brightmart files have
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.0
    attention_probs_dropout_prob: float = 0.0
    max_position_embeddings: int = 512  # tokens
    type_vocab_size: int = 2  # segments
    initializer_range: float = 0.02  # stddev of the truncated normal
    num_hidden_groups: int = 1  # distinct parameter sets along the depth
    inner_group_num: int = 1  # blocks inside one group
    maps_embeddings: bool = False  # even where E = H, as models of transformers do

    def __post_init__(self):
        for name, value in dataclasses.asdict(self).items():
            if type(value) is int and value < 1:
                raise ValueError(f"{name} is {value}; it must be at least 1")
        if self.hidden_size % self.num_attention_heads:
            raise ValueError(
                f"hidden_size {self.hidden_size} is not a multiple of "
                f"num_attention_heads {self.num_attention_heads}"
            )
        if self.hidden_act not in ACTIVATIONS:
            raise ValueError(f"hidden_act {self.hidden_act!r} is none of {', '.join(ACTIVATIONS)}")
        self._check_ranges()
        self._check_lineage()

    def _check_ranges(self) -> None:
        for name in ("hidden_dropout_prob", "attention_probs_dropout_prob"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be in [0, 1)")
        if not self.initializer_range > 0.0:
            raise ValueError(f"initializer_range is {self.initializer_range}; it must be positive")

    def _check_lineage(self) -> None:
        """Raise ValueError for settings that the lineage's published code does not support."""
        variant = self.variant
        if self.norm_order is NormOrder.PRE and not variant.has_norm_order:
            raise ValueError(f"ln_type is preln, but {self.lineage} models are post-LN")
        for name in ("num_hidden_groups", "inner_group_num"):
            if getattr(self, name) > 1 and not variant.has_groups:
                raise ValueError(
                    f"{name} is {getattr(self, name)}, but {self.lineage} models have one group; "
                    f"leave out {variant.json_key or 'lineage'} for a google model"
                )
        if self.maps_embeddings and variant.project_words_first:
            raise ValueError(f"maps_embeddings is true, but {self.lineage} models map words")
        for name in ("hidden_size", "intermediate_size"):
            if getattr(self, name) % variant.feed_forward_groups:
                raise ValueError(
                    f"{name} {getattr(self, name)} is not a multiple of the "
                    f"{variant.feed_forward_groups} feed-forward groups of {self.lineage}"
                )

    @property
    def variant(self) -> Variant:
        """The row of the lineage."""
        return find_variant(self.lineage)

    @property
    def head_size(self) -> int:
        """Width of one attention head; not always a power of two: 26 in tiny."""
        return self.hidden_size // self.num_attention_heads

    @property
    def has_embedding_mapping(self) -> bool:
        """True if the normalised embeddings `[E]` are mapped to the hidden size `[H]`."""
        needs_one = self.maps_embeddings or self.embedding_size != self.hidden_size
        return needs_one and not self.variant.project_words_first

    def check_length(self, max_seq_length: int, *, source: str) -> None:
        """Raise ValueError if the model, configured in `source`, has too few positions."""
        if max_seq_length > self.max_position_embeddings:
            raise ValueError(
                f"max_seq_length {max_seq_length} exceeds max_position_embeddings "
                f"{self.max_position_embeddings} in {source}; lower --max_seq_length or choose "
                "another configuration"
            )

    def check_vocabulary_size(self, size: int, *, source: str) -> None:
        """Raise ValueError unless the model has one row per entry of the vocabulary in `source`."""
        if size != self.vocab_size:
            raise ValueError(
                f"{source} has {size:,} entries, the model's configuration says vocab_size "
                f"{self.vocab_size:,}; use the vocabulary and the configuration of one model"
            )

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "ModelConfig":
        """Read the keys of a published configuration.

        The key `lineage` names the lineage. Without it, a key that only one lineage has decides:
        `ln_type` is brightmart's, `num_hidden_groups` is google's. A published google_fast file
        looks like a google file, so it needs the key `lineage`.

        Files of transformers are read as well. Where a value is one that this model cannot have,
        that is an error; their further keys are left out.

        Raises:
            ValueError: A key is unknown, missing, of the wrong type, or out of range.
        """
        values = _without_transformers(values)
        values = {key: value for key, value in values.items() if key not in UNUSED_KEYS}
        _check_keys(values)
        lineage = _find_lineage(values)
        values.pop("lineage", None)
        if "ln_type" in values:
            # The published code reads null as post-LN, and any unknown word as pre-LN.
            ln_type = values.pop("ln_type")
            ln_type = "postln" if ln_type is None else ln_type
            values["norm_order"] = _choice(NormOrder, "ln_type", ln_type)
        if "hidden_act" in values:
            values["hidden_act"] = _spelled(values["hidden_act"])
        return cls(lineage=lineage, **{key: _convert(key, value) for key, value in values.items()})

    @classmethod
    def from_json_file(cls, path: str) -> "ModelConfig":
        """Read a configuration file.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: It is not a JSON object, has a key twice, or `from_dict` rejects it. The
                message names the file.
        """
        values = read_object(path)
        try:
            return cls.from_dict(values)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None

    def to_dict(self) -> dict[str, Any]:
        """The configuration as JSON values; `from_dict` gives the same object back."""
        values = dataclasses.asdict(self)
        norm_order = values.pop("norm_order")
        if self.variant.has_norm_order:
            values["ln_type"] = norm_order.value
        if not self.variant.has_groups:
            for key in ("num_hidden_groups", "inner_group_num"):
                del values[key]
        if not self.maps_embeddings:  # No published file has the key.
            del values["maps_embeddings"]
        return values


def _without_transformers(values: dict[str, Any]) -> dict[str, Any]:
    """The values without keys that only files of transformers have, which are checked."""
    for key, fixed in _FIXED.items():
        if values.get(key) not in (None, fixed):
            raise ValueError(f"{key} is {values[key]!r}; models here have {fixed!r}")
    is_theirs = bool(_OF_TRANSFORMERS & values.keys())
    values = {key: value for key, value in values.items() if key not in _FIXED}
    if not is_theirs:
        return values
    # A key that is nearly one of ours is no further key, but a mistake.
    kept = _KEYS | UNUSED_KEYS | {"lineage"}
    return {
        key: value
        for key, value in values.items()
        if key in kept or difflib.get_close_matches(key, kept, n=1, cutoff=0.85)
    }


def _spelled(activation: Any) -> Any:
    """Our spelling of an activation, which the published code read in any case of letters."""
    name = activation.lower() if isinstance(activation, str) else activation or ""
    return _SPELLINGS.get(name, name) if isinstance(name, str) else name


def _choice(kind: type[enum.Enum], key: str, value: Any) -> enum.Enum:
    try:
        return kind(value)
    except ValueError:
        choices = ", ".join(member.value for member in kind)
        raise ValueError(f"{key} is {value!r}; choose one of {choices}") from None


def _find_lineage(values: dict[str, Any]) -> str:
    if "lineage" in values:
        return find_variant(values["lineage"]).name
    rows = [variant for variant in VARIANTS.values() if variant.json_key]
    for variant in rows:
        if variant.json_key in values:
            return variant.name
    keys = " nor ".join(f"{variant.json_key} ({variant.name})" for variant in rows)
    remedies = " or ".join(
        f'"{variant.json_key}": {json.dumps(variant.json_value)}' for variant in rows
    )
    raise ValueError(
        f"neither {keys} is given, so this is not an ALBERT configuration; add {remedies}"
    )


_FIELDS = {field.name: field for field in dataclasses.fields(ModelConfig)}
_KEYS = _FIELDS.keys() - {"norm_order"} | {"ln_type"}
_REQUIRED = [
    name
    for name, field in _FIELDS.items()
    if field.default is dataclasses.MISSING and name != "lineage"
]


def _check_keys(values: dict[str, Any]) -> None:
    unknown = sorted(set(values) - _KEYS)
    if unknown:
        raise ValueError(f"unknown keys {', '.join(unknown)}; known are {', '.join(sorted(_KEYS))}")
    missing = [name for name in _REQUIRED if name not in values]
    if missing:
        raise ValueError(f"missing keys {', '.join(missing)}")


def _convert(key: str, value: Any) -> Any:
    kind = _FIELDS[key].type
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ValueError(f"{key} is {value!r}; expected a value of type {kind.__name__}")
    return value
