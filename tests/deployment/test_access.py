from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from deployment.access import Access, api_key, read_access
from deployment.errors import DeployFailedError

URL = "https://abc.execute-api.us-east-1.amazonaws.com/prod"


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


def test_prints_a_line_that_works() -> None:
    assert str(Access(URL, "secret", "api_key")) == (
        f"URL  {URL}\nkey  secret\n\n"
        f"    curl -X POST {URL}/predict -H 'x-api-key: secret' -H 'Content-Type: application/json' "
        "-d '{\"data\": [[1,2],[3,4]]}'\n"
    )


def test_reads_the_keys_value() -> None:
    with mock_aws():
        client = boto3.client("apigateway")
        made = client.create_api_key(name="stack", value="0123456789abcdefghij")

        assert api_key(client, {"ApiKeyId": made["id"]}) == "0123456789abcdefghij"


def test_a_stack_with_another_way_in_has_no_key() -> None:
    with mock_aws():
        assert api_key(boto3.client("apigateway"), {"ApiUrl": URL}) == ""


def test_a_stack_that_is_not_deployed_is_one_line() -> None:
    with mock_aws(), pytest.raises(DeployFailedError, match="there is no stack sagemaker-api in this account and us-e"):
        read_access(boto3.Session(), "sagemaker-api")


class Session:
    """An account with one stack in a state without outputs."""

    region_name = "us-east-1"

    def __init__(self, status: str) -> None:
        self.status = status

    def client(self, service_name: Any) -> Any:
        client = boto3.client(service_name)
        stubber = Stubber(client)
        stack = {"StackName": "prod", "CreationTime": "2026-01-01T00:00:00Z", "StackStatus": self.status}
        stubber.add_response("describe_stacks", {"Stacks": [stack]})
        stubber.activate()
        return client


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        ("REVIEW_IN_PROGRESS", "deploy it"),
        ("CREATE_IN_PROGRESS", "wait until that is over"),
        ("ROLLBACK_COMPLETE", "deploy it"),
    ],
)
def test_a_stack_without_outputs_is_one_line(status: str, advice: str) -> None:
    with pytest.raises(DeployFailedError, match=f"prod is {status} and has no API yet; {advice}"):
        read_access(Session(status), "prod")
