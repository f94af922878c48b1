"""What is wrong with a template, by kind of fault: each check walks every resource, whatever condition it is under."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

Template = Mapping[str, Any]
ACCOUNT = {"Ref": "AWS::AccountId"}
# Roles whose service does not always say for which account it acts, and why.
UNNAMED_SOURCE = {
    "ApiGatewayLogRole": "API Gateway leaves aws:SourceAccount out for some of the roles that it assumes",
}
# What is done with data: describing a key or listing grants shows none.
KMS_DATA = re.compile(r"kms:(Decrypt|Encrypt|ReEncrypt\w*|GenerateDataKey\w*|\*)$")
# What a service may do in the account with any object that it has the name of.
S3_DATA = re.compile(r"s3:(?!ListAllMyBuckets|CreateBucket)")
PRINCIPAL_FIELDS = {
    "$context.identity.sourceIp": "the address",
    "$context.identity.apiKeyId": "Auth=api_key",
    "$context.identity.userArn": "Auth=iam",
    "$context.authorizer.principalId": "Auth=jwt",
    "$context.authorizer.claims.sub": "Auth=cognito",
    "$context.authorizer.claims.aud": "Auth=cognito: which app client",
}
# Each way in that asks for no credential, and why.
OPEN_ROUTES = {
    ("/health", "get"): "monitors have no key; it says what is deployed and asks nobody",
    ("/predict", "options"): "a browser sends no credential with a preflight",
    ("/openapi.json", "get"): "DocsEnabled=true only; it shows what the API takes, never data",
    ("/", "get"): "DocsEnabled=true only; a static page that asks with the credential that its user types in",
    ("/docs", "get"): "DocsEnabled=true only; a static page",
    ("/docs/{asset}", "get"): "DocsEnabled=true only; the page's own scripts and styles",
}
OPEN_PRINCIPALS = {
    "Api": "a private API's policy names VPC endpoints; the credential is asked for besides",
}


def nodes(node: Any) -> Iterator[Any]:
    """Yield a value and every value in it."""
    yield node
    if isinstance(node, Mapping):
        for value in node.values():
            yield from nodes(value)
    elif isinstance(node, list):
        for item in node:
            yield from nodes(item)


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def statements(template: Template) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each statement of each policy, wherever it stands, with the logical id of its resource."""
    for name, resource in template["Resources"].items():
        for node in nodes(resource.get("Properties", {})):
            if isinstance(node, Mapping) and "Effect" in node and {"Action", "NotAction"} & node.keys():
                yield name, node


def trusts(template: Template) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Those of the statements that say who may take on a role."""
    for name, statement in statements(template):
        if any(str(action).startswith("sts:") for action in listed(statement["Action"])):
            yield name, statement


def condition(statement: Mapping[str, Any], operator: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = statement.get("Condition", {}).get(operator, {})
    return found


def trusts_any_account(template: Template) -> list[str]:
    """Roles that a service may take on for another account (confused deputy)."""
    return [
        name
        for name, statement in trusts(template)
        if condition(statement, "StringEqualsIfExists" if name in UNNAMED_SOURCE else "StringEquals").get(
            "aws:SourceAccount"
        )
        != ACCOUNT
    ]


def trusts_any_resource(template: Template) -> list[str]:
    """Roles that a service may take on for a resource of any other kind, region or account."""
    expected = ":${AWS::Region}:${AWS::AccountId}:"
    return [
        name
        for name, statement in trusts(template)
        if name not in UNNAMED_SOURCE
        and expected not in str(condition(statement, "ArnLike").get("aws:SourceArn", {}).get("Fn::Sub"))
    ]


def roles_of_sam(template: Template) -> list[str]:
    """Functions for which SAM would make a role of its own, with a trust policy that has no condition."""
    return [
        name
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function" and "Role" not in resource["Properties"]
    ]


def unbounded_roles(template: Template) -> list[str]:
    """Roles that do not follow RolePath and PermissionsBoundaryArn."""
    return [
        name
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::IAM::Role"
        and not (
            "RolePath" in json.dumps(resource["Properties"].get("Path"))
            and "PermissionsBoundaryArn" in json.dumps(resource["Properties"].get("PermissionsBoundary"))
        )
    ]


def keys_used_for_anything(template: Template) -> list[str]:
    """Statements that decrypt or encrypt by any service, or in any encryption context."""
    found = []
    for name, statement in statements(template):
        if not any(KMS_DATA.match(str(action)) for action in listed(statement["Action"])):
            continue
        keys = {key for one in statement.get("Condition", {}).values() for key in one}
        if "kms:ViaService" not in keys or not any(key.startswith("kms:EncryptionContext:") for key in keys):
            found.append(name)
    return found


def grants_for_anybody(template: Template) -> list[str]:
    """Statements that make grants of a key for others than AWS's own services."""
    return [
        name
        for name, statement in statements(template)
        if "kms:CreateGrant" in listed(statement["Action"])
        and condition(statement, "Bool").get("kms:GrantIsForAWSResource") != "true"
    ]


def buckets_of_anybody(template: Template) -> list[str]:
    """Statements about S3 that do not say whose bucket it is."""
    return [
        name
        for name, statement in statements(template)
        if statement["Effect"] == "Allow"
        and any(S3_DATA.match(str(action)) for action in listed(statement["Action"]))
        and "aws:ResourceAccount" not in condition(statement, "StringEquals")
    ]


def callers_that_no_log_names(template: Template) -> list[str]:
    """Stages whose access log leaves out where a request came from, or who sent it."""
    kinds = ("AWS::Serverless::Api", "AWS::ApiGateway::Stage", "AWS::Serverless::HttpApi", "AWS::ApiGatewayV2::Stage")
    return [
        f"{name}: {field} ({why})"
        for name, resource in template["Resources"].items()
        if resource["Type"] in kinds
        for field, why in PRINCIPAL_FIELDS.items()
        if field not in str(resource["Properties"].get("AccessLogSetting", {}).get("Format"))
    ]


def open_routes(template: Template) -> list[str]:
    """Routes that ask for no credential, and that nobody has given a reason for."""
    found = []
    for name, resource in template["Resources"].items():
        body = resource.get("Properties", {}).get("DefinitionBody") or resource.get("Properties", {}).get("Body") or {}
        for path, item in body.get("paths", {}).items():
            operations = [pair for one in _alternatives(item) for pair in one.items()]
            found += [
                f"{name}: {verb} {path}"
                for verb, either in operations
                for operation in _alternatives(either)
                if not _asks(operation) and (path, verb) not in OPEN_ROUTES
            ]
    return found


def _alternatives(node: Any) -> list[Any]:
    """Both sides of each Fn::If, but for what is left out."""
    if isinstance(node, Mapping) and set(node) == {"Fn::If"}:
        return [one for side in node["Fn::If"][1:] for one in _alternatives(side)]
    return [] if node == {"Ref": "AWS::NoValue"} else [node]


def _asks(operation: Mapping[str, Any]) -> bool:
    """Whether each alternative of a route's security asks for something."""
    return all(requirement for requirement in _alternatives(operation.get("security")))


def open_resources(template: Template) -> list[str]:
    """Other ways in: policies for everybody, function URLs, permissions that do not say for what."""
    found = []
    for name, resource in template["Resources"].items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::Lambda::Permission" and not {"SourceArn", "SourceAccount"} & properties.keys():
            found.append(f"{name}: a permission without SourceArn")
        if resource["Type"] == "AWS::Lambda::Url" or "FunctionUrlConfig" in properties:
            found.append(f"{name}: a function URL")
    for name, statement in statements(template):
        everybody = "*" in (listed(statement.get("Principal")) + listed(_aws(statement)))
        if statement["Effect"] == "Allow" and everybody and name not in OPEN_PRINCIPALS:
            found.append(f"{name}: a policy for everybody")
    return found


def _aws(statement: Mapping[str, Any]) -> Any:
    principal = statement.get("Principal")
    return principal.get("AWS") if isinstance(principal, Mapping) else None


CHECKS = (
    trusts_any_account,
    trusts_any_resource,
    roles_of_sam,
    unbounded_roles,
    keys_used_for_anything,
    grants_for_anybody,
    buckets_of_anybody,
    callers_that_no_log_names,
    open_routes,
    open_resources,
)
