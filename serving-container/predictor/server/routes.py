"""What the server answers on each path: SageMaker's hosting contract, and /metrics."""

import itertools
import secrets
import time
from http import HTTPStatus

import orjson

from predictor.errors import (
    MethodNotAllowedError,
    NotFoundError,
    NotReadyError,
    PredictorError,
    UnsupportedMediaTypeError,
)
from predictor.http.exchange import Exchange
from predictor.ipc import Request, Response
from predictor.logs import log
from predictor.server.batching import Batcher, Pending
from predictor.server.lifecycle import Lifecycle, State
from predictor.server.metrics import Metrics
from predictor.server.pool import Pool
from predictor.server.refusals import RefusalLog
from predictor.settings import MIB, Settings

ATTRIBUTES = b"x-amzn-sagemaker-custom-attributes"
INFERENCE_ID = b"x-amzn-sagemaker-inference-id"
MAX_ID = 64
"""Characters of a request id, as of SageMaker's InferenceId; a traceparent has 55."""
MAX_DIGITS = 16
"""Of a time in milliseconds; Python refuses to read thousands."""
UNREADY = (State.STARTING, State.FAILED)
REFORK_SECONDS = 1.0
"""How long /ping stays 200 without a worker: one that dies is forked again within milliseconds, its requests wait, and
SageMaker replaces an instance for a 503."""
MAX_TRANSFORM_MB = 100
"""MaxConcurrentTransforms times MaxPayloadInMB may not be more (CreateTransformJob)."""


class App:
    """Routes requests, and words the outcomes as answers."""

    def __init__(
        self, settings: Settings, lifecycle: Lifecycle, metrics: Metrics, batcher: Batcher, pool: Pool
    ) -> None:
        self._settings = settings
        self._lifecycle = lifecycle
        self._metrics = metrics
        self._batcher = batcher
        self._pool = pool
        self._ids = map(f"{secrets.token_hex(6)}-{{}}".format, itertools.count(1))
        self._debug = settings.log_level == "debug"
        self.refusals = RefusalLog()
        self._routes = {
            "/invocations": (("POST",), self._invoke),
            "/ping": (("GET", "POST"), self._ping),
            "/metrics": (("GET",), self._measure),
            "/execution-parameters": (("GET",), self._describe),
        }

    def __call__(self, exchange: Exchange) -> None:
        """Answer a request, now or later; raises PredictorError when the answer is a refusal."""
        route = self._routes.get(exchange.path)
        if route is None:
            raise NotFoundError(f"There are {', '.join(self._routes)}, and nothing else.")
        methods, answer = route
        if exchange.method not in methods:
            raise MethodNotAllowedError(", ".join(methods))
        answer(exchange)

    def _invoke(self, exchange: Exchange) -> None:
        pending = self._pending(exchange)
        try:
            self._admit(exchange)
            self._batcher.submit(pending)
        except PredictorError as error:
            self._settle(pending, error)

    def _admit(self, exchange: Exchange) -> None:
        if self._lifecycle.state in UNREADY:
            raise NotReadyError("The model is not loaded yet.")
        encoding = exchange.header(b"content-encoding")
        if encoding and encoding.lower() != "identity":
            raise UnsupportedMediaTypeError(f"Expected a body without Content-Encoding, got {encoding!r}.")

    def _pending(self, exchange: Exchange) -> Pending:
        attributes = custom_attributes(exchange.header(ATTRIBUTES))
        request_id = attributes.get("request-id") or (exchange.header(INFERENCE_ID) or next(self._ids))[:MAX_ID]
        expires = exchange.arrived + self._settings.timeout_seconds
        deadline = attributes.get("deadline-ms", "")
        if deadline.isdecimal() and len(deadline) <= MAX_DIGITS:
            expires = min(expires, exchange.arrived + int(deadline) / 1000 - time.time())
        request = Request(exchange.body, exchange.header(b"content-type"), exchange.header(b"accept"), request_id)
        return Pending(request, exchange, expires, self._settle)

    def _settle(self, pending: Pending, outcome: Response | PredictorError) -> None:
        """Send the outcome of a request, and count and log it."""
        exchange = pending.exchange
        if exchange.reply:
            return
        request_id = pending.request.request_id
        headers = ((ATTRIBUTES.decode(), f"request-id={request_id}"),)
        seconds = time.monotonic() - exchange.arrived
        if self._debug or outcome.status != HTTPStatus.OK:
            self._log(pending, outcome.status, seconds)
        if isinstance(outcome, Response):
            exchange.answer(outcome.status, outcome.content_type, outcome.body, headers)
            self._metrics.predictions += outcome.rows
        else:
            exchange.refuse(outcome, headers, request_id)
        self._metrics.requests[outcome.status] += 1
        self._metrics.latency.observe(seconds)

    def _log(self, pending: Pending, status: int, seconds: float) -> None:
        """One line for a request, at debug when it went well; what did not is summed up, for it may be thousands."""
        fields = {"request_id": pending.request.request_id, "status": status, "ms": round(seconds * 1000, 3)}
        if trace := custom_attributes(pending.exchange.header(ATTRIBUTES)).get("traceparent"):
            fields["traceparent"] = trace
        if status == HTTPStatus.OK:
            log.debug("invocation", extra={"fields": fields})
        else:
            self.refusals.add(status, fields)

    def _ping(self, exchange: Exchange) -> None:
        if trouble := self._trouble():
            raise NotReadyError(trouble)
        exchange.answer(200, "", b"")

    def _trouble(self) -> str:
        """Why /ping answers 503; empty when it answers 200."""
        if self._lifecycle.state is not State.READY:
            return f"The server is {self._lifecycle.state.value}."
        now = time.monotonic()
        if self._pool.unable_seconds(now) > REFORK_SECONDS:
            return "No worker can predict."
        busy = self._pool.busy_seconds(now)
        return f"A prediction has been running for {busy:.0f} seconds." if busy > self._settings.stuck_seconds else ""

    def _measure(self, exchange: Exchange) -> None:
        gauges = {
            "serving_queue_requests": ("Requests waiting for a worker.", self._batcher.waiting),
            "serving_workers": ("Workers that can predict.", self._pool.able),
            "serving_ready": ("Whether /ping answers 200.", int(not self._trouble())),
        }
        exchange.answer(200, "text/plain; version=0.0.4; charset=utf-8", self._metrics.render(gauges))

    def _describe(self, exchange: Exchange) -> None:
        """Propose limits for batch transform; one request may hold many records, and one line answers each."""
        payload = max(1, min(6, self._settings.max_body_bytes // MIB))
        parameters = {
            "MaxConcurrentTransforms": min(4 * self._settings.workers, MAX_TRANSFORM_MB // payload),
            "BatchStrategy": "MULTI_RECORD",
            "MaxPayloadInMB": payload,
        }
        exchange.answer(200, "application/json", orjson.dumps(parameters))


def custom_attributes(header: str | None) -> dict[str, str]:
    """Read `name=value` pairs with commas between, values cut; what is not a pair is left out."""
    if not header:
        return {}
    pairs = (pair.partition("=") for pair in header.split(","))
    return {name.strip(): value.strip()[:MAX_ID] for name, equals, value in pairs if equals}
