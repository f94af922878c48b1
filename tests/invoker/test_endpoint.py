"""The endpoint fails in every way there is, over real HTTP and under the real boto3."""

import json
import socket
import time

import pytest

from tests.invoker.conftest import ID, Invoker, Make, event, lead_boto3_to
from tests.invoker.misbehaving import (
    PREDICTIONS,
    Behaviour,
    Endpoint,
    answers,
    breaks_off_a_chunk,
    drips_body,
    drips_headers,
    hangs_up,
    model_error,
    never_answers,
    refuses,
    resets,
    slowly,
    speaks_no_http,
    then_closes,
)

ROWS = event('{"data": [[1, 2]]}')
LATE = "The model did not answer in time. Send fewer rows, or try again later."
STARTING = "The model is starting or busy. Try again in a few seconds."
THROTTLED = "Too many requests. Try again in a moment."
BROKEN = "The model failed to answer. Quote the request_id to the owner of the service."
OURS = "The request failed inside the service. Quote the request_id to its owner."
REFUSED = "The model refused the input. Quote the request_id to the owner of the service."
TOO_LARGE = "The answer is larger than 6291456 bytes, the most there can be. Send fewer rows."


def test_the_container_gets_the_callers_bytes_and_what_it_may_know(invoke: Invoker, sagemaker: Endpoint) -> None:
    body = '{ "data" : [[1.0, 2e0]], "method":"predict" }'
    traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    before = time.time()

    answer = invoke(event(body, headers={"content-type": "application/json", "Traceparent": traceparent}))

    after = time.time()
    assert answer.status == 200
    assert answer.body == PREDICTIONS.decode()
    [received] = sagemaker.received
    attributes = dict(each.split("=") for each in received.headers["x-amzn-sagemaker-custom-attributes"].split(","))
    deadline = float(attributes.pop("deadline-ms")) / 1000
    assert received.path == "/endpoints/iris/invocations"
    assert received.body == body.encode()
    assert received.headers["content-type"] == "application/json"
    assert received.headers["accept"] == "*/*"
    assert received.headers["x-amzn-sagemaker-inference-id"] == ID
    assert attributes == {"request-id": ID, "traceparent": traceparent}
    assert before + 25 - 0.002 <= deadline <= after + 25


def test_xray_names_the_trace_where_the_caller_does_not(invoke: Invoker, sagemaker: Endpoint) -> None:
    xray = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"

    invoke(event(ROWS["body"], headers={"X-Amzn-Trace-Id": xray}))

    attributes = sagemaker.received[0].headers["x-amzn-sagemaker-custom-attributes"].split(",")
    assert attributes[2:] == ["traceparent=00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01"]


FAULTS: dict[str, tuple[Behaviour, int, str, int]] = {
    # name: behaviour, status, detail, calls that the policy allows
    "ModelError-0": (model_error(0, "Your invocation timed out"), 504, LATE, 1),
    "ModelError-429": (model_error(429), 429, THROTTLED, 1),
    "ModelError-500": (model_error(500, "Traceback (most recent call last)"), 502, BROKEN, 1),
    "ModelError-503": (model_error(503), 503, STARTING, 1),
    "ModelError-504": (model_error(504), 504, LATE, 1),
    "ModelError-302": (model_error(302), 502, BROKEN, 1),
    "ModelError-without-status": (refuses(424, "ModelError"), 502, BROKEN, 1),
    "ModelError-text": (model_error(400, "Traceback (most recent call last)"), 400, REFUSED, 1),
    "ModelError-cut-json": (model_error(400, '{"detail": "expected 2 fea'), 400, REFUSED, 1),
    "ModelError-list": (model_error(415, "[1, 2]"), 415, REFUSED, 1),
    "ModelError-deep": (model_error(400, "[" * 100_000), 400, REFUSED, 1),
    "ModelNotReady": (refuses(429, "ModelNotReadyException"), 503, STARTING, 3),
    "ServiceUnavailable": (refuses(503, "ServiceUnavailable"), 503, STARTING, 3),
    "InternalDependency": (refuses(530, "InternalDependencyException"), 503, STARTING, 3),
    "503-without-code": (answers(503, b"<html>busy</html>", Content_Type="text/html"), 503, STARTING, 3),
    "530-without-code": (answers(530, b""), 503, STARTING, 3),
    "Throttling-400": (refuses(400, "ThrottlingException"), 429, THROTTLED, 3),
    "Throttling-429": (refuses(429, "ThrottlingException"), 429, THROTTLED, 3),
    "429-unknown-code": (refuses(429, "SlowDownException"), 429, THROTTLED, 3),
    "429-without-code": (answers(429, b""), 429, THROTTLED, 3),
    "InternalFailure": (refuses(500, "InternalFailure"), 502, BROKEN, 1),
    "500-without-code": (answers(500, b""), 502, BROKEN, 1),
    "504-without-code": (answers(504, b""), 504, LATE, 1),
    "ValidationError": (refuses(400, "ValidationError"), 500, OURS, 1),
    "AccessDenied": (refuses(403, "AccessDeniedException"), 500, OURS, 1),
    "ExpiredToken": (refuses(403, "ExpiredTokenException"), 500, OURS, 1),
    "403-without-code": (answers(403, b""), 500, OURS, 1),
    "RequestTooLarge": (
        refuses(413, "RequestEntityTooLargeException"),
        413,
        "The body is larger than the SageMaker endpoint takes. Send fewer rows.",
        1,
    ),
    "redirect": (answers(302, b"", Location="http://127.0.0.1:9/"), 500, OURS, 1),
    "reset": (resets, 502, BROKEN, 3),
    "hang-up": (hangs_up, 502, BROKEN, 3),
    "no-http": (speaks_no_http, 502, BROKEN, 3),
    "half-a-body": (then_closes(answers(200, length=1000)), 502, BROKEN, 1),
    "half-an-error": (then_closes(answers(500, b"{", length=1000)), 502, BROKEN, 1),
    "broken-chunk": (breaks_off_a_chunk, 502, BROKEN, 1),
    "broken-error-json": (answers(500, b"{nonsense"), 502, BROKEN, 1),
    "status-no-number": (refuses(424, "ModelError", OriginalStatusCode="no number"), 502, BROKEN, 1),
    "error-is-a-list": (answers(424, b"[1]", x_amzn_ErrorType="ModelError"), 502, BROKEN, 1),
    "no-utf8": (answers(200, b"\xff"), 502, "The endpoint's answer is not UTF-8 text.", 1),
    "too-large": (answers(200, b"0" * 6_291_457), 502, TOO_LARGE, 1),
    "too-large-by-its-envelope": (answers(200, b"0" * 6_291_456), 502, TOO_LARGE, 1),
    "too-large-as-a-string": (answers(200, b'"' * 4_000_000), 502, TOO_LARGE, 1),
    "never": (never_answers, 504, LATE, 1),
    "dripping-headers": (drips_headers, 504, LATE, 1),
    "dripping-body": (drips_body, 504, LATE, 1),
    "slow-headers": (slowly(1.5, answers(200)), 504, LATE, 1),
    "slow-throttle": (slowly(1.1, refuses(429, "ThrottlingException")), 429, THROTTLED, 1),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_a_problem_in_time_after_no_more_calls_than_the_policy_has(
    make: Make, sagemaker: Endpoint, fault: str
) -> None:
    behaviour, status, detail, calls = FAULTS[fault]
    sagemaker.behaviours = (behaviour,)
    invoke = make()
    # The function's time; a second of it is kept for the answer. The faults that last are ended by it.
    seconds = 2.0 if status == 504 else 10.0
    began = time.monotonic()

    answer = invoke(ROWS, seconds)

    assert time.monotonic() - began < seconds
    assert answer.status == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json["status"] == status
    assert answer.json["detail"] == detail
    assert answer.json["request_id"] == ID
    assert answer.json.keys() == {"type", "title", "status", "detail", "request_id"}
    assert ("Retry-After" in answer.headers) == (status in {429, 503})
    assert len(sagemaker.received) == calls


@pytest.mark.parametrize(
    "faults",
    [
        ("503-without-code", "never"),
        ("reset", "dripping-body"),
        ("429-without-code", "InternalDependency", "dripping-headers"),
        ("hang-up", "half-a-body", "never"),
    ],
    ids=" then ".join,
)
def test_faults_one_after_the_other_end_in_time_too(invoke: Invoker, sagemaker: Endpoint, faults: tuple[str]) -> None:
    sagemaker.behaviours = [FAULTS[fault][0] for fault in faults]
    began = time.monotonic()

    answer = invoke(ROWS, 3.0)

    assert time.monotonic() - began < 3.0
    assert answer.status in {502, 504}
    assert answer.json["status"] == answer.status
    assert len(sagemaker.received) <= len(faults)


@pytest.mark.parametrize("fault", ["ModelNotReady", "InternalDependency", "Throttling-400", "reset"])
def test_what_never_ran_the_model_is_sent_again(invoke: Invoker, sagemaker: Endpoint, fault: str) -> None:
    sagemaker.behaviours = (FAULTS[fault][0], answers(200))

    answer = invoke(ROWS)

    assert answer.status == 200
    assert len(sagemaker.received) == 2


def test_a_retry_that_does_not_fit_is_not_made(invoke: Invoker, sagemaker: Endpoint) -> None:
    sagemaker.behaviours = (refuses(503, "ServiceUnavailable"), answers(200))

    answer = invoke(ROWS, 1.55)

    assert answer.status == 503
    assert len(sagemaker.received) == 1


def test_attempts_are_a_setting(make: Make, sagemaker: Endpoint) -> None:
    sagemaker.behaviours = (refuses(503, "ServiceUnavailable"),)

    make(MAX_ATTEMPTS="1")(ROWS)

    assert len(sagemaker.received) == 1


def test_no_time_left_means_no_call(invoke: Invoker, sagemaker: Endpoint) -> None:
    answer = invoke(ROWS, 0.9)

    assert answer.status == 504
    assert sagemaker.received == []


def test_read_timeout_is_a_setting(make: Make, sagemaker: Endpoint) -> None:
    sagemaker.behaviours = (never_answers,)
    began = time.monotonic()

    answer = make(READ_TIMEOUT_SECONDS="0.2")(ROWS)

    assert answer.status == 504
    assert time.monotonic() - began < 20  # and not the 25 of the setting left alone
    assert len(sagemaker.received) == 1


def test_nobody_listens(make: Make, sagemaker: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # so that nobody else can
        lead_boto3_to(f"http://127.0.0.1:{bound.getsockname()[1]}", monkeypatch)

        answer = make()(ROWS)

    assert (answer.status, answer.json["detail"]) == (503, STARTING)
    assert sagemaker.received == []


def test_nobody_accepts(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full backlog drops the connection's first packet, so connecting times out."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)  # noqa: FBT003  # the socket's own interface
            each.connect_ex(full.getsockname())
        lead_boto3_to(f"http://127.0.0.1:{full.getsockname()[1]}", monkeypatch)
        began = time.monotonic()

        answer = make(CONNECT_TIMEOUT_SECONDS="0.3")(ROWS)

        assert (answer.status, answer.json["detail"]) == (503, STARTING)
        # Nothing was sent, so each of the three attempts may connect.
        assert time.monotonic() - began > 0.9
        for each in waiting:
            each.close()


def test_the_models_refusal_reaches_the_caller_in_its_own_words(invoke: Invoker, sagemaker: Endpoint) -> None:
    errors = [{"pointer": "/data/0", "detail": "expected 2 features, got 3"}]
    problem = {"type": "about:blank", "title": "Bad Request", "status": 400, "detail": "Wrong rows.", "errors": errors}
    sagemaker.behaviours = (model_error(400, json.dumps(problem)),)

    answer = invoke(ROWS)

    assert answer.status == 400
    assert answer.json == {**problem, "request_id": ID}


def test_the_models_words_are_not_trusted(invoke: Invoker, sagemaker: Endpoint) -> None:
    errors = [{"pointer": 1, "detail": "x"}, "x", {"pointer": "/data"}, *[{"pointer": "/a", "detail": "b"}] * 100]
    problem = {"detail": "x" * 100_000, "status": 200, "request_id": "forged", "errors": errors}
    sagemaker.behaviours = (model_error(422, json.dumps(problem)),)

    answer = invoke(ROWS)

    assert answer.json == {
        "type": "about:blank",
        "title": "Unprocessable Content",
        "status": 422,
        "detail": "x" * 1000,
        "request_id": ID,
        "errors": [{"pointer": "/a", "detail": "b"}] * 17,
    }


def test_an_answer_as_large_as_can_be_passes(invoke: Invoker, sagemaker: Endpoint) -> None:
    sagemaker.behaviours = (answers(200, b"0" * 6_280_000),)

    assert len(invoke(ROWS).body) == 6_280_000


def test_a_connection_closed_while_the_function_slept_is_made_anew(invoke: Invoker, sagemaker: Endpoint) -> None:
    sagemaker.behaviours = (then_closes(answers(200)), answers(200))

    statuses = [invoke(ROWS).status for _ in range(3)]

    assert statuses == [200, 200, 200]


def test_a_call_given_up_does_not_hold_up_the_next(invoke: Invoker, sagemaker: Endpoint) -> None:
    sagemaker.behaviours = (drips_body, answers(200))

    # It would go on for ten seconds.
    assert [invoke(ROWS, 1.2).status, invoke(ROWS, 6).status] == [504, 200]
