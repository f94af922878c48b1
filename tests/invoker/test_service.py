"""Each event through the real service, and what every answer has."""

import json
import logging
from typing import Any

import pytest

from invoker import __version__, settings
from invoker.documents import Documents
from invoker.endpoint import Answer, Endpoint, Invocation
from invoker.service import Service
from invoker.telemetry import Telemetry
from tests import events
from tests.invoker.conftest import ID, IRIS, NONE, Context, Invoker, Make, event
from tests.invoker.misbehaving import Endpoint as Server

REFUSAL = json.dumps({"detail": "The model takes two numbers a row.", "status": 400})


def test_every_event_is_expected_and_every_expected_event_exists() -> None:
    assert {path.stem for path in events.EVENTS.glob("*.json")} == set(events.EXPECTED)


@pytest.mark.parametrize("name", [name for name in events.EXPECTED if name not in events.REFUSED_BY_THE_CONTAINER])
def test_event_has_its_status(invoke: Invoker, name: str) -> None:
    status = events.EXPECTED[name]

    answer = invoke(events.load(name))

    assert answer.status == status
    assert answer.headers["Content-Type"] == ("application/json" if status == 200 else "application/problem+json")
    assert answer.headers["X-Request-Id"] == ID
    assert answer.json.get("status") == ("ok" if name == "health" else None if status == 200 else status)


@pytest.mark.parametrize("name", events.REFUSED_BY_THE_FUNCTION)
def test_what_is_refused_here_does_not_reach_the_endpoint(invoke: Invoker, sagemaker: Server, name: str) -> None:
    invoke(events.load(name))

    assert sagemaker.received == []


EXAMPLE = ' Example: {"data": [{"petal length (cm)": 1.4, "petal width (cm)": 0.2}]}'
LENGTH, WIDTH = '"petal length (cm)"', '"petal width (cm)"'
POINTERS = {
    "empty-row": ("/data/0", "row 0: expected 2 cells, got 0"),
    "infinite": ("/data/0/1", f"column {WIDTH}, row 0: expected a number, got inf"),
    "nested-cell": ("/data/1/1", f"column {WIDTH}, row 1: expected a number, got a list"),
    "ragged-rows": ("/data/2", "row 2: expected 2 cells, as in row 0, got 1"),
    "strings": ("/data/0/0", f'column {LENGTH}, row 0: expected a number, got "one"'),
    "too-many-rows": ("/data", "expected at most 10000 rows, got 10001"),
    "unknown-method": ("/method", 'expected one of predict, predict_proba, got "fit"'),
    "wrong-columns": ("/columns", "expected 2 names, one for each cell of a row, got 1"),
    "wrong-feature-count": ("/data/0", "row 0: expected 2 cells, got 3"),
    "wrong-shape": ("/data", "row 0: expected 2 cells, got 3"),
}


@pytest.mark.parametrize("name", POINTERS)
def test_refusal_points_at_the_place(invoke: Invoker, name: str) -> None:
    pointer, detail = POINTERS[name]

    answer = invoke(events.load(name))

    assert answer.json["errors"][0] == {"pointer": pointer, "detail": detail}
    assert {**answer.json, "errors": None} == {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "detail": f"The body is not what the model takes: {detail}.{EXAMPLE}",
        "request_id": ID,
        "errors": None,
    }


def test_health_says_what_is_deployed_and_asks_nobody(invoke: Invoker, sagemaker: Server) -> None:
    answer = invoke(events.load("health"))

    digest = Documents(str(IRIS)).digest
    assert answer.json == {"status": "ok", "version": __version__, "endpoint": "iris", "schema": digest}
    assert sagemaker.received == []


def test_wrong_method_names_the_right_one(invoke: Invoker) -> None:
    answer = invoke(events.load("wrong-method"))

    assert answer.headers["Allow"] == "POST"
    assert answer.json["detail"] == "This path takes POST only."


def test_too_large_a_body_names_the_limit(make: Make, sagemaker: Server) -> None:
    answer = make(MAX_BODY_BYTES="20")(event('{"data": [[1, 2, 3]]}'))

    assert answer.status == 413
    assert answer.json["detail"] == "The body has 21 bytes, at most 20 are taken. Send fewer rows."
    assert sagemaker.received == []


def test_rows_are_limited_by_a_setting(make: Make) -> None:
    answer = make(MAX_ROWS="1", **NONE)(event('{"data": [[1], [2]]}'))

    assert answer.json["errors"] == [{"pointer": "/data", "detail": "expected at most 1 rows, got 2"}]


def test_server_timing_tells_where_the_time_went(invoke: Invoker) -> None:
    answer = invoke(events.load("predict"))

    spent = dict(part.split(";dur=") for part in answer.headers["Server-Timing"].split(", "))
    assert list(spent) == ["validation", "endpoint", "total"]
    assert float(spent["total"]) >= float(spent["endpoint"]) > 0


def test_no_origin_may_read_unless_one_is_set(invoke: Invoker) -> None:
    assert "Access-Control-Allow-Origin" not in invoke(events.load("predict")).headers
    assert invoke(event(None, httpMethod="OPTIONS")).status == 405


def test_set_origin_may_read_errors_too(make: Make) -> None:
    invoke = make(CORS_ORIGIN="https://example.com")

    for name in ("predict", "not-json"):
        assert invoke(events.load(name)).headers["Access-Control-Allow-Origin"] == "https://example.com"


def test_preflight_of_the_set_origin(make: Make) -> None:
    answer = make(CORS_ORIGIN="https://example.com")(event(None, httpMethod="OPTIONS"))

    assert (answer.status, answer.body) == (204, "")
    assert answer.headers["Access-Control-Allow-Origin"] == "https://example.com"
    assert answer.headers["Access-Control-Allow-Methods"] == "POST"
    assert answer.headers["Access-Control-Allow-Headers"] == (
        "content-encoding, content-type, traceparent, x-api-key, authorization, x-amz-content-sha256, x-amz-date, "
        "x-amz-security-token"
    )


@pytest.mark.parametrize("forged", ["a,b", "x" * 65, "", "-x", "a\r\nb", None, 7])
def test_odd_request_id_is_replaced(invoke: Invoker, sagemaker: Server, forged: Any) -> None:
    answer = invoke(event('{"data": [[1, 2]]}', requestContext={"requestId": forged}))

    assert answer.headers["X-Request-Id"] == Context().aws_request_id
    assert sagemaker.received[0].headers["x-amzn-sagemaker-inference-id"] == Context().aws_request_id


class BrokenEndpoint(Endpoint):
    """Has a defect."""

    def __init__(self) -> None:
        pass

    def invoke(self, invocation: Invocation) -> Answer:
        raise KeyError(invocation.request_id, "secret")


def test_defect_is_told_to_nobody_but_the_log(caplog: pytest.LogCaptureFixture) -> None:
    given = settings.read({"ENDPOINT_NAME": "iris"})
    invoke = Invoker(Service(given, BrokenEndpoint(), Documents(), Telemetry("INFO", "local")))

    with caplog.at_level(logging.ERROR):
        answer = invoke(events.load("predict"))

    assert answer.status == 500
    assert answer.json["detail"] == "The request failed inside the service. Quote the request_id to its owner."
    assert "secret" not in answer.body
    assert "secret" in caplog.text


@pytest.mark.parametrize("odd", [{}, {"httpMethod": None}, {"path": "/predict"}, {"Records": []}])
def test_event_of_another_kind_is_answered_too(invoke: Invoker, odd: dict[str, Any]) -> None:
    assert invoke(odd).status in {404, 405}
