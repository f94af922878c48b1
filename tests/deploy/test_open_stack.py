"""A stack with every option of the API switched on, and limits that do not bite."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests import environments
from tests.deploy.cloud import Api, Cloud
from tests.environments import ROOT

ORIGIN = "https://example.com"
OPTIONS = {
    "EndpointName": "iris",
    "RateLimit": "10000",
    "BurstLimit": "5000",
    "DocsEnabled": "true",
    "CorsOrigin": ORIGIN,
    "LogLevel": "DEBUG",
}


@pytest.fixture(scope="module")
def api(cloud: Cloud, project: Path) -> Api:
    return cloud.deploy(project, "open", OPTIONS)


def run(*command: str, cwd: Path) -> None:
    result = subprocess.run(command, cwd=cwd, text=True, capture_output=True, check=False, timeout=600)
    assert result.returncode == 0, result.stdout[-20_000:] + result.stderr[-2_000:]


def test_passes_the_tests_of_the_chain(api: Api) -> None:
    tests = ("tests/chain/test_api.py", "-p", "no:cacheprovider")
    run(sys.executable, "-m", "pytest", "-q", *tests, "--api-url", api.url, "--api-key", api.key, cwd=ROOT)


# Only the model knows how many features it takes, so a body that fits the document may still be refused; and API
# Gateway answers 404 where it has no method.
NOT_PROMISED = "positive_data_acceptance,unsupported_method"


def test_withstands_fuzzing(api: Api, tmp_path: Path) -> None:
    """Whatever is sent, the answer is one that the API's own OpenAPI document foresees, and never a server's error."""
    schemathesis = str(environments.make("fuzz") / "schemathesis")
    options = (f"--header=x-api-key:{api.key}", f"--exclude-checks={NOT_PROMISED}", "--max-examples=100", "--seed=1")
    run(schemathesis, "run", f"{api.url}/openapi.json", f"--url={api.url}", *options, cwd=tmp_path)
