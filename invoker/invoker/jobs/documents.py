"""Jobs as a caller sees them."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from invoker import media_types
from invoker.jobs.files import Upload
from invoker.jobs.job import Job
from invoker.proxy import Response


def accepted(job: Job) -> dict[str, Any]:
    """Return the answer of POST /jobs: the same each time under one key."""
    return {
        "id": job.id,
        "status": "queued",
        "created": time_of(job.created // 1000),
        "expires": time_of(job.expires),
    }


def uploading(job: Job, upload: Upload | None, expires: int) -> dict[str, Any]:
    """Return the answer of POST /jobs/uploads; there is no address where the file has been sent already."""
    address = {"upload": {"method": "PUT", "url": upload.url, "headers": dict(upload.headers)}} if upload else {}
    until = time_of(expires if upload else job.expires)
    return {
        "id": job.id,
        "status": str(job.state),
        "created": time_of(job.created // 1000),
        **address,
        "expires": until,
    }


def status(job: Job) -> dict[str, Any]:
    """Return what GET /jobs/{id} says of every job."""
    document: dict[str, Any] = {
        "id": job.id,
        "status": str(job.state),
        "created": time_of(job.created // 1000),
        "expires": time_of(job.expires),
        "bytes": job.bytes,
        "content_type": job.content_type,
    }
    times = {"started": job.started, "finished": job.finished}
    document |= {name: time_of(seconds) for name, seconds in times.items() if seconds}
    if job.error is not None:
        document["error"] = job.error
    return document | ({"removed": True} if job.removed else {})


def starting(capacity: Mapping[str, Any]) -> dict[str, Any]:
    """Say since when instances are being started for waiting jobs, and how long it took the last time."""
    if not capacity["since"]:
        return {}
    usual = {"usually_seconds": capacity["usual"]} if capacity["usual"] else {}
    return {"starting": {"since": time_of(capacity["since"]), **usual}}


def time_of(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def written(
    document: Mapping[str, Any],
    status_code: int,
    headers: Mapping[str, str] | None = None,
    content_type: str = media_types.JSON,
) -> Response:
    return Response(status_code, json.dumps(document), headers or {}, content_type)
