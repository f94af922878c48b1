import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from benchmarks.errors import ServerError
from benchmarks.measure import check, same, visit
from benchmarks.models import Trained
from benchmarks.processes import alive
from benchmarks.servers import Launch, Place, Server
from benchmarks.work import Work, named

(IRIS,) = named(["iris"])
FIVE_ROWS = Work(IRIS, 5, 32)


def nothing(_place: Place) -> Launch:
    return Launch([])


class Predictor(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        rows = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["data"]
        predictions = IRIS.train().predict(rows) + (self.path == "/wrong")
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


SERVER = """
import http.server, json, os, sys, joblib
model = joblib.load(os.environ["MODEL"])
class Predictor(http.server.BaseHTTPRequestHandler):
    def answer(self, value):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(value).encode())
    def do_GET(self):
        self.answer({})
    def do_POST(self):
        rows = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["data"]
        self.answer({"predictions": model.predict(rows).tolist()})
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Predictor).serve_forever()
"""


def tiny(place: Place) -> Launch:
    return Launch([sys.executable, "-c", SERVER, str(place.port)], {"MODEL": str(place.model)})


def failing(_place: Place) -> Launch:
    return Launch([sys.executable, "-c", "raise SystemExit('no such model')"])


@pytest.fixture
def trained(tmp_path: Path) -> Trained:
    trained = Trained(IRIS, tmp_path)
    trained.make()
    return trained


def test_a_visit_begins_when_the_first_prediction_is_right_and_leaves_nothing(trained: Trained) -> None:
    with visit(Server("tiny", "none", "", "", tiny), trained, FIVE_ROWS) as visited:
        assert 0 < visited.ready_s < 60

    assert not alive(visited.pid)


def test_a_server_that_does_not_start_is_an_error_with_its_own_words(trained: Trained) -> None:
    with (
        pytest.raises(ServerError, match="failing did not start: no such model"),
        visit(Server("failing", "none", "", "", failing), trained, FIVE_ROWS),
    ):
        pass


def server(path: str) -> Server:
    return Server("tried", "none", "none", "none", nothing, invocations=path)


def test_the_models_own_predictions_pass(port: int, trained: Trained) -> None:
    check(server("/right"), port, FIVE_ROWS, trained)


@pytest.mark.parametrize(
    ("path", "message"),
    [("/wrong", "tried answered other predictions than the model's"), ("/broken", "tried answered 500")],
)
def test_a_server_that_answers_wrongly_is_not_measured(port: int, trained: Trained, path: str, message: str) -> None:
    with pytest.raises(ServerError, match=message):
        check(server(path), port, FIVE_ROWS, trained)


@pytest.mark.parametrize(
    ("given", "expected", "right"),
    [
        ([1.0, 2.0], [1.0, 2.000001], True),
        ([1.0, 2.0], [1.0, 2.01], False),
        ([1.0], [1.0, 2.0], False),
        ([1, 2], [1, 2], True),
        ([1, 2], [1, 3], False),
    ],
)
def test_labels_are_equal_and_numbers_nearly(given: list[float], expected: list[float], *, right: bool) -> None:
    assert same(np.array(given), np.array(expected)) is right
