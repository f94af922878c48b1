"""The Lambda authorizer of Auth=jwt: API Gateway -> bearer token -> tokens.Verifier -> a policy for this one method.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html
"""

import json
import os
from datetime import UTC, datetime
from typing import Any

from jwt import PyJWKClient

from authorizer import settings
from authorizer.tokens import RefusedError, Verifier

KEYS_SECONDS = 3
# What API Gateway turns into a 401; any other exception is a 500.
UNAUTHORIZED = "Unauthorized"

SETTINGS = settings.read(os.environ)
VERIFIER = Verifier(SETTINGS, PyJWKClient(SETTINGS.keys_url, timeout=KEYS_SECONDS))


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Allow the method that was asked for to who has a good token."""
    try:
        subject = VERIFIER.subject(event["authorizationToken"])
    except RefusedError as error:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = {"level": "INFO", "timestamp": now, "message": "refused", "reason": str(error)}
        print(json.dumps(line))  # noqa: T201  # the log
        raise Exception(UNAUTHORIZED) from None  # noqa: TRY002  # the text decides, see the page above
    statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": event["methodArn"]}
    return {"principalId": subject, "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
