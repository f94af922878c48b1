"""What happens to jobs on AWS's side: events, uploads, the clock."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from invoker.jobs import store, sweep
from invoker.jobs.events import Context, Events
from invoker.jobs.job import Job
from invoker.jobs.metrics import Metrics
from invoker.settings import Settings
from tests.invoker.jobs.conftest import BUCKET, Desk

WISH = {"content_type": "text/csv", "bytes": 4}


class Time:
    """Lambda's context of a function that has time."""

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


def events(desk: Desk) -> Events:
    return Events(desk.parts, Metrics(Settings("iris")))


def send(desk: Desk, event: Mapping[str, Any], context: Context | None = None) -> None:
    events(desk).handle(event, context or Time())


def sns(message: str) -> dict[str, Any]:
    return {"Records": [{"EventSource": "aws:sns", "Sns": {"Message": message}}]}


def created(key: str) -> dict[str, Any]:
    return {"source": "aws.s3", "detail-type": "Object Created", "detail": {"object": {"key": key, "size": 4}}}


def tick(desk: Desk) -> None:
    send(desk, {"source": "aws.events", "detail-type": "Scheduled Event"})


def overdue(monkeypatch: pytest.MonkeyPatch, seconds: int = 300) -> None:
    """Let so many seconds pass."""
    real = store.now
    for module in (store, sweep):
        monkeypatch.setattr(module, "now", lambda: real() + seconds)


def upload(desk: Desk, wish: Mapping[str, Any] = WISH, **more: Any) -> Job:
    answer = desk("POST", "/jobs/uploads", json.dumps(wish), **more)
    assert answer.status == 201, answer.body
    return desk.job(answer.json["id"])


def put(desk: Desk, job: Job, content: bytes = b"1,2\n", content_type: str = "text/csv") -> None:
    desk.s3.put_object(Bucket=BUCKET, Key=job.input, Body=content, ContentType=content_type)
