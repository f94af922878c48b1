"""What is said about a request: one log line, its metrics, its Server-Timing header.

Headers are never logged, for they hold keys; a body only at DEBUG.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from invoker.errors import Failure, InvokerError
from invoker.proxy import Request, Response

SERVICE = "invoker"
NAMESPACE = "SageMakerApi"
# Lambda drops the lines below its level, and a line without a level and a time counts as INFO: the metrics need both.
LEVELS_ABOVE_INFO = {"WARNING", "ERROR"}
MAX_CAUSE = 500
MAX_BODY = 2000
# Those whose cause is of use to the owner.
ENDPOINT_FAILURES = frozenset({Failure.THROTTLED, Failure.FAILED, Failure.UNAVAILABLE, Failure.DEADLINE})


class Watch:
    """Times one request; `rows` is known once the body is read."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self.spent: dict[str, float] = {}
        self.rows = 0
        self.outcome = "ok"

    @contextmanager
    def measure(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            self.spent[name] = (time.perf_counter() - began) * 1000

    def stop(self) -> None:
        self.spent["total"] = (time.perf_counter() - self._began) * 1000

    def server_timing(self) -> str:
        """Write the header: https://www.w3.org/TR/server-timing/, in milliseconds."""
        return ", ".join(f"{name};dur={spent:.2f}" for name, spent in self.spent.items())


class Telemetry:
    def __init__(self, log_level: str, function_name: str = "local") -> None:
        self.logger = Logger(service=SERVICE, level=log_level)
        self._log_level = log_level
        self._function_name = function_name

    def record(self, request: Request, response: Response, watch: Watch) -> None:
        self.logger.info(
            "request",
            extra={
                "request_id": request.request_id,
                "traceparent": request.traceparent,
                "route": f"{request.method} {request.resource}",
                "status": response.status,
                "outcome": watch.outcome,
                "rows": watch.rows,
                "milliseconds": {name: round(spent, 2) for name, spent in watch.spent.items()},
            },
        )
        self._count(watch)

    def fault(self, answered: InvokerError, cause: Exception, request: Request) -> None:
        """Log what the caller is not told. A refusal's words may quote the input, so they are left out."""
        about = {"request_id": request.request_id, "status": answered.status}
        if answered.failure is Failure.INTERNAL:
            self.logger.error("internal error", extra=about, exc_info=cause)
        elif answered.failure in ENDPOINT_FAILURES:
            self.logger.warning("endpoint error", extra={**about, "cause": repr(cause.__cause__ or cause)[:MAX_CAUSE]})

    def body(self, request: Request) -> None:
        """Log the body's beginning, at DEBUG only."""
        self.logger.debug("body", extra={"request_id": request.request_id, "body": request.text[:MAX_BODY]})

    def _count(self, watch: Watch) -> None:
        """Print the metrics as CloudWatch reads them out of the log: by function and outcome, each for its alarm."""
        metrics = EphemeralMetrics(namespace=NAMESPACE, service=SERVICE)
        metrics.add_dimension("function", self._function_name)
        metrics.add_dimension("outcome", watch.outcome)
        if self._log_level in LEVELS_ABOVE_INFO:
            metrics.add_metadata("level", self._log_level)
            metrics.add_metadata("timestamp", datetime.now(UTC).isoformat(timespec="milliseconds"))
        metrics.add_metric("Requests", MetricUnit.Count, 1)
        metrics.add_metric("Rows", MetricUnit.Count, watch.rows)
        metrics.add_metric("Latency", MetricUnit.Milliseconds, watch.spent["total"])
        if "endpoint" in watch.spent:
            metrics.add_metric("EndpointLatency", MetricUnit.Milliseconds, watch.spent["endpoint"])
        metrics.flush_metrics()
