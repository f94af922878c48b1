"""What the parameters do: each has an effect, the defaults cost nothing while idle, and limits nest."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from deployment.findings import Level
from deployment.parameters import read_template
from deployment.rules import check_rules
from sam_template import Evaluator
from tests.environments import ROOT
from tests.template import modes
from tests.template.modes import MODES
from tests.template.security import nodes

TEMPLATE = read_template()
PARAMETERS: Mapping[str, Any] = TEMPLATE["Parameters"]
EXISTING = {"EndpointName": "iris"}
MADE = {"Hosting": "realtime", "ImageUri": modes.IMAGE}
# Names and defaults that callers of `sam deploy` rely on.
KEPT: Mapping[str, Any] = {
    "Hosting": "existing",
    "EndpointName": "",
    "EndpointVariant": "AllTraffic",
    "EndpointArnName": "",
    "ImageUri": "",
    "ModelDataUrl": "",
    "InstanceType": "ml.m5.large",
    "MinInstances": 1,
    "MaxInstances": 1,
    "TargetConcurrency": 8,
    "ServerlessMemory": 2048,
    "ServerlessConcurrency": 5,
    "DataCaptureUrl": "",
    "DataCapturePercent": 10,
    "Canary": "false",
    "CanaryType": "Canary10Percent5Minutes",
    "Auth": "api_key",
    "CognitoUserPoolArn": "",
    "JwtIssuer": "",
    "JwtAudience": "",
    "JwtKeysUrl": "",
    "Waf": "false",
    "AlarmTopicArn": "",
    "ErrorShare": 0.05,
    "ApiLatencyMilliseconds": 10000,
    "ModelLatencyMicroseconds": 5000000,
    "ExpectTraffic": "false",
    "KmsKeyArn": "",
    "StageName": "prod",
    "MaxRows": 10000,
    "LogLevel": "INFO",
    "LogRetentionDays": 30,
    "RateLimit": 20,
    "BurstLimit": 40,
    "QuotaPerDay": 100000,
    "CorsOrigin": "",
    "DocsEnabled": "false",
    "CreateApiGatewayLogRole": "true",
    "SageMakerRuntimeUrl": "",
}


def resolved(given: Mapping[str, str], name: str) -> Any:
    """A resource's properties as far as they can be known without AWS."""
    return Evaluator(TEMPLATE, given).resolve(TEMPLATE["Resources"][name])["Properties"]


def references(node: Any) -> Iterator[str]:
    """The names that a part of the template refers to."""
    for one in nodes(node):
        if isinstance(one, Mapping) and "Ref" in one:
            yield str(one["Ref"])
        if isinstance(one, Mapping) and "Fn::Sub" in one:
            text = one["Fn::Sub"][0] if isinstance(one["Fn::Sub"], list) else one["Fn::Sub"]
            yield from re.findall(r"\$\{(\w+)\}", text)


def test_names_and_defaults_are_kept() -> None:
    assert {name: PARAMETERS[name]["Default"] for name in KEPT} == KEPT


def test_each_parameter_has_a_default_and_an_effect() -> None:
    used = set(references([TEMPLATE["Conditions"], TEMPLATE["Resources"]]))

    assert [name for name in PARAMETERS if name not in used] == []
    assert [name for name, item in PARAMETERS.items() if "Default" not in item] == []


@pytest.mark.parametrize("mode", MODES)
def test_each_mode_passes_the_templates_own_rules(mode: str) -> None:
    defaults = {name: str(item["Default"]) for name, item in PARAMETERS.items()}

    [finding] = check_rules(TEMPLATE, defaults | dict(MODES[mode]))

    assert finding.level is Level.OK, finding


def test_nothing_costs_by_default_while_nobody_calls() -> None:
    """Alarms, the dashboard and logs are all that a stack with an existing endpoint costs then."""
    free = {
        "AWS::ApiGateway::Account",
        "AWS::ApiGateway::ApiKey",
        "AWS::ApiGateway::UsagePlan",
        "AWS::ApiGateway::UsagePlanKey",
        "AWS::IAM::Role",
        "AWS::Serverless::Api",
        "AWS::Serverless::Function",
    }
    watching = {"AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard", "AWS::Logs::LogGroup"}
    made = Evaluator(TEMPLATE, EXISTING).made(TEMPLATE["Resources"])

    assert {resource["Type"] for resource in made.values()} <= free | watching
    function = resolved(EXISTING, "Function")
    assert function["SnapStart"] == {"ApplyOn": "None"}
    assert {"ProvisionedConcurrencyConfig", "ReservedConcurrentExecutions", "VpcConfig"} & function.keys() == set()


@pytest.mark.parametrize(
    ("given", "name", "expected"),
    [
        ({"SnapStart": "true"}, "Function", {"SnapStart": {"ApplyOn": "PublishedVersions"}}),
        ({"ReservedConcurrency": "50"}, "Function", {"ReservedConcurrentExecutions": "50"}),
        (
            {"ProvisionedConcurrency": "2"},
            "Function",
            {"ProvisionedConcurrencyConfig": {"ProvisionedConcurrentExecutions": "2"}},
        ),
        (
            {"FunctionSubnetIds": "subnet-1,subnet-2", "FunctionSecurityGroupIds": "sg-1"},
            "Function",
            {"VpcConfig": {"SubnetIds": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]}},
        ),
        (
            MADE | {"ModelSubnetIds": "subnet-1,subnet-2", "ModelSecurityGroupIds": "sg-1"},
            "Model",
            {"VpcConfig": {"Subnets": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]}},
        ),
        (
            {"DomainName": "models.example.com", "CertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/1"},
            "Domain",
            {
                "DomainName": "models.example.com",
                "RegionalCertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/1",
                "SecurityPolicy": "TLS_1_2",
            },
        ),
        ({"AlarmTopicArn": "arn:topic"}, "ApiErrorsAlarm", {"AlarmActions": ["arn:topic"], "OKActions": ["arn:topic"]}),
    ],
)
def test_a_parameter_reaches_its_resource(given: dict[str, str], name: str, expected: dict[str, Any]) -> None:
    before, after = resolved(EXISTING, name), resolved(EXISTING | given, name)

    assert {key: after.get(key) for key in expected} == expected
    assert {key: before.get(key) for key in expected} != expected


@pytest.mark.parametrize("role", modes.of_type(TEMPLATE, "AWS::IAM::Role"))
def test_each_role_has_the_path_and_the_boundary_that_the_account_asks_for(role: str) -> None:
    given = MADE | {"PermissionsBoundaryArn": "arn:boundary", "RolePath": "/models/"}
    evaluated = Evaluator(TEMPLATE, given)
    properties = {name: TEMPLATE["Resources"][role]["Properties"].get(name) for name in ("Path", "PermissionsBoundary")}

    assert evaluated.resolve(properties) == {"Path": "/models/", "PermissionsBoundary": "arn:boundary"}


def test_the_containers_settings_reach_it() -> None:
    set_by = {
        "ServingWorkers": ("SERVING_WORKERS", "3"),
        "ServingThreads": ("SERVING_THREADS", "2"),
        "ServingTimeoutSeconds": ("SERVING_TIMEOUT_SECONDS", "20"),
        "ServingMaxBatchRequests": ("SERVING_MAX_BATCH_REQUESTS", "8"),
        "ServingLogLevel": ("SERVING_LOG_LEVEL", "debug"),
        "ServingTrustedTypes": ("SERVING_TRUSTED_TYPES", "my.Type,my.Other"),
    }
    given = {parameter: value for parameter, (_, value) in set_by.items()}

    for hosting in ("realtime", "serverless"):
        container = resolved({**MADE, "Hosting": hosting, **given}, "Model")["PrimaryContainer"]
        assert container["Environment"] == dict(set_by.values())
    assert "Environment" not in resolved(MADE, "Model")["PrimaryContainer"]
    serverless = resolved(MADE | {"Hosting": "serverless"}, "Model")["PrimaryContainer"]
    assert serverless["Environment"] == {"SERVING_WORKERS": "1"}


@pytest.mark.parametrize("seconds", PARAMETERS["ApiTimeoutSeconds"]["AllowedValues"])
def test_limits_of_time_nest(seconds: str) -> None:
    """SageMaker's 60 s, API Gateway's, the function's and that of its call: each ends before the one around it."""
    given = EXISTING | {"ApiTimeoutSeconds": seconds}
    function = resolved(given, "Function")
    predict = resolved(given, "Api")["DefinitionBody"]["paths"]["/predict"]["post"]
    gateway = predict["x-amazon-apigateway-integration"]["timeoutInMillis"] / 1000

    assert 60 >= gateway == float(seconds)
    assert gateway - 2 > function["Timeout"] > float(function["Environment"]["Variables"]["READ_TIMEOUT_SECONDS"])


@pytest.mark.parametrize(
    ("hosting", "limit"), [("serverless", 4_000_000), ("realtime", 6_000_000), ("existing", 6_000_000)]
)
def test_the_limit_of_a_body_is_that_of_the_hosting(hosting: str, limit: int) -> None:
    """SageMaker takes 4 MB with serverless; Lambda's events have 6 MiB."""
    variables = resolved({"Hosting": hosting}, "Function")["Environment"]["Variables"]

    assert int(variables["MAX_BODY_BYTES"]) == limit < 6 * 1024 * 1024


PROBE = """
import os, sys
sys.path.insert(0, "invoker")
from invoker.telemetry import Telemetry
logger = Telemetry(os.environ["LOG_LEVEL"], "probe").logger
for level in ("debug", "info", "warning", "error"):
    getattr(logger, level)("said")
"""


@pytest.mark.parametrize("level", PARAMETERS["LogLevel"]["AllowedValues"])
def test_log_level_counts_in_lambda(level: str) -> None:
    """With the format JSON Lambda sets its own level in the environment, and that one wins."""
    function = resolved(EXISTING | {"LogLevel": level}, "Function")
    lambdas = {
        "AWS_LAMBDA_LOG_FORMAT": function["LoggingConfig"]["LogFormat"],
        "AWS_LAMBDA_LOG_LEVEL": function["LoggingConfig"].get("ApplicationLogLevel", "INFO"),
    }
    environ = {"PATH": os.environ["PATH"], "LOG_LEVEL": function["Environment"]["Variables"]["LOG_LEVEL"], **lambdas}

    said = subprocess.run(
        [sys.executable, "-c", PROBE], cwd=ROOT, env=environ, capture_output=True, text=True, check=True
    )

    levels = ["DEBUG", "INFO", "WARNING", "ERROR"]
    assert re.findall(r'"level":"(\w+)"', said.stdout) == levels[levels.index(level) :]
    assert said.stderr == ""


def test_log_level_reaches_each_function() -> None:
    for name, function in modes.of_type(TEMPLATE, "AWS::Serverless::Function").items():
        logging = function["Properties"]["LoggingConfig"]
        assert (
            Evaluator(TEMPLATE, EXISTING | {"LogLevel": "WARNING"}).resolve(logging)["ApplicationLogLevel"] == "WARN"
        ), name


def test_a_large_deployment_fits_into_the_description_of_its_version() -> None:
    """Lambda takes 256 characters; CloudFormation makes names of 27 for endpoint configurations."""
    given = MADE | {
        "KmsKeyArn": modes.KEY,
        "CorsOrigin": "https://predictions.example.com",
        "FunctionSubnetIds": ",".join(f"subnet-{number:017x}" for number in range(3)),
        "FunctionSecurityGroupIds": ",".join(f"sg-{number:017x}" for number in range(2)),
        "RolePath": "/models/",
        "MaxRows": "1000000",
        "LogLevel": "WARNING",
    }
    text = str(resolved(given, "Function")["VersionDescription"])
    config = "EndpointConfig-AbCdEfGhIjKl"

    assert len(re.sub(r"\{[^}]*\}", config, text)) <= 256


def test_sam_deploy_takes_samconfig_as_it_is() -> None:
    text = (Path(ROOT) / "samconfig.toml").read_text()
    named = set(re.findall(r'"(\w+)=', text))

    assert named <= set(PARAMETERS)


def test_auth_says_what_an_api_key_is_for() -> None:
    """AWS advises not to authenticate by API key; who chooses Auth is told so."""
    described = PARAMETERS["Auth"]["Description"]

    assert "identifies a caller and meters it" in described
    assert "AWS advises not to authenticate by API key" in described


def test_mappings_are_looked_up_by_text() -> None:
    """`sam local` leaves a lookup by a number as it is, and then refuses the function."""
    lookups = [
        one["Fn::FindInMap"] for one in nodes(TEMPLATE["Resources"]) if isinstance(one, dict) and "Fn::FindInMap" in one
    ]
    keys = {key["Ref"] for _, key, _ in lookups}

    assert {PARAMETERS[name]["Type"] for name in keys} == {"String"}
