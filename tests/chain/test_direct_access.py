"""Calling the endpoint itself with an access key, three ways; and the gateway with an API key, from Postman."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local.settings import ACCOUNT, ENDPOINT
from tests import environments
from tests.chain.running import ANY_PORTS, ROOT, Running, running

POINTS = '{"data": [[1,2],[3,4],[3,3],[10,1],[7,8]]}'
PREDICTED = {"predictions": ["versicolor", "virginica", "virginica", "virginica", "virginica"]}
MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)


def with_boto3(url: str, secret: str) -> Any:
    client = boto3.client(
        "sagemaker-runtime",
        endpoint_url=url,
        region_name=ACCOUNT.region,
        aws_access_key_id=ACCOUNT.access_key_id,
        aws_secret_access_key=secret,
    )
    answer = client.invoke_endpoint(EndpointName=ENDPOINT, ContentType="application/json", Body=POINTS.encode())
    return json.loads(answer["Body"].read())


def with_curl(url: str, secret: str) -> tuple[int, Any]:
    command = [
        *("curl", "--silent", "--show-error", "--write-out", "\n%{http_code}"),
        *("-X", "POST", f"{url}/endpoints/{ENDPOINT}/invocations"),
        *("--aws-sigv4", f"aws:amz:{ACCOUNT.region}:sagemaker", "--user", f"{ACCOUNT.access_key_id}:{secret}"),
        *("-H", "Content-Type: application/json", "-d", POINTS),
    ]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    body, _, status = printed.rpartition("\n")
    return int(status), json.loads(body)


def test_boto3(chain: Running) -> None:
    assert with_boto3(chain.runtime_url, ACCOUNT.secret_access_key) == PREDICTED


def test_boto3_with_a_wrong_secret(chain: Running) -> None:
    with pytest.raises(ClientError) as caught:
        with_boto3(chain.runtime_url, "wrong")

    response = caught.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert response["Error"] == {"Code": "InvalidSignatureException", "Message": MISMATCH}


def test_curl(chain: Running) -> None:
    assert with_curl(chain.runtime_url, ACCOUNT.secret_access_key) == (200, PREDICTED)


def test_curl_with_a_wrong_secret(chain: Running) -> None:
    assert with_curl(chain.runtime_url, "wrong") == (403, {"message": MISMATCH})


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A chain that asks for an API key."""
    with running(tmp_path_factory.mktemp("keyed") / "log", *ANY_PORTS, "--api-key", "right") as chain:
        chain.wait_until_ready()
        yield chain


@pytest.fixture(scope="session")
def newman() -> Path:
    if shutil.which("npm") is None:
        pytest.skip("no npm on PATH, which installs newman, Postman's command line")
    return environments.make("newman") / "newman"


def statuses(newman: Path, chain: Running, folder: Path, **variables: str) -> tuple[list[int], int]:
    """Run the collection with the environment of `make run`; return the statuses and the failed assertions."""
    report = folder / "report.json"
    variables |= {"api_url": chain.url, "runtime_url": chain.runtime_url}
    command = [str(newman), "run", "postman/collection.json", "--environment", "postman/local.json"]
    command += ["--reporters", "json", "--reporter-json-export", str(report), "--suppress-exit-code"]
    for name, value in variables.items():
        command += ["--env-var", f"{name}={value}"]
    subprocess.run(command, cwd=ROOT, check=True, timeout=120)
    run = json.loads(report.read_text())["run"]
    return [execution["response"]["code"] for execution in run["executions"]], run["stats"]["assertions"]["failed"]


def test_postman(newman: Path, keyed: Running, tmp_path: Path) -> None:
    assert statuses(newman, keyed, tmp_path, api_key="right") == ([200, 200, 202, 200, 200], 0)


def test_postman_with_a_wrong_secret_and_a_wrong_key(newman: Path, keyed: Running, tmp_path: Path) -> None:
    assert statuses(newman, keyed, tmp_path, api_key="wrong", secret_access_key="wrong") == (
        [403, 403, 403, 404, 404],
        5,
    )


def test_the_collection_holds_no_secrets() -> None:
    collection = (ROOT / "postman" / "collection.json").read_text()
    values = {
        item["key"]: item["value"] for item in json.loads((ROOT / "postman" / "local.json").read_text())["values"]
    }

    assert ACCOUNT.secret_access_key not in collection
    assert (values["access_key_id"], values["secret_access_key"]) == (ACCOUNT.access_key_id, ACCOUNT.secret_access_key)
    assert all(f"{{{{{name}}}}}" in collection for name in values)
