"""The API's OpenAPI document, made from the schema by `make openapi`; the function reads the file it wrote.

document()   OpenAPI 3.1, for people and clients: static/openapi.json
gateway()    the coarse part that API Gateway's validator takes (JSON schema draft 4): a block of template.yaml

A test fails when the files and this module say different things.
"""

import json
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from invoker import __version__
from invoker.documents import FOLDER
from invoker.errors import INTERNAL, title
from invoker.schema import PredictRequest

BEGIN = "# from `make openapi`: begin"
END = "# from `make openapi`: end"
JSON = "application/json"
PROBLEM = "application/problem+json"

REFUSALS = {
    400: "The body is not JSON, or not what the schema or the model takes; `errors` has the places.",
    403: "The API key is missing or wrong.",
    413: "The body is too large.",
    415: "The Content-Type is not application/json.",
    429: "Too many requests; `Retry-After` says when to try again.",
    500: "The fault is the service's own.",
    502: "The model failed, or its answer is too large.",
    503: "The model is starting or busy; `Retry-After` says when to try again.",
    504: "The model did not answer in time.",
}

BAD_BODY = (
    "Expected valid JSON (double quotes, `null` instead of NaN): an object with a non-empty list of rows in `data`."
)
# Every type there is, so that each has its status in its body; what is new one day falls to the two defaults.
# https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
GATEWAY: dict[str, tuple[int, str] | tuple[int, str, int]] = {
    "ACCESS_DENIED": (403, "Access is denied."),
    "API_CONFIGURATION_ERROR": (500, INTERNAL),
    "AUTHORIZER_CONFIGURATION_ERROR": (500, INTERNAL),
    "AUTHORIZER_FAILURE": (500, INTERNAL),
    "BAD_REQUEST_BODY": (400, BAD_BODY),
    "BAD_REQUEST_PARAMETERS": (400, "A parameter of the request is missing or wrong."),
    "EXPIRED_TOKEN": (403, "The credentials have expired."),
    "INTEGRATION_FAILURE": (502, "The service did not answer. Try again later."),
    "INTEGRATION_TIMEOUT": (504, "The service did not answer in time. Send fewer rows, or try again later."),
    "INVALID_API_KEY": (403, "Send a valid API key in the header x-api-key."),
    "INVALID_SIGNATURE": (403, "The request's signature is wrong."),
    "MISSING_AUTHENTICATION_TOKEN": (404, "There is nothing at this path, or not with this method."),
    "QUOTA_EXCEEDED": (429, "The API key's requests of today are used up.", 3600),
    "REQUEST_TOO_LARGE": (413, "The body is larger than API Gateway and Lambda take. Send fewer rows."),
    "RESOURCE_NOT_FOUND": (404, "There is nothing at this path."),
    "THROTTLED": (429, "Too many requests. Try again in a moment.", 1),
    "UNAUTHORIZED": (401, "Send valid credentials."),
    "UNSUPPORTED_MEDIA_TYPE": (415, "Expected Content-Type application/json."),
    "WAF_FILTERED": (403, "The request was refused."),
}
UNSIGNED = "MISSING_AUTHENTICATION_TOKEN"


def document() -> dict[str, Any]:
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Predictions of a SageMaker endpoint",
            "version": __version__,
            "description": "Send rows, get one prediction a row. Errors are problem details (RFC 9457).",
        },
        # Relative to this document, so that it holds behind any stage and domain.
        "servers": [{"url": "."}],
        "security": [{"api_key": []}],
        "paths": {"/predict": {"post": _predict()}, "/health": {"get": _health()}},
        "components": {
            "securitySchemes": {"api_key": {"type": "apiKey", "name": "x-api-key", "in": "header"}},
            "schemas": {
                "PredictRequest": PredictRequest.model_json_schema(),
                "PredictResponse": _PREDICTIONS,
                "Health": _HEALTH,
                "Problem": _PROBLEM,
            },
        },
    }


def gateway() -> dict[str, Any]:
    """Return what API Gateway decides by itself: its coarse validator and its own refusals, as problem details."""
    defaults = {
        "DEFAULT_4XX": _gateway_response({"detail": "The request was refused."}),
        "DEFAULT_5XX": _gateway_response({"detail": INTERNAL}),
    }
    responses = {name: _refused(*each) for name, each in GATEWAY.items()} | defaults
    # A path that is not there, and with signatures asked for also a request without one.
    unsigned = _refused(403, "Sign the request (AWS Signature Version 4), and check its path and method.")
    responses[UNSIGNED] = {"Fn::If": ["UsesIam", unsigned, responses[UNSIGNED]]}
    return {
        "x-amazon-apigateway-gateway-responses": responses,
        # Last, since the template goes on with the security schemes.
        "components": {"schemas": {"PredictRequest": _coarse(PredictRequest.model_json_schema())}},
    }


def _coarse(schema: dict[str, Any]) -> dict[str, Any]:
    """Keep what a gateway can tell without pointers: an object that has its required, non-empty lists."""
    kept = {name: schema["properties"][name] for name in schema["required"]}
    properties = {name: {key: part[key] for key in ("type", "minItems") if key in part} for name, part in kept.items()}
    return {"type": "object", "required": schema["required"], "properties": properties}


def _refused(status: int, detail: str, retry_after: int | None = None) -> dict[str, Any]:
    headers = {} if retry_after is None else {"Retry-After": f"'{retry_after}'"}
    document = {"title": title(status), "status": status, "detail": detail}
    return {"statusCode": status, **_gateway_response(document, headers)}


def _gateway_response(document: dict[str, Any], headers: Mapping[str, Any] = MappingProxyType({})) -> dict[str, Any]:
    every = {
        "Content-Type": f"'{PROBLEM}'",
        "Access-Control-Allow-Origin": {"Fn::If": ["HasCors", {"Fn::Sub": "'${CorsOrigin}'"}, {"Ref": "AWS::NoValue"}]},
    }
    # API Gateway fills in $context.requestId.
    body = {"type": "about:blank", **document, "request_id": "$context.requestId"}
    return {
        "responseParameters": {f"gatewayresponse.header.{name}": value for name, value in {**every, **headers}.items()},
        "responseTemplates": {JSON: json.dumps(body)},
    }


def _predict() -> dict[str, Any]:
    example = {"data": [[1, 2], [3, 4], [3, 3], [10, 1], [7, 8]]}
    content = {JSON: {"schema": _ref("PredictRequest"), "example": example}}
    return {
        "operationId": "predict",
        "summary": "Predict rows",
        "requestBody": {"required": True, "content": content},
        "responses": {
            "200": _success("One element a row, in order.", "PredictResponse"),
            **{str(status): _refusal(status, text) for status, text in REFUSALS.items()},
        },
    }


def _health() -> dict[str, Any]:
    return {
        "operationId": "health",
        "summary": "Say what is deployed",
        "security": [],
        "responses": {"200": _success("It runs.", "Health")},
    }


def _success(text: str, schema: str) -> dict[str, Any]:
    return {"description": text, "content": {JSON: {"schema": _ref(schema)}}}


def _refusal(status: int, text: str) -> dict[str, Any]:
    return {"description": f"{title(status)}. {text}", "content": {PROBLEM: {"schema": _ref("Problem")}}}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(**properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}


_TEXT = {"type": "string"}
_PREDICTIONS = _object(predictions={"type": "array", "minItems": 1, "items": {}})
_HEALTH = _object(status=_TEXT, version=_TEXT, endpoint=_TEXT, schema=_TEXT)
_PROBLEM = _object(type=_TEXT, title=_TEXT, status={"type": "integer"}, detail=_TEXT, request_id=_TEXT)
_PROBLEM["properties"]["errors"] = {
    "type": "array",
    "items": _object(pointer={"type": "string", "description": "RFC 6901: the place in the body."}, detail=_TEXT),
}


def replaced(template: str) -> str:
    """Return `template` with the block between the two marks written again."""
    before, rest = template.split(BEGIN)
    _, after = rest.split(END)
    indent = before[before.rfind("\n") + 1 :]
    block = textwrap.indent(yaml.safe_dump(gateway(), sort_keys=False, width=110), indent)
    return f"{before}{BEGIN}\n{block}{indent}{END}{after}"


def main(template: Path) -> None:
    (FOLDER / "openapi.json").write_text(json.dumps(document(), indent=2) + "\n")
    template.write_text(replaced(template.read_text()))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
