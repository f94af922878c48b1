"""The end of a job: what SageMaker told, or left in the bucket, becomes the state and the answer."""

import json
import re
from collections.abc import Mapping
from typing import Any

from invoker import outcome
from invoker.errors import Failure, InvokerError
from invoker.jobs.files import Files
from invoker.jobs.job import Job
from invoker.jobs.states import State
from invoker.jobs.storage import MissingError
from invoker.jobs.store import Store

# More of a failure's file is not read.
MAX_FAILURE_BYTES = 65_536
RECEIVED = re.compile(
    r'Received (?:client|server) error \((?P<status>\d+)\) from \S+ with message "(?P<message>.*)"', re.DOTALL
)
TIMED_OUT = re.compile(r"timed? ?out", re.IGNORECASE)
NOT_TAKEN = re.compile(r"\bTTL\b|expired", re.IGNORECASE)


class Settlement:
    def __init__(self, store: Store, files: Files) -> None:
        self._store = store
        self._files = files

    def succeed(self, job: Job, output: str, content_type: str) -> Job | None:
        """Note the answer; None where the job had ended already."""
        ended = self._store.move(job, State.SUCCEEDED, output=output, output_type=content_type)
        if ended is None:
            self._drop_unwanted(job, output)
        return ended

    def fail(self, job: Job, error: InvokerError) -> Job | None:
        return self._store.move(job, State.FAILED, error=error.document(job.request_id))

    def expire(self, job: Job, detail: str) -> Job | None:
        error = InvokerError(Failure.DEADLINE, detail)
        return self._store.move(job, State.EXPIRED, error=error.document(job.request_id))

    def reason(self, job: Job, told: str) -> InvokerError:
        """Return the error of a failed job, as POST /predict would have answered it."""
        return read_failure(told) or read_failure(self._failure_file(job)) or _unclear(told)

    def _failure_file(self, job: Job) -> str:
        try:
            content = self._files.read(job.failure, MAX_FAILURE_BYTES) if job.failure else None
        except MissingError:
            return ""
        return (content or b"").decode(errors="replace")

    def _drop_unwanted(self, job: Job, output: str) -> None:
        """Remove the answer that nobody can fetch: of a job that was cancelled, or handed over twice."""
        kept = self._store.get(job.caller, job.id)
        if kept is None or kept.state is not State.SUCCEEDED or kept.output != output or kept.removed:
            self._files.remove(output)


def read_failure(text: str) -> InvokerError | None:
    """Return the container's own error out of SageMaker's words, or of the failure's file; None for anything else."""
    if found := RECEIVED.search(text):
        return outcome.model_error({"OriginalStatusCode": int(found["status"]), "OriginalMessage": found["message"]})
    document = _object(text)
    status = document.get("status")
    if isinstance(status, int) and isinstance(document.get("detail"), str):
        return outcome.model_error({"OriginalStatusCode": status, "OriginalMessage": text})
    return None


def _object(text: str) -> Mapping[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _unclear(told: str) -> InvokerError:
    late = TIMED_OUT.search(told) or NOT_TAKEN.search(told)
    return outcome.model_error({"OriginalStatusCode": 0 if late else None})
