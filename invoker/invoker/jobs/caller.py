"""Who asks: the API key's id, the IAM principal, or the token's issuer and subject."""

import hashlib
from collections.abc import Mapping
from typing import Any

from invoker.errors import INTERNAL, Failure, InvokerError


def caller(context: Mapping[str, Any], auth: str) -> str:
    """Return the caller as 24 hex digits; raise InvokerError where the API knows nobody although it should."""
    identity = _identity(context, auth)
    if not identity:
        # Nobody else's jobs may be shown to one who is not known.
        raise InvokerError(Failure.INTERNAL, INTERNAL) from LookupError(f"no caller in the event, with AUTH={auth}")
    return hashlib.sha256(f"{auth}\n{identity}".encode()).hexdigest()[:24]


def _identity(context: Mapping[str, Any], auth: str) -> str:
    identity = context.get("identity") or {}
    authorizer = context.get("authorizer") or {}
    if auth == "api_key":
        return str(identity.get("apiKeyId") or "")
    if auth == "iam":
        # USER-ID, or ROLE-ID:SESSION: the sessions of a role are one principal.
        return str(identity.get("caller") or identity.get("user") or "").partition(":")[0]
    if auth in ("cognito", "jwt"):
        claims = authorizer.get("claims") or {}
        # The stack's own authorizer takes tokens of one issuer, and says the subject alone.
        issuer, subject = claims.get("iss", ""), claims.get("sub") or authorizer.get("principalId")
        return f"{issuer}\n{subject}" if subject else ""
    return "everybody"
