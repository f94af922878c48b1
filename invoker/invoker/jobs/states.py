"""The states of a job, and which may follow which: they only move forward."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class State(StrEnum):
    # The caller has not sent the file yet.
    UPLOADING = "uploading"
    # The input is there, or is being written.
    QUEUED = "queued"
    # Handed over to SageMaker, which says nothing more until the end.
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    # The upload or the notice of the end never came.
    EXPIRED = "expired"
    CANCELLED = "cancelled"

    @property
    def is_open(self) -> bool:
        return bool(FOLLOWERS[self])


FINAL = frozenset({State.SUCCEEDED, State.FAILED, State.EXPIRED, State.CANCELLED})
FOLLOWERS: Mapping[State, frozenset[State]] = MappingProxyType(
    {
        State.UPLOADING: frozenset({State.QUEUED, State.FAILED, State.EXPIRED, State.CANCELLED}),
        # A notice can overtake the write that the job runs.
        State.QUEUED: FINAL | {State.RUNNING},
        State.RUNNING: FINAL,
        **dict.fromkeys(FINAL, frozenset[State]()),
    }
)


def before(state: State) -> tuple[State, ...]:
    """Return the states that may move to this one."""
    return tuple(each for each in State if state in FOLLOWERS[each])
