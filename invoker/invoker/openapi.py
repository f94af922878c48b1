"""The API's OpenAPI 3.1 document, made from the model's schema and the URL that it was asked at.

Each body has one form here, the one that clients made by generators write best; tests make such clients. Other forms
that are taken stand in the description.
"""

from collections.abc import Mapping
from typing import Any

from invoker import __version__, media_types
from invoker.errors import title
from invoker.jobs import openapi as of_jobs
from invoker.model_schema import ModelSchema

JSON = media_types.JSON
PROBLEM = "application/problem+json"
SCHEMA_JSON = "application/schema+json"
METHODS = ("predict", "predict_proba", "decision_function", "transform")
REFUSALS = {
    400: "The body is not what the model takes; `errors` has the places.",
    403: "The credential is missing or wrong.",
    406: "The answer cannot be written in a media type of `Accept`.",
    413: "The body is too large.",
    415: "The body's media type or compression cannot be read.",
    429: "Too many requests; `Retry-After` says when to try again.",
    500: "The fault is the service's own.",
    502: "The model failed, or its answer is too large.",
    503: "The model is starting or busy; `Retry-After` says when to try again.",
    504: "The model did not answer in time.",
}
SECURITY: Mapping[str, dict[str, str]] = {
    "api_key": {"type": "apiKey", "name": "x-api-key", "in": "header"},
    "iam": {"type": "apiKey", "name": "Authorization", "in": "header", "description": "AWS Signature Version 4"},
    "cognito": {"type": "http", "scheme": "bearer"},
    "jwt": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
}
FORMS = (
    "Taken as well: rows, records, one row or one record without `data`; pandas' `split`; CSV as `text/csv`; "
    "JSON Lines as `application/jsonlines`."
)


def document(schema: ModelSchema | None, *, url: str, auth: str, jobs: bool = False) -> dict[str, Any]:
    """Return the document for callers at `url`; with `jobs` for an API that has them."""
    schemes = {auth: SECURITY[auth]} if auth in SECURITY else {}
    paths: dict[str, Any] = {
        "/predict": {"post": _predict(schema)},
        "/health": {"get": _get("health", "Say what is deployed", _ref("Health"))},
    }
    if schema is not None:
        paths["/schema"] = {
            "get": _get("schema", "Say what the model takes, as JSON Schema", {"type": "object"}, SCHEMA_JSON)
        }
    if jobs:
        paths |= of_jobs.paths(paths["/predict"]["post"])
    paths["/health"]["get"]["security"] = []
    if schemes and "/schema" in paths:
        paths["/schema"]["get"]["responses"]["403"] = _refusal(403, REFUSALS[403])
    return {
        "openapi": "3.1.0",
        "info": {
            "title": _title(schema),
            "version": __version__,
            "description": "Errors are problem details (RFC 9457).",
        },
        "servers": [{"url": url}],
        "security": [{name: []} for name in schemes],
        "paths": paths,
        "components": {
            **({"securitySchemes": schemes} if schemes else {}),
            "schemas": {
                **_bodies(schema),
                **(of_jobs.schemas() if jobs else {}),
                "Health": _HEALTH,
                "Problem": _PROBLEM,
            },
        },
    }


def _title(schema: ModelSchema | None) -> str:
    return str((schema.document.get("title") if schema else "") or "Predictions of a SageMaker endpoint")


def _bodies(schema: ModelSchema | None) -> dict[str, Any]:
    """Return the schemas of what is sent to the model and of what comes back."""
    output = schema.document.get("x-output", {}) if schema else {}
    if schema is None or (schema.kind == "table" and not schema.features):
        return {"PredictRequest": _request(_ANY_ROW, METHODS), "PredictResponse": _predictions({})}
    if schema.kind == "json":
        return {"PredictRequest": _public(schema.document), "PredictResponse": output}
    if schema.kind == "binary":
        return {"PredictResponse": output}
    # Another method than the first has another output.
    item = output if len(schema.methods) == 1 else {}
    row = {"Record": _record(schema)} if schema.named else {}
    request = _request(_ref("Record") if schema.named else _row(schema), schema.methods)
    return {**row, "PredictRequest": request, "PredictResponse": _predictions(item)}


def _request(row: Mapping[str, Any], methods: Any) -> dict[str, Any]:
    # No default: generators take a property with one for always there.
    method = {
        "type": ["string", "null"],
        "enum": [*methods, None],
        "description": "The model's method to call; the first without.",
    }
    properties = {
        "data": {"type": "array", "minItems": 1, "items": dict(row), "description": "One prediction each."},
        **({"method": method} if methods else {}),
    }
    return {"type": "object", "required": ["data"], "additionalProperties": False, "properties": properties}


def _record(schema: ModelSchema) -> dict[str, Any]:
    properties = {name: _cell(item) for name, item in schema.document["properties"].items()}
    return {**_public(schema.document), "properties": properties}


def _row(schema: ModelSchema) -> dict[str, Any]:
    cells = [_cell(item) for item in schema.document["prefixItems"]]
    # The same for all is a plain list to generators; tuples are strange to most of them.
    plain = [{name: value for name, value in cell.items() if name in ("type", "format")} for cell in cells]
    bounds = {"type": "array", "minItems": len(cells), "maxItems": len(cells)}
    return (
        {**bounds, "items": plain[0]} if all(cell == plain[0] for cell in plain) else {**bounds, "prefixItems": cells}
    )


def _cell(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return a feature without what is only guessed; numbers are doubles, which clients would round otherwise."""
    guessed = item.get("x-guessed", ())
    cell = {name: value for name, value in item.items() if name not in guessed and name != "x-guessed"}
    listed = cell.get("type", ())
    kinds = [listed] if isinstance(listed, str) else list(listed)
    if "number" in kinds and "string" not in kinds:
        # true and false are taken as well, but clients that are made of a union of types are clumsy.
        plain = [kind for kind in kinds if kind != "boolean"]
        cell |= {"type": plain[0] if len(plain) == 1 else plain, "format": cell.get("format", "double")}
    return {name: value for name, value in cell.items() if not name.startswith("x-")}


def _public(document: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what says nothing to a client."""
    return {name: value for name, value in document.items() if name != "$schema" and not name.startswith("x-")}


def _predict(schema: ModelSchema | None) -> dict[str, Any]:
    kind = schema.kind if schema else "table"
    tables = kind == "table"
    answers = {JSON: {"schema": _ref("PredictResponse")}} if tables else {"*/*": {"schema": _ref("PredictResponse")}}
    return {
        "operationId": "predict",
        "summary": "Predict",
        **({"description": FORMS} if tables else {}),
        "requestBody": {"required": True, "content": _content(schema, kind)},
        "responses": {
            "200": {"description": "One prediction a row, in order." if tables else "The answer.", "content": answers},
            **{str(status): _refusal(status, text) for status, text in REFUSALS.items()},
        },
    }


def _content(schema: ModelSchema | None, kind: str) -> dict[str, Any]:
    if schema is not None and kind == "binary":
        names = schema.media_types or ["application/octet-stream"]
        file = {"type": "object", "required": ["file"], "properties": {"file": {"type": "string", "format": "binary"}}}
        listed: dict[str, Any] = {name: {"schema": {"type": "string", "format": "binary"}} for name in names}
        return {**listed, media_types.MULTIPART: {"schema": file}}
    unknown = schema is None or (kind == "table" and not schema.features)
    example = {"data": [[1, 2], [3, 4]]} if schema is None or unknown else schema.example()
    return {JSON: {"schema": _ref("PredictRequest"), **({} if example is None else {"example": example})}}


def _get(operation: str, summary: str, schema: Mapping[str, Any], media_type: str = JSON) -> dict[str, Any]:
    answer = {"description": "OK", "content": {media_type: {"schema": dict(schema)}}}
    return {"operationId": operation, "summary": summary, "responses": {"200": answer}}


def _refusal(status: int, text: str) -> dict[str, Any]:
    return {"description": f"{title(status)}. {text}", "content": {PROBLEM: {"schema": _ref("Problem")}}}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(**properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}


def _predictions(item: Mapping[str, Any]) -> dict[str, Any]:
    return _object(predictions={"type": "array", "minItems": 1, "items": dict(item)})


_TEXT = {"type": "string"}
_ANY_ROW = {"type": "array", "minItems": 1, "items": {"type": ["number", "string", "boolean", "null"]}}
_HEALTH = _object(status=_TEXT, version=_TEXT, endpoint=_TEXT, schema=_TEXT)
_PROBLEM = _object(type=_TEXT, title=_TEXT, status={"type": "integer"}, detail=_TEXT)
# The request_id of a fault that this machine's own server finds in the request's framing is not there.
_PROBLEM["properties"]["request_id"] = _TEXT
_PROBLEM["properties"]["errors"] = {
    "type": "array",
    "items": _object(pointer={"type": "string", "description": "RFC 6901: the place in the body."}, detail=_TEXT),
}
