"""The API's OpenAPI document, made from the schema by `make openapi`; the function reads the file it wrote.

A test fails when the file and this module say different things.
"""

import json
from typing import Any

from invoker import __version__
from invoker.documents import FOLDER
from invoker.errors import title
from invoker.schema import PredictRequest

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


def main() -> None:
    (FOLDER / "openapi.json").write_text(json.dumps(document(), indent=2) + "\n")


if __name__ == "__main__":
    main()
