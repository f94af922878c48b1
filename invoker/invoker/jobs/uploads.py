"""A file that a caller has sent: its event starts the job, if it is the file that was announced."""

from invoker import media_types
from invoker.errors import Failure, InvokerError
from invoker.jobs.files import File, Files
from invoker.jobs.handover import Handover
from invoker.jobs.job import Job, read_upload_key
from invoker.jobs.settlement import Settlement
from invoker.jobs.states import State
from invoker.jobs.store import Store


class Uploads:
    def __init__(self, store: Store, files: Files, handover: Handover, settlement: Settlement) -> None:
        self._store = store
        self._files = files
        self._handover = handover
        self._settlement = settlement

    def take(self, key: str) -> Job | None:
        """Start the job of an upload; return what it is then. An event that comes twice changes nothing."""
        named = read_upload_key(key)
        if named is None:
            return None
        job, file = self._store.get(*named), self._files.look(key)
        if job is None or not job.state.is_open:
            # Nobody waits for it: it was cancelled, or its time is over.
            self._files.remove(key)
            return None
        return self.start(job, file) if file else None

    def start(self, job: Job, file: File) -> Job | None:
        """Queue a job whose file is there, and hand it over; None where another process does so."""
        if job.state is State.UPLOADING:
            if wrong := _wrong(job, file):
                self._files.remove(job.input)
                return self._settlement.fail(job, wrong)
            self._store.move(job, State.QUEUED)
        taken = self._handover.take(job)
        return self._handover.run(taken) if taken else None


def _wrong(job: Job, file: File) -> InvokerError | None:
    """Say what is wrong with a file; S3 has checked the signed headers already."""
    if file.size != job.bytes:
        failure = Failure.BODY_TOO_LARGE if file.size > job.bytes else Failure.BAD_REQUEST
        return InvokerError(failure, f"The file has {file.size} bytes, announced were {job.bytes}.")
    if media_types.parse(file.content_type).name != media_types.parse(job.content_type).name:
        detail = f"The file was sent as {file.content_type[:80]}, announced was {job.content_type[:80]}."
        return InvokerError(Failure.MEDIA_TYPE, detail)
    return None
