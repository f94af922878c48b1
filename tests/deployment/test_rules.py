"""The template's patterns, bounds and rules, as preflight applies them."""

import pytest

from deployment.findings import Level
from deployment.parameters import read_template
from deployment.rules import check_rules
from sam_template import Evaluator

TEMPLATE = read_template()
DEFAULTS = {name: str(item.get("Default", "")) for name, item in TEMPLATE["Parameters"].items()}
IMAGE = f"123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/iris@sha256:{'0' * 64}"
POOL = "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_AbCdEf"
EXISTING = {"EndpointName": "iris"}
REALTIME = {"Hosting": "realtime", "ImageUri": IMAGE}
# Over plain HTTP what callers send would be read on the way; a number is an address too.
NO_RUNTIME_URLS = ("http://runtime.example.com", "http://10.0.0.1", "http://134744072", "runtime:8080", "https://a/b")
SERVERLESS = {"Hosting": "serverless", "ImageUri": IMAGE}


@pytest.mark.parametrize(
    "parameters",
    [
        EXISTING,
        REALTIME,
        SERVERLESS,
        REALTIME | {"ModelDataUrl": "s3://models/iris/model.tar.gz", "DataCaptureUrl": "s3://models/captured"},
        EXISTING | {"Auth": "cognito", "CognitoUserPoolArn": POOL},
        EXISTING | {"Auth": "iam", "Waf": "true", "Canary": "true"},
        EXISTING | {"SageMakerRuntimeUrl": "http://127.0.0.1:8081"},
        EXISTING | {"SageMakerRuntimeUrl": "http://runtime:8080"},
        EXISTING | {"SageMakerRuntimeUrl": "https://runtime.sagemaker.eu-west-1.amazonaws.com"},
    ],
)
def test_right_combinations_pass(parameters: dict[str, str]) -> None:
    [finding] = check_rules(TEMPLATE, DEFAULTS | parameters)

    assert finding.level is Level.OK


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({}, "Hosting=existing needs EndpointName, the name of an endpoint that is there."),
        *((EXISTING | {"SageMakerRuntimeUrl": url}, f"SageMakerRuntimeUrl={url}") for url in NO_RUNTIME_URLS),
        (EXISTING | {"ImageUri": IMAGE}, "Hosting=existing makes no endpoint; leave ImageUri and ModelDataUrl empty"),
        (REALTIME | {"ImageUri": ""}, "Hosting=realtime and Hosting=serverless need ImageUri"),
        (SERVERLESS | {"ImageUri": ""}, "Hosting=realtime and Hosting=serverless need ImageUri"),
        (REALTIME | EXISTING, "The stack names the endpoint that it makes like itself"),
        (
            REALTIME | {"EndpointVariant": "blue"},
            "The variant of an endpoint that the stack makes is called AllTraffic",
        ),
        (SERVERLESS | {"MaxInstances": "2"}, "Hosting=serverless has no instances"),
        (SERVERLESS | {"DataCaptureUrl": "s3://models/captured"}, "Only Hosting=realtime can capture data"),
        (EXISTING | {"Auth": "cognito"}, "Auth=cognito needs CognitoUserPoolArn."),
        (EXISTING | {"Auth": "jwt", "JwtAudience": "a"}, "Auth=jwt needs JwtIssuer, JwtAudience and JwtKeysUrl."),
        (EXISTING | {"JwtAudience": "a"}, "JwtIssuer, JwtAudience and JwtKeysUrl have an effect with Auth=jwt only."),
        (
            EXISTING | {"CognitoUserPoolArn": POOL},
            "CognitoUserPoolArn and CognitoClientIds have an effect with Auth=cognito only.",
        ),
    ],
)
def test_wrong_combinations_are_refused_with_a_sentence(parameters: dict[str, str], sentence: str) -> None:
    [finding] = check_rules(TEMPLATE, DEFAULTS | parameters)

    assert finding.level is Level.ERROR
    assert finding.text.startswith(sentence)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Hosting", "cloud"),
        ("ImageUri", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/iris:latest"),
        ("ImageUri", f"docker.io/team/iris@sha256:{'0' * 64}"),
        ("ModelDataUrl", "s3://models/iris/"),
        ("ModelDataUrl", "s3://models/*.tar.gz"),
        ("DataCaptureUrl", "s3://models/captured/"),
        ("InstanceType", "m5.large"),
        ("MinInstances", "0"),
        ("ServerlessMemory", "1500"),
        ("ServerlessConcurrency", "201"),
        ("DataCapturePercent", "101"),
        ("ErrorShare", "1.5"),
        ("AlarmTopicArn", "alarms"),
        ("KmsKeyArn", "alias/mine"),
        ("MaxRows", "many"),
        ("JwtIssuer", "http://login.example.com"),
        ("JwtKeysUrl", "http://login.example.com/keys"),
    ],
)
def test_each_value_has_a_pattern_or_bounds(name: str, value: str) -> None:
    findings = check_rules(TEMPLATE, DEFAULTS | REALTIME | {name: value})

    assert f"{name}={value}" in [finding.text for finding in findings]
    assert all(finding.advice for finding in findings)


def test_an_existing_endpoint_makes_nothing_that_is_paid_by_the_hour() -> None:
    resources = Evaluator(TEMPLATE, EXISTING).made(TEMPLATE["Resources"])

    assert [name for name, item in resources.items() if item["Type"].startswith("AWS::SageMaker")] == []


@pytest.mark.parametrize(
    ("parameters", "scales"),
    [
        (REALTIME, False),
        (REALTIME | {"MinInstances": "2", "MaxInstances": "4"}, True),
        (SERVERLESS, False),
        (EXISTING | {"MaxInstances": "4"}, False),
    ],
)
def test_only_instances_between_bounds_scale(parameters: dict[str, str], *, scales: bool) -> None:
    assert ("ScalingPolicy" in Evaluator(TEMPLATE, parameters).made(TEMPLATE["Resources"])) is scales
