"""GET /openapi.json and GET /docs: there when enabled, and then without a way to any other file."""

import json

import pytest

from invoker.documents import ASSETS, FOLDER
from tests.invoker.conftest import Make, event


def test_document_is_the_one_that_was_built(make: Make) -> None:
    answer = make(DOCS_ENABLED="true")(event(None, httpMethod="GET", resource="/openapi.json"))

    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json == json.loads((FOLDER / "openapi.json").read_text())


def test_page_may_run_and_call_only_what_is_its_own(make: Make) -> None:
    answer = make(DOCS_ENABLED="true")(event(None, httpMethod="GET", resource="/docs"))

    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html")
    assert "http" not in answer.body
    assert answer.headers["Content-Security-Policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


@pytest.mark.parametrize("name", ASSETS)
def test_parts_of_the_page(make: Make, name: str) -> None:
    given = event(None, httpMethod="GET", resource="/docs/{asset}", pathParameters={"asset": name})

    answer = make(DOCS_ENABLED="true")(given)

    assert (answer.status, answer.headers["Content-Type"]) == (200, ASSETS[name])
    assert answer.body == (FOLDER / "docs" / name).read_text()


@pytest.mark.parametrize("name", ["../openapi.json", "LICENSE", "/etc/passwd", "", "page.js/", "..%2fopenapi.json"])
def test_no_other_file(make: Make, name: str) -> None:
    given = event(None, httpMethod="GET", resource="/docs/{asset}", pathParameters={"asset": name})

    assert make(DOCS_ENABLED="true")(given).status == 404


@pytest.mark.parametrize("resource", ["/openapi.json", "/docs", "/docs/{asset}"])
def test_off_by_default(make: Make, resource: str) -> None:
    given = event(None, httpMethod="GET", resource=resource, pathParameters={"asset": "page.js"})

    assert make()(given).status == 404
