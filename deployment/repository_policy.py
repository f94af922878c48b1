"""What a repository's policy lets another account do, as IAM judges it.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
"""

import re
from collections.abc import Mapping
from enum import Enum
from fnmatch import fnmatchcase
from typing import Any

# https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-pull.html
PULL = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
Statement = Mapping[str, Any]


class Judgement(Enum):
    """Whether an action is allowed; DEPENDS where a condition decides that is known to AWS only."""

    ALLOWED = "allowed"
    DEPENDS = "depends"
    DENIED = "denied"


def judge(policy: Mapping[str, Any], account: str) -> dict[str, Judgement]:
    """Judge each action of pulling for a role of `account` that does not exist yet."""
    statements = policy.get("Statement", [])
    listed: list[Statement] = [statements] if isinstance(statements, dict) else list(statements)
    return {action: _judge(action, listed, account) for action in PULL}


def _judge(action: str, statements: list[Statement], account: str) -> Judgement:
    concerned = [item for item in statements if _names_action(item, action) and _names_account(item, account)]
    denying = [item for item in concerned if item.get("Effect") == "Deny"]
    if any(not item.get("Condition") for item in denying):
        return Judgement.DENIED
    allowing = [item for item in concerned if item.get("Effect") == "Allow"]
    if not allowing:
        return Judgement.DENIED
    if denying or all(item.get("Condition") for item in allowing):
        return Judgement.DEPENDS
    return Judgement.ALLOWED


def _names_action(statement: Statement, action: str) -> bool:
    """Actions are compared without regard to case; a star stands for any letters, a question mark for one."""
    if "NotAction" in statement:
        return not _matches(statement["NotAction"], action)
    return _matches(statement.get("Action", []), action)


def _matches(patterns: str | list[str], action: str) -> bool:
    listed = [patterns] if isinstance(patterns, str) else patterns
    # In IAM a bracket is a letter as any other.
    return any(fnmatchcase(action.lower(), pattern.lower().replace("[", "[[]")) for pattern in listed)


def _names_account(statement: Statement, account: str) -> bool:
    """Whether a statement is about the account as a whole.

    A single role or user of it is not the role that the stack makes. A denial of a whole account, or of everybody, is.
    """
    if "NotPrincipal" in statement:
        return not _whole_account(statement["NotPrincipal"], account)
    return _whole_account(statement.get("Principal", {}), account)


def _whole_account(principal: Any, account: str) -> bool:
    if principal == "*":
        return True
    named = principal.get("AWS", []) if isinstance(principal, dict) else []
    listed = [named] if isinstance(named, str) else named
    whole = re.compile(rf"\*|{account}|arn:aws[a-z-]*:iam::{account}:root")
    return any(whole.fullmatch(name) for name in listed)
