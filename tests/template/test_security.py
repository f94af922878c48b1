"""The template has none of the faults of security.py, and a new resource that had one would be found."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

import pytest

from deployment.parameters import read_template
from sam_template import Evaluator
from tests.template import modes, security
from tests.template.modes import MODES

TEMPLATE = read_template()
Check = Callable[[Mapping[str, Any]], list[str]]


@pytest.mark.parametrize("check", security.CHECKS)
def test_the_template_has_no_such_fault(check: Check) -> None:
    assert check(TEMPLATE) == []


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("check", [security.trusts_any_account, security.open_routes, security.open_resources])
def test_nor_has_what_sam_makes_of_it(mode: str, check: Check) -> None:
    assert check(modes.decide(MODES[mode])) == []


def role(**statement: Any) -> dict[str, Any]:
    """A role with one statement, and a right trust policy."""
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {
            "StringEquals": {"aws:SourceAccount": security.ACCOUNT},
            "ArnLike": {"aws:SourceArn": {"Fn::Sub": "arn:aws:events:${AWS::Region}:${AWS::AccountId}:rule/*"}},
        },
    }
    properties = {
        "Path": {"Ref": "RolePath"},
        "PermissionsBoundary": {"Ref": "PermissionsBoundaryArn"},
        "AssumeRolePolicyDocument": {"Statement": [trust]},
        # Behind a condition that no mode of the tests decides.
        "Policies": [{"Fn::If": ["New", {"PolicyDocument": {"Statement": [{"Effect": "Allow", **statement}]}}, {}]}],
    }
    return {"Type": "AWS::IAM::Role", "Condition": "New", "Properties": properties}


def without(resource: dict[str, Any], operator: str) -> dict[str, Any]:
    changed = deepcopy(resource)
    del changed["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Condition"][operator]
    return changed


def route(path: str, **operation: Any) -> dict[str, Any]:
    return {"Type": "AWS::Serverless::Api", "Properties": {"DefinitionBody": {"paths": {path: {"get": operation}}}}}


QUIET = role(Action="xray:PutTraceSegments", Resource="*")
PLANTED: Mapping[str, tuple[Check, dict[str, Any]]] = {
    "a trust without account": (security.trusts_any_account, without(QUIET, "StringEquals")),
    "a trust without resource": (security.trusts_any_resource, without(QUIET, "ArnLike")),
    "a function without a role": (
        security.roles_of_sam,
        {"Type": "AWS::Serverless::Function", "Properties": {"Handler": "new.handler"}},
    ),
    "a role without path": (
        security.unbounded_roles,
        {**QUIET, "Properties": {name: QUIET["Properties"][name] for name in QUIET["Properties"] if name != "Path"}},
    ),
    "a key for any service": (security.keys_used_for_anything, role(Action=["kms:Decrypt"], Resource="*")),
    "a key in any context": (
        security.keys_used_for_anything,
        role(
            Action="kms:GenerateDataKeyWithoutPlaintext",
            Resource="*",
            Condition={"StringEquals": {"kms:ViaService": "sqs.us-east-1.amazonaws.com"}},
        ),
    ),
    "grants for anybody": (security.grants_for_anybody, role(Action="kms:CreateGrant", Resource="*")),
    "anybody's bucket": (security.buckets_of_anybody, role(Action="s3:PutObject", Resource="arn:aws:s3:::jobs/*")),
    "a log without callers": (
        security.callers_that_no_log_names,
        {"Type": "AWS::ApiGateway::Stage", "Properties": {"AccessLogSetting": {"Format": "$context.requestId"}}},
    ),
    "a route without security": (security.open_routes, route("/jobs")),
    "an open route": (security.open_routes, route("/jobs", security=[])),
    "a route that is open by parameter": (
        security.open_routes,
        route("/jobs", security={"Fn::If": ["UsesKey", [{"api_key": []}], []]}),
    ),
    "a function's URL": (security.open_resources, {"Type": "AWS::Lambda::Url", "Properties": {"AuthType": "NONE"}}),
    "a permission for anything": (
        security.open_resources,
        {"Type": "AWS::Lambda::Permission", "Properties": {"Principal": "s3.amazonaws.com"}},
    ),
    "a bucket for everybody": (
        security.open_resources,
        {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {
                "PolicyDocument": {
                    "Statement": {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "s3:GetObject"}
                }
            },
        },
    ),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_new_resource_with_the_fault_is_found(name: str) -> None:
    check, resource = PLANTED[name]

    found = check({"Resources": {**TEMPLATE["Resources"], "New": resource}})

    assert [one for one in found if one.startswith("New")] != []


def test_a_right_resource_is_not_found() -> None:
    template = {"Resources": {"New": QUIET}}

    assert [check.__name__ for check in security.CHECKS if check(template)] == []


def test_each_reason_is_needed() -> None:
    paths = TEMPLATE["Resources"]["Api"]["Properties"]["DefinitionBody"]["paths"]

    assert {path for path, _ in security.OPEN_ROUTES} <= set(paths)
    assert security.UNNAMED_SOURCE.keys() | security.OPEN_PRINCIPALS.keys() <= set(TEMPLATE["Resources"])


def test_one_address_cannot_take_all_that_the_stage_lets_through() -> None:
    defaults = {name: item.get("Default") for name, item in TEMPLATE["Parameters"].items()}

    assert defaults["WafRequestsPer5Minutes"] < defaults["RateLimit"] * 300


@pytest.mark.parametrize(("clients", "scheme"), [("", "cognito"), ("1example23456789", "jwt")])
def test_cognito_takes_the_app_clients_that_are_named(clients: str, scheme: str) -> None:
    given = {"EndpointName": "iris", "Auth": "cognito", "CognitoUserPoolArn": modes.POOL, "CognitoClientIds": clients}
    evaluator = Evaluator(TEMPLATE, given)
    resources = evaluator.made(TEMPLATE["Resources"])
    api = evaluator.resolve(resources["Api"])["Properties"]["DefinitionBody"]

    assert api["paths"]["/predict"]["post"]["security"] == [{scheme: []}]
    assert set(api["components"]["securitySchemes"]) == {scheme}
    assert ("Authorizer" in resources) == bool(clients)


def test_tokens_of_cognito_are_checked_with_the_keys_of_the_pool() -> None:
    variables = modes.decide(MODES["members"])["Resources"]["Authorizer"]["Properties"]["Environment"]["Variables"]
    found = Evaluator(TEMPLATE, MODES["members"]).resolve(variables)

    issuer = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_AbCdEf"
    assert found == {
        "JWT_ISSUER": issuer,
        "JWT_AUDIENCE": "1example23456789 2example23456789",
        "JWT_KEYS_URL": f"{issuer}/.well-known/jwks.json",
    }


def test_a_private_api_is_called_from_its_vpc_endpoints_only() -> None:
    """With signatures nothing is allowed here: an Allow would do for any identity of the account."""
    endpoints = ["vpce-0123456789abcdef0", "vpce-0123456789abcdef1"]
    given = {"EndpointName": "iris", "PrivateVpcEndpointIds": ",".join(endpoints)}

    def policy(auth: str) -> list[tuple[str, Any]]:
        evaluator = Evaluator(TEMPLATE, {**given, "Auth": auth})
        api = evaluator.resolve(TEMPLATE["Resources"]["Api"])["Properties"]
        assert api["EndpointConfiguration"] == {"Type": "PRIVATE", "VPCEndpointIds": endpoints}
        stated = api["DefinitionBody"]["x-amazon-apigateway-policy"]["Statement"]
        return [(statement["Effect"], statement["Condition"]) for statement in stated]

    refused = ("Deny", {"StringNotEquals": {"aws:SourceVpce": endpoints}})
    assert policy("iam") == [refused]
    assert policy("api_key") == [refused, ("Allow", {"StringEquals": {"aws:SourceVpce": endpoints}})]
