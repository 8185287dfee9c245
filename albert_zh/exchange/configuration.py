"""The `config.json` of transformers: sizes of the model, and its task.

Its key `albert_zh` keeps what transformers has no place for, so that a model comes back as it went.
"""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Any

from albert_zh.checkpoint.meta import TaskMeta
from albert_zh.config import ModelConfig, Pooling
from albert_zh.exchange.architectures import Architecture
from albert_zh.text.vocab import Vocab

# As "gelu", transformers computes another form, and logits differ by 1e-3.
_ACTIVATIONS = {"gelu": "gelu_pytorch_tanh", "swish": "silu"}
_EXACT_GELU = "gelu"
_SIZES = (
    "vocab_size",
    "embedding_size",
    "hidden_size",
    "num_hidden_layers",
    "num_hidden_groups",
    "inner_group_num",
    "num_attention_heads",
    "intermediate_size",
    "hidden_dropout_prob",
    "attention_probs_dropout_prob",
    "max_position_embeddings",
    "type_vocab_size",
    "initializer_range",
)
_OURS = "albert_zh"
_OUTSIDE = "O"
_CHOICES = 4  # of most tasks; the model itself has no number of them
_TAG = re.compile(r"([BI])-(.*)", re.DOTALL)


def to_config_json(
    config: ModelConfig, architecture: Architecture, task: TaskMeta | None, vocab: Vocab
) -> dict[str, Any]:
    """Content of the file.

    Args:
        config: Of the model, in google's form.
        architecture: Class of the model.
        task: Of a fine-tuned model.
        vocab: Its vocabulary.
    """
    values: dict[str, Any] = {
        "architectures": [architecture.name],
        "model_type": "albert",
        **{key: getattr(config, key) for key in _SIZES},
        "hidden_act": _ACTIVATIONS.get(config.hidden_act, config.hidden_act),
        "layer_norm_eps": 1e-12,
        "classifier_dropout_prob": 0.1,
        "pad_token_id": vocab.pad_id,
        "bos_token_id": vocab.cls_id,
        "eos_token_id": vocab.sep_id,
        "tie_word_embeddings": True,
        "dtype": "float32",
    }
    if task is not None:
        values |= _task_values(task)
        values[_OURS] = {"task": task.to_json()}
    return values


def _task_values(task: TaskMeta) -> dict[str, Any]:
    if task.kind == "regression":
        return {"problem_type": "regression", **_label_tables(["value"])}
    if task.kind == "classification":
        return {"problem_type": "single_label_classification", **_label_tables(task.labels)}
    return _label_tables(tag_names(task.labels)) if task.kind == "tagging" else {}


def _label_tables(labels: Sequence[str]) -> dict[str, Any]:
    return {
        "id2label": {str(number): label for number, label in enumerate(labels)},
        "label2id": {label: number for number, label in enumerate(labels)},
    }


def tag_names(labels: Sequence[str]) -> list[str]:
    """Names of the tags of a tagging model, in the order of their ids.

    >>> tag_names(["PER"])
    ['O', 'B-PER', 'I-PER']
    """
    return [_OUTSIDE, *(f"{place}-{label}" for label in labels for place in "BI")]


def model_config(values: Mapping[str, Any]) -> ModelConfig:
    """The model that a `config.json` describes, in google's form.

    Raises:
        ValueError: It is no ALBERT, or one that has no counterpart here.
    """
    if values.get("model_type") != "albert":
        raise ValueError(f"its model_type is {values.get('model_type')!r}; only albert is known")
    if values.get("hidden_act") == _EXACT_GELU:
        raise ValueError(
            'its hidden_act is "gelu", the exact form of gelu; models here have the tanh form, '
            'which transformers calls "gelu_new" or "gelu_pytorch_tanh"'
        )
    known = {key: values[key] for key in (*_SIZES, "hidden_act") if key in values}
    fixed = {key: value for key, value in values.items() if key not in known and key != _OURS}
    # transformers leaves out what has its own default.
    defaults = {"num_hidden_groups": 1, "inner_group_num": 1, "hidden_act": "gelu_new"}
    return ModelConfig.from_dict({**defaults, **fixed, **known})


def task_meta(
    values: Mapping[str, Any], architecture: Architecture, *, classes: int, do_lower_case: bool
) -> tuple[TaskMeta, list[int]]:
    """The task of a fine-tuned model, and for each of our classes the row of its head.

    Args:
        values: The `config.json`.
        architecture: Class of the model.
        classes: Rows of its head.
        do_lower_case: Whether its tokenizer lower-cases.

    Raises:
        ValueError: The labels are as many as the rows of the head in no way, or are no BIO tags.
    """
    kind = architecture.kinds[0]
    labels = _labels(values, classes)
    rows = list(range(classes))
    if kind == "classification" and (values.get("problem_type") == "regression" or classes == 1):
        kind, labels = "regression", []
    elif values.get("problem_type") == "multi_label_classification":
        raise ValueError(
            "it may give a text several labels at once, which no kind of task here can"
        )
    elif kind == "tagging":
        labels, rows = _entity_types(labels)
    elif kind == "choice":
        labels = [str(number) for number in range(_CHOICES)]
    elif kind == "reading":
        labels = []
    task = TaskMeta(
        name=None,
        labels=tuple(labels),
        max_seq_length=None,
        pooling=Pooling.POOLED,
        do_lower_case=do_lower_case,
        kind=kind,
    )
    return _with_own_note(task, values), rows


def _with_own_note(task: TaskMeta, values: Mapping[str, Any]) -> TaskMeta:
    """The task that we noted, if training in transformers has not changed it."""
    try:
        noted = TaskMeta.from_json(values[_OURS]["task"])
    except (KeyError, TypeError, ValueError):
        return task
    if noted.kind != task.kind:
        return task
    labels = noted.labels
    if task.kind in ("classification", "tagging") and noted.labels != task.labels:
        labels = task.labels  # They were renamed there.
    return dataclasses.replace(noted, labels=labels, do_lower_case=task.do_lower_case)


def _labels(values: Mapping[str, Any], classes: int) -> list[str]:
    table = values.get("id2label") or {str(number): str(number) for number in range(classes)}
    try:
        labels = {int(number): str(label) for number, label in table.items()}
    except (AttributeError, ValueError):
        raise ValueError(f"its id2label is {table!r}; expected a number for each label") from None
    if sorted(labels) != list(range(classes)) or len(set(labels.values())) != classes:
        raise ValueError(
            f"its id2label names {', '.join(labels.values())}; the head has {classes} classes, and "
            "each needs a name of its own"
        )
    return [labels[number] for number in range(classes)]


def _entity_types(tags: Sequence[str]) -> tuple[list[str], list[int]]:
    """Types of entities in their first order, and the place of each of our tags in the list."""
    types = list(dict.fromkeys(match[2] for match in map(_TAG.fullmatch, tags) if match))
    ours = tag_names(types)
    if sorted(ours) != sorted(tags):
        raise ValueError(
            f"its labels {', '.join(tags)} are not O, B-TYPE and I-TYPE for each type of entity"
        )
    return types, [tags.index(tag) for tag in ours]
