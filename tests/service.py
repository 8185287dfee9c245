"""A service in a process of its own, and small models for it."""

import http.client
import json
import os
import signal
import socket
import time

from processes import PROCESSES
from test_exchange import small_config, write_model

from albert_zh.export.bundle import export_model
from albert_zh.export.source import load_source
from albert_zh.serving.server import serve
from albert_zh.serving.service_options import ServiceOptions

PAIRS = [("一丁", "丁"), ("七", "万丈三"), ("上", "下不")]
_MODELS = {
    "pairs": {"kind": "classification", "num_texts": 2, "labels": ("0", "1")},
    "tags": {"kind": "tagging"},
    "words": {},
    "passages": {"kind": "reading"},
    "choices": {"kind": "choice"},
}


def export_models(folder, names=tuple(_MODELS)) -> dict[str, str]:
    """Exports of small models with random weights, by name; `vectors` is an encoder."""
    made = {}
    for name in names:
        run = write_model(folder / f"{name}_run", small_config("google"), **_MODELS[name])
        made[name] = str(folder / name)
        export_model(load_source(run), export_dir=made[name], formats=["onnx"])
    encoder = load_source(str(folder / "words_run"), is_encoder=True)
    made["vectors"] = str(folder / "vectors")
    export_model(encoder, export_dir=made["vectors"], formats=["onnx"])
    return made


class Server:
    """A service in a process of its own."""

    def __init__(self, paths, **settings):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        models = ",".join(path for name, path in paths.items() if name != "vectors")
        options = ServiceOptions(
            models=models, encoders=f"vectors={paths['vectors']}", port=self.port, **settings
        )
        self.process = PROCESSES.Process(target=_serve, args=(options, os.environ.copy()))
        self.process.start()
        deadline = time.monotonic() + 120
        while self._is_silent():
            assert self.process.is_alive()
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def _is_silent(self) -> bool:
        try:
            return self.ask("GET", "/health/ready")[0] != 200
        except OSError:
            return True

    def ask(self, method, path, body=None, **headers) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def post(self, name, body, **headers) -> tuple[int, dict]:
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **headers}
        status, content = self.ask("POST", f"/v1/models/{name}", body, **headers)
        return status, json.loads(content)

    def outputs(self, name, **body) -> list:
        status, content = self.post(name, body)
        assert status == 200, content
        return content["outputs"]

    def stop(self) -> int:
        os.kill(self.process.pid, signal.SIGTERM)
        self.process.join(60)
        return self.process.exitcode


def _serve(options, environment) -> None:
    os.environ.update(environment)
    serve(options)
