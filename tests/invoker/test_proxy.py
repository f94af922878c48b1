import base64
import json
from typing import Any

import pytest

from invoker import proxy
from invoker.errors import Failure, InvokerError
from invoker.proxy import Request, Response
from tests import events
from tests.failing import failing
from tests.invoker.conftest import ID, event

ROWS = '{"data": [["é", 1]]}'


def read(given: dict[str, Any]) -> Request:
    return proxy.read(given, fallback_id="fallback")


def test_reads_an_event() -> None:
    assert read(events.load("predict-traced")) == Request(
        method="POST",
        resource="/predict",
        parameters={},
        headers={
            "accept": "*/*",
            "content-type": "application/json",
            "host": "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com",
            "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "user-agent": "curl/8.14.1",
            "x-amzn-trace-id": "Root=1-6563a1f0-0123456789abcdef01234567;Parent=0123456789abcdef;Sampled=0",
            "x-api-key": "example-key-of-an-event-file",
            "x-forwarded-for": "192.0.2.1",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
        },
        text='{"data": [[1, 2], [3, 4], [3, 3], [10, 1], [7, 8]]}',
        is_base64=False,
        request_id=ID,
        traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    )


@pytest.mark.parametrize(
    ("headers", "traceparent"),
    [
        ({}, ""),
        ({"traceparent": "00-" + "0" * 32 + "-00f067aa0ba902b7-01"}, ""),
        ({"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01,request-id=forged"}, ""),
        ({"x-amzn-trace-id": "Root=1-5759e988-bd862e3fe1be46a994272793"}, ""),
        (
            {"X-Amzn-Trace-Id": "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8"},
            "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-00",
        ),
    ],
)
def test_trace_context_is_read_or_left_out(headers: dict[str, str], traceparent: str) -> None:
    assert read(event(ROWS, headers=headers)).traceparent == traceparent


@pytest.mark.parametrize("name", ["content-type", "Content-Type", "CONTENT-TYPE"])
@pytest.mark.parametrize("value", ["application/json", "Application/JSON ;charset=utf-8", "application/json;"])
def test_json_is_json_however_it_is_written(name: str, value: str) -> None:
    assert proxy.body(read(event(ROWS, headers={name: value})), max_bytes=100) == ROWS.encode()


@pytest.mark.parametrize("value", ["", "text/json", "application/jsonlines", "json", "text/html,application/json"])
def test_any_other_type_is_refused(value: str) -> None:
    with failing(Failure.MEDIA_TYPE):
        proxy.body(read(event(ROWS, headers={"content-type": value})), max_bytes=100)


def test_base64_is_decoded() -> None:
    encoded = base64.b64encode(ROWS.encode()).decode()

    assert proxy.body(read(event(encoded, isBase64Encoded=True)), max_bytes=100) == ROWS.encode()


@pytest.mark.parametrize("text", ["a", "YQ", "YQ==*", "Y Q==", "é", "YQ==YQ=="])
def test_what_is_no_base64_is_refused(text: str) -> None:
    with failing(Failure.BAD_REQUEST):
        proxy.body(read(event(text, isBase64Encoded=True)), max_bytes=100)


def test_half_a_surrogate_pair_is_refused() -> None:
    with failing(Failure.BAD_REQUEST):
        proxy.body(read(event("\ud800")), max_bytes=100)


def test_bytes_are_counted_not_characters() -> None:
    assert proxy.body(read(event(ROWS)), max_bytes=21) == ROWS.encode()
    with failing(Failure.BODY_TOO_LARGE, match="21 bytes, at most 20"):
        proxy.body(read(event(ROWS)), max_bytes=20)


def test_an_error_brings_its_own_headers() -> None:
    response = proxy.problem(InvokerError(Failure.METHOD_NOT_ALLOWED, "No.", headers={"Allow": "POST"}), request_id="1")

    assert proxy.write(response, {"X-Request-Id": "1"}) == {
        "statusCode": 405,
        "headers": {"Content-Type": "application/problem+json", "X-Request-Id": "1", "Allow": "POST"},
        "body": (
            '{"type": "about:blank", "title": "Method Not Allowed", "status": 405, "detail": "No.", "request_id": "1"}'
        ),
        "isBase64Encoded": False,
    }


def test_an_answer_is_passed_on_as_it_is() -> None:
    assert proxy.answer('{"predictions":["é"]}'.encode()) == Response(200, '{"predictions":["é"]}')


@pytest.mark.parametrize("character", ["0", '"', "\\", "\x01", "é", "\u2028"])
def test_the_limit_is_that_of_the_functions_whole_answer(character: str) -> None:
    escaped = len(json.dumps(character, ensure_ascii=False).encode()) - 2
    fitting = (proxy.MAX_ANSWER_BYTES - proxy.ENVELOPE_BYTES - 2) // escaped

    assert proxy.answer((character * fitting).encode()).status == 200
    with failing(Failure.FAILED):
        proxy.answer((character * (fitting + 1)).encode())
