import math
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks.pinger import ping, pinging

SLOW_S = 0.3


class Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/slow":
            time.sleep(SLOW_S)
        self.send_response(503 if self.path == "/draining" else 200)
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_a_ping_is_timed_to_its_answer(port: int) -> None:
    assert SLOW_S * 1000 <= ping(port, "/slow") < math.inf


def test_a_ping_that_is_not_answered_200_is_infinitely_long(port: int) -> None:
    assert ping(port, "/draining") == math.inf


def test_slow_answers_do_not_make_pings_fewer(port: int) -> None:
    with pinging(port, "/slow") as answers:
        time.sleep(2 * SLOW_S)

    assert len(answers) >= 8
