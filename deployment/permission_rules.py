"""Whether whoever deploys may do what CloudFormation will do in their name, as IAM judges it."""

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from deployment import permissions
from deployment.findings import Finding, error, passed, skipped
from deployment.session import Session
from deployment.target import Target

SUBJECT = "permissions"
# IAM takes so many actions at once.
AT_ONCE = 50


def check(session: Session, _target: Target, parameters: Mapping[str, str]) -> Iterator[Finding]:
    """Ask IAM about every action that the chosen parameters lead to."""
    identity = session.client("sts").get_caller_identity()["Arn"]
    if identity.endswith(":root"):
        yield passed(SUBJECT, "the account's root may do everything")
        return
    iam = session.client("iam")
    try:
        source = policy_source(iam, identity)
    except ClientError as reason:
        yield skipped(SUBJECT, f"not asked: {reason}", "allow iam:GetRole on the role, whose path is needed to ask")
        return
    actions = permissions.making(parameters)
    denied = _denied(iam, source, actions)
    if denied:
        advice = "have them allowed, or deploy as another role; `model-api preflight --policy` prints a policy"
        yield error(SUBJECT, f"{identity} may not {', '.join(denied)}", advice)
    else:
        yield passed(SUBJECT, f"{len(actions)} actions of a deployment are allowed")


def policy_source(iam: Any, identity: str) -> str:
    """Return the user or role whose policies count: an assumed role's session has none of its own.

    A session's ARN leaves out the role's path, which roles of IAM Identity Center (SSO) have.
    """
    _, _, rest = identity.partition(":assumed-role/")
    if not rest:
        return identity
    return str(iam.get_role(RoleName=rest.split("/")[0])["Role"]["Arn"])


def _denied(iam: Any, source: str, actions: list[str]) -> list[str]:
    pages = iam.get_paginator("simulate_principal_policy")
    judged = [
        result
        for start in range(0, len(actions), AT_ONCE)
        for page in pages.paginate(PolicySourceArn=source, ActionNames=actions[start : start + AT_ONCE])
        for result in page["EvaluationResults"]
    ]
    return sorted(result["EvalActionName"] for result in judged if result["EvalDecision"] != "allowed")
