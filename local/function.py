"""The Lambda function: its handler, called as Lambda calls it.

Limits: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

import asyncio
import json
import sys
import time
import traceback
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from local.errors import FunctionError, GatewayError
from sam_template import TemplateError

MAX_PAYLOAD = 6_291_456
# One thread stands for one execution environment.
ENVIRONMENTS = 32

Handler = Callable[[Any, "Context"], Any]


@dataclass(frozen=True, slots=True)
class Limits:
    """What the template gives the function."""

    timeout_seconds: float
    memory_mb: int


class Context:
    """The context object of one invocation.

    https://docs.aws.amazon.com/lambda/latest/dg/python-context.html
    """

    function_name = "local"
    function_version = "$LATEST"
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:local"
    log_group_name = "/aws/lambda/local"
    log_stream_name = "local"
    identity = None
    client_context = None

    def __init__(self, limits: Limits) -> None:
        self.aws_request_id = str(uuid.uuid4())
        self.memory_limit_in_mb = str(limits.memory_mb)
        self._ends = time.monotonic() + limits.timeout_seconds

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the function may still run."""
        return max(0, int((self._ends - time.monotonic()) * 1000))


class Function:
    """A handler behind Lambda's limits."""

    def __init__(self, handler: Handler, limits: Limits) -> None:
        self._handler = handler
        self._limits = limits
        self._threads = ThreadPoolExecutor(ENVIRONMENTS, "lambda")

    async def invoke(self, event: dict[str, Any]) -> Any:
        """Return the handler's answer as Lambda would hand it on; raise FunctionError where Lambda reports an error."""
        payload = json.dumps(event, ensure_ascii=False).encode()
        if len(payload) > MAX_PAYLOAD:
            raise GatewayError("REQUEST_TOO_LARGE", f"the event has {len(payload)} bytes; Lambda takes {MAX_PAYLOAD}")
        running = asyncio.get_running_loop().run_in_executor(self._threads, self._run, payload)
        try:
            answer = await asyncio.wait_for(running, self._limits.timeout_seconds)
        except TimeoutError as error:
            raise FunctionError(f"task timed out after {self._limits.timeout_seconds:.2f} seconds") from error
        return json.loads(answer)

    def _run(self, payload: bytes) -> bytes:
        try:
            answer = json.dumps(self._handler(json.loads(payload), Context(self._limits)), ensure_ascii=False).encode()
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            raise FunctionError(f"the handler raised {type(error).__name__}") from error
        if len(answer) > MAX_PAYLOAD:
            raise FunctionError(f"the answer has {len(answer)} bytes; Lambda takes {MAX_PAYLOAD}")
        return answer


def load_handler(name: str) -> Handler:
    """Import the handler called `package.module.function`."""
    module, _, attribute = name.rpartition(".")
    handler: Handler | None = getattr(import_module(module), attribute, None)
    if handler is None:
        raise TemplateError(f"the template's Handler is {name}, and {module} has no {attribute}")
    return handler
