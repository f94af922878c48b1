"""The events of jobs: SageMaker's notices, uploads, the alarm for capacity, the schedule.

An event that cannot be handled raises: Lambda tries again, and puts it into the dead letter queue at last. The sweep
ends what is lost all the same.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from invoker.jobs.capacity import Capacity
from invoker.jobs.metrics import Metrics
from invoker.jobs.parts import Parts

# Left for the write that is under way.
RESERVE_MILLISECONDS = 10_000


class Context(Protocol):
    """What is used of Lambda's context object."""

    def get_remaining_time_in_millis(self) -> int: ...


class Events:
    def __init__(self, parts: Parts, metrics: Metrics) -> None:
        self._parts = parts
        self._capacity = Capacity(parts.store)
        self._metrics = metrics

    def handle(self, event: Mapping[str, Any], context: Context) -> None:
        if "Records" in event:
            for record in event["Records"]:
                self._metrics.ended(self._parts.notices.take(record["Sns"]["Message"]))
        elif event["source"] == "aws.s3":
            self._metrics.ended(self._parts.uploads.take(event["detail"]["object"]["key"]))
        elif event["source"] == "aws.cloudwatch":
            told = datetime.fromisoformat(event["time"]).astimezone(UTC)
            self._capacity.note(waiting=event["detail"]["state"]["value"] == "ALARM", at=int(told.timestamp()))
        elif event["source"] == "aws.events":
            self._metrics.oldest(self._parts.sweep.run(_nearly_over(context), self._metrics.ended))
        else:
            raise LookupError(f"an event of {event['source']!r}, which is none of jobs")


def _nearly_over(context: Context) -> Callable[[], bool]:
    return lambda: context.get_remaining_time_in_millis() < RESERVE_MILLISECONDS
