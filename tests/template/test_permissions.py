"""What the template's roles may do, and who may take them on, in each way to run it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from deployment.parameters import read_template
from sam_template import Evaluator
from tests.template import modes
from tests.template.modes import MODES, Json, of_type

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
    ("FunctionRole", "${JobsBucket.Arn}/inputs/*", "s3:PutObject"): "bodies of POST /jobs",
    ("FunctionRole", "${JobsBucket.Arn}/uploads/*", "s3:PutObject"): "files, with an address that the function signs",
    ("FunctionRole", "${JobsBucket.Arn}/outputs/*", "s3:GetObject"): "answers",
    ("FunctionRole", "${JobsBucket.Arn}/*", "s3:DeleteObject"): "input, answer and failure of a job that is deleted",
    ("JobsRole", "${JobsBucket.Arn}/*", "s3:DeleteObject"): "answers and files that nobody can fetch",
    ("JobsRole", "${JobsBucket.Arn}/*", "s3:GetObject"): "whether a file, an answer or a failure is there",
    ("JobsRole", "${JobsLogs.Arn}:*", "logs:CreateLogStream"): "streams of one log group",
    ("JobsRole", "${JobsLogs.Arn}:*", "logs:PutLogEvents"): "streams of one log group",
    ("ModelRole", "${JobsBucket.Arn}/inputs/*", "s3:GetObject"): "inputs of jobs",
    ("ModelRole", "${JobsBucket.Arn}/uploads/*", "s3:GetObject"): "inputs of jobs",
    ("ModelRole", "${JobsBucket.Arn}/outputs/*", "s3:PutObject"): "answers of jobs",
    ("ModelRole", "${JobsBucket.Arn}/failures/*", "s3:PutObject"): "failures of jobs",
    ("ModelRole", "${JobsEndpointLogs.Arn}:*", "logs:CreateLogStream"): "streams of one log group",
    ("ModelRole", "${JobsEndpointLogs.Arn}:*", "logs:DescribeLogStreams"): "streams of one log group",
    ("ModelRole", "${JobsEndpointLogs.Arn}:*", "logs:PutLogEvents"): "streams of one log group",
    ("RolloutHookRole", "${Function.Arn}:*", "lambda:InvokeFunction"): "versions of one function",
    ("RolloutHookRole", "${RolloutHookLogs.Arn}:*", "logs:CreateLogStream"): "streams of one log group",
    ("RolloutHookRole", "${RolloutHookLogs.Arn}:*", "logs:PutLogEvents"): "streams of one log group",
    **{
        ("FunctionRole", "*", f"ec2:{action}"): "Lambda asks for it on any resource; the function's code is denied it"
        for action in (
            "AssignPrivateIpAddresses",
            "CreateNetworkInterface",
            "DeleteNetworkInterface",
            "DescribeNetworkInterfaces",
            "DescribeSubnets",
            "UnassignPrivateIpAddresses",
        )
    },
    **{
        ("ModelRole", "*", f"ec2:{action}"): "SageMaker joins the instances to a VPC, and asks for it on any resource"
        for action in (
            "CreateNetworkInterface",
            "CreateNetworkInterfacePermission",
            "DeleteNetworkInterface",
            "DeleteNetworkInterfacePermission",
            "DescribeDhcpOptions",
            "DescribeNetworkInterfaces",
            "DescribeSecurityGroups",
            "DescribeSubnets",
            "DescribeVpcs",
        )
    },
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


@pytest.fixture(scope="module", params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def template(mode: str) -> Json:
    return modes.decide(MODES[mode])


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
        assert statement["Effect"] in ("Allow", "Deny")
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
        assert len(listed(statement["Principal"]["Service"])) == 1, name
        managed = map(text_of, role["Properties"].get("ManagedPolicyArns", []))
        assert {arn.split(":policy/")[1] for arn in managed} <= MANAGED, name


def test_the_function_may_invoke_one_endpoint(mode: str, template: Json) -> None:
    [resource] = [
        statement["Resource"]
        for role, statement in statements(template)
        if "sagemaker:InvokeEndpoint" in listed(statement["Action"])
    ]

    made = {"Ref": "Endpoint"}
    named = "arn:aws:sagemaker:us-east-1:000000000000:endpoint/"
    # The ARN has the name in lower case, whatever the endpoint is called.
    expected = {"existing": f"{named}iris", "private": f"{named}iris-prod"}
    resolved = Evaluator(read_template(), MODES[mode]).resolve(resource)
    assert (resolved if mode in expected else resource) == expected.get(mode, made)


def test_an_endpoints_arn_has_its_name_in_lower_case() -> None:
    """SageMaker lower-cases it, and IAM compares case by case."""
    name = "ABCDEFGHIJKLMNOPQRSTUVWXYZ-abcxyz-0123456789"
    role = read_template()["Resources"]["FunctionRole"]
    found = json.dumps(Evaluator(read_template(), {"EndpointName": name}).resolve(role))

    assert f":endpoint/{name.lower()}" in found
    assert f":endpoint/{name}" not in found
