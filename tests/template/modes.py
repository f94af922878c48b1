"""What CloudFormation makes of template.yaml for each way to run it: `make snapshots` writes it down for review.

SAM's translation with the conditions decided by the parameters, so that a reader sees the resources that will be there.
"""

import json
import os
import re
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from deployment.parameters import read_template
from deployment.settings import ROOT, TEMPLATE
from sam_template import Evaluator
from tests import environments, sam_cli

SNAPSHOTS = Path(__file__).parent / "snapshots"
TRANSLATE = Path(__file__).with_name("translate.py")
IMAGE = f"123456789012.dkr.ecr.us-east-1.amazonaws.com/models/iris@sha256:{'0' * 64}"
POOL = "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_AbCdEf"
KEY = "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-000000000000"
MODES: Mapping[str, Mapping[str, str]] = {
    "existing": {"EndpointName": "iris"},
    "realtime": {"Hosting": "realtime", "ImageUri": IMAGE},
    "serverless": {"Hosting": "serverless", "ImageUri": IMAGE, "Auth": "iam"},
    "tokens": {
        "Hosting": "serverless",
        "ImageUri": IMAGE,
        "Auth": "jwt",
        "JwtIssuer": "https://login.example.com",
        "JwtAudience": "predictions",
        "JwtKeysUrl": "https://login.example.com/keys",
        "KmsKeyArn": KEY,
    },
    # Behind networks, roles and limits of a company's own.
    "private": {
        "EndpointName": "Iris-Prod",
        "Auth": "iam",
        "PrivateVpcEndpointIds": "vpce-0123456789abcdef0",
        "FunctionSubnetIds": "subnet-0123456789abcdef0,subnet-0123456789abcdef1",
        "FunctionSecurityGroupIds": "sg-0123456789abcdef0",
        "PermissionsBoundaryArn": "arn:aws:iam::123456789012:policy/boundary",
        "RolePath": "/models/",
        "ApiTimeoutSeconds": "60",
        "ReservedConcurrency": "50",
        "ProvisionedConcurrency": "2",
        "LogLevel": "WARNING",
        "CorsOrigin": "https://example.com",
        "DocsEnabled": "true",
    },
    # Everything of the endpoint, and a domain name.
    "members": {
        "Hosting": "realtime",
        "ImageUri": IMAGE,
        "ModelDataUrl": "s3://models/iris/model.tar.gz",
        "ModelDataAccountId": "210987654321",
        "ModelDataKmsKeyArn": KEY,
        "ModelSubnetIds": "subnet-0123456789abcdef0,subnet-0123456789abcdef1",
        "ModelSecurityGroupIds": "sg-0123456789abcdef0",
        "ServingWorkers": "2",
        "ServingThreads": "1",
        "ServingTimeoutSeconds": "20",
        "ServingMaxBatchRequests": "8",
        "ServingLogLevel": "debug",
        "ServingTrustedTypes": "my.Type,my.Other",
        "SnapStart": "true",
        "Auth": "cognito",
        "CognitoUserPoolArn": POOL,
        "CognitoClientIds": "1example23456789,2example23456789",
        "DomainName": "models.example.com",
        "CertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-0000-0000-000000000000",
        "HostedZoneId": "Z0123456789ABCDEFGHIJ",
    },
    "jobs": {"Hosting": "realtime", "ImageUri": IMAGE, "Jobs": "on", "JobsMaxInstances": "3", "KmsKeyArn": KEY},
    # As much at once as there can be.
    "guarded": {
        "Hosting": "realtime",
        "ImageUri": IMAGE,
        "ModelDataUrl": "s3://models/iris/model.tar.gz",
        "DataCaptureUrl": "s3://captured/iris",
        "MinInstances": "2",
        "MaxInstances": "4",
        "Canary": "true",
        "Auth": "cognito",
        "CognitoUserPoolArn": POOL,
        "Waf": "true",
        "ExpectTraffic": "true",
        "AlarmTopicArn": "arn:aws:sns:us-east-1:123456789012:alarms",
        "KmsKeyArn": KEY,
    },
}
Json = dict[str, Any]
# SAM's hashes of what a version and a deployment are made of; they follow from the rest.
HASHED = re.compile(r"\b(FunctionVersion|ApiDeployment|deployment id: )([0-9a-f]{10}|[0-9a-f]{40})\b")
NOTHING = {"Ref": "AWS::NoValue"}


@cache
def _translate(given: tuple[str, ...]) -> str:
    return HASHED.sub(r"\1", run(environments.make("lint") / "python", TRANSLATE, TEMPLATE, *given))


def translate(parameters: Mapping[str, str]) -> Json:
    """Return what SAM makes of the template."""
    translated: Json = json.loads(_translate(tuple(f"{name}={value}" for name, value in parameters.items())))
    return translated


def run(*command: Path | str) -> str:
    """Run a tool of the linters' environment; what it finds is in the exception."""
    environ = {**os.environ, **sam_cli.CREDENTIALS, "LOG_LEVEL": "ERROR"}
    result = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False, timeout=300)
    if result.returncode:
        raise AssertionError(f"{result.stdout}{result.stderr}")
    return result.stdout


def decide(given: Mapping[str, str]) -> Json:
    """Return the resources and outputs there will be, without any condition."""
    translated = translate(given)
    evaluator = Evaluator({**translated, "Parameters": read_template()["Parameters"]}, given)

    def decided(node: Any) -> Any:
        if isinstance(node, list):
            return [value for item in node if (value := decided(item)) != NOTHING]
        if not isinstance(node, dict):
            return node
        if set(node) == {"Fn::If"}:
            condition, when_true, when_false = node["Fn::If"]
            return decided(when_true if evaluator.holds(condition) else when_false)
        values = {
            name: decided(value) for name, value in node.items() if name != "Condition" or isinstance(value, dict)
        }
        return {name: value for name, value in values.items() if value != NOTHING}

    return {section: decided(evaluator.made(translated[section])) for section in ("Resources", "Outputs")}


def of_type(template: Json, kind: str) -> Json:
    """Return the resources of one type, by logical id."""
    return {name: item for name, item in template["Resources"].items() if item["Type"] == kind}


def snapshot(mode: str) -> str:
    """Return the text to be reviewed; the gateway's own answers have a test of their own."""
    template = decide(MODES[mode])
    template["Resources"]["Api"]["Properties"]["Body"].pop("x-amazon-apigateway-gateway-responses")
    return json.dumps(template, indent=1, sort_keys=True) + "\n"


def main() -> None:
    for mode in MODES:
        (SNAPSHOTS / f"{mode}.json").write_text(snapshot(mode))


if __name__ == "__main__":
    main()
