import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks.measure import ServerError, check
from benchmarks.servers import Launch, Place, Server
from benchmarks.work import Work, sample, trained

FIVE_ROWS = Work("logistic", 5, 32)


def nothing(_place: Place) -> Launch:
    return Launch([])


class Predictor(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        rows = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["data"]
        predictions = trained("logistic").predict(rows) + (self.path == "/wrong")
        self.send_response(500 if self.path == "/broken" else 200)
        self.end_headers()
        self.wfile.write(json.dumps({"predictions": predictions.tolist()}).encode())

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Predictor) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def server(path: str, *, predicts: bool = True) -> Server:
    return Server("tried", "none", "none", "none", nothing, invocations=path, predicts=predicts)


def test_the_models_own_predictions_pass(port: int) -> None:
    check(server("/right"), port, FIVE_ROWS)


@pytest.mark.parametrize(
    ("path", "message"),
    [("/wrong", "tried answered other predictions than the model's"), ("/broken", "tried answered 500")],
)
def test_a_server_that_answers_wrongly_is_not_measured(port: int, path: str, message: str) -> None:
    with pytest.raises(ServerError, match=message):
        check(server(path), port, FIVE_ROWS)


def test_the_ceiling_answers_a_constant_and_is_not_checked(port: int) -> None:
    check(server("/wrong", predicts=False), port, FIVE_ROWS)


def test_bodies_are_equal_from_run_to_run_and_as_long_as_real_ones() -> None:
    body = json.dumps({"data": sample("forest", 100).tolist()})

    assert (sample("forest", 100) == sample("forest", 100)).all()
    assert (sample("forest", 100) != sample("forest", 100, seed=1)).any()
    assert 28_000 < len(body) < 36_000
