"""Each way to run the template: what will be there, what its roles may do, and what SageMaker makes of it."""

import json
import re
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from moto import mock_aws

from deployment.parameters import read_template
from deployment.settings import TEMPLATE
from tests import environments
from tests.template import modes
from tests.template.modes import MODES, Json, of_type
from tests.template.security import OPEN_ROUTES


@pytest.fixture(scope="module", params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def template(mode: str) -> Json:
    return modes.decide(MODES[mode])


def test_snapshot(mode: str) -> None:
    assert modes.snapshot(mode) == (modes.SNAPSHOTS / f"{mode}.json").read_text(), "run `make snapshots`, read the diff"


def test_cfn_lint_and_checkov(tmp_path: Path) -> None:
    """Of the resources of each mode alone, where no condition hides anything."""
    files = []
    for name, parameters in MODES.items():
        translated = modes.translate(parameters)
        kept = {section: translated[section] for section in ("Parameters", "Mappings")}
        files.append(tmp_path / f"{name}.json")
        files[-1].write_text(json.dumps({**modes.decide(parameters), **kept}))
    linters = environments.make("lint")

    # W2001, W7001: parameters and mappings of other modes. W1030, W1033: see template.yaml. W3005: SAM says DependsOn
    # where Ref says it too.
    ignored = ("W2001", "W7001", "W1030", "W1033", "W3005")
    modes.run(linters / "cfn-lint", "--ignore-checks", *ignored, "--template", *files)
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
    modes.run(linters / "checkov", "--directory", tmp_path, *options)


def test_the_function_judges_bodies(template: Json) -> None:
    """API Gateway's own validator knows JSON schema draft 4 only, and says nothing about the place of a fault."""
    body = template["Resources"]["Api"]["Properties"]["Body"]

    assert [name for name in body if "validator" in name] == []
    assert [path for path, item in body["paths"].items() if "requestBody" in json.dumps(item)] == []


def test_json_and_csv_stay_text(template: Json) -> None:
    """A binary body travels to the function as base64, which is a third larger."""
    body = template["Resources"]["Api"]["Properties"]["Body"]
    assert body["x-amazon-apigateway-binary-media-types"] == {"Ref": "BinaryMediaTypes"}
    declared = read_template()["Parameters"]["BinaryMediaTypes"]
    types = declared["Default"].split(",")
    assert [
        name
        for name in ("application/json", "text/csv", "*/*", "image/*")
        if re.match(declared["AllowedPattern"], name)
    ] == []
    assert [name for name in types if not re.match(declared["AllowedPattern"], name)] == []
    assert {"image/png", "application/octet-stream", "multipart/form-data", "application/x-npy"} <= set(types)
    assert [name for name in types if "*" in name or name.startswith("text/") or "json" in name] == []


def test_every_route_is_closed_but_the_public_ones(template: Json) -> None:
    paths = template["Resources"]["Api"]["Properties"]["Body"]["paths"]
    schemes = template["Resources"]["Api"]["Properties"]["Body"]["components"]["securitySchemes"]
    for path, item in paths.items():
        for verb, operation in item.items():
            if (path, verb) in OPEN_ROUTES:
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
    # how a version is shifted to, and how many of it run, is no part of it
    others = ("DeploymentPreference", "ProvisionedConcurrencyConfig", "ReservedConcurrentExecutions")
    of_the_version = {name: properties[name] for name in properties if name not in others}

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
