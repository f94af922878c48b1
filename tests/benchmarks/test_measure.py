import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from benchmarks.errors import ServerError
from benchmarks.measure import check, visit
from benchmarks.processes import alive
from benchmarks.servers import Launch, Place, Server
from benchmarks.work import Work, sample, save, trained

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
def model(tmp_path: Path) -> Path:
    return save("logistic", tmp_path / "models" / "logistic")


def test_a_visit_begins_when_the_first_prediction_is_right_and_leaves_nothing(model: Path) -> None:
    with visit(Server("tiny", "none", "", "", tiny), model, FIVE_ROWS) as visited:
        assert 0 < visited.ready_s < 60

    assert not alive(visited.pid)


def test_a_server_that_does_not_start_is_an_error_that_names_its_log(model: Path, tmp_path: Path) -> None:
    log = tmp_path / "run" / "failing" / "server.log"

    with (
        pytest.raises(ServerError, match=f"failing did not start: see {log}"),
        visit(Server("failing", "none", "", "", failing), model, FIVE_ROWS),
    ):
        pass

    assert log.read_text() == "no such model\n"


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
