"""Uploads: the address, the event, another file than was announced, and none at all."""

import json
from typing import Any

import pytest

from invoker.jobs.job import read_upload_key
from invoker.jobs.states import State
from tests.invoker.jobs.conftest import BUCKET, Desk
from tests.invoker.jobs.happening import WISH, created, overdue, put, send, sns, tick, upload


def test_an_upload_from_address_to_result(desk: Desk) -> None:
    answer = desk("POST", "/jobs/uploads", json.dumps({**WISH, "accept": "text/csv"}))
    assert (answer.status, answer.json["status"]) == (201, "uploading")
    assert answer.json["upload"]["method"] == "PUT"
    assert answer.json["upload"]["headers"] == {"Content-Type": "text/csv", "Content-Length": "4", "If-None-Match": "*"}
    job = desk.job(answer.json["id"])
    assert job.input in answer.json["upload"]["url"]
    assert "content-length%3Bcontent-type%3Bhost%3Bif-none-match" in answer.json["upload"]["url"]

    put(desk, job)
    send(desk, created(job.input))

    assert desk.job(job.id).state is State.RUNNING
    [call] = desk.runtime.calls
    assert (call["InputLocation"], call["Accept"]) == (f"s3://{BUCKET}/{job.input}", "text/csv")
    send(desk, created(job.input))
    assert len(desk.runtime.calls) == 1
    send(desk, sns(desk.ends(job.id)))
    assert desk.job(job.id).state is State.SUCCEEDED


@pytest.mark.parametrize("content_type", ["application/jsonlines", "text/csv; header=absent"])
def test_bad_records_are_left_to_the_container_where_they_are_skipped(desk: Desk, content_type: str) -> None:
    answer = desk("POST", "/jobs", '{"a": 1}\n[[', query={"on_error": "skip"}, headers={"Content-Type": content_type})

    assert answer.status == 202
    [call] = desk.runtime.calls
    assert (call["ContentType"], call["Accept"]) == (f"{content_type}; on-error=skip", "application/jsonlines")


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [(b"1,2\n3", "text/csv", 413), (b"1,2", "text/csv", 400), (b"1,2\n", "image/png", 415)],
)
def test_another_file_than_was_announced(desk: Desk, content: bytes, content_type: str, status: int) -> None:
    job = upload(desk)
    put(desk, job, content, content_type)

    send(desk, created(job.input))

    assert desk("GET", f"/jobs/{job.id}").json["error"]["status"] == status
    assert desk.stored() == []
    assert desk.runtime.calls == []


def test_an_upload_that_is_never_made_expires(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    job = upload(desk)
    overdue(monkeypatch, 3590)
    tick(desk)
    assert desk.job(job.id).state is State.UPLOADING
    monkeypatch.undo()
    overdue(monkeypatch, 3600)

    tick(desk)

    assert desk("GET", f"/jobs/{job.id}").json["status"] == "expired"


def test_an_upload_whose_event_never_comes_is_found(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    job = upload(desk)
    put(desk, job)
    overdue(monkeypatch)

    tick(desk)

    assert desk.job(job.id).state is State.RUNNING


def test_a_file_for_a_cancelled_job_is_removed(desk: Desk) -> None:
    job = upload(desk)
    desk("DELETE", f"/jobs/{job.id}")
    put(desk, job)

    send(desk, created(job.input))

    assert (desk.stored(), desk.runtime.calls) == ([], [])


@pytest.mark.parametrize(
    ("wish", "status"),
    [
        ({"content_type": "text/csv"}, 400),
        ({"content_type": "text/csv", "bytes": 0}, 400),
        ({"content_type": "text/csv", "bytes": True}, 400),
        ({"content_type": "text/csv", "bytes": "4"}, 400),
        ({"content_type": "text/csv", "bytes": 1_073_741_825}, 413),
        ({"content_type": "", "bytes": 4}, 400),
        ({"content_type": "a\nb", "bytes": 4}, 400),
        ({**WISH, "on_error": "no"}, 400),
        ({**WISH, "on_error": "skip"}, 400),
        ({**WISH, "content_type": "application/jsonlines", "on_error": "skip", "accept": "text/csv"}, 400),
        ({**WISH, "callback": "https://a"}, 400),
        ({**WISH, "size": 4}, 400),
        ([], 400),
    ],
)
def test_odd_uploads_are_refused(desk: Desk, wish: Any, status: int) -> None:
    assert desk("POST", "/jobs/uploads", json.dumps(wish)).status == status


def test_the_same_key_is_the_same_upload(desk: Desk) -> None:
    headers = {"Idempotency-Key": "once"}

    assert upload(desk, headers=headers) == upload(desk, headers=headers)
    assert desk("POST", "/jobs/uploads", json.dumps({**WISH, "bytes": 5}), headers=headers).status == 422


@pytest.mark.parametrize("key", ["inputs/a/b", "uploads/../x", "uploads/" + "a" * 24, "uploads", "", "outputs/x"])
def test_keys_of_no_upload(desk: Desk, key: str) -> None:
    assert read_upload_key(key) is None
    assert desk.parts.uploads.take(key) is None
