"""The real routes and events of jobs over moto's S3 and DynamoDB; SageMaker is a client that does as it is told."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from moto import mock_aws

from invoker import settings
from invoker.documents import Documents
from invoker.jobs import storage
from invoker.jobs.caller import caller
from invoker.jobs.job import Job
from invoker.jobs.parts import Clients, Parts
from invoker.jobs.routes import Jobs
from invoker.service import Service
from invoker.telemetry import Telemetry
from tests.invoker.conftest import ID, IRIS, Answer, Invoker, lead_boto3_to

TABLE, BUCKET = "jobs", "jobs-bucket"
ROWS = '{"data": [[1, 2]]}'
NOBODY = "0" * 32
SETTINGS = {
    "ENDPOINT_NAME": "iris",
    "SCHEMA_FILE": str(IRIS),
    "JOBS_TABLE": TABLE,
    "JOBS_BUCKET": BUCKET,
    "JOBS_ENDPOINT_NAME": "iris-jobs",
}


class Runtime:
    """SageMaker's client for asynchronous calls."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self.error: Exception | None = None

    def invoke_endpoint_async(self, **call: Any) -> dict[str, str]:
        if self.error:
            raise self.error
        self.calls.append(call)
        number = f"{call['InferenceId']}-{len(self.calls)}"
        folder = f"s3://{BUCKET}"
        return {
            "OutputLocation": f"{folder}/outputs/{number}.out",
            "FailureLocation": f"{folder}/failures/{number}.out",
        }


class Serial:
    """A client whose calls come one after the other: moto is not safe for threads, DynamoDB and S3 are.

    `fail` makes a call fail: the method's name and the error.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._lock = threading.Lock()
        self.fail: dict[str, Exception] = {}

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*positional: Any, **named: Any) -> Any:
            if name in self.fail:
                raise self.fail[name]
            with self._lock:
                return getattr(self._client, name)(*positional, **named)

        return call


@dataclass
class Desk:
    """All of jobs, as a caller and as AWS see it."""

    invoke: Invoker
    parts: Parts
    runtime: Runtime
    s3: Serial
    dynamodb: Serial
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})

    def __call__(self, method: str, path: str, body: str | None = None, key: str = "key-1", **more: Any) -> Answer:
        _, _, rest = path.partition("/jobs")
        resource, parameters = "/jobs", None
        if rest and rest != "/uploads":
            parts = rest[1:].rsplit("/result", 1)
            resource, parameters = f"/jobs/{{id}}{'/result' if len(parts) > 1 else ''}", {"id": parts[0]}
        elif rest:
            resource = "/jobs/uploads"
        event = {
            "httpMethod": method,
            "resource": resource,
            "path": path,
            "headers": {"Host": "api.example.com", **self.headers, **more.pop("headers", {})},
            "pathParameters": parameters,
            "queryStringParameters": more.pop("query", None),
            "body": body,
            "isBase64Encoded": False,
            "requestContext": {"requestId": ID, "path": path, "identity": {"apiKeyId": key}},
        }
        return self.invoke({**event, **more})

    def submit(self, **more: Any) -> str:
        answer = self("POST", "/jobs", ROWS, **more)
        assert answer.status == 202, answer.body
        return str(answer.json["id"])

    def job(self, job_id: str) -> Job:
        found = self.parts.store.get(caller_of("key-1"), job_id)
        assert found is not None
        return found

    def ends(self, job_id: str, answer: str = '{"predictions": [0]}', content_type: str = "application/json") -> str:
        """Write the job's output as SageMaker does, and return its notice."""
        job = self.job(job_id)
        self.s3.put_object(Bucket=BUCKET, Key=job.output, Body=answer.encode(), ContentType=content_type)
        return completed(job, content_type)

    def stored(self) -> list[str]:
        return [each["Key"] for each in self.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]


def caller_of(key: str) -> str:
    return caller({"identity": {"apiKeyId": key}}, "api_key")


def completed(job: Job, content_type: str = "application/json", output: str = "") -> str:
    return json.dumps(
        {
            "invocationStatus": "Completed",
            "inferenceId": job.inference_id,
            "responseParameters": {
                "contentType": content_type,
                "outputLocation": f"s3://{BUCKET}/{output or job.output}",
            },
            "eventName": "InferenceResult",
        }
    )


def failed(job: Job, reason: str) -> str:
    return json.dumps({"invocationStatus": "Failed", "inferenceId": job.inference_id, "failureReason": reason})


def make_table(client: Any) -> None:
    client.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "caller", "AttributeType": "S"},
            {"AttributeName": "id", "AttributeType": "S"},
            {"AttributeName": "created", "AttributeType": "N"},
            {"AttributeName": "open", "AttributeType": "S"},
        ],
        KeySchema=[{"AttributeName": "caller", "KeyType": "HASH"}, {"AttributeName": "id", "KeyType": "RANGE"}],
        LocalSecondaryIndexes=[
            {
                "IndexName": "by-created",
                "KeySchema": [
                    {"AttributeName": "caller", "KeyType": "HASH"},
                    {"AttributeName": "created", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "open",
                "KeySchema": [{"AttributeName": "open", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )


Open = Callable[..., Desk]


@pytest.fixture(scope="module")
def aws() -> Iterator[tuple[Serial, Serial]]:
    """S3 and DynamoDB; making the clients takes the longest."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        lead_boto3_to("http://127.0.0.1:9", patch)
        yield Serial(storage.client("s3")), Serial(storage.client("dynamodb"))


@pytest.fixture
def open_desk(aws: tuple[Serial, Serial]) -> Iterator[Open]:
    """Open jobs with these variables."""
    s3, dynamodb = aws
    s3.create_bucket(Bucket=BUCKET)
    make_table(dynamodb)

    def opened(**environ: str) -> Desk:
        given = settings.read({**SETTINGS, **environ})
        runtime = Runtime()
        parts = Parts(given, Clients(dynamodb, s3, runtime))
        documents = Documents(given.schema_file)
        routes = Jobs(given, documents, parts.store, parts.files, parts.handover).routes()
        # Nobody asks the endpoint of /predict.
        endpoint: Any = None
        service = Service(given, endpoint, documents, Telemetry(given.log_level), routes)
        return Desk(Invoker(service), parts, runtime, s3, dynamodb)

    yield opened
    for client in aws:
        client.fail.clear()
    for each in s3.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        s3.delete_object(Bucket=BUCKET, Key=each["Key"])
    dynamodb.delete_table(TableName=TABLE)


@pytest.fixture
def desk(open_desk: Open) -> Desk:
    return open_desk()
