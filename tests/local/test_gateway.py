import gzip
import json
import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from local.function import Function, Limits
from local.gateway import MAX_BODY, create_app
from local.template import read_template
from tests.local.conftest import Start
from tests.local.test_template import SMALL, write

JSON = {"Content-Type": "application/json"}


def echo(event: dict[str, Any], _: Any) -> dict[str, Any]:
    return {"statusCode": 200, "headers": JSON, "body": json.dumps(event)}


@pytest.fixture
def serve(start: Start, tmp_path: Path) -> Callable[..., str]:
    """Return a function that serves the small template with a handler of the test's own."""
    api = read_template(write(tmp_path, SMALL), {}).api

    def serve(handler: Any = echo, *, seconds: float = 60, key: str | None = None, waits: float = 29) -> str:
        return start(create_app(api, Function(handler, Limits(seconds, 128)), key, waits)) + "/files/index"

    return serve


def test_calls_the_function_and_passes_its_answer_on(serve: Callable[..., str]) -> None:
    response = requests.get(serve(), params={"a": "1"}, headers={"X-Own": "2"}, timeout=60)

    event = response.json()
    assert (response.status_code, response.headers["Content-Type"]) == (200, "application/json")
    assert (event["httpMethod"], event["resource"], event["queryStringParameters"]) == (
        "GET",
        "/files/index",
        {"a": "1"},
    )
    assert event["headers"]["X-Own"] == "2"
    assert event["headers"]["X-Forwarded-For"] == "127.0.0.1"
    assert event["headers"]["X-Amzn-Trace-Id"].startswith("Root=1-")
    assert event["requestContext"]["requestId"] == response.headers["x-amzn-RequestId"]


def test_path_parameters(serve: Callable[..., str]) -> None:
    event = requests.get(serve().replace("index", "a%20b"), timeout=60).json()

    assert (event["resource"], event["pathParameters"]) == ("/files/{name}", {"name": "a b"})


def test_no_route(serve: Callable[..., str]) -> None:
    response = requests.get(serve() + "/none", timeout=60)

    assert (response.status_code, response.json()) == (403, {"message": "Missing Authentication Token"})
    assert response.headers["x-amzn-ErrorType"] == "MissingAuthenticationTokenException"


@pytest.mark.parametrize(
    ("sent", "status"),
    [({}, 401), ({"x-api-key": "no"}, 401), ({"x-api-key": "yes"}, 200), ({"x-api-key": "yes \t"}, 200)],
)
def test_a_key_is_asked_for_and_refused_as_the_api_defines(
    serve: Callable[..., str], sent: dict[str, str], status: int
) -> None:
    response = requests.post(serve(key="yes"), data=b'{"data": 1}', headers=JSON | sent, timeout=60)

    assert response.status_code == status
    if status == 401:
        assert (response.headers["Content-Type"], response.text) == ("application/problem+json", '{"status": 401}')


def test_a_route_without_a_key(serve: Callable[..., str]) -> None:
    assert requests.get(serve(key="yes"), timeout=60).status_code == 200


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"data": NaN}', b"[" * 100_000])
def test_the_function_judges_bodies(serve: Callable[..., str], body: bytes) -> None:
    event = requests.post(serve(), data=body, headers=JSON, timeout=60).json()

    assert event["body"] == body.decode()


def test_text_arrives_as_text(serve: Callable[..., str]) -> None:
    assert requests.post(serve(), data=b"1,2", headers={"Content-Type": "text/csv"}, timeout=60).json()["body"] == "1,2"


def test_a_binary_body_arrives_as_base64(serve: Callable[..., str]) -> None:
    event = requests.post(serve(), data=b"\x00", headers={"Content-Type": "image/png"}, timeout=60).json()

    assert (event["body"], event["isBase64Encoded"]) == ("AA==", True)


@pytest.mark.parametrize(
    ("encoding", "compress"),
    [("gzip", gzip.compress), ("x-gzip", gzip.compress), ("GZIP ", gzip.compress), ("deflate", zlib.compress)],
)
def test_a_compressed_body_is_unpacked(
    serve: Callable[..., str], encoding: str, compress: Callable[[bytes], bytes]
) -> None:
    headers = JSON | {"Content-Encoding": encoding}

    event = requests.post(serve(), data=compress(b'{"data": 1}'), headers=headers, timeout=60).json()

    assert (event["body"], "Content-Encoding" in event["headers"]) == ('{"data": 1}', False)


@pytest.mark.parametrize(
    ("encoding", "body"),
    [("gzip", b"plain"), ("gzip", gzip.compress(b'{"data": 1}')[:-9]), ("br", b"x")],
    ids=["plain", "cut-short", "unknown"],
)
def test_a_body_that_cannot_be_unpacked(serve: Callable[..., str], encoding: str, body: bytes) -> None:
    response = requests.post(serve(), data=body, headers=JSON | {"Content-Encoding": encoding}, timeout=60)

    assert (response.status_code, response.json()) == (415, {"message": "Unsupported Media Type"})


def test_a_small_body_that_unpacks_to_too_much(serve: Callable[..., str]) -> None:
    bomb = gzip.compress(b" " * (MAX_BODY + 1))

    response = requests.post(serve(), data=bomb, headers=JSON | {"Content-Encoding": "gzip"}, timeout=60)

    assert (response.status_code, response.json()) == (413, {"message": "Request Too Long"})


def test_an_answer_is_compressed_for_who_asks(serve: Callable[..., str]) -> None:
    url = serve()

    asked = requests.get(url, headers={"Accept-Encoding": "gzip"}, timeout=60)
    plain = requests.get(url, headers={"Accept-Encoding": "identity"}, timeout=60)

    assert (asked.headers.get("Content-Encoding"), plain.headers.get("Content-Encoding")) == ("gzip", None)


def test_a_body_above_10_mb(serve: Callable[..., str]) -> None:
    response = requests.post(serve(), data=b" " * (MAX_BODY + 1), headers=JSON, timeout=60)

    assert (response.status_code, response.text) == (413, "HTTP content length exceeded 10485760 bytes.")
    assert response.headers["Content-Type"].startswith("text/plain")


def test_a_body_above_6_mb(serve: Callable[..., str]) -> None:
    body = b'{"data": 1' + b" " * 6_400_000 + b"}"

    response = requests.post(serve(), data=body, headers=JSON, timeout=60)

    assert (response.status_code, response.json()) == (413, {"message": "Request Too Long"})


def raises(*_: Any) -> None:
    raise ZeroDivisionError("inside")


@pytest.mark.parametrize("handler", [raises, lambda *_: None, lambda *_: {"statusCode": 200, "body": "a" * 7_000_000}])
def test_a_function_that_fails_is_a_bad_gateway(serve: Callable[..., str], handler: Any) -> None:
    response = requests.get(serve(handler), timeout=60)

    assert (response.status_code, response.json()) == (502, {"message": "Internal server error"})


@pytest.fixture
def slow() -> Iterator[Callable[..., bool]]:
    """A handler that takes longer than anybody waits."""
    told_to_end = threading.Event()
    yield lambda *_: told_to_end.wait(60)
    told_to_end.set()


def test_a_function_that_takes_too_long_is_a_bad_gateway(serve: Callable[..., str], slow: Any) -> None:
    response = requests.get(serve(slow, seconds=0.1), timeout=60)

    assert response.status_code == 502


def test_a_function_slower_than_the_gateway_waits(serve: Callable[..., str], slow: Any) -> None:
    response = requests.get(serve(slow, waits=0.1), timeout=60)

    assert (response.status_code, response.json()) == (504, {"message": "Endpoint request timed out"})
