"""Files in S3: fetched before a batch and stored after it, so that the batch itself knows files only."""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from batch.errors import BatchError

SCHEME = "s3://"
Paths = tuple[Path, Path]
PERMISSIONS = "s3:ListBucket, s3:GetObject and s3:PutObject of the input's and the output's places"


@dataclass(frozen=True, slots=True)
class Place:
    """A bucket, and an object's key or the prefix of several."""

    bucket: str
    prefix: str

    @classmethod
    def parse(cls, uri: str) -> "Place":
        """Read s3://BUCKET/PREFIX; raises BatchError."""
        bucket, _, prefix = uri.removeprefix(SCHEME).partition("/")
        if not uri.startswith(SCHEME) or not bucket:
            raise BatchError(f"{uri} is no place in S3: expected s3://BUCKET/PREFIX")
        return cls(bucket, prefix.rstrip("/"))

    def below(self, *names: str) -> "Place":
        return Place(self.bucket, "/".join(filter(None, (self.prefix, *names))))

    @property
    def uri(self) -> str:
        return f"{SCHEME}{self.bucket}/{self.prefix}"


def fetch(client: Any, place: Place, folder: Path) -> Path:
    """Fetch an object, or those right below a prefix; what an earlier run has fetched is kept."""
    name = place.prefix.rpartition("/")[2] or place.bucket
    target = folder / name
    try:
        head = client.head_object(Bucket=place.bucket, Key=place.prefix) if place.prefix else None
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"404", "NoSuchKey"}:
            raise
        head = None
    if head is not None:
        _fetch(client, place, target, head["ContentLength"], head["LastModified"])
        return target
    found = list(_objects(client, place))
    if not found:
        raise BatchError(f"there is no object {place.uri}, and none below it")
    for each in found:
        below = Place(place.bucket, each["Key"])
        _fetch(client, below, target / Path(each["Key"]).name, each["Size"], each["LastModified"])
    return target


def store(client: Any, path: Path, place: Place) -> None:
    """Store a file as an object, or a folder's files below a prefix."""
    if path.is_file():
        client.upload_file(str(path), place.bucket, place.prefix)
        return
    for file in sorted(path.iterdir()):
        client.upload_file(str(file), place.bucket, place.below(file.name).prefix)


def is_taken(client: Any, place: Place) -> bool:
    """Whether something is there, or below."""
    found: int = client.list_objects_v2(Bucket=place.bucket, Prefix=place.prefix, MaxKeys=1)["KeyCount"]
    return found > 0


def _objects(client: Any, place: Place) -> Iterator[Any]:
    prefix = f"{place.prefix}/" if place.prefix else ""
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=place.bucket, Prefix=prefix, Delimiter="/")
    yield from (each for page in pages for each in page.get("Contents", ()) if not each["Key"].endswith("/"))


def _fetch(client: Any, place: Place, target: Path, size: int, changed: datetime) -> None:
    """Fetch one object; its file has the object's time, by which a later run knows it."""
    stamp = changed.timestamp()
    if target.exists() and (target.stat().st_size, target.stat().st_mtime) == (size, stamp):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    client.download_file(place.bucket, place.prefix, str(target))
    os.utime(target, (stamp, stamp))


@contextmanager
def here(input_: str, output: str, scratch: Path, connect: Callable[[], Any], *, overwrite: bool) -> Iterator[Paths]:
    """Give the paths of input and output on this machine; what belongs to S3 is fetched before and stored after.

    The folder for it follows from both names, so that a run after a kill finds there what the first one left.
    """
    if not (input_.startswith(SCHEME) or output.startswith(SCHEME)):
        yield Path(input_), Path(output)
        return
    client = connect()
    folder = scratch / hashlib.sha256(f"{input_} {output}".encode()).hexdigest()[:16]
    to = Place.parse(output) if output.startswith(SCHEME) else None
    if to and not overwrite and is_taken(client, to):
        raise BatchError(f"{output} is there already: name another, or say --overwrite")
    source = fetch(client, Place.parse(input_), folder / "input") if input_.startswith(SCHEME) else Path(input_)
    target = folder / "output" / to.prefix.rpartition("/")[2] if to else Path(output)
    yield source, target
    if to:
        store(client, target, to)
    shutil.rmtree(folder)
