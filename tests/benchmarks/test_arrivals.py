import math
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path

import pytest

from benchmarks.arrivals import Answer, Outcome, complete, outcome, post

REQUESTS = count()


class SlowThenRefusing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        refused = self.path == "/half" and next(REQUESTS) % 2
        time.sleep(0.2 if self.path == "/slow" else 0)
        self.send_response(503 if refused else 200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), SlowThenRefusing) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture
def body(tmp_path: Path) -> Path:
    path = tmp_path / "body.json"
    path.write_bytes(b'{"data": [[1]]}')
    return path


def test_requests_arrive_at_their_rate_though_the_server_is_slow(port: int, body: Path) -> None:
    found = post(port, "/slow", body, rps=50, seconds=1)

    assert 30 < found.accepted_rps == found.offered_rps < 70
    assert found.p50_ms >= 200


def test_refusals_are_counted_apart(port: int, body: Path) -> None:
    found = post(port, "/half", body, rps=100, seconds=1)

    assert found.failed == 0
    assert found.refused == pytest.approx(found.accepted_rps, abs=1)


def test_latency_is_that_of_accepted_requests_only() -> None:
    answers = [Answer(200, 20), Answer(200, 20), Answer(200, 20), Answer(503, 1), Answer(500, 2), Answer(0, 3)]

    assert outcome(answers, seconds=2) == Outcome(
        offered_rps=3, accepted_rps=1.5, refused=1, failed=2, p50_ms=20, p99_ms=20, refusal_p99_ms=1
    )


def test_nothing_accepted_has_no_latency() -> None:
    assert math.isnan(outcome([Answer(503, 1)], seconds=1).p99_ms)


@pytest.mark.parametrize("part", [b"HTTP/1.1 200 OK\r\nContent-Le", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n["])
def test_an_answer_shorter_than_it_said_is_not_complete(part: bytes) -> None:
    assert not complete(part)


def test_an_answer_as_long_as_it_said_is_complete() -> None:
    assert complete(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]")
