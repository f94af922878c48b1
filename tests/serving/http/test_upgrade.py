"""Offers to upgrade (RFC 9110 section 7.8), as of curl --http2 and Java's own client: ignored, their bodies read."""

import subprocess
from pathlib import Path

import pytest

from tests.serving import faults
from tests.serving.http.test_connection import reply, send, status_of
from tests.serving.http.test_rfc import CODING, GET, H2C, LENGTH, NEXT, POST, in_pieces
from tests.serving.processes import serving

CHUNKS = CODING + b"chunked\r\n\r\n2\r\nbo\r\n2;a=b\r\ndy\r\n0\r\nX-Trailer: t\r\n\r\n"


@pytest.mark.parametrize("pieces", [1000, 7, 1], ids=["at once", "in pieces", "byte by byte"])
@pytest.mark.parametrize("framing", [LENGTH, CHUNKS], ids=["length", "chunked"])
@pytest.mark.parametrize("offer", [H2C, b"Connection: upgrade\r\nUpgrade: websocket\r\n"], ids=["h2c", "websocket"])
def test_an_offer_to_upgrade_is_ignored_and_its_body_read(offer: bytes, framing: bytes, pieces: int) -> None:
    answers = send(*in_pieces(POST + b"X-Name: n\r\n" + offer + framing + NEXT, pieces), pause=0)

    assert answers == reply(b"POST /a n body", close=False) + reply(b"GET /next None ")


def test_an_offer_to_upgrade_without_a_body_is_ignored() -> None:
    assert send(GET + H2C + b"\r\n" + NEXT) == reply(b"GET /a None ", close=False) + reply(b"GET /next None ")


def test_offers_to_upgrade_may_follow_one_another() -> None:
    request = POST + H2C + LENGTH

    assert send(request * 3 + NEXT) == reply(b"POST /a None body", close=False) * 3 + reply(b"GET /next None ")


def test_an_offer_to_upgrade_does_not_keep_a_connection_that_is_to_close() -> None:
    assert send(POST + b"Connection: close, upgrade\r\nUpgrade: h2c\r\n" + LENGTH) == reply(b"POST /a None body")


def test_an_offer_to_upgrade_of_an_old_client_is_ignored() -> None:
    request = b"POST /a HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: h2c\r\n" + LENGTH

    assert send(request) == reply(b"POST /a None body")


def test_an_offer_to_upgrade_waits_for_continue_like_any_request() -> None:
    head = POST + b"Expect: 100-continue\r\n" + H2C + b"Content-Length: 4\r\n\r\n"

    assert send(head, b"body", NEXT).startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize("offer", [b"", H2C])
def test_a_body_with_an_offer_to_upgrade_is_bounded_like_any(offer: bytes) -> None:
    request = POST + offer + CODING + b"chunked\r\n\r\n" + b"8\r\n12345678\r\n" * 2

    assert status_of(send(request, max_body_bytes="10")) == 413


@pytest.mark.parametrize("framing", [(), ("--header", "Transfer-Encoding: chunked")], ids=["length", "chunked"])
def test_curl_with_http2_is_answered(tmp_path: Path, framing: tuple[str, ...]) -> None:
    with serving(faults.save(faults.Echo(), tmp_path / "model")) as server:
        url = f"http://{server.address}/invocations"
        body = ("--header", "Content-Type: application/json", "--data", '{"data": [[7, 0]]}')
        done = subprocess.run(["curl", "--silent", "--http2", *framing, *body, url], capture_output=True, check=True)

    assert done.stdout == b'{"predictions":[7.0]}'
