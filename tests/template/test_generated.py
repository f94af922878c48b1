"""What is written ahead by `make openapi` and `make docs-ui` says what the code says."""

import hashlib
import json
from pathlib import Path
from typing import Any

import yaml

from cli.maintenance import SWAGGER_UI
from invoker import gateway, media_types, model_schema, openapi, service
from invoker.documents import ASSETS, FOLDER
from local.template import read_template

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
SCHEMA = model_schema.read(Path(__file__).parents[1] / "invoker" / "iris.schema.json")
DOCUMENT: dict[str, Any] = openapi.document(SCHEMA, url=".", auth="api_key")


def test_template_has_the_gateways_problems() -> None:
    assert gateway.replaced(TEMPLATE.read_text()) == TEMPLATE.read_text(), "run `make openapi`"


def test_gateway_and_document_have_the_same_open_and_closed_routes() -> None:
    api = read_template(TEMPLATE, {"EndpointName": "iris"}).api
    documented = {
        (name.upper(), path): bool(operation.get("security", DOCUMENT["security"]))
        for path, item in DOCUMENT["paths"].items()
        for name, operation in item.items()
    }

    assert {(method.name, method.resource): method.key_required for method in api.methods} == documented


def test_pages_and_preflight_are_there_only_by_parameter() -> None:
    given = {"EndpointName": "iris", "DocsEnabled": "true", "CorsOrigin": "https://example.com"}
    api = read_template(TEMPLATE, given).api

    assert {(method.name, method.resource) for method in api.methods if not method.key_required} == {
        ("GET", "/"),
        ("GET", "/health"),
        ("GET", "/openapi.json"),
        ("GET", "/docs"),
        ("GET", "/docs/{asset}"),
        ("OPTIONS", "/predict"),
    }


def test_the_function_knows_the_binary_media_types() -> None:
    api = read_template(TEMPLATE, {"EndpointName": "iris"}).api

    assert set(api.binary_types) == set(media_types.BINARY)


def test_gateways_own_answers_are_problems() -> None:
    responses = read_template(TEMPLATE, {"EndpointName": "iris"}).api.gateway_responses

    for kind, response in responses.items():
        document = json.loads(response.body or "")
        assert response.headers["Content-Type"] == "application/problem+json"
        assert document["request_id"] == response.headers["X-Request-Id"] == "$context.requestId"
        assert document.get("status") == response.status
        assert ("Retry-After" in response.headers) == (response.status == 429), kind


def test_gateways_answers_may_be_read_by_the_set_origin() -> None:
    given = {"EndpointName": "iris", "CorsOrigin": "https://example.com"}

    for response in read_template(TEMPLATE, given).api.gateway_responses.values():
        assert response.headers["Access-Control-Allow-Origin"] == "https://example.com"
        assert response.headers["Access-Control-Expose-Headers"] == service.EXPOSED_HEADERS


def test_docs_ui_is_the_pinned_one() -> None:
    [sums] = (FOLDER / "docs").glob("swagger-ui-dist-*.sha256")
    pinned = {name: checksum for checksum, name in (line.split() for line in sums.read_text().splitlines())}

    assert {name: hashlib.sha256((FOLDER / "docs" / name).read_bytes()).hexdigest() for name in pinned} == pinned
    assert set(ASSETS) - set(pinned) == {"model.css", "model.js", "page.js"}
    assert sums.stem.removeprefix("swagger-ui-dist-") == SWAGGER_UI


def test_the_package_is_built_for_the_templates_function() -> None:
    source = TEMPLATE.read_text()
    makefile = (TEMPLATE.parent / "invoker" / "Makefile").read_text()

    assert "Runtime: python3.13" in source
    assert "PYTHON_VERSION ?= 3.13" in makefile
    assert "Architectures: [x86_64]" in source
    assert "PLATFORM ?= x86_64-" in makefile


def test_generated_block_is_plain_yaml() -> None:
    """CloudFormation takes no aliases."""
    block = TEMPLATE.read_text().split(gateway.BEGIN)[1].split(gateway.END)[0]

    assert not any(isinstance(token, yaml.AliasToken) for token in yaml.scan(block))
