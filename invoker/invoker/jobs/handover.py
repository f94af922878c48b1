"""Hands a queued job over to SageMaker: one process at a time, and again where the last one did not get through."""

import logging
import time
from typing import TYPE_CHECKING

from invoker import outcome
from invoker.errors import InvokerError
from invoker.jobs.files import Files
from invoker.jobs.job import Job
from invoker.jobs.requests import LINES
from invoker.jobs.states import State
from invoker.jobs.store import Store, now

if TYPE_CHECKING:
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient

# Longer than a process may take for it.
LEASE_SECONDS = 60
# SageMaker's own limits: how long an invocation may wait, and how long it may run.
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpointAsync.html
WAIT_SECONDS = 21_600
RUN_SECONDS = 3600
# For the notice on its way.
SLACK_SECONDS = 900
LOGGER = logging.getLogger(__name__)


class Handover:
    def __init__(self, client: "SageMakerRuntimeClient", endpoint_name: str, store: Store, files: Files) -> None:
        self._client = client
        self._endpoint_name = endpoint_name
        self._store = store
        self._files = files

    def take(self, job: Job) -> Job | None:
        """Take the right to write the input and to hand over; None where another process has it."""
        return self._store.lease(job, LEASE_SECONDS)

    def run(self, job: Job) -> Job:
        """Invoke the endpoint for a job that was taken, and return what it is then; raise InvokerError."""
        try:
            answer = self._client.invoke_endpoint_async(
                EndpointName=self._endpoint_name,
                InputLocation=self._files.location(job.input),
                ContentType=f"{job.content_type}; on-error=skip" if job.on_error == "skip" else job.content_type,
                Accept=LINES if job.on_error == "skip" else job.accept or "*/*",
                InferenceId=job.inference_id,
                CustomAttributes=_attributes(job),
                RequestTTLSeconds=WAIT_SECONDS,
                InvocationTimeoutSeconds=RUN_SECONDS,
            )
        except outcome.FOREIGN as error:
            self._store.release(job)
            raise outcome.translate(error) from error
        changes = {
            "started": now(),
            "deadline": now() + WAIT_SECONDS + RUN_SECONDS + SLACK_SECONDS,
            "output": self._files.key(answer["OutputLocation"]),
            "failure": self._files.key(answer.get("FailureLocation", "")),
        }
        if running := self._store.move(job, State.RUNNING, **changes):
            return running
        # The notice came meanwhile, or the caller has cancelled, perhaps before the input was written.
        kept = self._store.get(job.caller, job.id) or job
        if kept.state is State.CANCELLED:
            self._files.remove(job.input)
        return kept

    def try_to_run(self, job: Job) -> Job:
        """Hand over; where SageMaker does not take it now, the job stays queued and the sweep tries again."""
        try:
            return self.run(job)
        except InvokerError as error:
            LOGGER.warning("not handed over", extra={"job": job.id, "cause": repr(error.__cause__)[:300]})
            return job


def _attributes(job: Job) -> str:
    """Name what the container may know, as docs/architecture.md lists it."""
    until = int((time.time() + RUN_SECONDS) * 1000)
    pairs = {"request-id": job.request_id, "deadline-ms": until}
    return ",".join(f"{name}={value}" for name, value in pairs.items() if value)
