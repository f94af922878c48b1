"""What API Gateway answers by itself, as problem details: `make openapi` writes it into template.yaml.

It is kept beside the function's own errors, because a caller must not have to know which of the two refused. A test
fails when the template and this module say different things.
"""

import json
import sys
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from invoker.errors import INTERNAL, title
from invoker.service import EXPOSED_HEADERS

BEGIN = "# from `make openapi`: begin"
END = "# from `make openapi`: end"
PROBLEM = "application/problem+json"

# Every type there is, so that each has its status in its body; a new type has the two defaults.
# https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
RESPONSES: dict[str, tuple[int, str] | tuple[int, str, int]] = {
    "ACCESS_DENIED": (403, "Access is denied."),
    "API_CONFIGURATION_ERROR": (500, INTERNAL),
    "AUTHORIZER_CONFIGURATION_ERROR": (500, INTERNAL),
    "AUTHORIZER_FAILURE": (500, INTERNAL),
    "BAD_REQUEST_BODY": (400, "The body cannot be read."),
    "BAD_REQUEST_PARAMETERS": (400, "A parameter of the request is missing or wrong."),
    "EXPIRED_TOKEN": (403, "The credentials have expired."),
    "INTEGRATION_FAILURE": (502, "The service did not answer. Try again later."),
    "INTEGRATION_TIMEOUT": (504, "The service did not answer in time. Send fewer rows, or try again later."),
    "INVALID_API_KEY": (403, "Send a valid API key in the header x-api-key."),
    "INVALID_SIGNATURE": (403, "The request's signature is wrong."),
    "MISSING_AUTHENTICATION_TOKEN": (404, "There is nothing at this path, or not with this method."),
    "QUOTA_EXCEEDED": (429, "The API key's requests of today are used up.", 3600),
    "REQUEST_TOO_LARGE": (
        413,
        "The body is larger than Lambda takes: 6 MB of text, about 4.5 MB of binary data. Send fewer rows.",
    ),
    "RESOURCE_NOT_FOUND": (404, "There is nothing at this path."),
    "THROTTLED": (429, "Too many requests. Try again in a moment.", 1),
    "UNAUTHORIZED": (401, "Send valid credentials."),
    # The API passes every media type on: what is left for this answer is a body that cannot be decompressed.
    "UNSUPPORTED_MEDIA_TYPE": (
        415,
        "Content-Encoding: expected gzip, deflate or identity, and a body that is compressed so.",
    ),
    "WAF_FILTERED": (403, "The request was refused."),
}
UNSIGNED = "MISSING_AUTHENTICATION_TOKEN"


@dataclass(frozen=True, slots=True)
class WithCors:
    """A value that is there only where the stack has CorsOrigin; a `${}` in it is filled in by CloudFormation."""

    text: str


@dataclass(frozen=True, slots=True)
class WithIam:
    """One of two values, by Auth=iam."""

    when_true: Any
    when_false: Any


class _Dumper(yaml.SafeDumper):
    """YAML with CloudFormation's short forms, and no aliases, which CloudFormation does not take."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  # PyYAML's own name
        return True


def _with_cors(dumper: _Dumper, value: WithCors) -> yaml.Node:
    name = "!Sub" if "${" in value.text else "tag:yaml.org,2002:str"
    text = dumper.represent_scalar(name, f"'{value.text}'", style='"')
    nothing = dumper.represent_scalar("!Ref", "AWS::NoValue")
    return yaml.SequenceNode("!If", [dumper.represent_str("HasCors"), text, nothing], flow_style=True)


def _with_iam(dumper: _Dumper, value: WithIam) -> yaml.Node:
    return dumper.represent_sequence("!If", ["UsesIam", value.when_true, value.when_false])


_Dumper.add_representer(WithCors, _with_cors)
_Dumper.add_representer(WithIam, _with_iam)


def responses() -> dict[str, Any]:
    """Return the gateway response of each type."""
    made: dict[str, Any] = {name: _refused(*each) for name, each in RESPONSES.items()}
    # For a path that is not there; with signatures asked for also for a request without one.
    unsigned = _refused(403, "Sign the request (AWS Signature Version 4), and check its path and method.")
    made[UNSIGNED] = WithIam(unsigned, made[UNSIGNED])
    return {
        **made,
        "DEFAULT_4XX": _response({"detail": "The request was refused."}),
        "DEFAULT_5XX": _response({"detail": INTERNAL}),
    }


def _refused(status: int, detail: str, retry_after: int | None = None) -> dict[str, Any]:
    headers = {} if retry_after is None else {"Retry-After": f"'{retry_after}'"}
    document = {"title": title(status), "status": status, "detail": detail}
    return {"statusCode": status, **_response(document, headers)}


def _response(document: dict[str, Any], headers: Mapping[str, Any] = MappingProxyType({})) -> dict[str, Any]:
    every = {
        "Content-Type": f"'{PROBLEM}'",
        # No quotes: a value that API Gateway looks up.
        "X-Request-Id": "context.requestId",
        "Access-Control-Allow-Origin": WithCors("${CorsOrigin}"),
        "Access-Control-Expose-Headers": WithCors(EXPOSED_HEADERS),
    }
    body = {"type": "about:blank", **document, "request_id": "$context.requestId"}
    return {
        "responseParameters": {f"gatewayresponse.header.{name}": value for name, value in {**every, **headers}.items()},
        "responseTemplates": {"application/json": json.dumps(body)},
    }


def replaced(template: str) -> str:
    """Return `template` with the block between the two marks written again."""
    before, rest = template.split(BEGIN)
    _, after = rest.split(END)
    indent = before[before.rfind("\n") + 1 :]
    block = yaml.dump(
        {"x-amazon-apigateway-gateway-responses": responses()}, Dumper=_Dumper, sort_keys=False, width=1000
    )
    return f"{before}{BEGIN}\n{textwrap.indent(block, indent)}{indent}{END}{after}"


def main(template: Path) -> None:
    template.write_text(replaced(template.read_text()))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
