"""The service: answers, refusals, many clients, its end. Its page is in `test_page`."""

import concurrent.futures
import http.client
import json
import re
import socket
import sys
import time

import numpy as np
import pytest
from service import PAIRS, Server, export_models

import albert_zh
from albert_zh.inference.similarity import Similarity
from albert_zh.serving.server import serve
from albert_zh.serving.service_options import ServiceOptions


@pytest.fixture(scope="module")
def paths(tmp_path_factory) -> dict[str, str]:
    return export_models(tmp_path_factory.mktemp("service"), ("pairs", "tags", "words"))


@pytest.fixture(scope="module")
def server(paths):
    server = Server(paths, max_texts=8, max_text_length=100, max_body_bytes=4000)
    yield server
    assert server.stop() == 0


def test_answers_are_those_of_the_predictors(server, paths):
    pairs, words = albert_zh.load(paths["pairs"]), albert_zh.load(paths["words"])
    assert server.outputs("pairs/predict", inputs=PAIRS) == pairs.rows(PAIRS)
    (found,) = server.outputs("pairs/explain", input=PAIRS[0])
    explained = pairs.explain(*PAIRS[0])
    assert found["prediction"] == explained.prediction.label
    for part, expected in zip(found["contributions"], explained.contributions, strict=True):
        assert part == pytest.approx(expected._asdict(), abs=1e-6)
    similarity = Similarity.of(pairs)
    found = server.outputs("pairs/similarity", inputs=PAIRS)
    expected = similarity.probabilities(PAIRS)
    np.testing.assert_allclose([each["probability"] for each in found], expected, atol=1e-6)
    assert [each["similar"] for each in found] == [bool(each >= 0.5) for each in expected]
    ranked = server.outputs("pairs/rank", text="一", others=["丁", "七", "万"], top_k=2)
    wanted = similarity.rank("一", ["丁", "七", "万"], top_k=2)
    assert [(each["place"], each["text"]) for each in ranked] == [each[:2] for each in wanted]
    tags = albert_zh.load(paths["tags"])
    assert server.outputs("tags/predict", inputs=["一丁七"]) == tags.rows(["一丁七"])
    for settings in ({"top_k": 2}, {"candidates": ["丁", "七"]}, {"words": True}):
        fill = words.fill_words if settings.pop("words", False) else words.fill
        asked = {**settings, "words": fill == words.fill_words}
        (found,) = server.outputs("words/fill_mask", inputs=["一[MASK]丁"], **asked)
        (expected,) = fill(["一[MASK]丁"], **settings)
        for one, other in zip(found, expected, strict=True):
            assert [each["token"] for each in one] == [each.token for each in other]
    encoder = albert_zh.load(paths["vectors"], use="encoder")
    found = server.outputs("vectors/encode", inputs=["一", "丁七"], normalize=True)
    np.testing.assert_allclose(found, encoder.encode(["一", "丁七"], normalize=True), atol=1e-6)


@pytest.mark.parametrize(
    ("name", "body", "status", "message"),
    [
        ("nobody/predict", {"inputs": ["一"]}, 404, "there is no model 'nobody'; there are pairs"),
        ("words/predict", {"inputs": ["一"]}, 404, "'words' can be asked fill_mask"),
        ("words/nothing", {"inputs": ["一"]}, 404, "Not Found"),
        ("words/fill_mask", {"inputs": ["一"]}, 422, "there is no [MASK] to fill in"),
        ("words/fill_mask", {"inputs": ["一" * 90 + "[MASK]"]}, 422, "tokens, the model reads"),
        ("words/fill_mask", {"inputs": ["[MASK]"], "top_k": 0}, 422, "greater than or equal to 1"),
        ("words/fill_mask", {"inputs": ["[MASK]"], "topk": 1}, 422, "Extra inputs"),
        ("words/fill_mask", {"inputs": ["[MASK]"], "candidates": ["一丁"]}, 422, "not one entry"),
        ("pairs/predict", {"inputs": ["一"]}, 422, "trained on pairs of texts"),
        ("pairs/predict", {"inputs": [["一", "丁"], "七"]}, 422, "some of the texts are single"),
        ("pairs/predict", {"inputs": []}, 422, "at least 1 item"),
        ("pairs/predict", {"inputs": [3]}, 422, "should be a valid"),
        ("pairs/predict", {}, 422, "Field required"),
        ("pairs/explain", {"input": []}, 422, "neither a text nor a pair"),
        ("pairs/explain", {"input": "一"}, 422, "trained on pairs of texts"),
        ("tags/explain", {"input": "一"}, 404, "'tags' can be asked predict"),
        ("pairs/similarity", {"inputs": [["一"]]}, 422, "Field required"),
        ("pairs/similarity", {"inputs": [["一", "丁"]] * 9}, 413, "9 inputs; a request has 8"),
        ("words/fill_mask", {"inputs": ["一" * 101]}, 413, "101 characters; 100 are allowed"),
        ("words/fill_mask", {"inputs": ["一" * 1000]}, 413, "4,000 bytes at most"),
        ("words/fill_mask", b'{"inputs": ["\\ud800[MASK]"]}', 422, "no Unicode"),
        ("words/fill_mask", b'{"inputs": ["', 422, "JSON decode error"),
        ("words/fill_mask", b'{"inputs": ["\xff"]}', 400, "parsing the body"),
        ("words/fill_mask", b"[" * 3999, 400, "parsing the body"),
        ("words/fill_mask", b"", 422, "Field required"),
    ],
)
def test_bad_request_is_answered_by_its_mistake(server, name, body, status, message):
    found, content = server.post(name, body)
    assert (found, message in json.dumps(content)) == (status, True), content
    assert server.outputs("words/fill_mask", inputs=["一[MASK]"])


@pytest.mark.parametrize("text", ["", " \t\n", "\x00\x01\x7f", "\u202e\ufeff", "😀" * 50])
def test_odd_texts_have_answers(server, text):
    assert server.outputs("tags/predict", inputs=[text])[0]["prediction"] is not None
    assert len(server.outputs("vectors/encode", inputs=[text])) == 1
    assert server.outputs("pairs/similarity", inputs=[[text, text]])


def test_other_content_types_methods_and_paths_are_refused(server):
    body = b'{"inputs": ["[MASK]"]}'
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        status, content = server.post("words/fill_mask", body, **{"Content-Type": kind})
        assert status == 415, content
    kind = "application/json; charset=utf-8"
    assert server.post("words/fill_mask", body, **{"Content-Type": kind})[0] == 200
    assert server.ask("GET", "/v1/models/words/fill_mask")[0] == 405
    assert server.ask("GET", "/page/../../etc/passwd")[0] == 404
    assert server.ask("HEAD", "/") == (200, b"")


def test_many_clients_get_their_own_answers(server, paths):
    words = albert_zh.load(paths["words"])
    characters = "一丁七万丈三上下不"
    texts = [f"{one}[MASK]{other}" for one in characters for other in characters]
    expected = [masks[0][0].token for masks in words.fill(texts)]

    def ask(text):
        return server.outputs("words/fill_mask", inputs=[text])[0][0][0]["token"]

    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        assert list(pool.map(ask, texts)) == expected


def test_state_and_description(server):
    assert server.ask("GET", "/health/live") == (200, b'{"status":"live"}')
    status, content = server.ask("GET", "/v1/models")
    models = {row["name"]: row for row in json.loads(content)["models"]}
    assert models["pairs"]["endpoints"] == ["predict", "explain", "similarity", "rank"]
    assert (models["pairs"]["kind"], models["pairs"]["texts"]) == ("classification", 2)
    assert (models["vectors"]["endpoints"], models["vectors"]["kind"]) == (["encode"], None)
    assert all(row["runtime"].startswith("ONNX") for row in models.values())
    description = json.loads(server.ask("GET", "/openapi.json")[1])
    for path, methods in description["paths"].items():
        if path.startswith("/v1/models/"):
            known = set(methods["post"]["responses"])
            assert {"200", "401", "404", "408", "413", "415", "422", "503", "504"} <= known
    (name,) = description["paths"]["/v1/models/{model}/predict"]["post"]["parameters"]
    assert name["schema"]["enum"] == ["pairs", "tags"]
    server.post("words/fill_mask", {"inputs": ["一[MASK]"]})
    status, content = server.ask("GET", "/metrics")
    row = r'albert_zh_requests_total\{path="/v1/models/words/fill_mask",status="200"\} [1-9]'
    assert (status, bool(re.search(row, content.decode()))) == (200, True)
    assert b"nobody" not in content  # A client cannot make up rows.


def test_explanations_neither_wait_for_each_other_in_batches_nor_hold_up_others(paths):
    server = Server(paths, timeout_seconds=5)
    long = "一丁七万丈三上下不" * 3

    def explain(_):
        return server.post("pairs/explain", {"input": [long, long], "max_parts": 64})

    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        asked = [pool.submit(explain, number) for number in range(24)]
        for _ in range(20):
            assert server.outputs("pairs/predict", inputs=PAIRS)
        answers = [future.result() for future in asked]
    refusals = {status: content["detail"] for status, content in answers if status != 200}
    assert refusals.keys() <= {503, 504}, refusals  # They are honest on a slow machine.
    answered = [content["outputs"][0] for status, content in answers if status == 200]
    assert answered
    for each in answered:
        assert each["contributions"] == answered[0]["contributions"]
    assert server.stop() == 0


def test_explanation_that_takes_too_long_ends(paths):
    server = Server(paths, timeout_seconds=0.001)
    status, content = server.post("pairs/explain", {"input": PAIRS[0]})
    assert (status, "no answer after" in content["detail"]) == (504, True)
    assert server.stop() == 0


def test_connections_above_the_limit_are_refused_as_everything_is(paths):
    server = Server(paths, max_connections=2)
    opened = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(2)]
    status, content = server.ask("GET", "/health/live")
    assert status == 503
    assert json.loads(content) == {"detail": "too many connections are open; ask again later"}
    for each in opened:
        each.close()
    deadline = time.monotonic() + 30
    while server.ask("GET", "/health/live")[0] != 200:
        assert time.monotonic() < deadline
    assert server.stop() == 0


def test_silent_connections_are_closed(paths):
    server = Server(paths, timeout_seconds=0.5, max_connections=4)
    silent = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(6)]
    half = b"POST /v1/models/words/fill_mask HTTP/1.1\r\nHo"
    for each in silent[::2]:
        each.sendall(half)
    for each in silent:
        each.settimeout(30)
        assert b"200" not in each.recv(1000)  # closed, or told that there are too many
        each.close()
    assert server.outputs("words/fill_mask", inputs=["一[MASK]"])
    with socket.create_connection(("127.0.0.1", server.port)) as used:
        used.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = b""
        while not answer.endswith(b"}"):
            answer += used.recv(1000)
        assert b" 200 " in answer
        used.sendall(half)  # on a connection that answered once
        used.settimeout(30)
        assert used.recv(1000) == b""
    assert server.stop() == 0


def test_token_guards_the_models_alone(paths, monkeypatch):
    monkeypatch.setenv("ALBERT_ZH_TOKEN", "secret")
    server = Server(paths)
    body = {"inputs": ["一[MASK]"]}
    assert server.post("words/fill_mask", body)[0] == 401
    assert server.post("words/fill_mask", body, Authorization="Bearer other")[0] == 401
    assert server.post("words/fill_mask", body, Authorization="Bearer secret")[0] == 200
    assert server.ask("GET", "/v1/models")[0] == 401
    assert server.ask("GET", "/health/live")[0] == 200
    assert server.stop() == 0


def test_half_a_body_is_given_up_and_others_are_answered(paths):
    server = Server(paths, timeout_seconds=0.5)
    head = (
        "POST /v1/models/words/fill_mask HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as slow:
        slow.sendall(f'{head}Content-Length: 100\r\n\r\n{{"inputs'.encode())
        assert server.outputs("words/fill_mask", inputs=["一[MASK]"])
        assert b" 408 " in slow.recv(1000)
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as gone:
        gone.sendall(f"{head}Content-Length: 100\r\n\r\n".encode())
    assert server.outputs("words/fill_mask", inputs=["一[MASK]"])
    assert server.stop() == 0


def test_stop_under_load_answers_what_was_asked(paths):
    server = Server(paths)

    def ask(_) -> str:
        try:
            server.outputs("pairs/similarity", inputs=PAIRS * 20)
        except (ConnectionError, http.client.RemoteDisconnected):
            return "turned away"  # before the request was read
        return "answered"

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(ask, number) for number in range(200)]
        asked[8].result()
        assert server.stop() == 0
        results = {future.result() for future in asked}
    assert results == {"answered", "turned away"}


def test_port_in_use_and_missing_models_are_named(paths, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"--port={port}: Address already in use"):
            serve(ServiceOptions(models=paths["words"], port=port))
    with pytest.raises(FileNotFoundError):
        ServiceOptions(models=str(tmp_path / "nothing")).load_models()
    with pytest.raises(ValueError, match="tflite"):
        ServiceOptions(models=paths["words"], format="tflite").load_models()


@pytest.mark.parametrize(
    ("models", "message"),
    [
        ("a/b,c/b", "two models are called 'b'; name them"),
        ("=a", "'=a' is neither a path nor NAME=PATH"),
        ("a b=c", "neither a path nor NAME=PATH"),
        ("x=", "neither a path nor NAME=PATH"),
        ("..=a", "a model cannot be called '..'"),
        ("\udcff=a", "a model cannot be called"),
    ],
)
def test_names_of_models_are_checked(models, message):
    with pytest.raises(ValueError, match=message):
        ServiceOptions(models=models)


def test_missing_package_is_named(paths, monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(ValueError, match="serving models needs the package uvicorn"):
        serve(ServiceOptions(models=paths["words"]))
