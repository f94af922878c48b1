"""A batch as a transform job of SageMaker: records to S3, a line each; answers from there, joined with the input.

SageMaker splits at line ends and knows no header and no bad record: a file with one fails as a whole. So the files are
written as it takes them, and the container is asked for a line with the error in place of a bad record's answer.
"""

import hashlib
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from batch.csv_files import csv_line
from batch.errors import BatchError, LineError
from batch.records import LIKELY, PREDICT, Answers, Chunk, Item, Options, refuse
from batch.s3 import Place
from batch.state import State
from deployment.session import Session, account_errors

PERMISSIONS = (
    "sagemaker:CreateTransformJob, DescribeTransformJob, DescribeEndpoint and DescribeEndpointConfig, and "
    "s3:GetObject, PutObject and DeleteObject of the place for the job's files"
)
LINES = "application/jsonlines"
POLL_SECONDS = 15.0
MODEL_LENGTH = 38
"""Of a job's name of 63 characters, those of the model's."""
RUNNING = ("InProgress", "Stopping")
RETRIES = 3
TIMEOUT_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Resources:
    """What a job runs on."""

    model: str
    instance_type: str = "ml.m5.large"
    instances: int = 1


def deployed_model(session: Session, endpoint: str) -> str:
    """Return the name of the model that an endpoint serves."""
    client = session.client("sagemaker")
    config = client.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
    variants = client.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
    return str(variants[0]["ModelName"])


class Transform:
    """One batch on AWS. Its job's name follows from what it is of, so that a second run finds the first one's job."""

    def __init__(self, session: Session, resources: Resources, place: Place, tell: Callable[[str], None]) -> None:
        self._sagemaker = session.client("sagemaker")
        self._s3 = session.client("s3")
        self._resources = resources
        self._root = self._place = place
        self._tell = tell
        self._uploaded = False
        self._name = self._content_type = ""

    def predict(self, items: Sequence[Item], batch: State) -> None:
        """Upload the files, have them predicted, join the answers with them, and clean up."""
        with account_errors(PERMISSIONS):
            self.begin(items, batch.journal.identity)
            methods = (PREDICT, LIKELY) if batch.options.probabilities else (PREDICT,)
            names = [self.start(method, items, batch.options) for method in methods]
            for name in names:
                self.wait(name)
            try:
                for index, item in enumerate(items):
                    self.join(index, item, names, batch)
            except LineError:
                # The input has to change, and these files are of what it was.
                self.remove()
                raise
            self.remove()

    def begin(self, items: Sequence[Item], identity: str) -> None:
        """Name the batch by what it is of; raises BatchError where its files do not fit into one job."""
        types = {item.source.content_type for item in items}
        if len(types) > 1:
            raise BatchError("a transform job reads files of one format: start one for CSV and one for JSON Lines")
        self._content_type = f"{types.pop()}; on-error=skip"
        digest = hashlib.sha256(f"{identity} {self._resources.model}".encode()).hexdigest()[:12]
        self._name = f"{self._resources.model[:MODEL_LENGTH].rstrip('-')}-{digest}"
        self._place = self._root.below(self._name)

    def start(self, method: str, items: Sequence[Item], options: Options) -> str:
        """Start the job of a method, or find the one that an earlier run started; return its name."""
        for attempt in range(1, 100):
            name = f"{self._name}-{attempt}" if method == PREDICT else f"{self._name}-proba-{attempt}"
            status = self._status(name)
            if status is None:
                self._upload(items, options)
                self._create(name, method)
                self._tell(f"transform job {name} is started; it takes some minutes to get its instances")
                return name
            if status["TransformJobStatus"] not in {"Failed", "Stopped"}:
                self._tell(f"transform job {name} is of an earlier run: {status['TransformJobStatus']}")
                return name
        raise BatchError(f"the transform jobs {self._name} failed again and again; see their logs")

    def wait(self, name: str) -> None:
        """Return when a job is completed; raises BatchError when it fails."""
        while (status := self._status(name) or {}).get("TransformJobStatus") in RUNNING:
            time.sleep(POLL_SECONDS)
        if status.get("TransformJobStatus") != "Completed":
            reason = status.get("FailureReason", "it was stopped")
            raise BatchError(
                f"transform job {name} did not complete: {reason}; its log is in /aws/sagemaker/TransformJobs, and the "
                f"model's role needs s3:GetObject, s3:PutObject and s3:ListBucket of {self._place.uri}"
            )
        self._tell(f"transform job {name} is completed")

    def join(self, index: int, item: Item, names: Sequence[str], batch: State) -> None:
        """Write a file's output from its input and its answers."""
        lines = [self._answers(name, index) for name in names]
        source, begun = item.source, False
        with item.sink.working(item.target).open("wb") as output:
            offset = 0
            for chunk in source.chunks(source.start):
                answers = _answers(chunk, lines, as_csv=source.accept == "text/csv")
                refuse(source.path, chunk, answers, batch.options)
                header = b"" if begun else item.sink.begin(answers)
                output.write(header + item.sink.text(chunk, answers))
                begun = True
                batch.progress.add(chunk.end.offset - offset, len(chunk.lines), len(answers.errors))
                offset = chunk.end.offset
            if not begun:
                output.write(item.sink.begin(None))
        if any(next(each, None) is not None for each in lines):
            raise BatchError(f"there are more answers than records of {source.path}: the file has changed since")
        item.sink.finish(item.target)

    def remove(self) -> None:
        """Delete the job's files in S3."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._place.bucket, Prefix=f"{self._place.prefix}/"
        )
        for key in [each["Key"] for page in pages for each in page.get("Contents", ())]:
            self._s3.delete_object(Bucket=self._place.bucket, Key=key)

    def _status(self, name: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self._sagemaker.describe_transform_job(TransformJobName=name)
        except ClientError as error:
            if "Could not find" in str(error):
                return None
            raise
        return found

    def _upload(self, items: Sequence[Item], options: Options) -> None:
        """Write each file as SageMaker splits it: one record a line, without those that are wrong already."""
        if self._uploaded:
            return
        for index, item in enumerate(items):
            with tempfile.TemporaryFile() as file:
                for chunk in item.source.chunks(item.source.start):
                    refuse(item.source.path, chunk, Answers([], None, chunk.faults), options)
                    lines = _good(chunk)
                    _check_lines(item.source.path, chunk, lines)
                    file.write(b"".join(line + b"\n" for line in lines))
                if size := file.tell():
                    file.seek(0)
                    place = self._place.below("input", _object(index))
                    self._s3.upload_fileobj(file, place.bucket, place.prefix)
                    self._uploaded = bool(size)
        if not self._uploaded:
            raise BatchError("the input has no records: there is nothing to predict")

    def _create(self, name: str, method: str) -> None:
        content_type = self._content_type if method == PREDICT else f"{self._content_type}; method={method}"
        self._sagemaker.create_transform_job(
            TransformJobName=name,
            ModelName=self._resources.model,
            BatchStrategy="MultiRecord",
            ModelClientConfig={"InvocationsTimeoutInSeconds": TIMEOUT_SECONDS, "InvocationsMaxRetries": RETRIES},
            TransformInput={
                "DataSource": {
                    "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"{self._place.below('input').uri}/"}
                },
                "ContentType": content_type,
                "SplitType": "Line",
                "CompressionType": "None",
            },
            TransformOutput={
                "S3OutputPath": self._place.below("output", name).uri,
                "Accept": LINES,
                "AssembleWith": "Line",
            },
            TransformResources={
                "InstanceType": self._resources.instance_type,
                "InstanceCount": self._resources.instances,
            },
        )

    def _answers(self, name: str, index: int) -> Iterator[bytes]:
        """Read the answers to a file, a line each; SageMaker puts an empty line where an answer ended with its own."""
        place = self._place.below("output", name, f"{_object(index)}.out")
        try:
            body = self._s3.get_object(Bucket=place.bucket, Key=place.prefix)["Body"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":  # no record of the file was sent
                return
            raise
        yield from filter(None, body.iter_lines(chunk_size=1024 * 1024))


def _object(index: int) -> str:
    return f"{index:05d}"


def _good(chunk: Chunk) -> list[bytes]:
    return [line for at, line in enumerate(chunk.sent) if at not in chunk.faults]


def _check_lines(path: Path, chunk: Chunk, lines: Sequence[bytes]) -> None:
    if any(b"\n" in line or b"\r" in line for line in lines):
        raise BatchError(
            f"{path}: a cell near line {chunk.lines[0]} has a line's end, where SageMaker would split it: "
            "write the file as JSON Lines, or predict it with --local"
        )


def _answers(chunk: Chunk, lines: Sequence[Iterator[bytes]], *, as_csv: bool) -> Answers:
    """Give each record the line that is its answer, or the error in it."""
    errors = dict(chunk.faults)
    good = [at for at in range(len(chunk.sent)) if at not in errors]
    found: list[list[bytes | None]] = []
    for each in lines:
        values: list[bytes | None] = [None] * len(chunk.sent)
        taken = list(islice(each, len(good)))
        if len(taken) < len(good):
            raise BatchError("there are fewer answers than records: the input or the job's output has changed since")
        for at, line in zip(good, taken, strict=True):
            answer = json.loads(line)
            if "error" in answer:
                errors[at] = answer["error"]
            else:
                values[at] = _cells(answer["prediction"]) if as_csv else line
        found.append(values)
    for values in found:
        for at in errors:
            values[at] = None
    return Answers(found[0], found[1] if len(found) > 1 else None, errors)


def _cells(value: Any) -> bytes:
    """An answer's value as cells of CSV."""
    cells = value if isinstance(value, list) else [value]
    texts = [json.dumps(cell) if isinstance(cell, list | dict) else str(cell) for cell in cells]
    return csv_line(["" if cell is None else text for cell, text in zip(cells, texts, strict=True)])
