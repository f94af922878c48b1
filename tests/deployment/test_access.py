import boto3
import pytest
from moto import mock_aws

from deployment.access import api_key, run, text
from deployment.errors import AccountError

URL = "https://abc.execute-api.us-east-1.amazonaws.com/prod"


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


def test_prints_a_line_that_works() -> None:
    assert text(URL, "secret") == (
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
    with mock_aws(), pytest.raises(AccountError, match="Stack with id sagemaker-api does not exist; needed are"):
        run("sagemaker-api")
