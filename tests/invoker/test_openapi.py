"""What the OpenAPI document says, the function does."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from invoker import openapi
from invoker.documents import FOLDER
from tests import events
from tests.invoker.conftest import Invoker, Make, event

DOCUMENT: dict[str, Any] = json.loads((FOLDER / "openapi.json").read_text())


def test_openapi_document_is_that_of_the_schema() -> None:
    assert openapi.document() == DOCUMENT, "run `make openapi`"


def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]})


@pytest.mark.parametrize("name", [name for name, status in events.EXPECTED.items() if name != "docs-disabled"])
def test_answers_are_what_the_document_says(invoke: Invoker, name: str) -> None:
    answer = invoke(events.load(name))

    schema = "Problem" if answer.status != 200 else "Health" if name == "health" else "PredictResponse"
    validator(schema).validate(answer.json)


def test_the_documents_example_is_taken(invoke: Invoker) -> None:
    content = DOCUMENT["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]

    assert invoke(event(json.dumps(content["example"]))).status == 200


def test_each_status_of_the_document_has_its_problem(make: Make) -> None:
    listed = set(DOCUMENT["paths"]["/predict"]["post"]["responses"])

    assert {str(status) for status in events.EXPECTED.values()} - {"404", "405"} <= listed
    assert make()(events.load("docs-disabled")).status == 404
