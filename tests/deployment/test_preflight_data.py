"""The rules of the image in ECR, of the model in S3 and of the quotas, seen to fail and to pass."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from deployment.account import Account
from deployment.findings import Finding, Level
from deployment.target import Target
from tests.deployment.told import (
    DIGEST,
    OTHER,
    OWN,
    REALTIME,
    REGION,
    SERVERLESS,
    THIRD,
    USER,
    Told,
    refusal,
    run,
)

# --- repository

URI = f"{OTHER}.dkr.ecr.{REGION}.amazonaws.com/shared@{DIGEST}"
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
PULLING = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
GOOD: dict[str, Any] = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{OWN}:root"}, "Action": PULLING}
CONDITION = {"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}
POLICIES: list[tuple[Any, Level]] = [
    ([GOOD], Level.OK),
    (GOOD, Level.OK),
    ([GOOD | {"Principal": "*"}], Level.OK),
    ([GOOD | {"Principal": {"AWS": "*"}}], Level.OK),
    ([GOOD | {"Principal": {"AWS": OWN}}], Level.OK),
    ([GOOD | {"Principal": {"AWS": [THIRD, OWN]}}], Level.OK),
    ([GOOD | {"Principal": {"AWS": f"arn:aws-cn:iam::{OWN}:root"}}], Level.OK),
    ([GOOD | {"Action": ["ecr:Batch*", "ecr:Get*"]}], Level.OK),
    ([GOOD | {"Action": "ECR:*"}], Level.OK),
    ([GOOD | {"Action": "*"}], Level.OK),
    ([GOOD | {"Action": "ecr:BatchGetImag?"}, GOOD | {"Action": "ecr:GetDownloadUrlForLayer"}], Level.OK),
    ([{"Effect": "Allow", "Principal": "*", "NotAction": "ecr:PutImage"}], Level.OK),
    ([GOOD, GOOD | {"Effect": "Deny", "Principal": {"AWS": THIRD}}], Level.OK),
    ([GOOD, GOOD | {"Effect": "Deny", "Action": "ecr:PutImage"}], Level.OK),
    ([GOOD | CONDITION], Level.WARNING),
    ([GOOD, GOOD | {"Effect": "Deny"} | CONDITION], Level.WARNING),
    ([], Level.ERROR),
    ([GOOD | {"Principal": {"AWS": f"arn:aws:iam::{THIRD}:root"}}], Level.ERROR),
    ([GOOD | {"Principal": {"AWS": f"arn:aws:iam::{OWN}:role/another"}}], Level.ERROR),
    ([GOOD | {"Principal": {"Service": "sagemaker.amazonaws.com"}}], Level.ERROR),
    ([GOOD | {"Action": ["ecr:BatchGetImage"]}], Level.ERROR),
    ([{"Effect": "Allow", "Principal": "*", "NotAction": "ecr:Batch*"}], Level.ERROR),
    ([GOOD, GOOD | {"Effect": "Deny"}], Level.ERROR),
    ([GOOD, {"Effect": "Deny", "Principal": "*", "Action": "ecr:*"}], Level.ERROR),
    ([GOOD, {"Effect": "Deny", "NotPrincipal": {"AWS": THIRD}, "Action": "ecr:*"}], Level.ERROR),
]


def shared(statements: Any) -> dict[str, Any]:
    return USER | {
        "ecr.describe_images": {"imageDetails": [{"imageManifestMediaType": MANIFEST}]},
        "ecr.get_repository_policy": {"policyText": json.dumps({"Statement": statements})},
    }


class InOrder(Told):
    """The first client of ECR describes images, the next reads the policy: a Stubber answers in order."""

    seen: list[str] = []  # noqa: RUF012  # cleared by its fixture

    def client(self, service_name: Any) -> Any:
        skipped = "describe_images" if "ecr" in self.seen else "get_repository_policy"
        answers = {name: answer for name, answer in self.answers.items() if not name.endswith(skipped)}
        self.seen.append(service_name)
        return Told(answers).client(service_name)


@pytest.fixture
def in_order() -> Iterator[None]:
    InOrder.seen.clear()
    yield
    InOrder.seen.clear()


def check_image(statements: Any, target: Target) -> Finding:
    account = Account(InOrder(shared(statements)))
    (rule,) = [rule for rule in account.rules if rule.subject == "repository"]
    return list(rule.check("iris-dev", target, {"ImageUri": URI}))[-1]


@pytest.mark.usefixtures("in_order")
@pytest.mark.parametrize(("statements", "level"), POLICIES)
def test_another_accounts_policy_as_iam_judges_it(statements: Any, level: Level) -> None:
    assert check_image(statements, REALTIME).level is level


@pytest.mark.usefixtures("in_order")
def test_serverless_takes_no_image_of_another_account() -> None:
    found = check_image([GOOD], SERVERLESS)

    assert (found.level, "serverless" in found.text) == (Level.ERROR, True)


# --- model data

URL = "s3://models/model.tar.gz"
ANSWERED = {"HTTPHeaders": {"x-amz-bucket-region": REGION}}
HERE = {"s3.head_bucket": {"BucketRegion": REGION, "ResponseMetadata": ANSWERED}}
KEY = f"arn:aws:kms:{REGION}:{OWN}:key/1"
HEAD: dict[str, Any] = {"ContentLength": 2**20}
ENCRYPTED = HEAD | {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": KEY}


def manager(kind: str) -> dict[str, Any]:
    return {"kms.describe_key": {"KeyMetadata": {"KeyId": "1", "KeyManager": kind}}}


ELSEWHERE = {"s3.head_bucket": refusal("301", x_amz_bucket_region="eu-west-1")}


@pytest.mark.parametrize(
    ("answers", "chosen", "level", "words"),
    [
        (HERE | {"s3.head_object": HEAD}, {}, Level.OK, "1.0 MB"),
        (ELSEWHERE, {}, Level.ERROR, f"{URL} is in eu-west-1, the stack in {REGION}"),
        ({"s3.head_bucket": refusal("404")}, {}, Level.ERROR, "does not exist"),
        (HERE | {"s3.head_object": refusal("404")}, {}, Level.ERROR, "does not exist"),
        (HERE | {"s3.head_object": ENCRYPTED} | manager("CUSTOMER"), {}, Level.ERROR, KEY),
        (HERE | {"s3.head_object": ENCRYPTED} | manager("AWS"), {}, Level.OK, "1.0 MB"),
        (HERE | {"s3.head_object": ENCRYPTED}, {"KmsKeyArn": KEY}, Level.OK, "1.0 MB"),
    ],
    ids=["there", "other-region", "no-bucket", "no-object", "own-key", "aws-key", "stacks-key"],
)
def test_model_data(answers: Any, chosen: dict[str, str], level: Level, words: str) -> None:
    found = run("model data", answers, REALTIME, ModelDataUrl=URL, **chosen)

    assert (found.level, words in found.text) == (level, True)


# --- quota

CONCURRENCY = "Maximum total concurrency that can be allocated across all serverless endpoints"


@pytest.mark.parametrize(
    ("name", "value", "target", "level"),
    [
        ("ml.m5.large for endpoint usage", 4.0, REALTIME, Level.OK),
        ("ml.m5.large for endpoint usage", 0.0, REALTIME, Level.ERROR),
        (CONCURRENCY, 10.0, SERVERLESS, Level.OK),
        (CONCURRENCY, 4.0, SERVERLESS, Level.ERROR),
        ("another", 4.0, SERVERLESS, Level.WARNING),
    ],
)
def test_quotas(name: str, value: float, target: Target, level: Level) -> None:
    quotas = {"service-quotas.list_service_quotas": {"Quotas": [{"QuotaName": name, "Value": value}]}}

    assert run("quota", quotas, target).level is level
