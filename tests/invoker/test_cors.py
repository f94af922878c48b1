"""A page of another origin calls the API, through the local gateway and as a browser does it: it asks before it sends.

https://fetch.spec.whatwg.org/#cors-preflight-fetch
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from local.function import Function
from local.gateway import create_app
from local.template import read_template
from tests.invoker.conftest import Make
from tests.invoker.misbehaving import PREDICTIONS
from tests.local.conftest import serving

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
ORIGIN = "https://example.com"
KEY = "key"
JSON = {"Content-Type": "application/json"}
ROWS = b'{"data": [[1, 2]]}'
SIGNATURE = {
    "Authorization": "AWS4-HMAC-SHA256 Credential=",
    "X-Amz-Content-Sha256": "e3b0",
    "X-Amz-Date": "20261123T000000Z",
    "X-Amz-Security-Token": "token",
}
CREDENTIALS = {
    "api_key": {"x-api-key": KEY},
    "iam": SIGNATURE,
    # Auth=jwt sends the same header; the local gateway runs one function, and that mode has two.
    "cognito": {"Authorization": "Bearer token"},
}


@pytest.fixture(params=CREDENTIALS)
def auth(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def url(make: Make, auth: str) -> Iterator[str]:
    """The gateway that the template describes for the mode, in front of the service."""
    template = read_template(TEMPLATE, {"EndpointName": "iris", "Auth": auth, "CorsOrigin": ORIGIN})
    function = Function(make(CORS_ORIGIN=ORIGIN).service.handle, template.function.limits)
    with serving(create_app(template.api, function, KEY), ORIGIN) as started:
        yield started


def preflight(url: str, headers: dict[str, str], origin: str = ORIGIN) -> bool:
    """Ask as a browser does: without credentials, and naming the headers that need leave."""
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    asked["Access-Control-Request-Headers"] = ",".join(sorted(name.lower() for name in headers))
    response = requests.options(f"{url}/predict", headers=asked, timeout=60)
    allowed = {name.strip().lower() for name in response.headers["Access-Control-Allow-Headers"].split(",")}
    return (
        response.ok
        and response.headers["Access-Control-Allow-Origin"] == origin
        and "POST" in response.headers["Access-Control-Allow-Methods"]
        and {name.lower() for name in headers} <= allowed
    )


def test_a_page_may_send_the_modes_credential(url: str, auth: str) -> None:
    headers = {**JSON, **CREDENTIALS[auth], "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}

    assert preflight(url, headers)


def test_a_page_may_send_nothing_else_and_no_other_page_anything(url: str) -> None:
    assert not preflight(url, {**JSON, "X-Own": "1"})
    assert requests.options(f"{url}/predict", headers={"Origin": "https://example.org"}, timeout=60).status_code == 403


@pytest.mark.parametrize("auth", ["api_key"], indirect=True)
@pytest.mark.parametrize(("key", "status"), [(KEY, 200), ("wrong", 403)])
def test_a_page_may_read_the_answer_and_the_gateways_refusal(url: str, key: str, status: int) -> None:
    response = requests.post(f"{url}/predict", ROWS, headers={**JSON, "Origin": ORIGIN, "x-api-key": key}, timeout=60)

    assert response.status_code == status
    assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert (response.content == PREDICTIONS) is (status == 200)
