"""Each event through the real service, and what every answer has."""

import json
import logging
from typing import Any

import pytest

from invoker import __version__, settings
from invoker.documents import Documents
from invoker.endpoint import Endpoint, Invocation
from invoker.service import Service
from invoker.telemetry import Telemetry
from tests import events
from tests.invoker.conftest import ID, Context, Invoker, Make, event
from tests.invoker.misbehaving import Endpoint as Server
from tests.invoker.misbehaving import model_error

REFUSAL = json.dumps({"detail": "The model takes two numbers a row.", "status": 400})


def test_every_event_is_expected_and_every_expected_event_exists() -> None:
    assert {path.stem for path in events.EVENTS.glob("*.json")} == set(events.EXPECTED)


@pytest.mark.parametrize("name", events.EXPECTED)
def test_event_has_its_status(invoke: Invoker, sagemaker: Server, name: str) -> None:
    if name in events.REFUSED_BY_THE_MODEL:
        sagemaker.behaviours = (model_error(400, REFUSAL),)
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


POINTERS = {
    "duplicate-key": ("/data", "stands more than once"),
    "empty-row": ("/data/0", "expected at least one element"),
    "infinite": ("/data/0/1", "expected a finite number, a string, a boolean or null"),
    "nan": ("/data/0/1", "expected a finite number, a string, a boolean or null"),
    "nested-cell": ("/data/1/1", "expected a finite number, a string, a boolean or null"),
    "no-rows": ("/data", "expected at least one element"),
    "not-an-object": ("", "expected an object"),
    "ragged-rows": ("/data/2", "expected 2 cells, as in row 0, got 1"),
    "too-many-rows": ("/data", "expected at most 10000 rows, got 10001"),
    "unknown-key": ("/instances", "is not known; known are data, columns, method"),
    "unknown-method": (
        "/method",
        "expected 'predict', 'predict_proba', 'decision_function' or 'transform'",
    ),
    "wrong-columns": ("/columns", "expected 2 names, one for each cell of a row, got 1"),
    "wrong-shape": ("/data/0", "expected an array"),
}


@pytest.mark.parametrize("name", POINTERS)
def test_refusal_points_at_the_place(invoke: Invoker, name: str) -> None:
    pointer, detail = POINTERS[name]

    answer = invoke(events.load(name))

    assert answer.json == {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "detail": "The body is not what the API expects; see `errors`.",
        "request_id": ID,
        "errors": [{"pointer": pointer, "detail": detail}],
    }


def test_several_faults_are_all_told(invoke: Invoker) -> None:
    answer = invoke(events.load("no-data"))

    assert answer.json["errors"] == [
        {"pointer": "/data", "detail": "is required"},
        {"pointer": "/rows", "detail": "is not known; known are data, columns, method"},
    ]


def test_health_says_what_is_deployed_and_asks_nobody(invoke: Invoker, sagemaker: Server) -> None:
    answer = invoke(events.load("health"))

    digest = Documents().digest
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
    answer = make(MAX_ROWS="1")(event('{"data": [[1], [2]]}'))

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
    answer = invoke(event('{"data": [[1]]}', requestContext={"requestId": forged}))

    assert answer.headers["X-Request-Id"] == Context().aws_request_id
    assert sagemaker.received[0].headers["x-amzn-sagemaker-inference-id"] == Context().aws_request_id


class BrokenEndpoint(Endpoint):
    """Has a defect."""

    def __init__(self) -> None:
        pass

    def invoke(self, invocation: Invocation) -> bytes:
        raise KeyError(invocation.request_id, "secret")


def test_defect_is_told_to_nobody_but_the_log(caplog: pytest.LogCaptureFixture) -> None:
    given = settings.read({"ENDPOINT_NAME": "iris"})
    invoke = Invoker(Service(given, BrokenEndpoint(), Documents(), Telemetry("INFO")))

    with caplog.at_level(logging.ERROR):
        answer = invoke(events.load("predict"))

    assert answer.status == 500
    assert answer.json["detail"] == "The request failed inside the service. Quote the request_id to its owner."
    assert "secret" not in answer.body
    assert "secret" in caplog.text


@pytest.mark.parametrize("odd", [{}, {"httpMethod": None}, {"path": "/predict"}, {"Records": []}])
def test_event_of_another_kind_is_answered_too(invoke: Invoker, odd: dict[str, Any]) -> None:
    assert invoke(odd).status in {404, 405}
