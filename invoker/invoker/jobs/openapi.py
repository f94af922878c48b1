"""The paths of /jobs in the OpenAPI document."""

from collections.abc import Mapping
from typing import Any

from invoker.errors import title

JSON = "application/json"
PROBLEM = "application/problem+json"
REFUSALS = {
    400: "A parameter or the body is not what is taken; `errors` has the places.",
    403: "The credential is missing or wrong.",
    404: "There is no such job, or it is another caller's.",
    409: "The job has not ended; `Retry-After` says when to ask again.",
    410: "The job's files were removed.",
    413: "The body or the file is too large.",
    415: "The media type cannot be read.",
    422: "Another body was sent under this `Idempotency-Key`.",
    429: "The caller has too many open jobs, or has sent too many bytes today; `Retry-After` says when to try again.",
    500: "The fault is the service's own.",
    502: "The model failed, or its answer is too large.",
    503: "Jobs cannot be kept at the moment; `Retry-After` says when to try again.",
    504: "The job did not end in time.",
}
# What may be answered in place of a result: the job's own error too.
ENDS = (400, 404, 409, 410, 413, 415, 429, 502, 504)
KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "The same key and body are the same job for 24 hours.",
    "schema": {"type": "string", "maxLength": 255},
}
ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"}}
ON_ERROR = {
    "type": "string",
    "enum": ["stop", "skip"],
    "description": "What a bad record does: fail the job (without this), or hold its error in its line of the answer.",
}
WISH = {
    "content_type": {"type": "string"},
    "bytes": {"type": "integer", "minimum": 1, "maximum": 1_073_741_824},
    "accept": {"type": "string"},
    "on_error": ON_ERROR,
}


def paths(predict: Mapping[str, Any]) -> dict[str, Any]:
    """Return the paths; `predict` is the operation of POST /predict, whose body a job takes as well."""
    return {
        "/jobs": {"post": _create(predict), "get": _listing()},
        "/jobs/uploads": {"post": _upload()},
        "/jobs/{id}": {
            "parameters": [ID],
            "get": _operation("job", "Say how far a job is", {200: _job("The job")}, 404),
            "delete": _operation("cancelJob", "Cancel a job and remove its files", {200: _job("The job")}, 404),
        },
        "/jobs/{id}/result": {"parameters": [ID], "get": _result(predict)},
    }


def schemas() -> dict[str, Any]:
    """Return what the paths refer to."""
    states = ["uploading", "queued", "running", "succeeded", "failed", "expired", "cancelled"]
    base = {
        "id": {"type": "string"},
        "status": {"type": "string", "enum": states},
        "created": _time("When it was sent"),
        "expires": _time("When it is removed; of an upload, how long its address is good"),
    }
    starting = {"since": _time("Since when"), "usually_seconds": {"type": "integer"}}
    job = base | {
        "bytes": {"type": "integer"},
        "content_type": {"type": "string"},
        "started": _time("When SageMaker got it"),
        "finished": _time("When it ended"),
        "starting": {
            **_object(starting, "since"),
            "description": "Instances are being started; how long that took the last time.",
        },
        "result_url": {"type": "string", "description": "Good for 15 minutes."},
        "result": {"description": "The answer of POST /predict, where it is JSON below 1 MB."},
        "error": {"$ref": "#/components/schemas/Problem"},
        "removed": {"type": "boolean", "description": "The caller has deleted the job's files."},
    }
    upload = {
        "method": {"type": "string"},
        "url": {"type": "string"},
        "headers": {"type": "object", "additionalProperties": {"type": "string"}},
    }
    return {
        "Job": _object(job, *base),
        "JobAccepted": _object(base, *base),
        "JobList": _object({"jobs": {"type": "array", "items": _ref("Job")}, "next": {"type": "string"}}, "jobs"),
        "JobUpload": _object({**base, "upload": _object(upload, *upload)}, *base),
        "JobUploadRequest": {**_object(WISH, "content_type", "bytes"), "additionalProperties": False},
    }


def _create(predict: Mapping[str, Any]) -> dict[str, Any]:
    accepted = {"description": "The job is stored.", "content": {JSON: {"schema": _ref("JobAccepted")}}}
    query = {"name": "on_error", "in": "query", "schema": ON_ERROR}
    operation = _operation("createJob", "Predict later", {202: accepted}, 400, 413, 415, 422, 429)
    return {**operation, "parameters": [KEY, query], "requestBody": predict["requestBody"]}


def _upload() -> dict[str, Any]:
    given = {"description": "Where to send the file.", "content": {JSON: {"schema": _ref("JobUpload")}}}
    body = {"required": True, "content": {JSON: {"schema": _ref("JobUploadRequest")}}}
    operation = _operation("createUpload", "Predict a file of up to 1 GB", {201: given}, 400, 413, 415, 422, 429)
    return {**operation, "parameters": [KEY], "requestBody": body}


def _listing() -> dict[str, Any]:
    listed = {"description": "The newest first.", "content": {JSON: {"schema": _ref("JobList")}}}
    limit = {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 100}}
    after = {"name": "after", "in": "query", "schema": {"type": "string"}, "description": "`next` of the page before."}
    return {**_operation("jobs", "List the caller's jobs", {200: listed}, 400), "parameters": [limit, after]}


def _result(predict: Mapping[str, Any]) -> dict[str, Any]:
    answers = {
        200: predict["responses"]["200"],
        303: {"description": "The answer is larger than 1 MB: `Location` says where it is, for 15 minutes."},
    }
    return _operation("jobResult", "Fetch the answer, or the error of the job", answers, *ENDS)


def _operation(name: str, summary: str, answers: Mapping[int, Any], *refusals: int) -> dict[str, Any]:
    refused = {str(status): _refusal(status) for status in sorted({*refusals, 403, 500, 503})}
    return {
        "operationId": name,
        "summary": summary,
        "responses": {**{str(status): answer for status, answer in answers.items()}, **refused},
    }


def _job(text: str) -> dict[str, Any]:
    return {"description": text, "content": {JSON: {"schema": _ref("Job")}}}


def _refusal(status: int) -> dict[str, Any]:
    text = f"{title(status)}. {REFUSALS[status]}"
    return {"description": text, "content": {PROBLEM: {"schema": _ref("Problem")}}}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(properties: Mapping[str, Any], *required: str) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": dict(properties)}


def _time(text: str) -> dict[str, str]:
    return {"type": "string", "format": "date-time", "description": f"{text}."}
