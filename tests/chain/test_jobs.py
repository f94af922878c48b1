"""Jobs through the whole chain, with the real functions, over moto's S3 and DynamoDB. Each notice comes twice."""

import json
import time
from typing import Any

import requests

from tests.chain.conftest import Api

ROWS = b'{"data": [[1, 2], [3, 4]]}'
CSV = b"1,2\n3,4\n"


def wait(api: Api, job_id: str) -> dict[str, Any]:
    """Ask for a job until it has ended, as often as the API says."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        answer = api.send("GET", f"/jobs/{job_id}")
        if answer.json()["status"] not in ("uploading", "queued", "running"):
            job: dict[str, Any] = answer.json()
            return job
        assert int(answer.headers["Retry-After"]) > 0
        time.sleep(0.1)
    raise AssertionError(answer.text)


def test_a_job_answers_as_predict_does(api: Api) -> None:
    answer = api.send("POST", "/jobs", ROWS, content_type="application/json")
    assert answer.status_code == 202, answer.text
    assert answer.headers["Location"] == f"{api.url}/jobs/{answer.json()['id']}"

    job = wait(api, answer.json()["id"])

    predictions = api.predict(ROWS).json()
    assert (job["status"], job["result"]) == ("succeeded", predictions)
    assert requests.get(job["result_url"], timeout=10).json() == predictions
    assert api.send("GET", f"/jobs/{job['id']}/result").json() == predictions
    assert job["id"] in [each["id"] for each in api.send("GET", "/jobs").json()["jobs"]]


def test_an_upload_is_answered_in_its_own_type(api: Api) -> None:
    wish = {"content_type": "text/csv", "bytes": len(CSV), "accept": "text/csv"}
    answer = api.send("POST", "/jobs/uploads", json.dumps(wish).encode(), content_type="application/json")
    assert answer.status_code == 201, answer.text
    upload = answer.json()["upload"]

    assert requests.put(upload["url"], CSV, headers=upload["headers"], timeout=10).status_code == 200
    # Written once: what was judged cannot be changed.
    assert requests.put(upload["url"], CSV, headers=upload["headers"], timeout=10).status_code == 412

    job = wait(api, answer.json()["id"])
    assert job["status"] == "succeeded", job
    result = api.send("GET", f"/jobs/{job['id']}/result")
    predicted = api.send("POST", "/predict", CSV, content_type="text/csv", accept="text/csv")
    assert (result.headers["Content-Type"], result.text) == (predicted.headers["Content-Type"], predicted.text)


def test_a_bad_upload_fails_with_the_containers_words(api: Api) -> None:
    wish = {"content_type": "text/csv", "bytes": 8}
    answer = api.send("POST", "/jobs/uploads", json.dumps(wish).encode(), content_type="application/json")
    upload = answer.json()["upload"]
    requests.put(upload["url"], b"1,2\n3,x\n", headers=upload["headers"], timeout=10)

    job = wait(api, answer.json()["id"])

    refused = api.send("POST", "/predict", b"1,2\n3,x\n", content_type="text/csv").json()
    assert job["status"] == "failed"
    assert {**job["error"], "request_id": ""} == {**refused, "request_id": ""}


def test_a_bad_body_is_refused_at_once(api: Api) -> None:
    answer = api.send("POST", "/jobs", b'{"data": [[1]]}', content_type="application/json")

    assert answer.status_code == 400
    assert answer.json()["errors"] == api.predict(b'{"data": [[1]]}').json()["errors"]


def test_a_cancelled_job_stays_cancelled(api: Api) -> None:
    job_id = api.send("POST", "/jobs", ROWS, content_type="application/json").json()["id"]
    cancelled = api.send("DELETE", f"/jobs/{job_id}").json()["status"]
    # The notice may have come first.
    assert cancelled in ("cancelled", "succeeded")
    time.sleep(0.5)

    assert api.send("GET", f"/jobs/{job_id}").json()["status"] == cancelled
    assert api.send("GET", f"/jobs/{job_id}/result").status_code == 410
