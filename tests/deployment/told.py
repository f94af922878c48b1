"""An account that answers what a test tells it to, and one rule of the table asked of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from deployment.account import Account
from deployment.findings import Finding, Level
from deployment.parameters import complete, read_template
from deployment.target import Hosting, Target

REGION = "us-east-1"
OWN, OTHER, THIRD = "123456789012", "210987654321", "999999999999"
TEMPLATE = read_template()
DIGEST = f"sha256:{'0' * 64}"
EXISTING = Target(Hosting.EXISTING, "ml.m5.large", 2048)
REALTIME = Target(Hosting.REALTIME, "ml.m5.large", 2048)
SERVERLESS = Target(Hosting.SERVERLESS, "ml.m5.large", 2048)
TIME = "2026-01-01T00:00:00Z"
ARN = f"arn:aws:sagemaker:{REGION}:{OWN}:endpoint/iris-dev"


@dataclass(frozen=True, slots=True)
class Told:
    """An account whose calls answer what is in `answers`, by service and operation; an exception is raised."""

    answers: Mapping[str, Any] = field(default_factory=dict)
    region_name: str = REGION

    def client(self, service_name: Any) -> Any:
        client = boto3.client(service_name, REGION, aws_access_key_id="x", aws_secret_access_key="x")
        stubber = Stubber(client)
        for name, answer in self.answers.items():
            service, operation = name.split(".")
            if service != service_name:
                continue
            if isinstance(answer, ClientError):
                error = answer.response["Error"]
                headers = answer.response.get("ResponseMetadata", {})
                stubber.add_client_error(operation, error["Code"], error["Message"], response_meta=headers)
            else:
                stubber.add_response(operation, answer)
        stubber.activate()
        return client


def refusal(code: str, message: str = "", **headers: str) -> ClientError:
    metadata: Any = {"HTTPHeaders": {name.replace("_", "-"): value for name, value in headers.items()}}
    return ClientError({"Error": {"Code": code, "Message": message}, "ResponseMetadata": metadata}, "Call")


MISSING = refusal("ValidationError", "Stack with id iris-dev does not exist")
NO_STACK = {"cloudformation.describe_stacks": MISSING}
NO_RESOURCES = {"cloudformation.list_stack_resources": MISSING}


def stack_is(status: str, **parameters: str) -> dict[str, Any]:
    given = [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()]
    stack = {"StackName": "iris-dev", "CreationTime": TIME, "StackStatus": status, "Parameters": given}
    return {"cloudformation.describe_stacks": {"Stacks": [stack]}}


def run(subject: str, answers: Mapping[str, Any], target: Target = REALTIME, **parameters: str) -> Finding:
    """The worst of what one rule of the table finds."""
    account = Account(Told(answers))
    (rule,) = [rule for rule in account.rules if rule.subject == subject]
    given = complete(TEMPLATE, {"Hosting": target.hosting.value, **parameters})
    found = list(rule.check("iris-dev", target, given))
    worst = [Level.ERROR, Level.WARNING, Level.SKIPPED, Level.OK]
    return min(found, key=lambda finding: worst.index(finding.level))


def states_of(service: Any, shape: str) -> set[str]:
    """The values of an enumeration in botocore's own model of a service."""
    found: Any = boto3.client(service, REGION).meta.service_model.shape_for(shape)
    return set(found.enum)


USER = {"sts.get_caller_identity": {"Account": OWN, "Arn": f"arn:aws:iam::{OWN}:user/a", "UserId": "x"}}
