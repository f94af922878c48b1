"""What preflight asks of an account, against moto, and botocore's Stubber for what moto does not have."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from deployment.account import Account
from deployment.findings import Finding, Level
from deployment.image import check_manifest
from deployment.permission_rules import policy_source
from deployment.target import Hosting, Target

REGION = "us-east-1"
REALTIME = Target(Hosting.REALTIME, "ml.m5.large", 2048)
EXISTING = Target(Hosting.EXISTING, "ml.m5.large", 2048)
MANIFEST = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "size": 1, "digest": "sha256:1"},
        "layers": [],
    }
)
PARAMETERS = {"Canary": "false", "EndpointName": "iris", "ImageUri": "", "ModelDataUrl": "", "MaxInstances": "2"}


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with mock_aws():
        yield


def session() -> boto3.Session:
    return boto3.Session(region_name=REGION)


@dataclass(frozen=True, slots=True)
class Session:
    """An account where moto has nothing of the kind: quotas, the judgement of policies, a stack in an odd state."""

    name: str = "ml.m5.large for endpoint usage"
    value: float = 4
    refused: bool = False
    denied: tuple[str, ...] = ()
    stack_status: str = ""

    def client(self, service_name: Any) -> Any:
        client = boto3.client(service_name, region_name=REGION)
        if service_name == "cloudformation" and self.stack_status:
            stubber = Stubber(client)
            stack = {"StackName": "stack", "CreationTime": "2026-01-01T00:00:00Z", "StackStatus": self.stack_status}
            stubber.add_response("describe_stacks", {"Stacks": [stack]}, {"StackName": "stack"})
            stubber.activate()
        if service_name == "iam":
            stubber = Stubber(client)
            judged = [{"EvalActionName": name, "EvalDecision": "explicitDeny"} for name in self.denied]
            stubber.add_response("simulate_principal_policy", {"EvaluationResults": judged})
            stubber.activate()
        if service_name == "service-quotas":
            stubber = Stubber(client)
            quotas = [{"QuotaName": self.name, "Value": self.value}]
            if self.refused:
                stubber.add_client_error("list_service_quotas", "AccessDeniedException")
            else:
                stubber.add_response("list_service_quotas", {"Quotas": quotas}, {"ServiceCode": "sagemaker"})
            stubber.activate()
        return client

    @property
    def region_name(self) -> str:
        return REGION


def check(target: Target, account: Account | None = None, **parameters: str) -> dict[str, Finding]:
    """The findings by their subject, the last of each."""
    found = (account or Account(Session())).check("stack", target, PARAMETERS | parameters)
    return {finding.subject: finding for finding in found}


def push_image(manifest: str = MANIFEST) -> str:
    ecr = session().client("ecr")
    uri = ecr.create_repository(repositoryName="iris")["repository"]["repositoryUri"]
    image = ecr.put_image(repositoryName="iris", imageTag="1", imageManifest=manifest)["image"]
    return f"{uri}@{image['imageId']['imageDigest']}"


def test_without_credentials_one_finding_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")

    [finding] = Account(boto3.Session(region_name=REGION)).check("stack", REALTIME, PARAMETERS)

    assert finding.level is Level.SKIPPED
    assert "AWS_PROFILE" in finding.advice


def test_a_free_stack_name_passes() -> None:
    assert check(EXISTING)["stack"] == Finding(Level.OK, "stack", "the name stack is free")


@pytest.mark.parametrize(
    ("status", "level", "advice"),
    [
        ("UPDATE_COMPLETE", Level.OK, ""),
        ("UPDATE_ROLLBACK_COMPLETE", Level.OK, ""),
        ("ROLLBACK_COMPLETE", Level.ERROR, "delete-stack --stack-name stack"),
        ("UPDATE_IN_PROGRESS", Level.ERROR, "wait until that is over"),
    ],
)
def test_a_stack_that_takes_no_update_is_an_error(status: str, level: Level, advice: str) -> None:
    finding = check(EXISTING, Account(Session(stack_status=status)))["stack"]

    assert finding.level is level
    assert advice in finding.advice


def test_a_missing_endpoint_is_an_error() -> None:
    finding = check(EXISTING)["endpoint"]

    assert (finding.level, finding.text) == (Level.ERROR, "there is no endpoint iris in us-east-1")


def test_an_endpoint_in_service_passes() -> None:
    sagemaker = session().client("sagemaker")
    role = "arn:aws:iam::123456789012:role/model"
    sagemaker.create_model(ModelName="iris", ExecutionRoleArn=role, PrimaryContainer={"Image": "image"})
    variant: Any = {
        "VariantName": "AllTraffic",
        "ModelName": "iris",
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    sagemaker.create_endpoint_config(EndpointConfigName="iris", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="iris", EndpointConfigName="iris")

    found = Account(Session()).check("stack", EXISTING, PARAMETERS)

    assert [(finding.level, finding.text) for finding in found if finding.subject == "endpoint"] == [
        (Level.OK, "iris is InService"),
        (Level.OK, "iris has the variant AllTraffic"),
    ]


def test_a_pushed_image_passes() -> None:
    findings = list(Account(Session()).check("stack", REALTIME, PARAMETERS | {"ImageUri": push_image()}))

    texts = [finding.text for finding in findings if finding.subject in {"repository", "image"}]
    assert texts[0].startswith("iris has sha256:")
    assert texts[1:] == ["manifest application/vnd.docker.distribution.manifest.v2+json"]


def test_an_oci_manifest_is_a_warning() -> None:
    [finding] = check_manifest("application/vnd.oci.image.manifest.v1+json")

    assert finding.level is Level.WARNING
    assert "--output type=docker" in finding.advice


def test_an_index_of_images_is_an_error() -> None:
    index = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": []})

    finding = check(REALTIME, ImageUri=push_image(index))["image"]

    assert finding.level is Level.ERROR
    assert "--provenance=false" in finding.advice


@pytest.mark.parametrize(
    ("uri", "text"),
    [
        ("iris:latest", "ImageUri=iris:latest is not an image in ECR by digest"),
        (f"123456789012.dkr.ecr.eu-west-1.amazonaws.com/iris@sha256:{'0' * 64}", "the image is in eu-west-1"),
        (f"123456789012.dkr.ecr.us-east-1.amazonaws.com/iris@sha256:{'0' * 64}", "The image with imageId"),
        (f"123456789012.dkr.ecr.us-east-1.amazonaws.com/other@sha256:{'0' * 64}", "The repository with name 'other'"),
    ],
    ids=["by-tag", "other-region", "no-image", "no-repository"],
)
def test_an_image_that_cannot_be_pulled_is_an_error(uri: str, text: str) -> None:
    push_image()

    finding = check(REALTIME, ImageUri=uri)["repository"]

    assert finding.level is Level.ERROR
    assert finding.text.startswith(text)
    assert finding.advice


def test_a_missing_model_is_an_error_that_says_how_to_upload_it() -> None:
    session().client("s3").create_bucket(Bucket="models")

    finding = check(REALTIME, ImageUri=push_image(), ModelDataUrl="s3://models/model.tar.gz")["model data"]

    assert finding.level is Level.ERROR
    assert finding.advice == "upload it: `aws s3 cp model.tar.gz s3://models/model.tar.gz`"


def test_an_uploaded_model_passes() -> None:
    s3 = session().client("s3")
    s3.create_bucket(Bucket="models")
    s3.put_object(Bucket="models", Key="model.tar.gz", Body=b"0" * 2**20)

    finding = check(REALTIME, ImageUri=push_image(), ModelDataUrl="s3://models/model.tar.gz")["model data"]

    assert (finding.level, finding.text) == (Level.OK, "s3://models/model.tar.gz, 1.0 MB")


@pytest.mark.parametrize(
    ("name", "value", "level"),
    [
        ("ml.m5.large for endpoint usage", 4, Level.OK),
        ("ml.m5.large for endpoint usage", 3, Level.WARNING),
        ("ml.m5.large for endpoint usage", 1, Level.ERROR),
        ("ml.m5.large for training job usage", 4, Level.WARNING),
    ],
    ids=["two-fleets", "one-fleet", "not-one", "of-something-else"],
)
def test_the_quota_holds_the_instances_of_two_fleets(name: str, value: float, level: Level) -> None:
    account = Account(Session(name, value))

    assert check(REALTIME, account, ImageUri=push_image())["quota"].level is level


def test_what_may_not_be_done_is_an_error() -> None:
    finding = check(EXISTING, Account(Session(denied=("iam:PassRole", "iam:CreateRole"))))["permissions"]

    assert finding.level is Level.ERROR
    assert finding.text.endswith("may not iam:CreateRole, iam:PassRole")


def test_what_may_be_done_passes() -> None:
    findings = {hosting: check(EXISTING, Hosting=hosting)["permissions"].text for hosting in ("existing", "realtime")}

    assert findings == {
        "existing": "15 actions of a deployment are allowed",
        "realtime": "21 actions of a deployment are allowed",
    }


@pytest.mark.parametrize("path", ["/", "/aws-reserved/sso.amazonaws.com/eu-west-1/"])
def test_a_sessions_policies_are_its_roles(path: str) -> None:
    iam = session().client("iam")
    made = iam.create_role(RoleName="Deployer", Path=path, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    session_arn = "arn:aws:sts::123456789012:assumed-role/Deployer/ada"

    assert policy_source(iam, session_arn) == made
    assert policy_source(iam, "arn:aws:iam::123456789012:user/ada") == "arn:aws:iam::123456789012:user/ada"


def test_what_may_not_be_read_is_skipped() -> None:
    finding = check(REALTIME, Account(Session(refused=True)), ImageUri=push_image())["quota"]

    assert finding.level is Level.SKIPPED
    assert "AccessDenied" in finding.text
