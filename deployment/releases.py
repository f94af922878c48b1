"""What was deployed of a model, one record a release, in the bucket that holds the code of its functions.

`versions` lists them, `rollback` deploys one again, and those beyond the number that deployment.toml keeps are removed.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from deployment.errors import DeployFailedError
from deployment.session import Session

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PREFIX = "model-api"
# Where `sam package --resolve-s3` uploads to.
SAM_STACK = "aws-sam-cli-managed-default"
FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Release:
    """What was deployed.

    `template` is the key of the packaged template; `golden` says how the requests after the deployment went; `model` is
    a hash of the model's files.
    """

    number: int
    time: str
    who: str
    parameters: dict[str, str]
    template: str
    golden: str
    # Releases of earlier versions of this project have none.
    model: str = ""

    @property
    def digest(self) -> str:
        """The image's whole digest; empty where no image was deployed."""
        return self.parameters.get("ImageUri", "").partition("@")[2]

    @property
    def image(self) -> str:
        """The image's digest, as much of it as tells images apart."""
        return self.digest[:19]

    @property
    def content(self) -> tuple[str, dict[str, str]]:
        """What was deployed: two releases may be the same, one before and one after a rollback."""
        return self.template, self.parameters

    @property
    def failed(self) -> bool:
        """Whether golden requests failed after the deployment."""
        return self.golden.endswith(FAILED)


@dataclass(frozen=True, slots=True)
class Releases:
    """The records of one stack."""

    session: Session
    bucket: str
    stack: str

    @property
    def _client(self) -> "S3Client":
        client: S3Client = self.session.client("s3")
        return client

    def read(self) -> list[Release]:
        """Return them, the newest first."""
        return sorted(self._below(self._key("")), key=lambda release: release.number, reverse=True)

    def images(self, model: str) -> set[str]:
        """Return the digests that the releases of any environment of a model name."""
        return {release.digest for release in self._below(f"{PREFIX}/{model}-")}

    def _below(self, prefix: str) -> list[Release]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
        return [self._read(key) for key in keys if key.endswith(".json")]

    def add(self, parameters: dict[str, str], template: str, golden: str, model: str = "") -> Release:
        """Write down what has just been deployed."""
        known = self.read()
        who = self.session.client("sts").get_caller_identity()["Arn"].rpartition("/")[2]
        now = datetime.now(UTC).isoformat(timespec="seconds")
        number = known[0].number + 1 if known else 1
        release = Release(number, now, who, parameters, template, golden, model)
        body = json.dumps(asdict(release)).encode()
        self._client.put_object(Bucket=self.bucket, Key=self._key(f"{number:06}.json"), Body=body)
        return release

    def prune(self, keep: int) -> list[Release]:
        """Remove the records beyond those that are kept; return them."""
        old = self.read()[keep:]
        for release in old:
            self._client.delete_object(Bucket=self.bucket, Key=self._key(f"{release.number:06}.json"))
        return old

    def _key(self, name: str) -> str:
        return f"{PREFIX}/{self.stack}/{name}"

    def _read(self, key: str) -> Release:
        body: dict[str, Any] = json.loads(self._client.get_object(Bucket=self.bucket, Key=key)["Body"].read())
        return Release(**body)


def open_releases(session: Session, stack: str) -> Releases:
    """Return a stack's records; raises DeployFailedError where nothing was ever deployed from here."""
    try:
        (found,) = session.client("cloudformation").describe_stacks(StackName=SAM_STACK)["Stacks"]
    except ClientError as error:
        if "does not exist" not in str(error):
            raise
        text = f"no release of {stack} is recorded in {session.region_name}"
        raise DeployFailedError(f"{text}; deploy it with `model-api deploy FOLDER`") from None
    outputs = {item["OutputKey"]: item["OutputValue"] for item in found["Outputs"]}
    return Releases(session, outputs["SourceBucket"], stack)


def choose(releases: Sequence[Release], number: int | None) -> Release:
    """Return the release to go back to, by default the last good one before the newest; raises DeployFailedError."""
    listed = ", ".join(str(release.number) for release in releases) or "none"
    if number is None:
        found = last_good(releases)
        if found is None:
            raise DeployFailedError(f"there is no release before the newest one that is good; there are {listed}")
        return found
    for release in releases:
        if release.number == number:
            return release
    raise DeployFailedError(f"there is no release {number}; there are {listed}")


def last_good(releases: Sequence[Release]) -> Release | None:
    """Return the release before the newest one whose golden requests did not fail, and that is another."""
    others = (each for each in releases if not each.failed and each.content != releases[0].content)
    return next(others, None)
