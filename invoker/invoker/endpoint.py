"""The call to SageMaker: one deadline over everything, few and safe retries, every failure named.

    invoke -> attempt -> InvokeEndpoint -> the container's bytes
       ^         |
       +- wait <-+   only what never reached the model, or failed at once, is sent again

botocore's own retries are off: they differ between its versions, run a slow model three times, and skip 530 and
ModelNotReadyException, which are worth another try.
"""

import logging
import random
import time
from _thread import start_new_thread
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any, TypeVar

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse, HeadersDict
from botocore.config import Config
from botocore.parsers import ResponseParserError

from invoker import media_types, outcome
from invoker.errors import Failure, InvokerError
from invoker.proxy import MAX_ANSWER_BYTES, TOO_LARGE, Body
from invoker.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient
    from mypy_boto3_sagemaker_runtime.type_defs import InvokeEndpointOutputTypeDef

# A failure that took longer than this may have run the model: it is not sent again.
QUICK_SECONDS = 1.0
FIRST_WAIT_SECONDS = 0.1
# A retry is worth its wait only with this much time left for the model.
WORTH_SECONDS = 0.5

LOGGER = logging.getLogger(__name__)
Returned = TypeVar("Returned")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the container answered."""

    content: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class Invocation:
    body: Body
    request_id: str
    traceparent: str
    # Of time.monotonic().
    deadline: float

    def remaining(self) -> float:
        return self.deadline - time.monotonic()

    def attributes(self) -> str:
        """Name what the container may know, as docs/architecture.md lists it."""
        until = int((time.time() + self.remaining()) * 1000)
        pairs = {"request-id": self.request_id, "deadline-ms": until, "traceparent": self.traceparent}
        return ",".join(f"{name}={value}" for name, value in pairs.items() if value)


def client(settings: Settings) -> "SageMakerRuntimeClient":
    # A session of its own: boto3's default one keeps the credentials of whoever asked first in this process.
    return boto3.Session().client(
        "sagemaker-runtime",
        config=Config(
            connect_timeout=settings.connect_timeout_seconds,
            read_timeout=settings.read_timeout_seconds,
            retries={"mode": "standard", "total_max_attempts": 1},
            tcp_keepalive=True,
        ),
    )


class Endpoint:
    def __init__(self, client: "SageMakerRuntimeClient", settings: Settings) -> None:
        self._client = client
        self._settings = settings
        # Not seeded: copies of one SnapStart snapshot would all wait equally long.
        self._random = random.SystemRandom()

    def invoke(self, invocation: Invocation) -> Answer:
        """Return the container's answer; raise InvokerError."""
        attempt = 1
        while True:
            began = time.monotonic()
            try:
                return within(invocation.remaining(), lambda: self._attempt(invocation))
            except outcome.FOREIGN as error:
                wait = FIRST_WAIT_SECONDS * 2**attempt * self._random.uniform(0.5, 1)
                quick = time.monotonic() - began < QUICK_SECONDS
                fits = attempt < self._settings.max_attempts and invocation.remaining() - wait > WORTH_SECONDS
                if not (fits and outcome.repeatable(error, quick=quick)):
                    raise outcome.translate(error) from error
                LOGGER.warning("retry", extra={"request_id": invocation.request_id, "cause": repr(error)[:300]})
            time.sleep(wait)
            attempt += 1

    def prime(self) -> None:
        """Run a call up to the socket, so that a snapshot holds whatever boto3 makes on its first call."""
        event = "before-send.sagemaker-runtime.InvokeEndpoint"
        # The stubs do not know that this event may return an answer.
        self._client.meta.events.register(event, _answer_locally, unique_id="prime")  # type: ignore[arg-type]
        try:
            body = Body(b"{}", media_types.parse(media_types.JSON), media_types.JSON)
            self._attempt(Invocation(body, "prime", "", time.monotonic() + 1))
        finally:
            self._client.meta.events.unregister(event, unique_id="prime")

    def renew(self) -> None:
        """Drop kept connections: those of a restored snapshot are dead."""
        self._client.close()

    def _attempt(self, invocation: Invocation) -> Answer:
        answer = self._call(invocation)
        with closing(answer["Body"]) as body:
            content = body.read(MAX_ANSWER_BYTES)
            # Reading on finds out whether there is more, and whether the answer was cut short.
            if body.read(1):
                raise InvokerError(Failure.FAILED, TOO_LARGE)
            return Answer(content, answer.get("ContentType", ""))

    def _call(self, invocation: Invocation) -> "InvokeEndpointOutputTypeDef":
        body = invocation.body
        try:
            return self._client.invoke_endpoint(
                EndpointName=self._settings.endpoint_name,
                Body=body.content,
                ContentType=body.media_type.text,
                # A caller who takes anything gets the container's choice.
                Accept=body.accept or "*/*",
                InferenceId=invocation.request_id,
                CustomAttributes=invocation.attributes(),
            )
        except (AttributeError, TypeError, ValueError) as error:
            # botocore's parser meets an error whose members are not of their declared types.
            raise ResponseParserError(repr(error)) from error


def _answer_locally(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
    headers: Any = HeadersDict({"Content-Type": "application/json"})
    return AWSResponse(request.url, 200, headers, BytesIO(b"{}"))


def within(seconds: float, call: Callable[[], Returned]) -> Returned:
    """Run `call` in a thread of its own and wait for it; raise InvokerError when it has not returned in time.

    Socket timeouts bound each read, not their sum: an endpoint that sends a byte a second would hold the caller for
    ever. What is left behind ends with its own socket.
    """
    if seconds <= 0:
        raise InvokerError(Failure.DEADLINE, outcome.TOO_LATE)
    future: Future[Returned] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except BaseException as error:  # noqa: BLE001  # handed to the waiting thread, whatever it is
            future.set_exception(error)

    # Not threading.Thread: its start() waits for the thread to say that it runs, which costs a third of the hand-over.
    start_new_thread(run, ())
    try:
        return future.result(timeout=seconds)
    except TimeoutError as error:
        raise InvokerError(Failure.DEADLINE, outcome.TOO_LATE) from error
