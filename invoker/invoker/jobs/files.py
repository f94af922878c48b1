"""The bucket of inputs and outputs, and the signed addresses at which a caller reaches it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from invoker import media_types
from invoker.jobs.job import Job
from invoker.jobs.storage import MissingError, ask

DOWNLOAD_SECONDS = 900


@dataclass(frozen=True, slots=True)
class File:
    """What S3 says of an object."""

    size: int
    content_type: str


@dataclass(frozen=True, slots=True)
class Upload:
    """Where and how a caller sends a file: PUT to `url` with exactly these headers."""

    url: str
    headers: Mapping[str, str]


class Files:
    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def location(self, key: str) -> str:
        return f"s3://{self._bucket}/{key}"

    def key(self, location: str) -> str:
        """Return the key of a location in this bucket; empty for any other."""
        prefix = self.location("")
        return location.removeprefix(prefix) if location.startswith(prefix) else ""

    def write(self, job: Job, content: bytes) -> None:
        ask(self._client.put_object, Bucket=self._bucket, Key=job.input, Body=content, ContentType=_typed(job))

    def look(self, key: str) -> File | None:
        """Return what is known of an object; None where there is none."""
        try:
            answer = ask(self._client.head_object, Bucket=self._bucket, Key=key)
        except MissingError:
            return None
        return File(int(answer["ContentLength"]), answer.get("ContentType", ""))

    def read(self, key: str, limit: int) -> bytes | None:
        """Return an object's bytes; None where it is larger than `limit`. Raise MissingError where there is none."""
        answer = ask(self._client.get_object, Bucket=self._bucket, Key=key)
        if answer["ContentLength"] > limit:
            answer["Body"].close()
            return None
        content: bytes = ask(answer["Body"].read)
        return content

    def remove(self, *keys: str) -> None:
        for key in filter(None, keys):
            ask(self._client.delete_object, Bucket=self._bucket, Key=key)

    def upload(self, job: Job, seconds: int) -> Upload:
        """Sign a PUT of exactly so many bytes of one type, and only where nothing has been sent before."""
        parameters = {"Bucket": self._bucket, "Key": job.input, "ContentType": _typed(job), "ContentLength": job.bytes}
        url = self._client.generate_presigned_url(
            "put_object", Params={**parameters, "IfNoneMatch": "*"}, ExpiresIn=seconds
        )
        headers = {"Content-Type": _typed(job), "Content-Length": str(job.bytes), "If-None-Match": "*"}
        return Upload(url, headers)

    def download_url(self, key: str, content_type: str) -> str:
        parameters = {"Bucket": self._bucket, "Key": key, "ResponseContentType": content_type}
        url: str = self._client.generate_presigned_url("get_object", Params=parameters, ExpiresIn=DOWNLOAD_SECONDS)
        return url


def _typed(job: Job) -> str:
    return job.content_type or media_types.JSON
