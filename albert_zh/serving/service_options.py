"""Flags of the service."""

import dataclasses
import os
from typing import Any

from absl import logging

from albert_zh.export.any_model import load
from albert_zh.export.reading import is_export
from albert_zh.flags import REQUIRED, option
from albert_zh.inference.predictors import ENCODER
from albert_zh.util.process_pool import available_cores
from albert_zh.util.tensorflow_start import import_tensorflow

_TOKEN = "ALBERT_ZH_TOKEN"


@dataclasses.dataclass(frozen=True)
class ServiceOptions:
    """The models, where they are served, and the limits of a request."""

    models: str = option(
        REQUIRED,
        "Comma-separated models, each a path or NAME=PATH: the output directory of a training, a "
        "checkpoint, or the folder of an export, which answers fastest. Default name: the last "
        "part of the path.",
        alias="model",
    )
    encoders: str | None = option(
        None, "Models that give vectors of texts, in the same form as --models."
    )
    format: str | None = option(
        None,
        "Of exports with several formats, the one to use. Default: the fastest that runs.",
    )
    host: str = option("127.0.0.1", "Address to listen on; 0.0.0.0 lets other machines ask, too.")
    port: int = option(8000, "Port to listen on.", at_least=0, at_most=65535)
    largest_batch: int = option(16, "Texts computed together at most.", at_least=1)
    longest_wait_ms: float = option(
        1.0, "Milliseconds that a request waits for others to be computed with it.", at_least=0
    )
    queue_size: int = option(
        1024, "Texts that may wait; a request above is answered with 503.", at_least=1
    )
    max_texts: int = option(256, "Texts of a request at most.", at_least=1)
    max_text_length: int = option(10_000, "Characters of a text at most.", at_least=1)
    max_body_bytes: int = option(2**20, "Bytes of a request at most.", at_least=1)
    timeout_seconds: float = option(
        30.0, "Seconds that a request may take to arrive, and then to be answered.", above=0
    )
    max_connections: int = option(
        512, "Connections at a time; those above are answered with 503.", at_least=1
    )

    def __post_init__(self):
        names = [name for name, _ in self.named_models()]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(
                    f"two models are called {name!r}; name them: --models=a=FOLDER,b=FOLDER"
                )

    @property
    def token(self) -> str | None:
        """Secret that clients show; of the environment, as anybody may read a command line."""
        return os.environ.get(_TOKEN) or None

    def named_models(self) -> list[tuple[str, str]]:
        """Names and paths of all models, the encoders last."""
        return _named(self.models) + _named(self.encoders)

    def load_models(self) -> dict[str, Any]:
        """Predictors by name.

        Raises:
            ValueError: One of them cannot be read; names it.
            FileNotFoundError: One of them is not there, or a part of it.
        """
        if not all(is_export(path) for _, path in self.named_models()):
            import_tensorflow()
        found = {}
        encoders = {name for name, _ in _named(self.encoders)}
        for name, path in self.named_models():
            settings: dict[str, Any] = {"use": ENCODER} if name in encoders else {}
            if is_export(path):
                # Threads answer requests side by side, which is better than to share one.
                settings |= {"threads": 1, "format_name": self.format}
            found[name] = load(path, **settings)
            logging.info("%s: %s, computed by %s", name, path, found[name].runtime)
        return found

    @property
    def threads(self) -> int:
        """Threads that compute."""
        return available_cores()


def _named(models: str | None) -> list[tuple[str, str]]:
    """
    >>> _named("out/lcqmc/,tiny=models/albert_tiny")
    [('lcqmc', 'out/lcqmc/'), ('tiny', 'models/albert_tiny')]
    """
    found = []
    for part in filter(None, (models or "").split(",")):
        name, sign, path = part.partition("=")
        path = path if sign else name
        name = name if sign else os.path.basename(os.path.abspath(path))
        if not path or not name or set(name) & set("/ "):
            raise ValueError(f"{part!r} is neither a path nor NAME=PATH")
        if name in (".", "..") or not name.isprintable():
            raise ValueError(f"a model cannot be called {name!r}; name it: NAME=PATH")
        found.append((name, path))
    return found
