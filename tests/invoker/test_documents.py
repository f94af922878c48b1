"""GET /openapi.json and GET /docs: there when enabled, and then without a way to any other file."""

import pytest

from invoker.documents import ASSETS, FOLDER
from tests.invoker.conftest import IRIS, NONE, Make, event


def test_the_document_names_where_it_was_asked(make: Make) -> None:
    given = event(
        None,
        httpMethod="GET",
        resource="/openapi.json",
        path="/openapi.json",
        headers={"Host": "abc.execute-api.eu-west-1.amazonaws.com", "X-Forwarded-Proto": "https"},
        requestContext={"requestId": "1", "path": "/prod/openapi.json"},
    )

    answer = make(DOCS_ENABLED="true")(given)

    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json["servers"] == [{"url": "https://abc.execute-api.eu-west-1.amazonaws.com/prod"}]


@pytest.mark.parametrize(
    ("path", "context", "url"),
    [
        ("/openapi.json", "/prod/openapi.json", "https://api.example.com/prod"),
        # A domain of one's own with a base path: both have it, and no stage.
        ("/models/openapi.json", "/models/openapi.json", "https://api.example.com/models"),
        ("/openapi.json", "/openapi.json", "https://api.example.com"),
    ],
)
def test_the_url_has_stage_or_base_path(make: Make, path: str, context: str, url: str) -> None:
    given = event(
        None,
        httpMethod="GET",
        resource="/openapi.json",
        path=path,
        headers={"host": "api.example.com"},
        requestContext={"requestId": "1", "path": context},
    )

    assert make(DOCS_ENABLED="true")(given).json["servers"] == [{"url": url}]


@pytest.mark.parametrize("host", ["a b", "evil.example/x", 'a"b', "", "a@b"])
def test_a_host_that_is_none_is_not_repeated(make: Make, host: str) -> None:
    given = event(None, httpMethod="GET", resource="/openapi.json", path="/openapi.json", headers={"Host": host})

    assert make(DOCS_ENABLED="true")(given).json["servers"] == [{"url": "."}]


def test_the_schema_is_served_as_it_is_packaged(make: Make) -> None:
    answer = make()(event(None, httpMethod="GET", resource="/schema"))

    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/schema+json")
    assert answer.body == IRIS.read_text()


def test_without_a_schema_there_is_none_to_serve(make: Make) -> None:
    assert make(**NONE)(event(None, httpMethod="GET", resource="/schema")).status == 404


def test_page_may_run_and_call_only_what_is_its_own(make: Make) -> None:
    answer = make(DOCS_ENABLED="true")(event(None, httpMethod="GET", resource="/docs"))

    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html")
    assert "http" not in answer.body
    assert answer.headers["Content-Security-Policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src data: blob:; connect-src 'self'; "
        "base-uri 'self'; form-action 'none'; frame-ancestors 'none'"
    )


def test_the_models_page_knows_where_it_is_and_what_is_asked_for(make: Make) -> None:
    given = event(
        None,
        httpMethod="GET",
        resource="/",
        path="/",
        headers={"Host": "api.example.com"},
        requestContext={"requestId": "1", "path": "/prod"},
    )

    answer = make(DOCS_ENABLED="true", AUTH="jwt")(given)

    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html")
    assert '<base href="https://api.example.com/prod/">' in answer.body
    assert '<body data-auth="jwt">' in answer.body


@pytest.mark.parametrize("name", ASSETS)
def test_parts_of_the_page(make: Make, name: str) -> None:
    given = event(None, httpMethod="GET", resource="/docs/{asset}", pathParameters={"asset": name})

    answer = make(DOCS_ENABLED="true")(given)

    folder, kind = ASSETS[name]
    assert (answer.status, answer.headers["Content-Type"]) == (200, kind)
    assert answer.body == (FOLDER / folder / name).read_text()


@pytest.mark.parametrize("name", ["../openapi.json", "LICENSE", "/etc/passwd", "", "page.js/", "..%2fopenapi.json"])
def test_no_other_file(make: Make, name: str) -> None:
    given = event(None, httpMethod="GET", resource="/docs/{asset}", pathParameters={"asset": name})

    assert make(DOCS_ENABLED="true")(given).status == 404


@pytest.mark.parametrize("resource", ["/", "/openapi.json", "/docs", "/docs/{asset}"])
def test_off_by_default(make: Make, resource: str) -> None:
    given = event(None, httpMethod="GET", resource=resource, pathParameters={"asset": "page.js"})

    assert make()(given).status == 404
