"""Requests that a model answers over HTTP: a row for each form.

```
POST /v1/models/NAME/predict      {"inputs": ["...", ["...", "..."]]}     any fine-tuned model
                     similarity   {"inputs": [["...", "..."]]}            a classifier of pairs
                     explain      {"input": "..."}                        a classifier
                     rank         {"text": "...", "others": ["..."]}      a classifier of pairs
                     fill_mask    {"inputs": ["...[MASK]..."]}            a pretrained model
                     encode       {"inputs": ["..."]}                     an encoder
```
The answer is {"model": NAME, "outputs": [...]}, with an output for each input; those of `rank` are
in the order of their probability.
"""

import dataclasses
import time
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import pydantic

from albert_zh.inference.contributions import explain
from albert_zh.inference.fill_mask import FillMask
from albert_zh.inference.predictor import Predictor
from albert_zh.inference.predictors import Classifier
from albert_zh.inference.sentence_encoder import SentenceEncoder
from albert_zh.inference.similarity import Similarity

Text = str
Texts = list[str]


class _Request(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", hide_input_in_errors=True)


class PredictRequest(_Request):
    """Examples: a text each, or the texts of an example as a list, as the task has them."""

    inputs: list[Text | Texts] = pydantic.Field(
        min_length=1, examples=[[["我的手机丢了", "手机不见了怎么办"]]]
    )


class ExplainRequest(_Request):
    """One example: which parts of its texts speak for its label."""

    input: Text | Texts = pydantic.Field(examples=[["我的手机丢了", "手机不见了怎么办"]])
    max_parts: int = pydantic.Field(32, ge=1, le=64)  # of each text


class PairsRequest(_Request):
    """Pairs of texts."""

    inputs: list[tuple[Text, Text]] = pydantic.Field(
        min_length=1, examples=[[["我的手机丢了", "手机不见了怎么办"]]]
    )


class RankRequest(_Request):
    """A text, and others to compare with it."""

    text: Text = pydantic.Field(examples=["手机丢了怎么办"])
    others: Texts = pydantic.Field(min_length=1, examples=[["手机不见了", "今天很冷"]])
    top_k: int = pydantic.Field(10, ge=1)


class FillMaskRequest(_Request):
    """Texts with [MASK]s."""

    inputs: Texts = pydantic.Field(min_length=1, examples=[["今天天气很[MASK]。"]])
    top_k: int = pydantic.Field(5, ge=1, le=100)
    candidates: Texts | None = pydantic.Field(None, min_length=1, max_length=1000)
    words: bool = False  # words for rows of adjacent [MASK]s


class EncodeRequest(_Request):
    """Texts."""

    inputs: Texts = pydantic.Field(min_length=1, examples=[["我的手机丢了"]])
    normalize: bool = False


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """One form of request."""

    name: str  # last part of its address
    request: type[pydantic.BaseModel]
    fits: Callable[[Any], bool]  # a model
    compute: Callable[[Any, Hashable, Sequence[Any]], Sequence[Any]]  # model, settings, inputs
    # Of a request: what is computed, in batches.
    inputs: Callable[[Any], Sequence[Any]] = lambda request: request.inputs
    settings: Callable[[Any], Hashable] = lambda request: None  # for which inputs may share a batch
    # An answer takes many computations, so that it waits in a queue of its own; the settings for
    # `compute` are followed by the time by which it has to be there, as of `time.monotonic`.
    is_long: bool = False
    finish: Callable[[Any, Sequence[Any]], Sequence[Any]] = lambda request, outputs: outputs


def _is_similarity(model: Any) -> bool:
    if not isinstance(model, Predictor):
        return False
    try:
        Similarity.of(model)
    except ValueError:
        return False
    return True


def _predict(model: Predictor, _, inputs: Sequence[Any]) -> list[dict[str, Any]]:
    return model.rows(inputs)


def _explain(model: Predictor, settings: Any, inputs: Sequence[Any]) -> list[dict[str, Any]]:
    max_parts, deadline = settings
    (texts,) = inputs  # A request is computed alone.
    prediction, contributions = explain(
        model,
        [texts] if isinstance(texts, str) else texts,
        max_parts=max_parts,
        go_on=lambda: time.monotonic() < deadline,
    )
    parts = [part._asdict() for part in contributions]
    return [{"prediction": prediction.label, "contributions": parts}]


def _similarity(model: Predictor, _, inputs: Sequence[Any]) -> list[dict[str, Any]]:
    similarity = Similarity.of(model)
    return [
        {"probability": float(each), "similar": bool(each >= similarity.threshold)}
        for each in similarity.probabilities(inputs)
    ]


def _ranked(request: RankRequest, outputs: Sequence[Any]) -> list[dict[str, Any]]:
    rows = [
        {"place": place, "text": text, "probability": each["probability"]}
        for place, (text, each) in enumerate(zip(request.others, outputs, strict=True))
    ]
    return sorted(rows, key=lambda row: -row["probability"])[: request.top_k]


def _fill(model: FillMask, settings: Any, inputs: Sequence[str]) -> list[Any]:
    top_k, candidates, words = settings
    fill = model.fill_words if words else model.fill
    return [
        [[dataclasses.asdict(each) for each in best] for best in masks]
        for masks in fill(inputs, top_k=top_k, candidates=candidates)
    ]


def _encode(model: SentenceEncoder, normalize: Any, inputs: Sequence[str]) -> list[list[float]]:
    return model.encode(inputs, normalize=bool(normalize)).astype(float).tolist()


ENDPOINTS = (
    Endpoint(
        "predict",
        PredictRequest,
        fits=lambda model: isinstance(model, Predictor),
        compute=_predict,
        # Single texts and pairs are not mixed.
        settings=lambda request: tuple({isinstance(each, str) for each in request.inputs}),
    ),
    Endpoint(
        "explain",
        ExplainRequest,
        fits=lambda model: isinstance(model, Classifier),
        inputs=lambda request: [request.input],
        compute=_explain,
        settings=lambda request: request.max_parts,
        is_long=True,
    ),
    Endpoint(
        "similarity",
        PairsRequest,
        fits=_is_similarity,
        compute=_similarity,
    ),
    Endpoint(
        "rank",
        RankRequest,
        fits=_is_similarity,
        inputs=lambda request: [(request.text, other) for other in request.others],
        compute=_similarity,
        finish=_ranked,
    ),
    Endpoint(
        "fill_mask",
        FillMaskRequest,
        fits=lambda model: isinstance(model, FillMask),
        compute=_fill,
        settings=lambda request: (
            request.top_k,
            request.candidates and tuple(request.candidates),
            request.words,
        ),
    ),
    Endpoint(
        "encode",
        EncodeRequest,
        fits=lambda model: isinstance(model, SentenceEncoder),
        compute=_encode,
        settings=lambda request: request.normalize,
    ),
)
