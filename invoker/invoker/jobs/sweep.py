"""Every few minutes: looks after the jobs whose notice or event has not come, and ends those whose time is over."""

from collections.abc import Callable

from invoker import media_types
from invoker.errors import Failure, InvokerError
from invoker.jobs.files import File, Files
from invoker.jobs.handover import Handover
from invoker.jobs.job import Job
from invoker.jobs.settlement import Settlement
from invoker.jobs.states import State
from invoker.jobs.store import Store, now
from invoker.jobs.uploads import Uploads

# Events and notices come within seconds; after so long the bucket is asked.
OVERDUE_SECONDS = 300
UNSET = ("", "binary/octet-stream")
NO_UPLOAD = "The file was not sent in time."
NO_INPUT = "The input could not be stored. Send the job again."
NO_NOTICE = "The model did not answer in time."
NOT_TAKEN = "The endpoint took no jobs in time. Send the job again later."


def _type_of(file: File, job: Job) -> str:
    """Return the answer's media type: S3 says one of its own where nobody has set any."""
    asked = media_types.first_of(job.accept)
    fallback = media_types.JSON if not asked or "*" in asked else asked
    return fallback if file.content_type in UNSET else file.content_type


class Sweep:
    def __init__(
        self, store: Store, files: Files, uploads: Uploads, handover: Handover, settlement: Settlement
    ) -> None:
        self._store = store
        self._files = files
        self._uploads = uploads
        self._handover = handover
        self._settlement = settlement
        self._looks: dict[State, Callable[[Job], Job | None]] = {
            State.UPLOADING: self._uploading,
            State.QUEUED: self._queued,
            State.RUNNING: self._running,
        }

    def run(self, time_is_up: Callable[[], bool], ended: Callable[[Job | None], None]) -> int:
        """Look at every open job, and tell which have ended; return the age of the oldest queued or running one."""
        oldest = 0
        for seen in self._store.open_jobs():
            if seen.state is not State.UPLOADING:
                oldest = max(oldest, now() - seen.created // 1000)
            if now() - seen.created // 1000 >= OVERDUE_SECONDS or now() >= seen.deadline:
                # The index may be behind the table.
                job = self._store.get(seen.caller, seen.id)
                if job and job.state.is_open:
                    ended(self._looks[job.state](job))
            if time_is_up():
                break
        return oldest

    def _uploading(self, job: Job) -> Job | None:
        if file := self._files.look(job.input):
            return self._uploads.start(job, file)
        return self._settlement.expire(job, NO_UPLOAD) if now() >= job.deadline else None

    def _queued(self, job: Job) -> Job | None:
        if self._files.look(job.input) is None:
            # A request that writes it just now holds the lease.
            return (
                self._settlement.fail(job, InvokerError(Failure.UNAVAILABLE, NO_INPUT)) if job.leased <= now() else None
            )
        if now() >= job.deadline:
            return self._settlement.expire(job, NOT_TAKEN)
        taken = self._handover.take(job)
        return self._handover.try_to_run(taken) if taken else None

    def _running(self, job: Job) -> Job | None:
        if job.output and (file := self._files.look(job.output)):
            return self._settlement.succeed(job, job.output, _type_of(file, job))
        if job.failure and self._files.look(job.failure):
            return self._settlement.fail(job, self._settlement.reason(job, ""))
        return self._settlement.expire(job, NO_NOTICE) if now() >= job.deadline else None
