"""The service: models over HTTP, with a page to try them. `endpoints` has the forms of requests."""

import asyncio
import contextlib
import pathlib
import re
import time
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Annotated, Any

import fastapi
import pydantic
from absl import logging
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, Response

from albert_zh import __version__
from albert_zh.inference.predictor import Predictor
from albert_zh.serving.batcher import Batcher, QueueIsFull
from albert_zh.serving.endpoints import ENDPOINTS, Endpoint
from albert_zh.serving.limits import App, Limits
from albert_zh.serving.measures import Measures
from albert_zh.serving.service_options import ServiceOptions

_PAGE = pathlib.Path(__file__).parent / "page"
_FILES = {
    "": "text/html",
    "page.js": "text/javascript",
    "page.css": "text/css",
    "icon.svg": "image/svg+xml",
}
_LONG = 64  # texts of the queue whose place an answer of many computations takes
_SURROGATES = re.compile("[\ud800-\udfff]")
_REFUSALS = {
    400: "The body is no JSON.",
    401: "The token is missing or wrong.",
    404: "There is no such model, or it cannot do this.",
    408: "The body did not arrive in time.",
    413: "The request, or one of its texts, is too long, or there are too many.",
    415: "The body is not declared as JSON.",
    422: "The request has another form, or the model cannot answer a text.",
    503: "Too many requests are waiting, or too many connections are open.",
    504: "The answer took too long.",
}


class Answer(pydantic.BaseModel):
    """The outputs of a model."""

    model: str
    outputs: list[Any]  # one for each input; of `rank`, the likeliest first


class Refusal(pydantic.BaseModel):
    """The reason for which there is no answer."""

    detail: str | list[dict[str, Any]]


class Service:
    """Models, and what computes their answers."""

    def __init__(self, models: Mapping[str, Any], options: ServiceOptions):
        self.models, self.options = models, options
        self.endpoints = {  # names of what each can be asked
            name: [each.name for each in ENDPOINTS if each.fits(model)]
            for name, model in models.items()
        }
        self.measures = Measures(lambda: self.waiting)
        self._batcher = Batcher(
            self._compute,
            threads=options.threads,
            largest_batch=options.largest_batch,
            longest_wait=options.longest_wait_ms / 1000,
            queue_size=options.queue_size,
            on_batch=self.measures.count_batch,
        )
        # Answers of many computations, one after the other, leave cores to the short ones.
        self._long_batcher = Batcher(
            self._compute,
            threads=1,
            largest_batch=1,
            queue_size=max(1, options.queue_size // _LONG),
            on_batch=self.measures.count_batch,
        )

    @property
    def waiting(self) -> int:
        """Texts that wait."""
        return self._batcher.waiting + self._long_batcher.waiting

    @property
    def is_full(self) -> bool:
        """True if there is no place for another text."""
        return self._batcher.waiting >= self.options.queue_size

    def close(self) -> None:
        """Answer what waits, and end the threads."""
        self._batcher.close()
        self._long_batcher.close()

    def _compute(self, key: Hashable, inputs: Sequence[Any]) -> Sequence[Any]:
        name, endpoint, settings = key
        return endpoint.compute(self.models[name], settings, inputs)

    async def answer(self, name: str, endpoint: Endpoint, request: Any) -> list[Any]:
        """The outputs for a request.

        Raises:
            HTTPException: There are none; says why.
        """
        if name not in self.models:
            known = ", ".join(self.models)
            raise fastapi.HTTPException(404, f"there is no model {name!r}; there are {known}")
        if endpoint.name not in self.endpoints[name]:
            known = ", ".join(self.endpoints[name])
            raise fastapi.HTTPException(404, f"the model {name!r} can be asked {known}")
        inputs = endpoint.inputs(request)
        self._check_texts(request, inputs)
        timeout, settings = self.options.timeout_seconds, endpoint.settings(request)
        if endpoint.is_long:
            settings = (settings, time.monotonic() + timeout)
        batcher = self._long_batcher if endpoint.is_long else self._batcher
        try:
            future = batcher.submit((name, endpoint, settings), inputs)
        except QueueIsFull:
            headers = {"Retry-After": "1"}
            raise fastapi.HTTPException(
                503, "too many requests are waiting; ask again later", headers
            ) from None
        try:
            outputs = await asyncio.wait_for(asyncio.wrap_future(future), timeout)
        except (asyncio.TimeoutError, TimeoutError):
            raise fastapi.HTTPException(504, f"there is no answer after {timeout:g} s") from None
        except ValueError as error:
            raise fastapi.HTTPException(422, str(error)) from None
        return list(endpoint.finish(request, outputs))

    def _check_texts(self, request: pydantic.BaseModel, inputs: Sequence[Any]) -> None:
        if len(inputs) > self.options.max_texts:
            raise fastapi.HTTPException(
                413, f"{len(inputs):,} inputs; a request has {self.options.max_texts:,} at most"
            )
        texts = list(_texts(list(request.__dict__.values())))
        if any(_SURROGATES.search(text) for text in texts):
            raise fastapi.HTTPException(
                422, "a text has half a surrogate pair, which is no Unicode"
            )
        longest = max(map(len, texts), default=0)
        if longest > self.options.max_text_length:
            raise fastapi.HTTPException(
                413,
                f"a text has {longest:,} characters; {self.options.max_text_length:,} are allowed",
            )


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)


def make_app(models: Mapping[str, Any], options: ServiceOptions) -> App:
    """The application for an ASGI server, with its own threads.

    Args:
        models: Predictors by name.
        options: The limits.
    """
    service = Service(models, options)

    @contextlib.asynccontextmanager
    async def lifespan(_):
        yield
        service.close()

    app = fastapi.FastAPI(
        title="albert_zh", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None
    )
    app.add_exception_handler(RequestValidationError, _refuse)
    app.add_exception_handler(Exception, _fail)
    _add_models(app, service)
    _add_state(app, service)
    _add_page(app)
    paths = {route.path for route in app.routes if "{" not in route.path}
    paths |= {f"/v1/models/{name}/{each.name}" for name in models for each in ENDPOINTS}
    limited = Limits(
        app,
        max_body_bytes=options.max_body_bytes,
        timeout=options.timeout_seconds,
        token=options.token,
    )
    return service.measures.measured(limited, frozenset(paths))


def _add_models(app: fastapi.FastAPI, service: Service) -> None:
    refusals: dict = {
        status: {"description": text, "model": Refusal} for status, text in _REFUSALS.items()
    }

    @app.get("/v1/models", responses={401: refusals[401]})
    def list_models() -> dict[str, Any]:
        """The models, what each can be asked, and what computes it."""
        return {
            "models": [
                {"name": name, "endpoints": service.endpoints[name], **_facts(model)}
                for name, model in service.models.items()
            ]
        }

    def add(endpoint: Endpoint) -> None:
        fitting = [name for name in service.models if endpoint.name in service.endpoints[name]]
        # Only described: for another name, the answer lists them.
        known = fastapi.Path(json_schema_extra={"enum": fitting} if fitting else None)

        async def ask(model: Annotated[str, known], request: endpoint.request) -> JSONResponse:
            outputs = await service.answer(model, endpoint, request)
            return JSONResponse({"model": model, "outputs": outputs})

        app.post(
            f"/v1/models/{{model}}/{endpoint.name}",
            name=endpoint.name,
            summary=endpoint.request.__doc__,
            response_model=Answer,
            responses=refusals,
        )(ask)

    for each in ENDPOINTS:
        add(each)


def _facts(model: Any) -> dict[str, Any]:
    facts = {"runtime": model.runtime, "kind": None, "texts": None}
    if isinstance(model, Predictor):
        facts |= {"kind": model.kind.name, "texts": model.num_texts}
    return facts


def _add_state(app: fastapi.FastAPI, service: Service) -> None:
    @app.get("/health/live")
    def live() -> dict[str, str]:
        """Tell that the process answers."""
        return {"status": "live"}

    @app.get("/health/ready", responses={503: {"description": "Too many requests wait."}})
    def ready() -> JSONResponse:
        """Tell whether it takes requests."""
        is_full = service.is_full
        return JSONResponse({"status": "full" if is_full else "ready"}, 503 if is_full else 200)

    @app.get("/metrics", response_class=Response)
    def metrics() -> Response:
        """Numbers for Prometheus."""
        return Response(service.measures.text(), media_type="text/plain; version=0.0.4")


def _add_page(app: fastapi.FastAPI) -> None:
    def add(name: str, kind: str) -> None:
        methods = ["GET", "HEAD"]

        @app.api_route(f"/{name}", methods=methods, include_in_schema=False, name=name or "page")
        def page() -> FileResponse:
            policy = {"Content-Security-Policy": "default-src 'self'"}
            return FileResponse(_PAGE / (name or "index.html"), media_type=kind, headers=policy)

    for name, kind in _FILES.items():
        add(name, kind)


async def _refuse(_, error: RequestValidationError) -> JSONResponse:
    """Say what is wrong and where, without the text itself, which may be long or no Unicode."""
    found = [{name: each[name] for name in ("loc", "msg", "type")} for each in error.errors()]
    return JSONResponse({"detail": found[:10]}, 422)


async def _fail(_, error: Exception) -> JSONResponse:
    logging.error("a request failed", exc_info=error)
    return JSONResponse({"detail": "the service failed; its log says why"}, 500)
