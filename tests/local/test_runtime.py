import asyncio
import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
from botocore.config import Config
from botocore.exceptions import ClientError
from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from local.runtime import MAX_BODY, Endpoint, create_app
from local.signature import Account
from tests.local.conftest import Start

ACCOUNT = Account(access_key_id="key", region="us-east-1", secret_access_key="secret")
ROOT = Path(__file__).parents[2]
LOGS = "/aws/sagemaker/Endpoints/demo"


def container(answer: Any) -> Starlette:
    return Starlette(routes=[Route("/invocations", answer, methods=["POST"])])


async def echo(request: Request) -> Response:
    body = (await request.body()).decode()
    return JSONResponse({"headers": dict(request.headers), "body": body}, headers={"X-Internal": "1"})


async def refuses(_: Request) -> Response:
    return Response('{"detail": "3 features"}', 400)


async def fails(_: Request) -> Response:
    return Response("broken", 500)


async def redirects(_: Request) -> Response:
    return Response("", 307, {"Location": "/elsewhere"})


async def hangs(_: Request) -> Response:
    await asyncio.sleep(60)
    return Response("late")


class BreaksOff:
    """Announces a body and closes the connection before it is complete."""

    async def __call__(self, _: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"100")]})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})


def client(url: str, *, key: str = "key", secret: str = "secret") -> SageMakerRuntimeClient:
    return boto3.client(
        "sagemaker-runtime",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=Config(retries={"total_max_attempts": 1}),
    )


def runtime(start: Start, answer: Any, *, timeout_seconds: float = 60) -> str:
    return start(create_app(Endpoint("demo", start(container(answer)), timeout_seconds), ACCOUNT))


def invoke_error(url: str, *, endpoint: str = "demo", body: bytes = b"{}", **keys: str) -> dict[str, Any]:
    with pytest.raises(ClientError) as caught:
        client(url, **keys).invoke_endpoint(EndpointName=endpoint, Body=body)
    response: dict[str, Any] = dict(caught.value.response)
    status = response.pop("ResponseMetadata")["HTTPStatusCode"]
    response.pop("Message", None)  # botocore repeats the error's own
    return {"status": status, **response}


def test_forwards_body_and_the_headers_of_the_operation_only(start: Start) -> None:
    url = runtime(start, echo)

    answer = client(url).invoke_endpoint(
        EndpointName="demo",
        Body=b'{"data": [[1]]}',
        ContentType="application/json",
        Accept="text/csv",
        InferenceId="abc",
        CustomAttributes="request-id=abc",
    )

    received = json.loads(answer["Body"].read())
    del received["headers"]["host"]
    assert received == {
        "headers": {
            "content-length": "15",
            "content-type": "application/json",
            "accept": "text/csv",
            "x-amzn-sagemaker-custom-attributes": "request-id=abc",
            "x-amzn-sagemaker-inference-id": "abc",
        },
        "body": '{"data": [[1]]}',
    }


def test_returns_the_headers_of_the_operation_only(start: Start) -> None:
    answer = client(runtime(start, echo)).invoke_endpoint(EndpointName="demo", Body=b"{}")

    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    assert "x-internal" not in headers
    returned = (answer["ContentType"], answer["InvokedProductionVariant"], answer["CustomAttributes"])
    assert returned == ("application/json", "AllTraffic", "")


def test_a_refusal_is_a_model_error_with_the_containers_words(start: Start) -> None:
    assert invoke_error(runtime(start, refuses)) == {
        "status": 424,
        "Error": {
            "Code": "ModelError",
            "Message": 'Received client error (400) from primary with message "{"detail": "3 features"}". '
            f"See the log group {LOGS} in account 000000000000 for more information.",
        },
        "OriginalStatusCode": 400,
        "OriginalMessage": '{"detail": "3 features"}',
        "LogStreamArn": f"arn:aws:logs:us-east-1:000000000000:log-group:{LOGS}",
    }


def test_a_failure_is_a_model_error(start: Start) -> None:
    error = invoke_error(runtime(start, fails))

    assert (error["status"], error["OriginalStatusCode"], error["OriginalMessage"]) == (424, 500, "broken")


def test_a_redirect_is_a_model_error_and_not_followed(start: Start) -> None:
    error = invoke_error(runtime(start, redirects))

    assert (error["status"], error["OriginalStatusCode"]) == (424, 307)


def test_a_container_that_takes_too_long_is_a_model_error_with_status_0(start: Start) -> None:
    error = invoke_error(runtime(start, hangs, timeout_seconds=0.2))

    assert (error["status"], error["OriginalStatusCode"]) == (424, 0)
    assert "timed out while waiting for a response" in error["OriginalMessage"]


def test_a_container_that_breaks_off_is_a_model_error_with_status_0(start: Start) -> None:
    error = invoke_error(runtime(start, BreaksOff()))

    assert (error["status"], error["OriginalStatusCode"]) == (424, 0)


def test_nothing_listening_is_service_unavailable(start: Start) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # so that nobody else can
        port = bound.getsockname()[1]

        error = invoke_error(start(create_app(Endpoint("demo", f"http://127.0.0.1:{port}"), ACCOUNT)))

    assert (error["status"], error["Error"]["Code"]) == (503, "ServiceUnavailable")


def test_an_unknown_endpoint_is_a_validation_error(start: Start) -> None:
    assert invoke_error(runtime(start, echo), endpoint="other") == {
        "status": 400,
        "Error": {"Code": "ValidationError", "Message": "Endpoint other of account 000000000000 not found."},
    }


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (
            {"TargetModel": "a.tar.gz"},
            "Endpoint demo is not a multi-model endpoint and does not support target model header.",
        ),
        ({"TargetContainerHostname": "second"}, "Endpoint demo does not support target container header."),
        ({"InferenceComponentName": "part"}, "Endpoint demo has no inference components."),
        ({"TargetVariant": "blue"}, "Endpoint demo has one variant, AllTraffic."),
    ],
)
def test_what_endpoints_of_other_kinds_take_is_a_validation_error(
    start: Start, target: dict[str, Any], message: str
) -> None:
    with pytest.raises(ClientError) as caught:
        client(runtime(start, echo)).invoke_endpoint(EndpointName="demo", Body=b"{}", **target)

    error = caught.value.response["Error"]
    assert (error["Code"], error["Message"]) == ("ValidationError", message)


def test_the_endpoints_own_variant_may_be_named(start: Start) -> None:
    answer = client(runtime(start, echo)).invoke_endpoint(EndpointName="demo", Body=b"{}", TargetVariant="AllTraffic")

    assert answer["InvokedProductionVariant"] == "AllTraffic"


def test_a_header_above_its_limit_is_a_validation_error(start: Start) -> None:
    url = runtime(start, echo)

    with pytest.raises(ClientError) as caught:
        client(url).invoke_endpoint(EndpointName="demo", Body=b"{}", CustomAttributes="a" * 1025)

    assert caught.value.response["Error"]["Code"] == "ValidationError"


def test_a_wrong_secret_is_refused(start: Start) -> None:
    error = invoke_error(runtime(start, echo), secret="wrong")

    assert (error["status"], error["Error"]["Code"]) == (403, "InvalidSignatureException")


def test_an_unknown_access_key_is_refused(start: Start) -> None:
    error = invoke_error(runtime(start, echo), key="other")

    assert (error["status"], error["Error"]["Code"]) == (403, "UnrecognizedClientException")


def test_an_unsigned_request_is_refused(start: Start) -> None:
    response = requests.post(f"{runtime(start, echo)}/endpoints/demo/invocations", data=b"{}", timeout=5)

    assert response.status_code == 403
    assert response.headers["x-amzn-ErrorType"] == "MissingAuthenticationTokenException"
    assert response.json() == {"message": "Missing Authentication Token"}


def test_a_signature_does_not_reveal_whether_the_endpoint_exists(start: Start) -> None:
    error = invoke_error(runtime(start, echo), endpoint="other", secret="wrong")

    assert error["status"] == 403


def test_25_mb_pass_and_one_byte_more_is_too_large(start: Start) -> None:
    url = runtime(start, echo)
    client(url).invoke_endpoint(EndpointName="demo", Body=b" " * MAX_BODY)

    error = invoke_error(url, body=b" " * (MAX_BODY + 1))

    assert (error["status"], error["Error"]["Code"]) == (413, "RequestEntityTooLargeException")


@pytest.mark.parametrize(("method", "path"), [("GET", "/endpoints/demo/invocations"), ("POST", "/endpoints/demo")])
def test_anything_else_is_an_unknown_operation(start: Start, method: str, path: str) -> None:
    response = requests.request(method, runtime(start, echo) + path, timeout=5)

    assert (response.status_code, response.headers["x-amzn-ErrorType"]) == (404, "UnknownOperationException")


def test_ping_needs_no_signature(start: Start) -> None:
    assert requests.get(f"{runtime(start, echo)}/ping", timeout=5).status_code == 200


def test_says_which_variable_is_missing() -> None:
    command = [sys.executable, "-m", "local.runtime", "--container", "http://127.0.0.1:1", "--endpoint", "demo"]
    environment = {"AWS_ACCESS_KEY_ID": "key", "AWS_REGION": "us-east-1"}

    ended = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=30)

    assert (ended.returncode, ended.stderr) == (1, "python -m local.runtime: AWS_SECRET_ACCESS_KEY is not set\n")
