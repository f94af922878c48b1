"""The API under test: the chain on this machine, or the one that --api-url names."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from tests.chain.running import Running, running


@dataclass(frozen=True, slots=True)
class Api:
    """A running API; `key` is sent as x-api-key when there is one."""

    url: str
    key: str | None = None

    def send(self, method: str, path: str, body: bytes | None = None, **headers: str) -> requests.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        key = {} if self.key is None else {"x-api-key": self.key}
        return requests.request(method, self.url + path, data=body, headers=key | named, timeout=60)

    def predict(self, body: bytes, content_type: str = "application/json") -> requests.Response:
        return self.send("POST", "/predict", body, content_type=content_type)


def problem(response: requests.Response) -> dict[str, Any]:
    """Return a problem's members without its request id, which the response must carry as well."""
    assert response.headers["Content-Type"] == "application/problem+json", response.text
    members: dict[str, Any] = response.json()
    assert members.pop("request_id") == response.headers["x-amzn-RequestId"]
    assert members["status"] == response.status_code
    return members


@pytest.fixture(scope="session")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """`python -m local` on ports of its own, with a line in the log for every request to the container."""
    with running(tmp_path_factory.mktemp("chain") / "log", SERVING_LOG_LEVEL="debug", LOCAL_NOTICES="twice") as started:
        started.wait_until_ready()
        yield started


@pytest.fixture(scope="session")
def api(request: pytest.FixtureRequest) -> Api:
    if url := request.config.getoption("--api-url"):
        return Api(url.rstrip("/"), request.config.getoption("--api-key"))
    started: Running = request.getfixturevalue("chain")
    return Api(started.url)
