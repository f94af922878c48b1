"""The real service, client and all, in front of an endpoint that does as it is told."""

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aws_lambda_powertools.logging.constants import LOGGER_ATTRIBUTE_POWERTOOLS_HANDLER, LOGGER_ATTRIBUTE_PRECONFIGURED

from invoker import endpoint, settings
from invoker.documents import Documents
from invoker.service import Service
from invoker.telemetry import Telemetry
from tests.invoker import misbehaving

IRIS = Path(__file__).with_name("iris.schema.json")
# No schema: the model judges everything.
NONE = {"SCHEMA_FILE": "/nowhere/schema.json"}
ID = "7d6f1a52-8c0e-4b3f-9a61-2f4f0c1f9e11"


@dataclass(frozen=True, slots=True)
class Context:
    """Lambda's context of a function that may still run for `seconds`."""

    seconds: float = 26.0
    aws_request_id: str = "0b8d7a6e-5f4c-4d3b-8a29-181716151413"

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1000)


@dataclass(frozen=True, slots=True)
class Answer:
    """The handler's answer, read as API Gateway's REST APIs read it."""

    status: int
    headers: dict[str, str]
    body: str
    is_base64: bool = False

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Invoker:
    service: Service
    context: Context = field(default_factory=Context)

    def __call__(self, event: dict[str, Any], seconds: float = 26.0) -> Answer:
        answer = self.service.handle(event, Context(seconds))
        # Anything else would be a 502 of API Gateway's.
        assert answer.keys() == {"statusCode", "headers", "body", "isBase64Encoded"}
        assert isinstance(answer["isBase64Encoded"], bool)
        assert isinstance(answer["body"], str)
        assert all(isinstance(value, str) for value in answer["headers"].values())
        assert len(json.dumps(answer, ensure_ascii=False).encode()) <= 6_291_456
        return Answer(answer["statusCode"], answer["headers"], answer["body"], is_base64=answer["isBase64Encoded"])


def event(body: str | None, *, headers: dict[str, str] | None = None, **changes: Any) -> dict[str, Any]:
    """Return the least that API Gateway sends."""
    return {
        "httpMethod": "POST",
        "resource": "/predict",
        "path": "/predict",
        "headers": {"Content-Type": "application/json"} if headers is None else headers,
        "pathParameters": None,
        "body": body,
        "isBase64Encoded": False,
        "requestContext": {"requestId": ID},
        **changes,
    }


@pytest.fixture(scope="session")
def server() -> Iterator[misbehaving.Endpoint]:
    with misbehaving.running() as started:
        yield started


@pytest.fixture
def sagemaker(server: misbehaving.Endpoint, monkeypatch: pytest.MonkeyPatch) -> misbehaving.Endpoint:
    """The endpoint, well-behaved until a test says otherwise; boto3 is led to it as in any local run."""
    server.behaviours = (misbehaving.answers(200),)
    server.received.clear()
    server.connections.clear()
    lead_boto3_to(server.url, monkeypatch)
    return server


def lead_boto3_to(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


@pytest.fixture(autouse=True)
def _fresh_logger() -> None:
    """Powertools sets up a logger once and keeps the standard output of then, which is another test's."""
    logger = logging.getLogger("invoker")
    logger.handlers.clear()
    for name in (LOGGER_ATTRIBUTE_PRECONFIGURED, LOGGER_ATTRIBUTE_POWERTOOLS_HANDLER):
        vars(logger).pop(name, None)


Make = Callable[..., Invoker]


@pytest.fixture
def make(sagemaker: misbehaving.Endpoint) -> Make:  # noqa: ARG001  # boto3 is led to it
    """Make an invoker with these variables."""

    def made(**environ: str) -> Invoker:
        given = settings.read({"ENDPOINT_NAME": "iris", "SCHEMA_FILE": str(IRIS), **environ})
        called = endpoint.Endpoint(endpoint.client(given), given)
        telemetry = Telemetry(given.log_level, given.aws_lambda_function_name)
        return Invoker(Service(given, called, Documents(given.schema_file), telemetry))

    return made


@pytest.fixture
def invoke(make: Make) -> Invoker:
    return make()
