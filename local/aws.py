"""The S3, DynamoDB, SNS and EventBridge that jobs need, by moto, and the function of jobs that their events start.

    python -m local.aws --port 8082

Nothing is kept when it ends. moto answers one request after the other, which makes each of them atomic, as on AWS.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from botocore.awsrequest import AWSPreparedRequest
from botocore.compat import HTTPHeaders
from moto.core.botocore_stubber import BotocoreStubber
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.errors import ChainError, FunctionError
from local.function import Function, load_handler
from local.server import add_address_arguments, open_socket, serve
from local.settings import ACCOUNT, BUCKET, ENVIRON, PARAMETERS, TEMPLATE
from local.template import parameters, read_template
from sam_template import Evaluator, TemplateError, load

SWEEP_SECONDS = 300
# Lambda tries an asynchronous event three times, minutes apart; here the waits are short.
RETRY_SECONDS = (1.0, 2.0)
UPLOADS = "uploads/"
S3_URL = f"https://s3.{ACCOUNT.region}.amazonaws.com"
DYNAMODB_URL = f"https://dynamodb.{ACCOUNT.region}.amazonaws.com"
CREDENTIAL = f"AWS4-HMAC-SHA256 Credential={ACCOUNT.access_key_id}/20260101/{ACCOUNT.region}/"
# moto asks who calls, and checks no signature.
S3_AUTHORIZATION = f"{CREDENTIAL}s3/aws4_request"
PRECONDITION_FAILED = "<Error><Code>PreconditionFailed</Code><Message>The object is there already.</Message></Error>"


class Services:
    """moto's services, asked by HTTP requests."""

    def __init__(self) -> None:
        self._moto = BotocoreStubber()

    def ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Response:
        named = HTTPHeaders()
        for name, value in headers.items():
            named[name] = value
        request = AWSPreparedRequest(method, url, named, body, stream_output=False)
        status, answered, content = self._moto.process_request(request) or (404, {}, "")
        # The server sets a length from the body that is sent; the answer to HEAD has none, and the object's length.
        kept = {
            name: str(value) for name, value in answered.items() if method == "HEAD" or name.lower() != "content-length"
        }
        return Response(content, status, kept)

    def make(self, table: Mapping[str, Any], name: str) -> None:
        """Make the bucket, and the table as the template describes it."""
        known = ("AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes", "KeySchema", "LocalSecondaryIndexes")
        wanted = {key: table[key] for key in known} | {"TableName": name}
        headers = {
            "X-Amz-Target": "DynamoDB_20120810.CreateTable",
            "Authorization": f"{CREDENTIAL}dynamodb/aws4_request",
        }
        made = self.ask("POST", f"{DYNAMODB_URL}/", headers, json.dumps(wanted).encode())
        bucket = self.ask("PUT", f"{S3_URL}/{BUCKET}", {"Authorization": S3_AUTHORIZATION}, b"")
        if made.status_code >= 400 or bucket.status_code >= 400:  # noqa: PLR2004  # refused
            raise ChainError(f"moto made no table or no bucket: {made.body!r} {bucket.body!r}")


class Events:
    """Starts the function of jobs as Lambda does for an asynchronous event: again when it fails, then never."""

    def __init__(self, function: Function) -> None:
        self._function = function
        self._running: set[asyncio.Task[None]] = set()

    def start(self, event: dict[str, Any]) -> None:
        self._keep(self._deliver(event))

    def start_sweeps(self) -> None:
        self._keep(self._sweep())

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        # The loop alone would not keep it.
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _deliver(self, event: dict[str, Any]) -> None:
        for wait in (*RETRY_SECONDS, None):
            try:
                await self._function.invoke(event)
            except FunctionError as error:
                failure = error
            else:
                return
            if wait is not None:
                await asyncio.sleep(wait)
        line = {"level": "ERROR", "service": "jobs", "message": "dead letter", "cause": str(failure), "event": event}
        print(json.dumps(line), file=sys.stderr, flush=True)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            self.start({"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}})


class Aws:
    """Every request to S3 and DynamoDB, and the notices of asynchronous inference."""

    def __init__(self, services: Services, events: Events) -> None:
        self._services = services
        self._events = events

    async def answer(self, request: Request) -> Response:
        body = await request.body()
        target = DYNAMODB_URL if "x-amz-target" in request.headers else S3_URL
        path = request.scope["raw_path"].decode("latin-1")
        query = request.scope["query_string"].decode("latin-1")
        headers = {name: value for name, value in request.headers.items() if name != "host"}
        if request.method == "PUT" and headers.get("if-none-match") == "*":
            # moto would write over it.
            there = self._services.ask("HEAD", f"{target}{path}", {"Authorization": S3_AUTHORIZATION}, b"")
            if there.status_code == 200:  # noqa: PLR2004  # OK
                return Response(PRECONDITION_FAILED, 412, media_type="application/xml")
        answer = self._services.ask(request.method, f"{target}{path}{'?' if query else ''}{query}", headers, body)
        key = path.removeprefix(f"/{BUCKET}/")
        if request.method == "PUT" and key.startswith(UPLOADS) and answer.status_code == 200:  # noqa: PLR2004  # OK
            self._events.start(uploaded(key, len(body)))
        return answer

    async def notify(self, request: Request) -> Response:
        """Deliver a notice by SNS: POST /-/notices, with the message as the body."""
        message = (await request.body()).decode()
        self._events.start({"Records": [{"EventSource": "aws:sns", "Sns": {"Message": message}}]})
        return Response(status_code=202)


def uploaded(key: str, size: int) -> dict[str, Any]:
    """Return the event of S3 through EventBridge.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
    """
    return {
        "source": "aws.s3",
        "detail-type": "Object Created",
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": ACCOUNT.region,
        "detail": {"bucket": {"name": BUCKET}, "object": {"key": key, "size": size}, "reason": "PutObject"},
    }


def create_app(services: Services, function: Function) -> Starlette:
    """Return all of it as an ASGI application."""
    events = Events(function)
    aws = Aws(services, events)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        events.start_sweeps()
        yield

    methods = ["GET", "HEAD", "PUT", "POST", "DELETE"]
    return Starlette(
        routes=[
            Route("/-/notices", aws.notify, methods=["POST"]),
            Route("/-/ping", lambda _: Response()),
            Route("/{path:path}", aws.answer, methods=methods),
        ],
        lifespan=lifespan,
    )


def read_table() -> Mapping[str, Any]:
    """Return the properties of the table in the template."""
    source = load(TEMPLATE)
    table: Mapping[str, Any] = Evaluator(source, PARAMETERS).resolve(source["Resources"]["JobsTable"]["Properties"])
    return table


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m local.aws", description=__doc__.partition("\n")[0])
    add_address_arguments(parser, port=8082)
    arguments = parser.parse_args()
    services = Services()
    try:
        template = read_template(TEMPLATE, PARAMETERS | parameters(TEMPLATE, ENVIRON))
        assert template.events is not None
        services.make(read_table(), ENVIRON["JOBS_TABLE"])
        function = Function(load_handler(template.events.handler), template.events.limits)
        sock = open_socket(arguments, "AWS services of jobs")
    except (ChainError, TemplateError) as error:
        parser.exit(1, f"{parser.prog}: {error}\n")
    serve(create_app(services, function), sock)


if __name__ == "__main__":
    main()
