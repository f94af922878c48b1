"""SageMaker's notices of an end, by SNS: they come late, twice, out of order, or never.

https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-check-predictions.html
"""

import json
import logging
from collections.abc import Mapping
from typing import Any

from invoker import media_types
from invoker.jobs.files import Files
from invoker.jobs.job import Job, read_inference_id
from invoker.jobs.settlement import Settlement
from invoker.jobs.store import Store

LOGGER = logging.getLogger(__name__)


class Notices:
    def __init__(self, store: Store, files: Files, settlement: Settlement) -> None:
        self._store = store
        self._files = files
        self._settlement = settlement

    def take(self, message: str) -> Job | None:
        """Move the job that a notice names; return it where the notice was the first word of its end."""
        notice = json.loads(message)
        named = read_inference_id(str(notice.get("inferenceId", "")))
        if named is None:
            LOGGER.warning("notice of no job", extra={"inference_id": str(notice.get("inferenceId"))[:80]})
            return None
        job = self._store.get(*named)
        output, content_type = self._output(notice)
        if job is None:
            # Its time is over: nobody can ask for the answer.
            self._files.remove(output)
            return None
        if notice.get("invocationStatus") == "Completed":
            if not output:
                raise LookupError(f"the answer of job {job.id} is not in this bucket: {message[:1000]}")
            return self._settlement.succeed(job, output, content_type)
        if not job.state.is_open:
            return None
        return self._settlement.fail(job, self._settlement.reason(job, str(notice.get("failureReason", ""))))

    def _output(self, notice: Mapping[str, Any]) -> tuple[str, str]:
        told = notice.get("responseParameters") or {}
        return self._files.key(str(told.get("outputLocation", ""))), str(told.get("contentType") or media_types.JSON)
