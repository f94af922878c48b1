"""What the OpenAPI document says of jobs, the function does."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from invoker import model_schema, openapi
from local.settings import PARAMETERS, TEMPLATE
from local.template import read_template
from tests.invoker.conftest import IRIS, Answer
from tests.invoker.jobs.conftest import NOBODY, ROWS, Desk, failed
from tests.invoker.jobs.happening import WISH

DOCUMENT = openapi.document(model_schema.read(IRIS), url="https://api.example.com", auth="api_key", jobs=True)


def check(answer: Answer, path: str, method: str) -> None:
    """Compare an answer with what the document says of its status."""
    described = DOCUMENT["paths"][path][method]["responses"][str(answer.status)]
    ((content_type, content),) = described["content"].items()
    assert answer.headers["Content-Type"] == content_type
    schema = {**content["schema"], "components": DOCUMENT["components"]}
    Draft202012Validator(schema).validate(answer.json)
    known = DOCUMENT["components"]["schemas"][content["schema"]["$ref"].rpartition("/")[2]]["properties"]
    assert answer.json.keys() <= known.keys()


def test_each_answer_is_described(desk: Desk) -> None:
    accepted = desk("POST", "/jobs", ROWS)
    job_id = accepted.json["id"]
    check(accepted, "/jobs", "post")
    check(desk("POST", "/jobs/uploads", json.dumps(WISH)), "/jobs/uploads", "post")
    check(desk("GET", f"/jobs/{job_id}"), "/jobs/{id}", "get")
    check(desk("GET", f"/jobs/{job_id}/result"), "/jobs/{id}/result", "get")
    desk.parts.notices.take(desk.ends(job_id))
    check(desk("GET", f"/jobs/{job_id}"), "/jobs/{id}", "get")
    check(desk("GET", f"/jobs/{job_id}/result"), "/jobs/{id}/result", "get")
    check(desk("GET", "/jobs", query={"limit": "1"}), "/jobs", "get")
    check(desk("DELETE", f"/jobs/{job_id}"), "/jobs/{id}", "delete")
    check(desk("GET", f"/jobs/{job_id}/result"), "/jobs/{id}/result", "get")
    other = desk.job(desk.submit())
    desk.parts.notices.take(failed(other, "no"))
    check(desk("GET", f"/jobs/{other.id}"), "/jobs/{id}", "get")


@pytest.mark.parametrize(
    ("method", "path", "resource", "more"),
    [
        ("POST", "/jobs", "/jobs", {"body": "no"}),
        ("POST", "/jobs/uploads", "/jobs/uploads", {"body": "{}"}),
        ("GET", "/jobs", "/jobs", {"query": {"limit": "0"}}),
        ("GET", f"/jobs/{NOBODY}", "/jobs/{id}", {}),
        ("DELETE", f"/jobs/{NOBODY}", "/jobs/{id}", {}),
        ("GET", f"/jobs/{NOBODY}/result", "/jobs/{id}/result", {}),
    ],
)
def test_each_refusal_is_described(desk: Desk, method: str, path: str, resource: str, more: dict[str, Any]) -> None:
    check(desk(method, path, **more), resource, method.lower())


def test_the_documents_paths_are_the_templates() -> None:
    methods = read_template(TEMPLATE, PARAMETERS).api.methods
    routes = {(each.resource, each.name.lower()) for each in methods if each.resource.startswith("/jobs")}

    described = {
        (path, method)
        for path, item in DOCUMENT["paths"].items()
        for method in item
        if path.startswith("/jobs") and method != "parameters"
    }
    assert routes == described
