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

JSON = "application/json"
ROWS = '{"data": [["é", 1]]}'


def read(given: dict[str, Any]) -> Request:
    return proxy.read(given, fallback_id="fallback")


def test_reads_an_event() -> None:
    traced = events.load("predict-traced")
    assert read(traced) == Request(
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
        base_url="https://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com/prod",
        context=traced["requestContext"],
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
    body = proxy.body(read(event(ROWS, headers={name: value})), max_bytes=100)

    assert (body.content, body.media_type.text, body.media_type.is_json) == (ROWS.encode(), value, True)


def test_a_missing_type_is_json() -> None:
    assert proxy.body(read(event(ROWS, headers={})), max_bytes=100).media_type.text == "application/json"


@pytest.mark.parametrize("value", ["text/csv; header=present", "application/x-own", "image/png"])
def test_any_other_type_goes_on_as_it_came(value: str) -> None:
    body = proxy.body(read(event(ROWS, headers={"content-type": value, "accept": "text/csv"})), max_bytes=100)

    assert (body.content, body.media_type.text, body.accept) == (ROWS.encode(), value, "text/csv")


@pytest.mark.parametrize("name", ["content-type", "accept"])
@pytest.mark.parametrize("value", ["x" * 1025, "text/\u00e9"])
def test_headers_that_sagemaker_would_refuse_are_named(name: str, value: str) -> None:
    with failing(Failure.BAD_REQUEST, match="(?i)" + name):
        proxy.body(read(event(ROWS, headers={name: value})), max_bytes=100)


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, br", "x"])
def test_an_unknown_encoding_is_named(encoding: str) -> None:
    headers = {"content-type": "application/json", "content-encoding": encoding}

    with failing(Failure.MEDIA_TYPE, match=f"Content-Encoding '{encoding}' is not known: send gzip, deflate"):
        proxy.body(read(event(ROWS, headers=headers)), max_bytes=100)


def test_text_that_was_no_utf8_on_its_way_is_refused() -> None:
    """API Gateway puts U+FFFD in place of bytes that are no text: the model would answer another body."""
    with failing(Failure.BAD_REQUEST, match="image/x-own travels as text"):
        proxy.body(read(event("\ufffdPNG", headers={"content-type": "image/x-own"})), max_bytes=100)


def test_base64_is_decoded() -> None:
    encoded = base64.b64encode(ROWS.encode()).decode()

    assert proxy.body(read(event(encoded, isBase64Encoded=True)), max_bytes=100).content == ROWS.encode()


@pytest.mark.parametrize("text", ["a", "YQ", "YQ==*", "Y Q==", "é", "YQ==YQ=="])
def test_what_is_no_base64_is_refused(text: str) -> None:
    with failing(Failure.BAD_REQUEST):
        proxy.body(read(event(text, isBase64Encoded=True)), max_bytes=100)


def test_half_a_surrogate_pair_is_refused() -> None:
    with failing(Failure.BAD_REQUEST):
        proxy.body(read(event("\ud800")), max_bytes=100)


def test_bytes_are_counted_not_characters() -> None:
    assert proxy.body(read(event(ROWS)), max_bytes=21).content == ROWS.encode()
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


@pytest.mark.parametrize("content_type", ["application/json", "text/csv; charset=utf-8", "application/x-own", ""])
def test_text_is_passed_on_as_it_is_with_its_own_type(content_type: str) -> None:
    given = '{"predictions":["é"]}'

    answer = proxy.answer(given.encode(), content_type, accept="")

    assert answer == Response(200, given, content_type=content_type or "application/json")


@pytest.mark.parametrize("accept", ["image/png", "Image/PNG;q=0.5, */*", "application/x-npy"])
@pytest.mark.parametrize(("content_type", "content"), [("image/png", b"\x89PNG\xff"), ("application/x-own", b"\xff")])
def test_bytes_are_passed_on_as_base64(content_type: str, content: bytes, accept: str) -> None:
    answer = proxy.answer(content, content_type, accept=accept)

    encoded = base64.b64encode(content).decode()
    assert answer == Response(200, encoded, content_type=content_type, is_base64=True)
    assert proxy.write(answer, {})["isBase64Encoded"] is True


@pytest.mark.parametrize("accept", ["", "*/*", "application/json, image/png", "text/html,image/png"])
def test_who_does_not_ask_for_bytes_first_is_told_to(accept: str) -> None:
    """API Gateway looks at the first media type of Accept, and would send base64 in place of the bytes."""
    with failing(Failure.NOT_ACCEPTABLE, match="name it first in Accept, as in Accept: image/png"):
        proxy.answer(b"\x89PNG", "image/png", accept=accept)


def test_json_that_is_no_utf8_is_the_endpoints_fault() -> None:
    with failing(Failure.FAILED, match="not UTF-8"):
        proxy.answer(b"\xff", "application/json", accept="image/png")


@pytest.mark.parametrize("character", ["0", '"', "\\", "\x01", "é", "\u2028"])
def test_the_limit_is_that_of_the_functions_whole_answer(character: str) -> None:
    escaped = len(json.dumps(character, ensure_ascii=False).encode()) - 2
    fitting = (proxy.MAX_ANSWER_BYTES - proxy.ENVELOPE_BYTES - 2) // escaped

    assert proxy.answer((character * fitting).encode(), JSON, accept="").status == 200
    with failing(Failure.FAILED):
        proxy.answer((character * (fitting + 1)).encode(), JSON, accept="")


def test_the_limit_of_bytes_is_lower_and_named() -> None:
    fitting = (proxy.MAX_ANSWER_BYTES - proxy.ENVELOPE_BYTES) // 4 * 3

    assert proxy.answer(b"\xff" * fitting, "image/png", accept="image/png").is_base64
    with failing(Failure.FAILED, match="4718592"):
        proxy.answer(b"\xff" * (fitting + 3), "image/png", accept="image/png")


@pytest.mark.parametrize("given", [{"headers": None}, {"requestContext": None}])
def test_a_base_url_needs_a_host(given: dict[str, Any]) -> None:
    assert read(event(ROWS, **given)).base_url == "."
