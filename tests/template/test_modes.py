"""Each way to run the template: what will be there, what its roles may do, and what SageMaker makes of it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from moto import mock_aws

from deployment.parameters import TEMPLATE, read_template
from tests import environments
from tests.template import modes
from tests.template.modes import MODES, Json

# Each wildcard in a resource, and why it is there.
WILDCARDS = {
    ("FunctionRole", "*", "xray:PutTelemetryRecords"): "X-Ray has no resources to name",
    ("FunctionRole", "*", "xray:PutTraceSegments"): "X-Ray has no resources to name",
    ("FunctionRole", "${FunctionLogs.Arn}:*", "logs:CreateLogStream"): "streams of one log group",
    ("FunctionRole", "${FunctionLogs.Arn}:*", "logs:PutLogEvents"): "streams of one log group",
    ("AuthorizerRole", "${AuthorizerLogs.Arn}:*", "logs:CreateLogStream"): "streams of one log group",
    ("AuthorizerRole", "${AuthorizerLogs.Arn}:*", "logs:PutLogEvents"): "streams of one log group",
    ("ModelRole", "*", "ecr:GetAuthorizationToken"): "logging in to ECR has no resource to name",
    ("ModelRole", "*", "cloudwatch:PutMetricData"): "metrics have no resources; a condition names the namespace",
    ("ModelRole", "${EndpointLogs.Arn}:*", "logs:CreateLogStream"): "streams of one log group",
    ("ModelRole", "${EndpointLogs.Arn}:*", "logs:DescribeLogStreams"): "streams of one log group",
    ("ModelRole", "${EndpointLogs.Arn}:*", "logs:PutLogEvents"): "streams of one log group",
    ("ModelRole", "alarm:${AWS::StackName}-*", "cloudwatch:DescribeAlarms"): "this stack's alarms",
    ("ModelRole", "${Prefix}/*", "s3:PutObject"): "captured data below one prefix",
    ("RolloutHookRole", "${Function.Arn}:*", "lambda:InvokeFunction"): "versions of one function",
    ("RolloutHookRole", "${RolloutHookLogs.Arn}:*", "logs:CreateLogStream"): "streams of one log group",
    ("RolloutHookRole", "${RolloutHookLogs.Arn}:*", "logs:PutLogEvents"): "streams of one log group",
    (
        "RolloutHookRole",
        "deploymentgroup:${AWS::StackName}-*/*",
        "codedeploy:PutLifecycleEventHookExecutionStatus",
    ): "SAM's application and group are there with Canary=true only",
    ("RolloutRole", "${Function.Arn}:*", "lambda:GetAlias"): "aliases of one function",
    ("RolloutRole", "${Function.Arn}:*", "lambda:GetProvisionedConcurrencyConfig"): "aliases of one function",
    ("RolloutRole", "${Function.Arn}:*", "lambda:UpdateAlias"): "aliases of one function",
    ("RolloutRole", "alarm:${AWS::StackName}-*", "cloudwatch:DescribeAlarms"): "this stack's alarms",
}  # fmt: skip
MANAGED = {"service-role/AmazonAPIGatewayPushToCloudWatchLogs"}
ROUTES_WITHOUT_A_KEY = {("/health", "get"), ("/predict", "options"), ("/openapi.json", "get"), ("/docs", "get")}


@pytest.fixture(scope="module", params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def template(mode: str) -> Json:
    return modes.decide(MODES[mode])


def of_type(template: Json, kind: str) -> Json:
    return {name: item for name, item in template["Resources"].items() if item["Type"] == kind}


def test_snapshot(mode: str) -> None:
    assert modes.snapshot(mode) == (modes.SNAPSHOTS / f"{mode}.json").read_text(), "run `make snapshots`, read the diff"


def test_cfn_lint_and_checkov(mode: str, template: Json, tmp_path: Path) -> None:
    """Of the resources of this mode alone, where no condition hides anything."""
    path = tmp_path / f"{mode}.json"
    parameters = modes.translate(MODES[mode])["Parameters"]
    path.write_text(json.dumps({**template, "Parameters": parameters}))
    linters = environments.make("lint")

    # W2001: parameters of other modes. W1030: see template.yaml. W3005: SAM says DependsOn where Ref says it too.
    modes.run(linters / "cfn-lint", "--ignore-checks", "W2001", "W1030", "W3005", "--template", path)
    # CKV_AWS_120, a cache: answered at the API in the template; SAM makes the stage without its metadata.
    options = (
        "--framework",
        "cloudformation",
        "--compact",
        "--quiet",
        "--skip-download",
        "--skip-check",
        "CKV_AWS_120",
    )
    modes.run(linters / "checkov", "--file", path, *options)


def statements(template: Json) -> Iterator[tuple[str, Json]]:
    """Each statement of each role and policy, with the role's logical id."""
    for name, role in of_type(template, "AWS::IAM::Role").items():
        for policy in role["Properties"].get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                yield name, statement
    for kind in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
        assert of_type(template, kind) == {}, "policies stand in their role"


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def text_of(resource: Any) -> str:
    """A resource of a statement: a text, the text of Fn::Sub, or the name of what is referred to."""
    if isinstance(resource, str):
        return resource
    ((function, argument),) = resource.items()
    if function == "Fn::Sub":
        return str(argument[0] if isinstance(argument, list) else argument)
    return f"{function} {argument}"


def test_no_statement_allows_any_action(template: Json) -> None:
    for role, statement in statements(template):
        assert statement["Effect"] == "Allow"
        assert not {"NotAction", "NotResource", "NotPrincipal"} & statement.keys(), role
        assert [action for action in listed(statement["Action"]) if "*" in action or "?" in action] == [], role


def test_each_wildcard_resource_has_a_reason(template: Json) -> None:
    unanswered = [
        (role, text, action)
        for role, statement in statements(template)
        for text in map(text_of, listed(statement["Resource"]))
        for action in listed(statement["Action"])
        if "*" in text and not has_reason(role, text, action)
    ]

    assert unanswered == []


def has_reason(role: str, text: str, action: str) -> bool:
    return any(
        (role, action) == (known_role, known_action) and (text == known if known == "*" else text.endswith(known))
        for known_role, known, known_action in WILDCARDS
    )


def test_no_reason_outlives_its_wildcard() -> None:
    templates = [modes.decide(parameters) for parameters in MODES.values()]
    found = {
        (role, text, action)
        for template in templates
        for role, statement in statements(template)
        for text in map(text_of, listed(statement["Resource"]))
        for action in listed(statement["Action"])
    }

    idle = [
        known for known in WILDCARDS if not any(known[::2] == one[::2] and one[1].endswith(known[1]) for one in found)
    ]
    assert idle == []


def test_metrics_are_bound_to_their_namespace(template: Json) -> None:
    for role, statement in statements(template):
        if "cloudwatch:PutMetricData" in listed(statement["Action"]):
            assert "cloudwatch:namespace" in json.dumps(statement["Condition"]), role


def test_each_role_is_assumed_by_one_service(template: Json) -> None:
    for name, role in of_type(template, "AWS::IAM::Role").items():
        [statement] = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"].keys() == {"Service"}, name
        assert isinstance(statement["Principal"]["Service"], str), name
        managed = map(text_of, role["Properties"].get("ManagedPolicyArns", []))
        assert {arn.split(":policy/")[1] for arn in managed} <= MANAGED, name


def test_the_function_may_invoke_one_endpoint(mode: str, template: Json) -> None:
    [resource] = [
        statement["Resource"]
        for role, statement in statements(template)
        if "sagemaker:InvokeEndpoint" in listed(statement["Action"])
    ]

    made = {"Ref": "Endpoint"}
    named = {"Fn::Sub": "arn:${AWS::Partition}:sagemaker:${AWS::Region}:${AWS::AccountId}:endpoint/${EndpointName}"}
    assert resource == (named if mode == "existing" else made)


def test_every_route_is_closed_but_the_public_ones(template: Json) -> None:
    paths = template["Resources"]["Api"]["Properties"]["Body"]["paths"]
    schemes = template["Resources"]["Api"]["Properties"]["Body"]["components"]["securitySchemes"]
    for path, item in paths.items():
        for verb, operation in item.items():
            if (path, verb) in ROUTES_WITHOUT_A_KEY:
                assert operation["security"] == []
            else:
                [requirement] = operation["security"]
                assert set(requirement) == set(schemes), f"{verb} {path}"


def test_models_and_configurations_have_no_fixed_names(template: Json) -> None:
    for kind in ("Model", "EndpointConfig"):
        for resource in of_type(template, f"AWS::SageMaker::{kind}").values():
            assert f"{kind}Name" not in resource["Properties"]


def test_rollback_alarms_watch_the_new_fleet_only() -> None:
    template = modes.decide(MODES["guarded"])
    deployment = template["Resources"]["Endpoint"]["Properties"]["DeploymentConfig"]
    for alarm in deployment["AutoRollbackConfiguration"]["Alarms"]:
        properties = template["Resources"][alarm["AlarmName"]["Ref"]]["Properties"]
        dimensions = {dimension["Name"]: dimension["Value"] for dimension in properties["Dimensions"]}
        assert dimensions == {
            "EndpointName": {"Ref": "AWS::StackName"},
            "VariantName": "AllTraffic",
            "EndpointConfigName": {"Fn::GetAtt": ["EndpointConfig", "EndpointConfigName"]},
        }


def test_no_threshold_is_out_of_its_metrics_reach() -> None:
    """The average of a metric that is 0 or 1 a request never passes 1; SageMaker counts latency in microseconds."""
    template = modes.decide(MODES["guarded"])
    parameters = modes.translate(MODES["guarded"])["Parameters"]
    thresholds = {
        (item["Properties"]["MetricName"], item["Properties"].get("Statistic")): item["Properties"]["Threshold"]
        for item in of_type(template, "AWS::CloudWatch::Alarm").values()
    }

    assert thresholds["Invocation5XXErrors", "Average"] == {"Ref": "ErrorShare"}
    assert 0 < parameters["ErrorShare"]["Default"] < parameters["ErrorShare"]["MaxValue"] == 1
    assert thresholds["ModelLatency", None] == {"Ref": "ModelLatencyMicroseconds"}
    assert parameters["ModelLatencyMicroseconds"]["Default"] == 5_000_000  # 5 s
    assert parameters["ModelLatencyMicroseconds"]["MaxValue"] == 60_000_000  # SageMaker's own 60 s


def parameters_in(node: Any, template: Json) -> set[str]:
    """The parameters that a value depends on, by itself or through a condition."""
    if isinstance(node, list):
        return {name for item in node for name in parameters_in(item, template)}
    if not isinstance(node, dict):
        return set()
    names = {name for value in node.values() for name in parameters_in(value, template)}
    if "Fn::If" in node:
        names |= parameters_in({"Condition": node["Fn::If"][0]}, template)
    if isinstance(node.get("Condition"), str):
        names |= parameters_in(template["Conditions"][node["Condition"]], template)
    if "Fn::Sub" in node:
        text = node["Fn::Sub"][0] if isinstance(node["Fn::Sub"], list) else node["Fn::Sub"]
        names |= set(re.findall(r"\$\{(\w+)\}", text))
    referred = {str(node["Ref"])} if "Ref" in node else set()
    return {name for name in names | referred if name in template["Parameters"]}


def test_each_parameter_of_the_function_is_in_its_versions_description() -> None:
    """Otherwise a change of it publishes no version, and the live alias keeps the old one."""
    template = read_template()
    properties = template["Resources"]["Function"]["Properties"]
    described = parameters_in(properties["VersionDescription"], template)
    # how a version is shifted to is no part of it
    of_the_version = {name: properties[name] for name in properties if name != "DeploymentPreference"}

    assert parameters_in(list(of_the_version.values()), template) == described
    assert {"MaxRows", "LogLevel", "EndpointName", "KmsKeyArn"} <= described


def test_template_is_yaml_that_cloudformation_reads() -> None:
    """It takes no aliases: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html."""
    aliases = [token for token in yaml.scan(TEMPLATE.read_text()) if isinstance(token, yaml.AliasToken)]

    assert aliases == []


@pytest.mark.parametrize("mode", ["realtime", "serverless", "guarded"])
def test_sagemaker_takes_the_properties(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """moto's SageMaker, behind its CloudFormation, makes the endpoint from the parts of this mode."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    resources = modes.decide(MODES[mode])["Resources"]
    kept = {name: resources[name] for name in ("Model", "EndpointConfig", "Endpoint")}
    text = json.dumps({"Parameters": modes.translate(MODES[mode])["Parameters"], "Resources": kept})
    text = re.sub(r'\{"Fn::GetAtt": \["ModelRole", "Arn"\]\}', '"arn:aws:iam::123456789012:role/model"', text)
    text = re.sub(r'\{"Ref": "(NewFleet\w+|EndpointLogs)"\}', r'"\1"', text)
    given: Any = [{"ParameterKey": name, "ParameterValue": value} for name, value in MODES[mode].items()]
    with mock_aws():
        boto3.client("cloudformation", "us-east-1").create_stack(StackName="iris", TemplateBody=text, Parameters=given)
        sagemaker = boto3.client("sagemaker", "us-east-1")
        [made] = sagemaker.list_endpoints()["Endpoints"]  # moto names it itself
        endpoint = sagemaker.describe_endpoint(EndpointName=made["EndpointName"])
        config = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
        model = sagemaker.describe_model(ModelName=config["ProductionVariants"][0]["ModelName"])

    assert endpoint["EndpointStatus"] == "InService"
    assert model["PrimaryContainer"]["Image"] == modes.IMAGE
