import base64
import json
from datetime import datetime
from typing import Any

import pytest

from local.errors import FunctionError
from local.event import Incoming, Outgoing, Place, is_binary, proxy_event, response

HEADERS = [("Host", "127.0.0.1:3000"), ("Accept", "*/*"), ("Content-Type", "application/json"), ("User-Agent", "curl")]


def incoming(body: bytes = b"{}", *, query: str = "", headers: list[tuple[str, str]] | None = None) -> Incoming:
    return Incoming("id-1", "POST", "/predict", query, headers or HEADERS, body, "HTTP/1.1", "127.0.0.1")


def test_an_event_has_every_field_of_a_rest_api() -> None:
    event = proxy_event(incoming(), Place("/predict", "prod", {}), binary=False)

    context = event.pop("requestContext")
    for varying in ("extendedRequestId", "requestTime", "requestTimeEpoch"):
        del context[varying]
    assert event == {
        "resource": "/predict",
        "path": "/predict",
        "httpMethod": "POST",
        "headers": dict(HEADERS),
        "multiValueHeaders": {name: [value] for name, value in HEADERS},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "body": "{}",
        "isBase64Encoded": False,
    }
    assert context == {
        "accountId": "000000000000",
        "apiId": "local",
        "domainName": "127.0.0.1:3000",
        "domainPrefix": "local",
        "httpMethod": "POST",
        "identity": {
            "accessKey": None,
            "accountId": None,
            "caller": None,
            "cognitoAuthenticationProvider": None,
            "cognitoAuthenticationType": None,
            "cognitoIdentityId": None,
            "cognitoIdentityPoolId": None,
            "principalOrgId": None,
            "sourceIp": "127.0.0.1",
            "user": None,
            "userAgent": "curl",
            "userArn": None,
        },
        "path": "/predict",
        "protocol": "HTTP/1.1",
        "requestId": "id-1",
        "resourceId": "local",
        "resourcePath": "/predict",
        "stage": "prod",
    }


def test_times_of_an_event_agree() -> None:
    context = proxy_event(incoming(), Place("/predict", "prod", {}), binary=False)["requestContext"]

    assert int(datetime.strptime(context["requestTime"], "%d/%b/%Y:%H:%M:%S %z").timestamp()) == pytest.approx(
        context["requestTimeEpoch"] / 1000, abs=1
    )


def test_repeated_headers_and_parameters_are_kept() -> None:
    request = incoming(query="a=1&a=2&b=", headers=[("X", "1"), ("X", "2")])

    event = proxy_event(request, Place("/predict", "prod", {"asset": "a"}), binary=False)

    assert (event["headers"], event["multiValueHeaders"]) == ({"X": "2"}, {"X": ["1", "2"]})
    assert (event["queryStringParameters"], event["multiValueQueryStringParameters"]) == (
        {"a": "2", "b": ""},
        {"a": ["1", "2"], "b": [""]},
    )
    assert event["pathParameters"] == {"asset": "a"}


def test_a_binary_body_travels_as_base64() -> None:
    event = proxy_event(incoming(b"\x00\xff"), Place("/predict", "prod", {}), binary=True)

    assert (event["body"], event["isBase64Encoded"]) == ("AP8=", True)


@pytest.mark.parametrize("binary", [True, False])
def test_no_body_is_null(binary: bool) -> None:  # noqa: FBT001  # a test's parameter
    event = proxy_event(incoming(b""), Place("/predict", "prod", {}), binary=binary)

    assert (event["body"], event["isBase64Encoded"]) == (None, False)


@pytest.mark.parametrize(
    ("content_type", "media_type"),
    [("Application/JSON; charset=utf-8", "application/json"), (None, "application/json"), ("text/csv", "text/csv")],
)
def test_media_type(content_type: str | None, media_type: str) -> None:
    headers = [("Host", "x")] if content_type is None else [("CONTENT-TYPE", content_type)]

    assert incoming(headers=headers).media_type == media_type


@pytest.mark.parametrize(
    ("media_type", "binary_types", "expected"),
    [
        ("application/json", [], False),
        ("application/json", ["*/*"], True),
        ("image/png", ["image/*"], True),
        ("image/png", ["image/png"], True),
        ("text/plain", ["image/*", "application/octet-stream"], False),
    ],
)
def test_binary_media_types(media_type: str, binary_types: list[str], expected: bool) -> None:  # noqa: FBT001  # likewise
    assert is_binary(media_type, binary_types) is expected


def answer(value: Any, accept: str = "*/*", binary_types: tuple[str, ...] = ()) -> Outgoing:
    return response(value, accept=accept, binary_types=binary_types)


def test_an_answer_becomes_a_response() -> None:
    value = {
        "statusCode": 422,
        "headers": {"Content-Type": "application/problem+json", "Retry-After": 5},
        "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]},
        "body": "{}",
        "isBase64Encoded": False,
    }

    assert answer(value) == Outgoing(
        422,
        [
            ("Set-Cookie", "a=1"),
            ("Set-Cookie", "b=2"),
            ("Content-Type", "application/problem+json"),
            ("Retry-After", "5"),
        ],
        b"{}",
    )


def test_the_least_answer_is_a_status() -> None:
    assert answer({"statusCode": "204"}) == Outgoing(204, [], b"")


def test_headers_of_the_gateway_are_remapped_and_lengths_are_its_own() -> None:
    value = {"statusCode": 200, "headers": {"Server": "mine", "Content-Length": "7"}}

    assert answer(value).headers == [("x-amzn-Remapped-Server", "mine")]


@pytest.mark.parametrize(
    ("accept", "binary_types", "body"),
    [
        ("image/png", ("image/png",), b"\x00"),
        ("text/html, image/png", ("image/png",), b"AA=="),
        ("*/*", ("*/*",), b"\x00"),
        ("image/png", (), b"AA=="),
    ],
)
def test_base64_is_decoded_for_a_caller_that_accepts_binary_first(
    accept: str, binary_types: tuple[str, ...], body: bytes
) -> None:
    value = {"statusCode": 200, "body": base64.b64encode(b"\x00").decode(), "isBase64Encoded": True}

    assert answer(value, accept, binary_types).body == body


@pytest.mark.parametrize(
    "value",
    [
        None,
        "text",
        [],
        {},
        {"statusCode": None},
        {"statusCode": True},
        {"statusCode": 99},
        {"statusCode": "ok"},
        {"statusCode": 200, "body": {}},
        {"statusCode": 200, "headers": []},
        {"statusCode": 200, "headers": {"X": {}}},
        {"statusCode": 200, "headers": {"X": "a\r\nSet-Cookie: b=1"}},
        {"statusCode": 200, "headers": {"X": "\u20ac"}},
        {"statusCode": 200, "headers": {"X:": "a"}},
        {"statusCode": 200, "multiValueHeaders": {"X": "1"}},
        {"statusCode": 200, "body": "!", "isBase64Encoded": True},
    ],
    ids=json.dumps,
)
def test_malformed_answers_are_refused(value: Any) -> None:
    with pytest.raises(FunctionError):
        answer(value, binary_types=("*/*",))
