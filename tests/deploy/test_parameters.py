"""Parameters given and taken back: each reaches its resource, and predictions stay right."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from deployment.parameters import read_template
from tests.deploy.checks import failing
from tests.deploy.cloud import Api, Cloud

STACK = "parameters"
DECLARED = read_template()["Parameters"]
# SageMaker's endpoints may be called in capitals; their ARNs are in small letters.
DEFAULTS = {"EndpointName": "Roses"}
GIVEN = DEFAULTS | {
    "PermissionsBoundaryArn": "arn:aws:iam::000000000000:policy/boundary",
    "RolePath": "/models/",
    "FunctionSubnetIds": "subnet-0123456789abcdef0,subnet-0123456789abcdef1",
    "FunctionSecurityGroupIds": "sg-0123456789abcdef0",
    "ReservedConcurrency": "50",
    "ApiTimeoutSeconds": "60",
    "LogLevel": "WARNING",
    "BinaryMediaTypes": "image/png,application/x-own",
    "SnapStart": "true",
    "DomainName": "models.example.com",
    "CertificateArn": "arn:aws:acm:us-east-1:000000000000:certificate/00000000-0000-0000-0000-000000000000",
}


def deployed(cloud: Cloud) -> Mapping[str, Any]:
    """What the stack's function, role and API are now; the local AWS keeps neither boundaries nor networks."""
    function = cloud.client("lambda").get_function_configuration(FunctionName=cloud.outputs(STACK)["FunctionName"])
    role = cloud.client("iam").get_role(RoleName=function["Role"].rsplit("/", 1)[1])["Role"]
    api = cloud.client("apigateway").get_rest_api(restApiId=cloud.outputs(STACK)["ApiId"])
    return {
        "path": role["Path"],
        "seconds": function["Timeout"],
        "level": function["LoggingConfig"]["ApplicationLogLevel"],
        "snapshots": function["SnapStart"]["ApplyOn"],
        "binary": "application/x-own" in api["binaryMediaTypes"],
        "domain": "DomainUrl" in cloud.outputs(STACK),
    }


@pytest.fixture(scope="module")
def copy(project: Path) -> Path:
    """`sam deploy` writes beside what was built."""
    return shutil.copytree(project, project.parent / STACK)


def test_each_parameter_is_given_and_taken_back(cloud: Cloud, copy: Path) -> None:
    given = cloud.deploy(copy, STACK, GIVEN)
    assert deployed(cloud) == {
        "path": "/models/",
        "seconds": 57,
        "level": "WARN",
        "snapshots": "PublishedVersions",
        "binary": True,
        "domain": True,
    }
    assert_right(given)

    taken_back = cloud.deploy(copy, STACK, {name: str(DECLARED[name]["Default"]) for name in GIVEN} | DEFAULTS)
    assert deployed(cloud) == {
        "path": "/",
        "seconds": 26,
        "level": "INFO",
        "snapshots": "None",
        "binary": False,
        "domain": False,
    }
    assert_right(taken_back)


def assert_right(api: Api) -> None:
    assert failing(api) == set()
