"""HTTP as RFC 9112 has it, in front of both local servers: raw bytes to a real socket.

The gateway and the runtime are served with the same configuration; the application here answers with what it got.
"""

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.local.conftest import serving

BODY = b'{"data": [[1, 2]]}'
CHUNKED = b"5\r\n" + BODY[:5] + b"\r\n" + b"%x\r\n" % (len(BODY) - 5) + BODY[5:] + b"\r\n0\r\n\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
HOST = b"Host: 127.0.0.1\r\n"


async def echo(request: Request) -> JSONResponse:
    body = (await request.body()).decode()
    return JSONResponse({"path": request.url.path, "headers": dict(request.headers), "body": body})


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[str, int]]:
    app = Starlette(routes=[Route("/{path:path}", echo, methods=["GET", "POST"])])
    with serving(app, "https://example.com") as url:
        host, _, port = url.removeprefix("http://").partition(":")
        yield host, int(port)


def exchange(address: tuple[str, int], sent: bytes, *, half_close: bool = False) -> bytes:
    """Send, and return all that comes until the server closes or is silent for a while."""
    received = b""
    with socket.create_connection(address, timeout=10) as client:
        client.sendall(sent)
        if half_close:
            client.shutdown(socket.SHUT_WR)
        client.settimeout(2)
        try:
            while chunk := client.recv(65536):
                received += chunk
                if not half_close and complete(received):
                    break
        except TimeoutError:
            pass
    return received


def complete(received: bytes) -> bool:
    head, separator, body = received.partition(b"\r\n\r\n")
    lengths = [int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
    return bool(separator) and bool(lengths) and len(body) >= lengths[0]


def status(received: bytes) -> int:
    assert received.startswith(b"HTTP/1.1 "), received
    return int(received.split(b" ", 2)[1])


def echoed(received: bytes) -> Any:
    assert status(received) == 200
    return json.loads(received.partition(b"\r\n\r\n")[2])


OFFERS = {
    "h2c": b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
    "websocket": b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: eA==\r\n",
    "unknown": b"Connection: upgrade\r\nUpgrade: TLS/1.3\r\n",
    "none": b"",
}


@pytest.mark.parametrize("offer", OFFERS.values(), ids=list(OFFERS))
@pytest.mark.parametrize(
    "framed", [LENGTH + b"\r\n" + BODY, b"Transfer-Encoding: chunked\r\n\r\n" + CHUNKED], ids=["length", "chunked"]
)
def test_an_offer_to_upgrade_is_ignored(address: tuple[str, int], offer: bytes, framed: bytes) -> None:
    sent = b"POST /predict HTTP/1.1\r\n" + HOST + offer + framed

    assert echoed(exchange(address, sent))["body"] == BODY.decode()


def test_two_requests_with_an_offer_on_one_connection(address: tuple[str, int]) -> None:
    one = b"POST /predict HTTP/1.1\r\n" + HOST + OFFERS["h2c"] + LENGTH + b"\r\n" + BODY

    received = exchange(address, one + one, half_close=True)

    assert received.count(b"HTTP/1.1 200 OK") == 2


def test_a_client_that_has_sent_all_and_closed_its_side_is_answered(address: tuple[str, int]) -> None:
    sent = b"POST /predict HTTP/1.1\r\n" + HOST + LENGTH + b"\r\n" + BODY

    assert echoed(exchange(address, sent, half_close=True))["body"] == BODY.decode()


def test_a_client_that_closes_before_its_body_has_come_gets_nothing_wrong(address: tuple[str, int]) -> None:
    sent = b"POST /predict HTTP/1.1\r\n" + HOST + LENGTH + b"\r\n" + BODY[:-1]

    assert b"200 OK" not in exchange(address, sent, half_close=True)


REFUSED = {
    "no host": b"POST /predict HTTP/1.1\r\n" + LENGTH + b"\r\n" + BODY,
    "two hosts": b"POST /predict HTTP/1.1\r\n" + HOST + b"Host: localhost\r\n" + LENGTH + b"\r\n" + BODY,
    "both framings": b"POST /predict HTTP/1.1\r\n" + HOST + LENGTH + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNKED,
    "two lengths": b"POST /predict HTTP/1.1\r\n" + HOST + LENGTH + b"Content-Length: 5\r\n\r\n" + BODY,
    "a length with a sign": b"POST /predict HTTP/1.1\r\n" + HOST + b"Content-Length: +18\r\n\r\n" + BODY,
    "gzip, chunked": b"POST /predict HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + CHUNKED,
    "chunked twice": b"POST /predict HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked, chunked\r\n\r\n" + CHUNKED,
    "an unknown coding": b"POST /predict HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: xchunked\r\n\r\n" + CHUNKED,
    "a bad chunk": b"POST /predict HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
    "a blank before the colon": b"GET / HTTP/1.1\r\nHost : 127.0.0.1\r\n\r\n",
    "a header without a name": b"GET / HTTP/1.1\r\n" + HOST + b": x\r\n\r\n",
    "a carriage return in a value": b"GET / HTTP/1.1\r\n" + HOST + b"X-Own: a\rb\r\n\r\n",
    "a null in a value": b"GET / HTTP/1.1\r\n" + HOST + b"X-Own: a\0b\r\n\r\n",
    "connect": b"CONNECT 127.0.0.1:80 HTTP/1.1\r\n" + HOST + b"\r\n",
    "no version": b"GET /\r\n\r\n",
}


@pytest.mark.parametrize("sent", REFUSED.values(), ids=list(REFUSED))
def test_what_rfc_9112_does_not_allow_is_refused_and_the_connection_ends(address: tuple[str, int], sent: bytes) -> None:
    """Nothing that follows on the connection may be taken for a request."""
    received = exchange(address, sent + b"GET /smuggled HTTP/1.1\r\n" + HOST + b"\r\n", half_close=False)

    assert status(received) == 400
    assert b"onnection: close" in received or b"onnection:close" in received
    assert b"smuggled" not in received


@pytest.mark.parametrize(
    ("header", "value"),
    [
        (b"X-Own: a\r\n b\r\n", "a b"),
        (b"X-Own: \t value \t \r\n", "value"),
        (b"X-Own:value\r\n", "value"),
    ],
    ids=["folded", "blanks around", "no blank"],
)
def test_values_are_read_as_rfc_9110_says(address: tuple[str, int], header: bytes, value: str) -> None:
    """Section 5.5: blanks around a value are no part of it. RFC 9112, section 5.2: a fold is a blank."""
    received = exchange(address, b"GET / HTTP/1.1\r\n" + HOST + header + b"\r\n")

    assert echoed(received)["headers"]["x-own"] == value


def test_an_absolute_target_goes_before_the_host_header(address: tuple[str, int]) -> None:
    received = exchange(address, b"GET http://localhost:3000/a%20b?c=1 HTTP/1.1\r\nHost: evil.example\r\n\r\n")

    answer = echoed(received)
    assert (answer["path"], answer["headers"]["host"]) == ("/a b", "localhost:3000")


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", 200),
        ("127.0.0.1:3000", 200),
        ("localhost:3000", 200),
        ("LOCALHOST", 200),
        ("[::1]:3000", 200),
        ("evil.example", 403),
        ("127.0.0.1.evil.example:3000", 403),
        ("localhost.evil.example", 403),
        ("10.0.0.1", 403),
        ("", 403),
    ],
)
def test_a_name_that_points_here_is_not_answered(address: tuple[str, int], host: str, expected: int) -> None:
    received = exchange(address, b"GET / HTTP/1.1\r\nHost: " + host.encode() + b"\r\n\r\n")

    assert status(received) == expected


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("https://example.com", 200),
        ("http://localhost:5173", 200),
        ("http://127.0.0.1:3000", 200),
        ("https://example.org", 403),
        ("https://example.com.evil.example", 403),
        ("null", 403),
    ],
)
def test_a_page_of_another_origin_is_not_answered(address: tuple[str, int], origin: str, expected: int) -> None:
    received = exchange(address, b"GET / HTTP/1.1\r\n" + HOST + b"Origin: " + origin.encode() + b"\r\n\r\n")

    assert status(received) == expected
