"""SageMaker's hosting contract, by the real process."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from predictor.server.routes import custom_attributes
from tests.serving import faults
from tests.serving.processes import JSON, Process, serving, wait_until

ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    model = faults.save(faults.RaisesInPredict(), tmp_path_factory.mktemp("app") / "model")
    with serving(model, log_level="debug") as process:
        yield process


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_ping_is_200_with_an_empty_body(server: Process, method: str) -> None:
    reply = server.ask(method, "/ping")

    assert (reply.status, reply.body) == (200, b"")


def test_invocations_predict(server: Process) -> None:
    reply = server.ask("POST", "/invocations", b'{"data": [[5, 2], [3, 4]]}', JSON)

    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    assert reply.json() == {"predictions": [5.0, 3.0]}


@pytest.mark.parametrize("path", ["/", "/pingfoo", "/ping/", "/invocations/x", "/PING", "/%70ing"])
def test_an_unknown_path_is_404(server: Process, path: str) -> None:
    reply = server.ask("GET", path)

    assert (reply.status, reply.headers["content-type"]) == (404, "application/problem+json")
    assert reply.json()["title"] == "Not Found"


def test_a_query_does_not_change_the_path(server: Process) -> None:
    assert server.ask("GET", "/ping?x=1").status == 200


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/invocations", "POST"),
        ("DELETE", "/ping", "GET, POST"),
        ("HEAD", "/ping", "GET, POST"),
        ("POST", "/execution-parameters", "GET"),
        ("POST", "/metrics", "GET"),
    ],
)
def test_a_wrong_method_is_405(server: Process, method: str, path: str, allow: str) -> None:
    reply = server.ask(method, path)

    assert (reply.status, reply.headers["allow"]) == (405, allow)


def test_execution_parameters_stay_within_what_batch_transform_allows(server: Process) -> None:
    parameters = server.ask("GET", "/execution-parameters").json()

    assert parameters == {"MaxConcurrentTransforms": 8, "BatchStrategy": "MULTI_RECORD", "MaxPayloadInMB": 6}


def test_a_compressed_body_is_415(server: Process) -> None:
    reply = server.ask("POST", "/invocations", b"\x1f\x8b", {**JSON, "Content-Encoding": "gzip"})

    assert reply.status == 415
    assert reply.json()["detail"] == "Expected a body without Content-Encoding, got 'gzip'."


@pytest.mark.parametrize(
    ("headers", "request_id"),
    [
        ({ATTRIBUTES: "request-id=abc, traceparent=00-1-2-01"}, "abc"),
        ({"X-Amzn-SageMaker-Inference-Id": "inf-1"}, "inf-1"),
        ({"X-Amzn-SageMaker-Inference-Id": "inf-1", ATTRIBUTES: "request-id=abc"}, "abc"),
    ],
)
def test_the_request_id_comes_back(server: Process, headers: dict[str, str], request_id: str) -> None:
    good = server.ask("POST", "/invocations", b'{"data": [[5, 2]]}', {**JSON, **headers})
    bad = server.ask("POST", "/invocations", b"{", {**JSON, **headers})

    assert good.headers[ATTRIBUTES.lower()] == f"request-id={request_id}"
    assert bad.headers[ATTRIBUTES.lower()] == f"request-id={request_id}"
    assert bad.json()["request_id"] == request_id


@pytest.mark.parametrize("header", ["X-Amzn-SageMaker-Inference-Id", ATTRIBUTES])
def test_a_request_id_is_cut_to_the_length_that_sagemaker_allows(server: Process, header: str) -> None:
    value = "q" * 60_000 if header != ATTRIBUTES else "request-id=" + "q" * 60_000

    reply = server.ask("POST", "/invocations", b"{", {**JSON, header: value})

    assert reply.headers[ATTRIBUTES.lower()] == "request-id=" + "q" * 64
    assert reply.json()["request_id"] == "q" * 64


def test_a_request_without_an_id_gets_one(server: Process) -> None:
    ids = {server.predict([5, 2]).headers[ATTRIBUTES.lower()] for _ in range(2)}

    assert [bool(re.fullmatch(r"request-id=[0-9a-f]{12}-\d+", text)) for text in ids] == [True, True]


def test_a_request_is_one_line_in_the_log_with_its_trace(server: Process) -> None:
    headers = {**JSON, ATTRIBUTES: "request-id=logged,traceparent=00-1-2-01"}
    server.ask("POST", "/invocations", b'{"data": [[5, 2]]}', headers)

    def lines() -> list[dict[str, Any]]:
        return [line for line in server.log() if line.get("request_id") == "logged"]

    wait_until(lambda: len(lines()) == 1)
    (line,) = lines()
    assert (line["level"], line["status"], line["traceparent"]) == ("debug", 200, "00-1-2-01")
    assert line["ms"] > 0


def test_pings_are_not_logged(server: Process) -> None:
    def places() -> list[int]:
        return [place for place, line in enumerate(server.log()) if line.get("request_id") == "around-a-ping"]

    headers = {**JSON, ATTRIBUTES: "request-id=around-a-ping"}
    server.ask("POST", "/invocations", b'{"data": [[5, 2]]}', headers)
    server.ping()
    server.ask("POST", "/invocations", b'{"data": [[5, 2]]}', headers)

    wait_until(lambda: len(places()) == 2)
    before, after = places()
    assert after == before + 1


@pytest.mark.parametrize("deadline", ["", "soon", "-1", "9" * 5000, "1e3", "²"])
def test_a_deadline_that_is_none_is_not_heeded(server: Process, deadline: str) -> None:
    attributes = f"deadline-ms={deadline}".encode().decode("latin-1")

    assert server.ask("POST", "/invocations", b'{"data": [[5, 2]]}', {**JSON, ATTRIBUTES: attributes}).status == 200


def test_metrics_count_over_all_workers(server: Process) -> None:
    before = [server.metric(name) for name in COUNTERS]
    for body in (b'{"data": [[5, 2], [6, 2]]}', b"{", b'{"data": [[666, 2]]}'):
        server.ask("POST", "/invocations", body, JSON)

    after = [server.metric(name) for name in COUNTERS]
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, 1, 1, 2, 3, 3]
    assert server.metric("serving_ready") == 1
    wait_until(lambda: server.metric("serving_workers") == 2)
    assert server.ask("GET", "/metrics").headers["content-type"].startswith("text/plain; version=0.0.4")


COUNTERS = (
    'serving_requests_total{status="200"}',
    'serving_requests_total{status="400"}',
    'serving_requests_total{status="500"}',
    "serving_predictions_total",
    "serving_latency_seconds_count",
    "serving_batch_requests_sum",
)


def test_nothing_is_said_of_the_inside(server: Process) -> None:
    reply = server.predict([666, 2])

    assert reply.status == 500
    assert set(reply.json()) == {"type", "title", "status", "detail", "request_id"}
    assert re.search(rb"Traceback|File |secret|sklearn", reply.body) is None


@pytest.mark.parametrize(
    ("header", "attributes"),
    [
        (None, {}),
        ("", {}),
        ("request-id=a", {"request-id": "a"}),
        (" request-id = a , deadline-ms=5,flag", {"request-id": "a", "deadline-ms": "5"}),
        ("a=b=c", {"a": "b=c"}),
    ],
)
def test_custom_attributes_are_pairs(header: str | None, attributes: dict[str, str]) -> None:
    assert custom_attributes(header) == attributes


def test_a_body_above_the_limit_is_413_and_the_server_goes_on(tmp_path: Path) -> None:
    with serving(faults.save(faults.Echo(), tmp_path / "model"), max_body_bytes=1000) as server:
        body = json.dumps({"data": [[1, 2]] * 1000}).encode()

        reply = server.ask("POST", "/invocations", body, JSON)

        assert (reply.status, reply.json()["detail"]) == (413, "The body is larger than 1000 bytes.")
        assert server.predict([5, 2]).status == 200
