"""Smoke tests against servers with one fault each, over HTTP."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from deployment.credentials import Key, Token
from deployment.errors import UnreadableError
from deployment.findings import Level
from deployment.smoke import check_api, record
from golden.requests import GoldenRequest

KEY = "a-key"
RIGHT = Key(KEY)
TOKEN = "Bearer a-token"
GOLDEN = GoldenRequest("golden request 0", {"data": [[1, 2]]}, {"predictions": ["setosa"]})


@dataclass(slots=True)
class Api:
    """An API that is right until it is told otherwise."""

    url: str = ""
    is_open: bool = False
    predictions: tuple[str, ...] = ("setosa",)
    health: int = 200


@pytest.fixture
def api() -> Iterator[Api]:
    served = Api()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(served.health, {"status": "ok"})

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            shown = {self.headers.get("x-api-key"), self.headers.get("Authorization")}
            if shown & {KEY, TOKEN} or served.is_open:
                self.answer(200, {"predictions": served.predictions})
            else:
                self.answer(403, {"title": "Forbidden"})

        def answer(self, status: int, document: Any) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        served.url = f"http://127.0.0.1:{server.server_port}"
        yield served
        server.shutdown()


def errors(api: Api, auth: httpx.Auth | None = RIGHT) -> list[str]:
    with httpx.Client(auth=auth) as client:
        findings = list(check_api(client, api.url, [GOLDEN]))
    assert all(finding.advice for finding in findings if finding.level is not Level.OK)
    return [finding.text for finding in findings if finding.level is not Level.OK]


def test_a_closed_api_with_the_expected_answers_passes(api: Api) -> None:
    assert errors(api) == []


def test_a_token_gets_in_as_a_key_does(api: Api) -> None:
    assert errors(api, Token(TOKEN)) == []


def test_an_open_api_may_be_asked_without_credentials(api: Api) -> None:
    api.is_open = True

    assert errors(api, None) == []


def test_credentials_do_not_show_themselves() -> None:
    assert (repr(Key("secret")), repr(Token("secret"))) == ("Key()", "Token()")


def test_a_wrong_answer_is_found(api: Api) -> None:
    api.predictions = ("virginica",)

    assert errors(api) == ['golden request 0: /predictions/0: expected "setosa", got "virginica"']


def test_an_open_api_is_found(api: Api) -> None:
    api.is_open = True

    assert errors(api) == ["the API answers without credentials"]


def test_a_wrong_key_is_found(api: Api) -> None:
    assert errors(api, Key("another")) == ['golden request 0: expected 200, got 403: {"title": "Forbidden"}']


def test_a_failing_health_is_found(api: Api) -> None:
    api.health = 500

    assert errors(api) == ['/health answers 500: {"status": "ok"}']


@pytest.mark.parametrize(
    ("url", "said"),
    [("http://127.0.0.1:9", "[Errno 111] Connection refused"), ("http://127.0.0.1:nope", "Invalid port: 'nope'")],
    ids=["closed", "no-url"],
)
def test_where_nothing_answers_one_finding_says_so(url: str, said: str) -> None:
    assert errors(Api(url=url)) == [f"nothing answers at {url}: {said}"]


def test_where_nothing_answers_nothing_is_recorded() -> None:
    with httpx.Client() as client, pytest.raises(UnreadableError, match=r"start `make run MODEL=\.\.\.`, or give URL"):
        record(client, "http://127.0.0.1:9", [GOLDEN.request])


def test_recorded_answers_are_the_expected_ones(api: Api) -> None:
    with httpx.Client(auth=RIGHT) as client:
        assert record(client, api.url, [GOLDEN.request])[0].answer == GOLDEN.answer


def test_a_refused_request_is_not_recorded(api: Api) -> None:
    with httpx.Client(auth=Key("another")) as client, pytest.raises(UnreadableError, match="answers 403"):
        record(client, api.url, [GOLDEN.request])
