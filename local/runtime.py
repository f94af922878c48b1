"""A SageMaker runtime for one endpoint: checks the signature, forwards to the container, answers as SageMaker does.

    python -m local.runtime --container http://127.0.0.1:8080 --endpoint demo

The credentials that may invoke are those in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, in the region AWS_REGION.
API: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
"""

import argparse
import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.asynchronous import WAYS, Asynchronous
from local.errors import ChainError, ServiceError
from local.server import add_address_arguments, open_socket, serve
from local.settings import ENVIRON, read_account
from local.signature import Account, SignedRequest, verify

MAX_BODY = 25 * 1024 * 1024
MAX_HEADER = 1024
CONTAINER_SECONDS = 60.0
ACCOUNT_ID = "000000000000"
# SageMaker strips every header but those of the InvokeEndpoint operation.
REQUEST_HEADERS = frozenset(
    {
        "content-type",
        "accept",
        "x-amzn-sagemaker-custom-attributes",
        "x-amzn-sagemaker-enable-explanations",
        "x-amzn-sagemaker-inference-component",
        "x-amzn-sagemaker-inference-id",
        "x-amzn-sagemaker-prefix-aware-id",
        "x-amzn-sagemaker-session-id",
        "x-amzn-sagemaker-target-container-hostname",
        "x-amzn-sagemaker-target-model",
        "x-amzn-sagemaker-target-variant",
    }
)
RESPONSE_HEADERS = (
    "content-type",
    "x-amzn-sagemaker-new-session-id",
    "x-amzn-sagemaker-closed-session-id",
)
CUSTOM_ATTRIBUTES = "x-amzn-sagemaker-custom-attributes"
VARIANT = "AllTraffic"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The endpoint the runtime knows, and the base URL of the container behind it."""

    name: str
    container_url: str
    timeout_seconds: float = CONTAINER_SECONDS


class Runtime:
    """InvokeEndpoint for one endpoint and one account."""

    def __init__(
        self,
        endpoint: Endpoint,
        account: Account,
        client: httpx.AsyncClient,
        clock: Callable[[], datetime],
        jobs: Asynchronous | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._jobs = jobs
        self._account = account
        self._client = client
        self._clock = clock

    async def invoke(self, request: Request) -> Response:
        """Answer POST /endpoints/{name}/invocations."""
        body = await _read_body(request)
        verify(_signed(request, body), self._account, self._clock())
        self._check_endpoint(request.path_params["name"])
        headers = _forwarded(request)
        self._check_target(headers)
        answer = await self._ask_container(headers, body)
        if not answer.is_success:
            raise self._model_error(answer.status_code, answer.text)
        return Response(answer.content, 200, _returned(answer))

    async def invoke_async(self, request: Request) -> Response:
        """Answer POST /endpoints/{name}/async-invocations."""
        verify(_signed(request, await _read_body(request)), self._account, self._clock())
        name = request.path_params["name"]
        if self._jobs is None or name != self._jobs.name:
            raise ServiceError(
                "ValidationError", f"Endpoint {name} of account {ACCOUNT_ID} takes no asynchronous calls."
            )
        return self._jobs.accept(request.headers)

    def _check_endpoint(self, name: str) -> None:
        if name != self._endpoint.name:
            raise ServiceError("ValidationError", f"Endpoint {name} of account {ACCOUNT_ID} not found.")

    def _check_target(self, headers: Mapping[str, str]) -> None:
        """Refuse what only endpoints of other kinds take: several models, containers or inference components."""
        name = self._endpoint.name
        if "x-amzn-sagemaker-target-model" in headers:
            # https://github.com/aws/amazon-sagemaker-examples/issues/1216
            raise ServiceError(
                "ValidationError",
                f"Endpoint {name} is not a multi-model endpoint and does not support target model header.",
                ErrorCode="TARGET_MODEL_HEADER_NOT_SUPPORTED",
            )
        if "x-amzn-sagemaker-target-container-hostname" in headers:
            raise ServiceError("ValidationError", f"Endpoint {name} does not support target container header.")
        if "x-amzn-sagemaker-inference-component" in headers:
            raise ServiceError("ValidationError", f"Endpoint {name} has no inference components.")
        if headers.get("x-amzn-sagemaker-target-variant", VARIANT) != VARIANT:
            raise ServiceError("ValidationError", f"Endpoint {name} has one variant, {VARIANT}.")

    async def _ask_container(self, headers: dict[str, str], body: bytes) -> httpx.Response:
        # A request made by hand, so that no header of the client's own gets in.
        url = f"{self._endpoint.container_url}/invocations"
        request = httpx.Request("POST", url, headers=headers, content=body)
        try:
            async with asyncio.timeout(self._endpoint.timeout_seconds):
                return await self._client.send(request)
        except httpx.ConnectError as error:
            raise ServiceError(
                "ServiceUnavailable", "The service is temporarily unavailable: no container is listening."
            ) from error
        except TimeoutError as error:
            raise self._model_error(
                0, "Your invocation timed out while waiting for a response from container primary."
            ) from error
        except httpx.TransportError as error:
            raise self._model_error(0, f"The container broke off the connection: {type(error).__name__}.") from error

    def _model_error(self, status: int, message: str) -> ServiceError:
        side = "client" if status // 100 == 4 else "server"  # noqa: PLR2004  # the class of 4xx
        group = f"/aws/sagemaker/Endpoints/{self._endpoint.name}"
        return ServiceError(
            "ModelError",
            f'Received {side} error ({status}) from primary with message "{message}". '
            f"See the log group {group} in account {ACCOUNT_ID} for more information.",
            ErrorCode=f"{side.upper()}_ERROR_FROM_MODEL",
            LogStreamArn=f"arn:aws:logs:{self._account.region}:{ACCOUNT_ID}:log-group:{group}",
            OriginalMessage=message,
            OriginalStatusCode=status,
        )


async def _read_body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise ServiceError(
                "RequestEntityTooLargeException",
                f"Request must be at most {MAX_BODY} bytes for the InvokeEndpoint operation.",
            )
    return bytes(body)


def _signed(request: Request, body: bytes) -> SignedRequest:
    path = request.scope["raw_path"].decode("latin-1")
    query = request.scope["query_string"].decode("latin-1")
    return SignedRequest(request.method, f"{path}?{query}" if query else path, request.headers.items(), body)


def _forwarded(request: Request) -> dict[str, str]:
    headers = {name: value for name, value in request.headers.items() if name in REQUEST_HEADERS}
    for name, value in headers.items():
        if len(value) > MAX_HEADER or not value.isascii():
            raise ServiceError("ValidationError", f"Header {name} must be at most {MAX_HEADER} ASCII characters.")
    return headers


def _returned(answer: httpx.Response) -> dict[str, str]:
    headers = {name: answer.headers[name] for name in RESPONSE_HEADERS if name in answer.headers}
    # The API reference: a container that does not set this one has an empty value returned for it.
    headers[CUSTOM_ATTRIBUTES] = answer.headers.get(CUSTOM_ATTRIBUTES, "")
    headers["x-amzn-invoked-production-variant"] = VARIANT
    headers["x-amzn-RequestId"] = str(uuid.uuid4())
    return headers


async def _refuse(_: Request, exc: Exception) -> Response:
    assert isinstance(exc, ServiceError)
    key = "Message" if exc.members else "message"
    headers = {"x-amzn-ErrorType": exc.code, "x-amzn-RequestId": str(uuid.uuid4())}
    return JSONResponse({key: str(exc), **exc.members}, exc.status, headers)


async def _gone(_: Request, __: Exception) -> Response:
    """Nobody reads this answer."""
    return Response(status_code=400)


async def _unknown(_: Request, __: Exception) -> Response:
    return await _refuse(_, ServiceError("UnknownOperationException", "No operation has this method and path."))


async def _ping(_: Request) -> Response:
    return Response()


def create_app(
    endpoint: Endpoint,
    account: Account,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    jobs: Asynchronous | None = None,
) -> Starlette:
    """Return the runtime as an ASGI application."""
    # No proxy, cookie or credential of this machine's user may get between runtime and container.
    # SageMaker's time limit is one for the whole call, so there is none on its steps.
    client = httpx.AsyncClient(trust_env=False, timeout=httpx.Timeout(None), limits=httpx.Limits(max_connections=None))
    runtime = Runtime(endpoint, account, client, clock, jobs)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with client:
            yield
        if jobs:
            await jobs.close()

    return Starlette(
        routes=[
            Route("/endpoints/{name}/invocations", runtime.invoke, methods=["POST"]),
            Route("/endpoints/{name}/async-invocations", runtime.invoke_async, methods=["POST"]),
            Route("/ping", _ping),
        ],
        exception_handlers={ServiceError: _refuse, ClientDisconnect: _gone, 404: _unknown, 405: _unknown},
        lifespan=lifespan,
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m local.runtime", description=__doc__.partition("\n")[0])
    parser.add_argument("--container", required=True, metavar="URL", help="base URL of the serving container")
    parser.add_argument("--endpoint", required=True, metavar="NAME", help="name of the endpoint")
    parser.add_argument("--jobs-endpoint", default="", metavar="NAME", help="name of the asynchronous endpoint")
    parser.add_argument("--aws", default="", metavar="URL", help="base URL of S3, for the asynchronous endpoint")
    add_address_arguments(parser, port=8081)
    arguments = parser.parse_args()
    try:
        account = read_account()
        sock = open_socket(arguments, "SageMaker runtime")
    except ChainError as error:
        parser.exit(1, f"{parser.prog}: {error}\n")
    jobs = _jobs(arguments) if arguments.aws else None
    serve(create_app(Endpoint(arguments.endpoint, arguments.container), account, jobs=jobs), sock)


def _jobs(arguments: argparse.Namespace) -> Asynchronous:
    ways = tuple(ENVIRON.get("LOCAL_NOTICES", "once").split(","))
    assert set(ways) <= set(WAYS), f"LOCAL_NOTICES: expected some of {', '.join(WAYS)}"
    return Asynchronous(arguments.jobs_endpoint, arguments.container, arguments.aws, ways)


if __name__ == "__main__":
    main()
