"""Jobs as a caller meets them: each route, its refusals, and who may see what."""

import json
from typing import Any

import pytest

from invoker import settings
from invoker.jobs import routes, store
from invoker.jobs.states import State
from tests.invoker.conftest import ID
from tests.invoker.jobs.conftest import BUCKET, NOBODY, ROWS, Desk, Open, caller_of, completed, failed


def test_a_job_from_post_to_result(desk: Desk) -> None:
    answer = desk("POST", "/jobs", ROWS)

    assert (answer.status, answer.json["status"]) == (202, "queued")
    assert answer.json.keys() == {"id", "status", "created", "expires"}
    assert answer.headers["Location"] == f"https://api.example.com/jobs/{answer.json['id']}"
    assert int(answer.headers["Retry-After"]) > 0
    running = desk("GET", f"/jobs/{answer.json['id']}")
    assert (running.json["status"], "Retry-After" in running.headers) == ("running", True)
    [call] = desk.runtime.calls
    assert call["InferenceId"] == caller_of("key-1") + "." + answer.json["id"]
    assert (call["EndpointName"], call["ContentType"]) == ("iris-jobs", "application/json")
    desk.parts.notices.take(desk.ends(answer.json["id"]))
    ended = desk("GET", f"/jobs/{answer.json['id']}").json
    assert (ended["status"], ended["result"]) == ("succeeded", {"predictions": [0]})
    assert ended["result_url"].startswith("https://")
    result = desk("GET", f"/jobs/{answer.json['id']}/result")
    assert (result.status, result.body) == (200, '{"predictions": [0]}')


def test_the_input_is_stored_as_it_came(desk: Desk) -> None:
    job_id = desk.submit(headers={"Accept": "text/csv"})

    job = desk.job(job_id)
    assert desk.s3.get_object(Bucket=BUCKET, Key=job.input)["Body"].read() == ROWS.encode()
    assert desk.runtime.calls[0]["Accept"] == "text/csv"
    assert f"request-id={ID}" in desk.runtime.calls[0]["CustomAttributes"]


@pytest.mark.parametrize("body", ['{"data": [[1]]}', "not json", "", '{"data": [["a", 2]]}'])
def test_bad_input_is_the_400_of_predict_and_nothing_is_stored(desk: Desk, body: str) -> None:
    answer = desk("POST", "/jobs", body)

    assert answer.status == 400
    assert {**answer.json} == desk("POST", "/predict", body, resource="/predict").json
    assert desk.stored() == []
    assert desk("GET", "/jobs").json == {"jobs": []}


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"on_error": "ignore"}, "/on_error"),
        ({"on_eror": "skip"}, "/on_eror"),
        ({"callback": "https://a"}, "/callback"),
    ],
)
def test_odd_query_parameters_are_refused(desk: Desk, query: dict[str, str], pointer: str) -> None:
    answer = desk("POST", "/jobs", ROWS, query=query)

    assert (answer.status, answer.json["errors"][0]["pointer"]) == (400, pointer)
    assert desk.stored() == []


def test_a_failed_job_says_what_predict_would_have_said(desk: Desk) -> None:
    job = desk.job(desk.submit())
    problem = {"status": 400, "detail": "Row 0: no.", "errors": [{"pointer": "/data/0", "detail": "no"}]}
    words = f'Received client error (400) from primary with message "{json.dumps(problem)}". See the log.'
    desk.parts.notices.take(failed(job, words))

    answer = desk("GET", f"/jobs/{job.id}")

    assert answer.json["status"] == "failed"
    assert answer.json["error"] == {**problem, "type": "about:blank", "title": "Bad Request", "request_id": ID}
    result = desk("GET", f"/jobs/{job.id}/result")
    assert (result.status, result.json) == (400, answer.json["error"])


def test_a_large_answer_is_fetched_from_s3(desk: Desk) -> None:
    job_id = desk.submit()
    desk.parts.notices.take(desk.ends(job_id, json.dumps({"predictions": ["x" * 1_000_001]})))

    assert "result" not in desk("GET", f"/jobs/{job_id}").json
    answer = desk("GET", f"/jobs/{job_id}/result")

    assert (answer.status, answer.body) == (303, "")
    assert desk.job(job_id).output in answer.headers["Location"]


def test_an_answer_has_its_own_media_type(desk: Desk) -> None:
    job_id = desk.submit()
    desk.parts.notices.take(desk.ends(job_id, "0\n1\n", "text/csv; charset=utf-8"))

    assert "result" not in desk("GET", f"/jobs/{job_id}").json
    answer = desk("GET", f"/jobs/{job_id}/result")
    assert (answer.status, answer.headers["Content-Type"], answer.body) == (200, "text/csv; charset=utf-8", "0\n1\n")


def test_an_answer_that_is_no_json_is_passed_on_as_it_is(desk: Desk) -> None:
    job_id = desk.submit()
    desk.parts.notices.take(desk.ends(job_id, "no JSON"))

    assert "result" not in desk("GET", f"/jobs/{job_id}").json
    assert desk("GET", f"/jobs/{job_id}/result").body == "no JSON"


def test_there_is_no_result_before_the_end(desk: Desk) -> None:
    answer = desk("GET", f"/jobs/{desk.submit()}/result")

    assert (answer.status, "Retry-After" in answer.headers) == (409, True)


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_another_callers_job_is_an_unknown_one(desk: Desk, method: str) -> None:
    job_id = desk.submit()

    answer = desk(method, f"/jobs/{job_id}", key="key-2")

    assert answer.status == 404
    assert answer.json == desk(method, f"/jobs/{NOBODY}", key="key-2").json
    assert desk("GET", "/jobs", key="key-2").json == {"jobs": []}
    assert desk.job(job_id).state is State.RUNNING


@pytest.mark.parametrize(
    "odd", ["..", "../capacity", "capacity", "A" * 32, "0" * 31, "0" * 33, "0" * 32 + "\n", "%2e%2e", "", "stack"]
)
def test_what_is_no_id_is_an_unknown_job(desk: Desk, odd: str) -> None:
    for resource in ("/jobs/{id}", "/jobs/{id}/result"):
        answer = desk("GET", "/jobs/x", resource=resource, pathParameters={"id": odd})
        assert answer.status == 404
    assert desk("DELETE", "/jobs/x", pathParameters={"id": odd}).status == 404


def test_the_same_key_is_the_same_job(desk: Desk) -> None:
    headers = {"Idempotency-Key": "once"}

    first, second = (desk("POST", "/jobs", ROWS, headers=headers) for _ in range(2))
    other = desk("POST", "/jobs", '{"data": [[3, 4]]}', headers=headers)

    assert (second.status, second.json) == (202, first.json)
    assert (other.status, other.json["title"]) == (422, "Unprocessable Content")
    assert len(desk.runtime.calls) == 1
    assert desk("POST", "/jobs", ROWS, headers=headers, key="key-2").json["id"] != first.json["id"]


def test_a_key_is_free_again_after_a_day(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    first = desk.submit(headers={"Idempotency-Key": "once"})
    monkeypatch.setattr(routes, "KEY_SECONDS", -1)
    second = desk.submit(headers={"Idempotency-Key": "once"})

    assert first != second


@pytest.mark.parametrize("key", ["x" * 256, "\n", "é"])
def test_odd_keys_are_refused(desk: Desk, key: str) -> None:
    assert desk("POST", "/jobs", ROWS, headers={"Idempotency-Key": key}).status == 400


def test_jobs_are_listed_newest_first_in_pages(desk: Desk) -> None:
    ids = [desk.submit() for _ in range(5)]
    seen: list[str] = []
    query: dict[str, str] = {"limit": "2"}

    while True:
        page = desk("GET", "/jobs", query=query).json
        seen += [job["id"] for job in page["jobs"]]
        if "next" not in page:
            break
        query["after"] = page["next"]

    assert sorted(seen) == sorted(ids)
    assert [desk.job(each).created for each in seen] == sorted([desk.job(each).created for each in ids], reverse=True)


@pytest.mark.parametrize(
    "query",
    [{"limit": "0"}, {"limit": "9" * 5000}, {"limit": "101"}, {"limit": "a"}, {"after": "a"}, {"after": "Li4="}],
)
def test_odd_pages_are_refused(desk: Desk, query: dict[str, str]) -> None:
    assert desk("GET", "/jobs", query=query).status == 400


def test_cancelling_an_open_job_removes_its_files(desk: Desk) -> None:
    job_id = desk.submit()

    answer = desk("DELETE", f"/jobs/{job_id}")

    assert (answer.status, answer.json["status"]) == (200, "cancelled")
    assert desk.stored() == []
    assert desk("DELETE", f"/jobs/{job_id}").json["status"] == "cancelled"
    assert desk("GET", f"/jobs/{job_id}/result").status == 410


def test_a_cancelled_jobs_late_notice_is_ignored(desk: Desk) -> None:
    job_id = desk.submit()
    notice = desk.ends(job_id)
    desk("DELETE", f"/jobs/{job_id}")

    desk.parts.notices.take(notice)

    assert desk("GET", f"/jobs/{job_id}").json["status"] == "cancelled"
    assert desk.stored() == []


@pytest.mark.parametrize("end", ["succeeded", "failed", "expired"])
def test_deleting_a_finished_job_keeps_its_state(desk: Desk, end: str) -> None:
    job = desk.job(desk.submit())
    if end == "succeeded":
        desk.parts.notices.take(desk.ends(job.id))
    elif end == "failed":
        desk.parts.notices.take(failed(job, "no"))
    else:
        desk.parts.settlement.expire(job, "late")

    answer = desk("DELETE", f"/jobs/{job.id}")

    assert (answer.json["status"], answer.json["removed"]) == (end, True)
    assert desk.stored() == []
    assert desk("GET", f"/jobs/{job.id}/result").status == {"succeeded": 410, "failed": 502, "expired": 504}[end]


def test_a_job_whose_time_is_over_is_unknown(open_desk: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """DynamoDB may take two days to remove it."""
    desk = open_desk()
    job = desk.job(desk.submit())
    monkeypatch.setattr(store, "now", lambda: job.expires)

    assert desk("GET", f"/jobs/{job.id}").status == 404
    assert desk("GET", "/jobs").json == {"jobs": []}
    desk.s3.put_object(Bucket=BUCKET, Key=job.output, Body=b"late")
    desk.parts.notices.take(completed(job))
    assert job.output not in desk.stored()


def test_starting_instances_are_told(desk: Desk) -> None:
    job_id = desk.submit()
    desk.parts.store.note_capacity(1_700_000_000, 240)

    answer = desk("GET", f"/jobs/{job_id}")

    assert answer.json["starting"] == {"since": "2023-11-14T22:13:20Z", "usually_seconds": 240}
    assert answer.headers["Retry-After"] == "30"


def test_without_jobs_there_is_nothing_at_the_path(make: Any) -> None:
    event = {"httpMethod": "POST", "resource": "/jobs", "path": "/jobs", "requestContext": {"requestId": ID}}

    assert make()(event).status == 404


def test_settings_of_jobs_need_each_other() -> None:
    with pytest.raises(settings.SettingsError, match="JOBS_BUCKET, JOBS_ENDPOINT_NAME"):
        settings.read({"ENDPOINT_NAME": "iris", "JOBS_TABLE": "jobs"})
