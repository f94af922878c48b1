"""What the OpenAPI document says, the function does."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from invoker import model_schema, openapi
from invoker.model_schema import ModelSchema
from tests import events
from tests.invoker.conftest import IRIS, Invoker, Make, event

URL = "https://api.example.com/prod"
MIXED = {
    "title": "credit",
    "type": "object",
    "properties": {
        "age": {"type": "number", "examples": [35]},
        "plan": {"type": ["string", "null"], "enum": ["basic", "pro", None]},
        "code": {"type": "string", "x-guessed": ["type"]},
    },
    "required": ["age", "plan", "code"],
    "additionalProperties": False,
    "x-kind": "table",
    "x-methods": ["predict"],
    "x-output": {"type": "number"},
    "x-model": "sha256:0",
}


def iris() -> ModelSchema:
    found = model_schema.read(IRIS)
    assert found is not None
    return found


def read(folder: Path, document: dict[str, Any]) -> ModelSchema:
    file = folder / "schema.json"
    file.write_text(json.dumps(document))
    found = model_schema.read(file)
    assert found is not None
    return found


DOCUMENT = openapi.document(iris(), url=URL, auth="api_key")


def validator(name: str, document: dict[str, Any] = DOCUMENT) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": document["components"]})


OTHERS = {"docs-disabled", "predict-csv", *events.REFUSED_BY_THE_CONTAINER}


@pytest.mark.parametrize("name", [name for name in events.EXPECTED if name not in OTHERS])
def test_answers_are_what_the_document_says(invoke: Invoker, name: str) -> None:
    answer = invoke(events.load(name))

    schema = "Problem" if answer.status != 200 else "Health" if name == "health" else "PredictResponse"
    validator(schema).validate(answer.json)


def test_the_documents_example_is_taken(invoke: Invoker) -> None:
    example = DOCUMENT["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]["example"]

    validator("PredictRequest").validate(example)
    assert invoke(event(json.dumps(example))).status == 200


def test_each_status_of_the_document_has_its_problem(make: Make) -> None:
    listed = set(DOCUMENT["paths"]["/predict"]["post"]["responses"])

    assert {str(status) for status in events.EXPECTED.values()} - {"404", "405"} <= listed
    assert make()(events.load("docs-disabled")).status == 404


def test_a_record_has_the_models_features(tmp_path: Path) -> None:
    document = openapi.document(read(tmp_path, MIXED), url=URL, auth="iam")

    assert document["components"]["schemas"]["Record"] == {
        "title": "credit",
        "type": "object",
        "properties": {
            # A client that made a float of 32 bits would lose digits in silence.
            "age": {"type": "number", "examples": [35], "format": "double"},
            "plan": {"type": ["string", "null"], "enum": ["basic", "pro", None]},
            # What is only guessed is not promised.
            "code": {},
        },
        "required": ["age", "plan", "code"],
        "additionalProperties": False,
    }
    assert document["components"]["schemas"]["PredictResponse"]["properties"]["predictions"]["items"] == {
        "type": "number"
    }


def test_the_schema_has_the_media_type_that_it_is_served_with(invoke: Invoker) -> None:
    [documented] = DOCUMENT["paths"]["/schema"]["get"]["responses"]["200"]["content"]

    assert invoke(event(None, httpMethod="GET", resource="/schema")).headers["Content-Type"] == documented


def test_no_property_has_a_default() -> None:
    """Generators take a property with a default for one that is always there."""
    assert '"default"' not in json.dumps(DOCUMENT)


def test_a_model_without_names_has_rows_of_its_width(tmp_path: Path) -> None:
    cell = {"type": "number", "examples": [1.5]}
    schema = read(tmp_path, {"type": "array", "prefixItems": [cell, cell], "x-kind": "table"})

    document = openapi.document(schema, url=URL, auth="none")

    assert document["components"]["schemas"]["PredictRequest"]["properties"]["data"]["items"] == {
        "type": "array",
        "minItems": 2,
        "maxItems": 2,
        "items": {"type": "number", "format": "double"},
    }


@pytest.mark.parametrize(
    ("auth", "scheme"),
    [
        ("api_key", {"type": "apiKey", "name": "x-api-key", "in": "header"}),
        ("jwt", {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}),
        ("none", None),
    ],
)
def test_the_document_asks_for_what_the_api_asks_for(auth: str, scheme: dict[str, str] | None) -> None:
    document = openapi.document(iris(), url=URL, auth=auth)

    assert document["security"] == ([{auth: []}] if scheme else [])
    assert document["components"].get("securitySchemes") == ({auth: scheme} if scheme else None)
    assert document["paths"]["/health"]["get"]["security"] == []


def test_other_kinds_of_models(tmp_path: Path) -> None:
    body = {"type": "object", "properties": {"text": {"type": "string"}}, "x-kind": "json"}
    document = openapi.document(read(tmp_path, body), url=URL, auth="none")
    assert document["components"]["schemas"]["PredictRequest"] == {
        "type": "object",
        "properties": {"text": {"type": "string"}},
    }

    picture = read(tmp_path, {"x-kind": "binary", "x-media-types": ["image/png"]})
    content = openapi.document(picture, url=URL, auth="none")["paths"]["/predict"]["post"]["requestBody"]["content"]
    assert set(content) == {"image/png", "multipart/form-data"}


def test_without_a_schema_there_is_a_document_too() -> None:
    document = openapi.document(None, url=URL, auth="none")

    assert set(document["paths"]) == {"/predict", "/health"}
    validator("PredictRequest", document).validate({"data": [[1, "a", None, True]], "method": "predict"})
