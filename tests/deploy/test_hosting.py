"""Stacks that make their own endpoint: created, changed in place, rolled back, deleted."""

import json
import shutil
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from golden import requests
from golden.hook import Hook
from tests.deploy.checks import failing
from tests.deploy.cloud import REGION, Api, Cloud
from tests.environments import GOLDEN

REPOSITORY = "123456789012.dkr.ecr.us-east-1.amazonaws.com/models/iris"
FIRST, SECOND = (f"{REPOSITORY}@sha256:{digit * 64}" for digit in "ab")
REALTIME = {
    "Hosting": "realtime",
    "ImageUri": FIRST,
    "ModelDataUrl": "s3://models/iris/model.tar.gz",
    "MinInstances": "2",
    "MaxInstances": "4",
    "DataCaptureUrl": "s3://captured/iris",
    "Canary": "true",
    "Waf": "true",
    "ExpectTraffic": "true",
}

SERVERLESS = {"Hosting": "serverless", "ImageUri": FIRST, "ServerlessMemory": "4096", "ServerlessConcurrency": "20"}
STACKS = {"realtime": REALTIME, "serverless": SERVERLESS}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The names of an endpoint's parts, and what the parts are made of."""

    name: str
    config_name: str
    config: dict[str, Any]
    model: dict[str, Any]


def describe(cloud: Cloud, stack: str) -> Endpoint:
    sagemaker = cloud.client("sagemaker")
    name = cloud.outputs(stack)["EndpointName"]
    config_name = sagemaker.describe_endpoint(EndpointName=name)["EndpointConfigName"]
    config = sagemaker.describe_endpoint_config(EndpointConfigName=config_name)
    model = sagemaker.describe_model(ModelName=config["ProductionVariants"][0]["ModelName"])
    return Endpoint(name, config_name, config, model)


@pytest.fixture(scope="module")
def apis(cloud: Cloud, project: Path) -> Mapping[str, Api]:
    """Both stacks, deployed at once; `sam deploy` writes beside what was built."""

    def deploy(name: str) -> Api:
        return cloud.deploy(shutil.copytree(project, project.parent / f"hosting-{name}"), name, STACKS[name])

    with ThreadPoolExecutor(len(STACKS)) as pool:
        return dict(zip(STACKS, pool.map(deploy, STACKS), strict=True))


@pytest.fixture(scope="module")
def realtime(apis: Mapping[str, Api]) -> Api:
    return apis["realtime"]


def test_realtime_stack_passes_every_check(realtime: Api) -> None:
    assert failing(realtime) == set()


def test_realtime_endpoint_is_what_the_parameters_say(cloud: Cloud, realtime: Api) -> None:
    endpoint = describe(cloud, "realtime")

    assert endpoint.name == "realtime"
    [variant] = endpoint.config["ProductionVariants"]
    assert variant == {
        "VariantName": "AllTraffic",
        "ModelName": endpoint.model["ModelName"],
        "InitialVariantWeight": 1,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": "2",  # a parameter is a text here; CloudFormation makes it a number
        "RoutingConfig": {"RoutingStrategy": "LEAST_OUTSTANDING_REQUESTS"},
    }
    assert endpoint.config["DataCaptureConfig"]["DestinationS3Uri"] == "s3://captured/iris"
    assert endpoint.model["EnableNetworkIsolation"] is True
    assert endpoint.model["PrimaryContainer"] == {"Image": FIRST, "ModelDataUrl": "s3://models/iris/model.tar.gz"}
    assert realtime.health().json()["endpoint"] == "realtime"


def test_new_digest_makes_new_parts_under_the_same_endpoint(cloud: Cloud, project: Path, realtime: Api) -> None:
    before, version = describe(cloud, "realtime"), live_version(cloud, "realtime")

    updated = cloud.deploy(project, "realtime", REALTIME | {"ImageUri": SECOND})

    after = describe(cloud, "realtime")
    assert updated == realtime
    assert after.name == before.name
    assert after.config_name != before.config_name
    assert after.model["PrimaryContainer"]["Image"] == SECOND
    assert live_version(cloud, "realtime") != version, "no new version: CodeDeploy would not ask the golden requests"
    assert failing(updated) == set()


@dataclass(slots=True)
class Deployments:
    """What CodeDeploy was told; there is none in the local AWS."""

    statuses: list[str]

    def put_lifecycle_event_hook_execution_status(self, *, status: str, **_: str) -> None:
        self.statuses.append(status)


def act_as(cloud: Cloud, role: str) -> Any:
    """A Lambda client that may do what a role of the stack may.

    The role itself is taken on by a service, for this account only; so a copy of it, which trusts the test.
    """
    iam = cloud.client("iam")
    resource = cloud.client("cloudformation").describe_stack_resource(StackName="realtime", LogicalResourceId=role)
    name = resource["StackResourceDetail"]["PhysicalResourceId"]
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    copy = iam.create_role(RoleName=f"copy-{uuid.uuid4().hex[:8]}", AssumeRolePolicyDocument=document)["Role"]
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        allowed = json.dumps(iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"])
        iam.put_role_policy(RoleName=copy["RoleName"], PolicyName=policy, PolicyDocument=allowed)
    keys = cloud.client("sts").assume_role(RoleArn=copy["Arn"], RoleSessionName="test")["Credentials"]
    return boto3.client(
        "lambda",
        region_name=REGION,
        endpoint_url=cloud.url,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )


def ask_hook(cloud: Cloud, golden: Sequence[requests.GoldenRequest], role: str = "RolloutHookRole") -> list[str]:
    deployments = Deployments([])
    function = cloud.outputs("realtime")["FunctionName"]
    hook = Hook(act_as(cloud, role), deployments, f"{function}:{live_version(cloud, 'realtime')}")
    hook({"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "1"}, golden)
    return deployments.statuses


def test_hook_is_packaged_with_the_golden_requests(project: Path) -> None:
    package = project / ".aws-sam" / "build" / "RolloutHook"

    assert (package / "golden.json").read_text() == GOLDEN.read_text()
    assert (package / "golden" / "hook.py").is_file(), "the handler is golden.hook.handler"


@pytest.mark.usefixtures("realtime")
def test_hook_lets_a_version_pass_that_answers_as_expected(cloud: Cloud) -> None:
    assert ask_hook(cloud, requests.read(GOLDEN)) == ["Succeeded"]


@pytest.mark.usefixtures("realtime")
def test_hook_stops_a_version_with_a_wrong_answer(cloud: Cloud) -> None:
    wrong = requests.GoldenRequest("wrong", {"data": [[1.5, 0.2]]}, {"predictions": ["virginica"]})

    assert ask_hook(cloud, [wrong]) == ["Failed"]


@pytest.mark.usefixtures("realtime")
def test_hooks_role_is_what_lets_it_ask(cloud: Cloud) -> None:
    with pytest.raises(cloud.client("lambda").exceptions.ClientError, match="AccessDenied"):
        ask_hook(cloud, requests.read(GOLDEN), role="ModelRole")


def test_failed_update_goes_back_to_what_was(cloud: Cloud, project: Path, realtime: Api) -> None:
    before = describe(cloud, "realtime")

    with pytest.raises(RuntimeError, match="ScalableTarget"):
        cloud.deploy(project, "realtime", REALTIME | {"ImageUri": FIRST, "MinInstances": "4", "MaxInstances": "3"})

    stack = cloud.client("cloudformation").describe_stacks(StackName="realtime")["Stacks"][0]
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    after = describe(cloud, "realtime")
    assert after.model["PrimaryContainer"]["Image"] == before.model["PrimaryContainer"]["Image"]
    assert failing(realtime) == set()


@pytest.mark.usefixtures("realtime")
def test_deleted_stack_leaves_no_endpoint(cloud: Cloud, project: Path) -> None:
    cloud.delete(project, "realtime")

    with pytest.raises(cloud.client("sagemaker").exceptions.ClientError, match="Could not find"):
        cloud.client("sagemaker").describe_endpoint(EndpointName="realtime")


def test_serverless_endpoint_is_what_the_parameters_say(cloud: Cloud, apis: Mapping[str, Api]) -> None:
    endpoint = describe(cloud, "serverless")
    [variant] = endpoint.config["ProductionVariants"]
    assert variant == {
        "VariantName": "AllTraffic",
        "ModelName": endpoint.model["ModelName"],
        "InitialVariantWeight": 1,
        "ServerlessConfig": {"MemorySizeInMB": "4096", "MaxConcurrency": "20"},
    }
    assert endpoint.model["EnableNetworkIsolation"] is False
    assert endpoint.model["PrimaryContainer"] == {"Image": FIRST, "Environment": {"SERVING_WORKERS": "1"}}
    assert failing(apis["serverless"]) == set()


def test_wrong_combination_is_refused_before_anything_is_made(cloud: Cloud, project: Path) -> None:
    with pytest.raises(RuntimeError, match="Hosting=realtime and Hosting=serverless need ImageUri"):
        cloud.deploy(project, "refused", {"Hosting": "realtime"})

    assert "refused" not in {rest_api["name"] for rest_api in cloud.client("apigateway").get_rest_apis()["items"]}


def live_version(cloud: Cloud, stack: str) -> str:
    function = cloud.outputs(stack)["FunctionName"]
    return str(cloud.client("lambda").get_alias(FunctionName=function, Name="live")["FunctionVersion"])
