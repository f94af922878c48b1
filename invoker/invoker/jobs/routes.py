"""The routes of /jobs: the same validation, callers and errors as POST /predict."""

import hashlib
import json
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from invoker import judgement, media_types, proxy
from invoker.documents import Documents
from invoker.errors import Failure, InvokerError
from invoker.jobs import documents as shown
from invoker.jobs import requests
from invoker.jobs.caller import caller
from invoker.jobs.files import Files
from invoker.jobs.handover import Handover
from invoker.jobs.job import Job
from invoker.jobs.states import State
from invoker.jobs.storage import MissingError
from invoker.jobs.store import DAY, Store, now
from invoker.proxy import Body, Response
from invoker.settings import Settings

if TYPE_CHECKING:
    from invoker.service import Call

# How long a queued job without an input may wait for one.
QUEUE_SECONDS = 21_600
UPLOAD_SECONDS = 3600
KEY_SECONDS = DAY
# Up to here the answer travels through the function.
INLINE_BYTES = 1_000_000


class Jobs:
    def __init__(
        self, settings: Settings, documents: Documents, store: Store, files: Files, handover: Handover
    ) -> None:
        self._settings = settings
        self._documents = documents
        self._store = store
        self._files = files
        self._handover = handover

    def routes(self) -> dict[str, Mapping[str, Callable[["Call"], Response]]]:
        return {
            "/jobs": {"POST": self.create, "GET": self.listing},
            "/jobs/uploads": {"POST": self.upload},
            "/jobs/{id}": {"GET": self.status, "DELETE": self.cancel},
            "/jobs/{id}/result": {"GET": self.result},
        }

    def create(self, call: "Call") -> Response:
        """Take a body as POST /predict does; nothing is stored before it has been judged."""
        request = call.request
        on_error, key = requests.read_on_error(request), requests.idempotency_key(request)
        with call.watch.measure("validation"):
            body = proxy.body(request, max_bytes=self._settings.max_body_bytes)
            requests.check_skip(on_error, body.media_type.text, body.accept)
            if on_error == "stop":
                call.watch.rows = judgement.judge(
                    body.content, body.media_type, self._documents.model, max_rows=self._settings.max_rows
                )
        with call.watch.measure("storage"):
            job = self._new(
                call,
                State.QUEUED,
                content_type=body.media_type.text,
                accept=body.accept,
                bytes=len(body.content),
                on_error=on_error,
            )
            job = self._once(job, key, fingerprint(body, on_error))
            if job.state is State.QUEUED:
                job = self._start(job, body.content)
        location = {"Location": f"{request.base_url}/jobs/{job.id}"}
        # The same words for a repeated request, however far the job is.
        return shown.written(shown.accepted(job), 202, location | self._retry_after())

    def upload(self, call: "Call") -> Response:
        """Sign the address for one file; its event starts the job."""
        key = requests.idempotency_key(call.request)
        body = proxy.body(call.request, max_bytes=self._settings.max_body_bytes)
        wish = requests.upload(body, self._documents.model)
        self._check_type(wish.content_type)
        job = self._new(
            call,
            State.UPLOADING,
            content_type=wish.content_type,
            accept=wish.accept,
            bytes=wish.bytes,
            on_error=wish.on_error,
            uploaded=True,
        )
        job = self._once(job, key, fingerprint(body, wish.on_error))
        left = job.created // 1000 + UPLOAD_SECONDS - now()
        upload = self._files.upload(job, left) if job.state is State.UPLOADING and left > 0 else None
        location = {"Location": f"{call.request.base_url}/jobs/{job.id}"}
        return shown.written(shown.uploading(job, upload, now() + left), 201, location)

    def status(self, call: "Call") -> Response:
        job = self._found(call)
        document = shown.status(job)
        if job.state.is_open:
            starting = shown.starting(self._store.capacity())
            return shown.written({**document, **starting}, 200, self._retry_after(starting))
        if job.state is State.SUCCEEDED and not job.removed:
            document |= self._answer(job)
        return shown.written(document, 200)

    def result(self, call: "Call") -> Response:
        job = self._found(call)
        if job.state.is_open:
            detail = f"The job is {job.state}: there is no result yet."
            raise InvokerError(Failure.NO_RESULT, detail, headers=self._retry_after())
        if job.error is not None:
            status = int(job.error["status"])
            return shown.written({**job.error}, status, content_type="application/problem+json")
        if job.state is not State.SUCCEEDED or job.removed:
            raise InvokerError(Failure.GONE, "The job's files were removed.")
        content = self._read(job)
        accept = call.request.headers.get("accept", "")
        if content is None or not _travels(job.output_type, accept):
            return Response(303, "", {"Location": self._files.download_url(job.output, job.output_type)})
        return proxy.answer(content, job.output_type, accept=accept)

    def listing(self, call: "Call") -> Response:
        limit, after = requests.page(call.request)
        jobs, place = self._store.page(self._caller(call), limit, after)
        document: dict[str, Any] = {"jobs": [shown.status(job) for job in jobs]}
        return shown.written(document | ({"next": requests.cursor(place)} if place else {}), 200)

    def cancel(self, call: "Call") -> Response:
        """Cancel an open job; of a finished one the state stays, and its files go all the same."""
        job = self._found(call)
        ended = self._store.move(job, State.CANCELLED) or self._store.get(job.caller, job.id)
        if ended is None:
            raise requests.unknown()
        if ended.state is not State.CANCELLED:
            ended = self._store.remove_files(ended) or ended
        self._files.remove(ended.input, ended.output, ended.failure)
        return shown.written(shown.status(replace(ended, removed=True)), 200)

    def _new(self, call: "Call", state: State, **known: Any) -> Job:
        created = int(time.time() * 1000)
        wait = UPLOAD_SECONDS if state is State.UPLOADING else QUEUE_SECONDS
        return Job(
            caller=self._caller(call),
            id=uuid.uuid4().hex,
            state=state,
            created=created,
            expires=created // 1000 + self._settings.jobs_retention_days * DAY,
            deadline=created // 1000 + wait,
            request_id=call.request.request_id,
            **known,
        )

    def _once(self, job: Job, key: str, digest: str) -> Job:
        """Write a new job, or return the one that the same key made within a day: its id follows from the key."""
        job = replace(job, fingerprint=digest)
        number = 0
        while True:
            if key:
                job = replace(job, id=_id_of(job.caller, key, number))
                if existing := self._store.get(job.caller, job.id):
                    if existing.created < job.created - KEY_SECONDS * 1000:
                        number += 1
                        continue
                    return _same(existing, digest)
            self._check_limits(job)
            if self._store.create(job):
                self._store.count_bytes(job.caller, job.bytes)
                return job

    def _check_limits(self, job: Job) -> None:
        most = self._settings.jobs_max_open
        if self._store.count_open(job.caller, most) >= most:
            detail = f"{most} jobs are open already, which is the most a caller may have. Wait for one to end."
            raise InvokerError(Failure.TOO_MANY, detail, headers={"Retry-After": "60"})
        used, limit = self._store.bytes_today(job.caller), self._settings.jobs_gigabytes_per_day * 10**9
        if used + job.bytes > limit:
            detail = (
                f"A caller may send {limit} bytes a day to jobs; {max(0, limit - used)} are left, this has {job.bytes}."
            )
            raise InvokerError(Failure.TOO_MANY, detail, headers={"Retry-After": str(DAY - now() % DAY)})

    def _start(self, job: Job, content: bytes) -> Job:
        """Write the input and hand over, unless another request with the same key does just that."""
        taken = self._handover.take(job)
        if taken is None:
            return self._store.get(job.caller, job.id) or job
        try:
            self._files.write(taken, content)
        except InvokerError:
            # The same key may try again at once; without one, the sweep ends the job.
            self._store.release(taken)
            raise
        return self._handover.try_to_run(taken)

    def _check_type(self, content_type: str) -> None:
        schema = self._documents.model
        media_type = media_types.parse(content_type)
        if schema and schema.kind == "json" and not media_type.is_json:
            raise judgement.unsupported(media_type, media_types.JSON)
        if schema and schema.media_types and not media_types.matches(media_type.name, schema.media_types):
            raise judgement.unsupported(media_type, ", ".join(schema.media_types))

    def _found(self, call: "Call") -> Job:
        job = self._store.get(self._caller(call), requests.job_id(call.request))
        if job is None:
            raise requests.unknown()
        return job

    def _caller(self, call: "Call") -> str:
        return caller(call.request.context, self._settings.auth)

    def _answer(self, job: Job) -> dict[str, Any]:
        answer: dict[str, Any] = {"result_url": self._files.download_url(job.output, job.output_type)}
        if media_types.parse(job.output_type).is_json and (content := self._read(job)) is not None:
            # Own code may call something JSON that is none.
            with suppress(ValueError, RecursionError):
                answer["result"] = json.loads(content)
        return answer

    def _read(self, job: Job) -> bytes | None:
        try:
            return self._files.read(job.output, INLINE_BYTES)
        except MissingError as error:
            raise InvokerError(Failure.GONE, "The job's files were removed.") from error

    def _retry_after(self, starting: Mapping[str, Any] | None = None) -> dict[str, str]:
        return {"Retry-After": "30" if starting else "2"}


def fingerprint(body: Body, on_error: str) -> str:
    """Return a digest of all that makes two requests the same."""
    digest = hashlib.sha256(f"{body.media_type.text}\n{body.accept}\n{on_error}\n".encode())
    digest.update(body.content)
    return digest.hexdigest()


def _id_of(caller_id: str, key: str, number: int) -> str:
    return hashlib.sha256(f"{caller_id}\n{number}\n{key}".encode()).hexdigest()[:32]


def _same(existing: Job, digest: str) -> Job:
    if existing.fingerprint != digest:
        detail = "Idempotency-Key: another body was sent under this key within the last 24 hours. Send a new key."
        raise InvokerError(Failure.KEY_REUSED, detail)
    return existing


def _travels(content_type: str, accept: str) -> bool:
    """Say whether the answer is text, or bytes that API Gateway decodes for this caller."""
    name = media_types.parse(content_type).name
    return media_types.is_text(name) or media_types.matches(media_types.first_of(accept), media_types.BINARY)
