"""What is known of a job."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from invoker.jobs.states import State

ID = re.compile(r"[0-9a-f]{32}")
CALLER = re.compile(r"[0-9a-f]{24}")
# SageMaker's limit for an inference id is 64 characters: both and a point are 57.
_INFERENCE = re.compile(rf"({CALLER.pattern})\.({ID.pattern})")


@dataclass(frozen=True, slots=True)
class Job:
    """One item of the table; times are seconds since 1970, `created` milliseconds, which order a caller's jobs."""

    caller: str
    id: str
    state: State
    created: int
    # When the item and the job's files are removed.
    expires: int
    # When the sweep ends the job if nothing else has.
    deadline: int
    content_type: str
    accept: str = ""
    bytes: int = 0
    on_error: str = "stop"
    uploaded: bool = False
    # Of what was sent: another body under the same Idempotency-Key has another one.
    fingerprint: str = ""
    request_id: str = ""
    # Until then one process hands the job over, and no other may.
    leased: int = 0
    started: int = 0
    finished: int = 0
    # Keys in the bucket.
    output: str = ""
    failure: str = ""
    output_type: str = ""
    # Problem details, as POST /predict would have answered.
    error: Mapping[str, Any] | None = None
    # Whether the caller has deleted the files of a finished job.
    removed: bool = False

    @property
    def input(self) -> str:
        """Return the input's key: each upload is an event, and a body of POST /jobs is none."""
        return f"{'uploads' if self.uploaded else 'inputs'}/{self.caller}/{self.id}"

    @property
    def inference_id(self) -> str:
        return f"{self.caller}.{self.id}"


def read_inference_id(text: str) -> tuple[str, str] | None:
    """Return caller and id; None for what is no job's."""
    found = _INFERENCE.fullmatch(text)
    return (found[1], found[2]) if found else None


def read_upload_key(key: str) -> tuple[str, str] | None:
    """Return caller and id of an upload's key; None for any other key."""
    folder, _, rest = key.partition("/")
    return read_inference_id(rest.replace("/", ".")) if folder == "uploads" else None
