"""model.tar.gz in S3: there, in the stack's region, and readable by the role that the stack makes."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from deployment.findings import Finding, error, passed
from deployment.session import Session
from deployment.target import Hosting, Target

SUBJECT = "model data"
MISSING = frozenset({"404", "NoSuchKey", "NoSuchBucket", "NotFound"})
MOVED = frozenset({"301", "PermanentRedirect", "AuthorizationHeaderMalformed"})
REGION_HEADER = "x-amz-bucket-region"
KMS = frozenset({"aws:kms", "aws:kms:dsse"})


def check(session: Session, target: Target, parameters: Mapping[str, str]) -> Iterator[Finding]:
    """Check the parameter ModelDataUrl."""
    if target.hosting is Hosting.EXISTING or not parameters["ModelDataUrl"]:
        return
    url = parameters["ModelDataUrl"]
    place = urlsplit(url)
    s3 = session.client("s3")
    try:
        region = _region(s3.head_bucket(Bucket=place.netloc)["ResponseMetadata"])
        if region in {"", session.region_name}:
            head = s3.head_object(Bucket=place.netloc, Key=place.path.lstrip("/"))
    except ClientError as reason:
        code = reason.response["Error"]["Code"]
        region = _region(reason.response.get("ResponseMetadata", {}))
        if code not in MISSING | MOVED:
            raise
        if code in MISSING:
            yield error(SUBJECT, f"{url} does not exist", f"upload it: `aws s3 cp model.tar.gz {url}`")
            return
    if region not in {"", session.region_name}:
        advice = f"copy it to a bucket in {session.region_name}: SageMaker reads model data of its own region only"
        yield error(SUBJECT, f"{url} is in {region}, the stack in {session.region_name}", advice)
        return
    yield passed(SUBJECT, f"{url}, {head['ContentLength'] / 1024**2:.1f} MB")
    yield from _check_key(session, head, parameters.get("KmsKeyArn", ""))


def _region(metadata: Mapping[str, Any]) -> str:
    return str(metadata.get("HTTPHeaders", {}).get(REGION_HEADER, ""))


def _check_key(session: Session, head: Mapping[str, Any], known: str) -> Iterator[Finding]:
    """The role may use the key KmsKeyArn; AWS's own key for S3 lets everybody of the account in."""
    key = str(head.get("SSEKMSKeyId", ""))
    if head.get("ServerSideEncryption") not in KMS or not key:
        return
    if key == known:
        yield passed(SUBJECT, "it is encrypted with KmsKeyArn, which the model's role may use")
        return
    managed = session.client("kms").describe_key(KeyId=key)["KeyMetadata"]["KeyManager"] == "AWS"
    if managed:
        yield passed(SUBJECT, "it is encrypted with AWS's own key for S3")
        return
    advice = f"give KmsKeyArn={key}, or upload it again with `aws s3 cp --sse AES256`"
    yield error(SUBJECT, f"it is encrypted with {key}, which the model's role may not use", advice)
