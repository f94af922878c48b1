"""Smoke tests against servers with one fault each, over HTTP."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from botocore.credentials import Credentials

from deployment import smoke
from deployment.credentials import Key, Signature, Token
from deployment.errors import UnreadableError
from deployment.findings import Finding, Level, error
from deployment.samples import Reply
from deployment.smoke import ask, check_api, record
from golden.requests import GoldenRequest

KEY = "a-key"
RIGHT = Key(KEY)
TOKEN = "Bearer a-token"
WRONG_KEY = "the key is refused: give KEY=..., which `make access` prints"
NO_CREDENTIALS = 'it asks for credentials: give KEY=..., which `make access` prints, TOKEN="Bearer ..." or SIGN=1'
RIGHT_URL = (
    "give the URL that `make run` or `make access` prints, "
    "on AWS with its stage: https://ID.execute-api.REGION.amazonaws.com/prod"
)
GOLDEN = GoldenRequest("golden request 0", {"data": [[1, 2]]}, {"predictions": ["setosa"]})


@dataclass(slots=True)
class Api:
    """An API that is right until it is told otherwise."""

    url: str = ""
    is_open: bool = False
    predictions: tuple[str, ...] = ("setosa",)
    health: int = 200
    status: int = 200
    cold: int = 0


@pytest.fixture
def api() -> Iterator[Api]:
    served = Api()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(served.health if self.path == "/health" else 404, {"status": "ok"})

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            if self.path != "/predict":
                self.answer(404, {"title": "Not Found"})
                return
            shown = {self.headers.get("x-api-key"), self.headers.get("Authorization")}
            if shown & {KEY, TOKEN} and served.cold:
                self.answer(503, {"status": 503})
                served.cold -= 1
            elif shown & {KEY, TOKEN} or served.is_open:
                self.answer(served.status, {"predictions": served.predictions})
            else:
                self.answer(403, {"title": "Forbidden"})

        def answer(self, status: int, document: Any) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Retry-After", "1" if served.cold else "")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        served.url = f"http://127.0.0.1:{server.server_port}"
        yield served
        server.shutdown()


def wrong(api: Api, auth: httpx.Auth | None = RIGHT) -> list[Finding]:
    with httpx.Client(auth=auth) as client:
        return [finding for finding in check_api(client, api.url, [GOLDEN]) if finding.level is not Level.OK]


def test_a_cold_endpoint_is_asked_again(api: Api) -> None:
    api.cold = 2

    assert wrong(api) == []


def test_an_endpoint_that_stays_cold_is_an_error(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smoke, "PATIENCE", 2.5)
    api.cold = 99

    assert [finding.text for finding in wrong(api)] == ['golden request 0: expected 200, got 503: {"status": 503}']


def errors(api: Api, auth: httpx.Auth | None = RIGHT) -> list[str]:
    findings = wrong(api, auth)
    assert all(finding.advice for finding in findings)
    return [finding.text for finding in findings]


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


@pytest.mark.parametrize(
    ("auth", "advice"),
    [
        (None, NO_CREDENTIALS),
        (Key("another"), WRONG_KEY),
        (Token("Bearer old"), 'the token is refused: give TOKEN="Bearer ..." of one that has not expired'),
        (
            Signature(Credentials("key", "secret"), "eu-west-1"),
            "the signature is refused: let this identity execute-api:Invoke, or sign as another",
        ),
    ],
    ids=["none", "key", "token", "signature"],
)
def test_refused_credentials_are_named(api: Api, auth: httpx.Auth | None, advice: str) -> None:
    text = 'golden request 0: expected 200, got 403: {"title": "Forbidden"}'

    assert wrong(api, auth) == [error("smoke", text, advice)]


def test_a_url_with_predict_is_told_the_right_one(api: Api) -> None:
    text = '/health answers 404: {"status": "ok"}'

    findings = wrong(replace(api, url=f"{api.url}/predict"))

    assert findings == [error("smoke", text, f"leave out /predict: URL={api.url}")]


@pytest.mark.parametrize("status", [403, 404])
def test_a_wrong_stage_is_told_where_the_url_is(api: Api, status: int) -> None:
    api.health = status

    assert wrong(api) == [error("smoke", f'/health answers {status}: {{"status": "ok"}}', RIGHT_URL)]


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


def not_recorded(url: str, auth: httpx.Auth | None = RIGHT) -> str:
    with httpx.Client(auth=auth) as client, pytest.raises(UnreadableError) as caught:
        record(client, url, [GOLDEN.request])
    return str(caught.value)


def test_nothing_is_recorded_without_the_key(api: Api) -> None:
    said = f'{api.url}/predict answers 403: {{"title": "Forbidden"}}'

    assert not_recorded(api.url, Key("another")) == f"{said}; {WRONG_KEY}"
    assert not_recorded(api.url, None) == f"{said}; {NO_CREDENTIALS}"


def test_nothing_is_recorded_from_another_url(api: Api) -> None:
    url = f"{api.url}/predict"

    said = f'{url}/predict answers 404: {{"title": "Not Found"}}'
    assert not_recorded(url) == f"{said}; leave out /predict: URL={api.url}"


def test_nothing_is_recorded_from_another_stage(api: Api) -> None:
    api.health = 403

    said = f'{api.url}/predict answers 403: {{"title": "Forbidden"}}'
    assert not_recorded(api.url, Key("another")) == f"{said}; {RIGHT_URL}"


@pytest.mark.parametrize("status", [400, 503])
def test_a_refused_request_is_not_recorded(api: Api, status: int) -> None:
    api.status = status

    assert not_recorded(api.url).startswith(f"{api.url}/predict answers {status}")


def test_what_the_model_refuses_is_its_reply(api: Api) -> None:
    api.status = 400

    with httpx.Client(auth=RIGHT) as client:
        assert ask(client, api.url, GOLDEN.request) == Reply(400, {"predictions": ["setosa"]})
