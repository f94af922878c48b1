"""What a request leaves in the log, on the function's real standard output."""

import json
from datetime import datetime
from typing import Any

import pytest

from tests import events
from tests.invoker.conftest import ID, Make, event
from tests.invoker.misbehaving import Endpoint, model_error, refuses

SECRET = "s3cr3t"


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.usefixtures("sagemaker")
def test_one_line_a_request(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    invoke = make()
    capsys.readouterr()

    invoke(events.load("predict-traced"))

    [line, _] = lines(capsys)
    spent = line.pop("milliseconds")
    assert list(spent) == ["validation", "endpoint", "total"]
    assert line.pop("timestamp")
    assert line.pop("location")
    assert line == {
        "level": "INFO",
        "message": "request",
        "service": "invoker",
        "request_id": ID,
        "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "route": "POST /predict",
        "status": 200,
        "outcome": "ok",
        "rows": 5,
    }


def test_metrics_in_cloudwatchs_embedded_format(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    make(AWS_LAMBDA_FUNCTION_NAME="iris-Function-1")(events.load("predict"))

    [_, emf] = lines(capsys)
    [declared] = emf["_aws"]["CloudWatchMetrics"]
    assert declared["Namespace"] == "SageMakerApi"
    assert [sorted(dimensions) for dimensions in declared["Dimensions"]] == [["function", "outcome", "service"]]
    assert {metric["Name"]: metric["Unit"] for metric in declared["Metrics"]} == {
        "Requests": "Count",
        "Rows": "Count",
        "Latency": "Milliseconds",
        "EndpointLatency": "Milliseconds",
    }
    assert emf["function"] == "iris-Function-1", "the metrics of all stacks would be one series"
    assert (emf["outcome"], emf["service"], emf["Requests"], emf["Rows"]) == ("ok", "invoker", [1.0], [5.0])
    assert emf["Latency"][0] >= emf["EndpointLatency"][0] > 0


@pytest.mark.parametrize("level", ["WARNING", "ERROR"])
def test_metrics_outlast_lambdas_own_filter(make: Make, capsys: pytest.CaptureFixture[str], level: str) -> None:
    """Lambda drops the lines below LogLevel; a line without a level, or without a time (RFC 3339), is INFO there.

    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
    """
    make(LOG_LEVEL=level)(events.load("predict"))

    [emf] = lines(capsys)
    assert emf["level"] == level
    assert datetime.fromisoformat(emf["timestamp"]).tzinfo is not None


@pytest.mark.parametrize(
    ("behaviour", "outcome"),
    [
        (model_error(400), "refused_by_model"),
        (model_error(500), "endpoint_error"),
        (model_error(0), "timeout"),
        (refuses(400, "ThrottlingException"), "throttled"),
        (refuses(503, "ServiceUnavailable"), "unavailable"),
        (refuses(403, "AccessDeniedException"), "internal_error"),
    ],
)
def test_outcomes_are_counted_apart(
    make: Make, sagemaker: Endpoint, capsys: pytest.CaptureFixture[str], behaviour: Any, outcome: str
) -> None:
    sagemaker.behaviours = (behaviour,)

    make(MAX_ATTEMPTS="1")(events.load("predict"))

    assert lines(capsys)[-1]["outcome"] == outcome


def test_what_is_refused_is_counted_as_the_callers(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    make()(events.load("nan"))

    [line, emf] = lines(capsys)
    assert (line["status"], line["outcome"]) == (400, "request_error")
    assert (emf["outcome"], emf["Rows"]) == ("request_error", [0.0])
    assert "EndpointLatency" not in emf


def secret_event() -> dict[str, Any]:
    headers = {"Content-Type": "application/json", "x-api-key": SECRET, "Authorization": SECRET, "Cookie": SECRET}
    return event(json.dumps({"data": [[SECRET]]}), headers=headers)


@pytest.mark.parametrize("status", [200, 400, 500])
def test_no_body_and_no_secret_is_logged(
    make: Make, sagemaker: Endpoint, capsys: pytest.CaptureFixture[str], status: int
) -> None:
    if status != 200:
        sagemaker.behaviours = (model_error(status, json.dumps({"detail": SECRET if status == 400 else "failed"})),)

    make()(secret_event())

    assert SECRET not in capsys.readouterr().out


def test_bodies_are_logged_at_debug_and_cut(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    make(LOG_LEVEL="DEBUG")(event('{"data": [["' + "x" * 10_000 + '"]]}'))

    [body] = [line for line in lines(capsys) if line.get("message") == "body"]
    assert body["body"] == '{"data": [["' + "x" * 1_988


def test_level_silences(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    make(LOG_LEVEL="ERROR")(events.load("predict"))

    [only] = lines(capsys)
    assert "_aws" in only


def test_causes_are_logged_where_the_caller_is_told_nothing(
    make: Make, sagemaker: Endpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    sagemaker.behaviours = (refuses(403, "AccessDeniedException"),)

    make()(events.load("predict"))

    [error] = [line for line in lines(capsys) if line.get("level") == "ERROR"]
    assert error["request_id"] == ID
    assert "AccessDeniedException" in error["exception"]


def test_each_retry_is_logged(make: Make, sagemaker: Endpoint, capsys: pytest.CaptureFixture[str]) -> None:
    sagemaker.behaviours = (refuses(503, "ServiceUnavailable"),)

    make()(events.load("predict"))

    retries = [line for line in lines(capsys) if line.get("message") == "retry"]
    assert [line["request_id"] for line in retries] == [ID, ID]
