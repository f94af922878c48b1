"""Notices, alarms and the schedule: in any order, twice, and never."""

import itertools
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from invoker.errors import InvokerError
from invoker.jobs import store
from invoker.jobs.capacity import Capacity
from invoker.jobs.job import read_inference_id
from invoker.jobs.settlement import read_failure
from invoker.jobs.states import FINAL, FOLLOWERS, State, before
from tests.invoker.jobs.conftest import BUCKET, ROWS, Desk, caller_of, completed, failed
from tests.invoker.jobs.happening import overdue, send, sns, tick

DENIED = ClientError({"Error": {"Code": "AccessDenied"}}, "HeadObject")


def test_states_only_move_forward() -> None:
    assert all(not FOLLOWERS[state] for state in FINAL)
    reached = {State.UPLOADING: 0, State.QUEUED: 1, State.RUNNING: 2, **dict.fromkeys(FINAL, 3)}
    for state, followers in FOLLOWERS.items():
        assert all(reached[follower] > reached[state] for follower in followers)
    assert set(before(State.CANCELLED)) == set(before(State.EXPIRED)) == {State.UPLOADING, State.QUEUED, State.RUNNING}


def test_a_notice_that_comes_twice_changes_nothing(desk: Desk) -> None:
    job_id = desk.submit()
    notice = desk.ends(job_id)

    send(desk, sns(notice))
    ended = desk.job(job_id)
    send(desk, sns(notice))
    send(desk, sns(failed(ended, "no")))

    assert desk.job(job_id) == ended
    assert desk("GET", f"/jobs/{job_id}/result").status == 200


@pytest.mark.parametrize("order", list(itertools.permutations(["completed", "failed"])))
def test_of_two_notices_the_first_holds(desk: Desk, order: tuple[str, ...]) -> None:
    job_id = desk.submit()
    notices = {"completed": desk.ends(job_id), "failed": failed(desk.job(job_id), "no")}

    for name in order:
        send(desk, sns(notices[name]))

    assert desk.job(job_id).state == {"completed": "succeeded", "failed": "failed"}[order[0]]
    # What nobody can fetch is not kept.
    assert (desk.job(job_id).output in desk.stored()) == (order[0] == "completed")


def test_a_notice_can_overtake_the_write_that_the_job_runs(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The function is killed, or slow, between the call and the write."""
    real = desk.runtime.invoke_endpoint_async

    def quick(**call: Any) -> dict[str, str]:
        answer = real(**call)
        key = answer["OutputLocation"].removeprefix(f"s3://{BUCKET}/")
        named = read_inference_id(call["InferenceId"])
        assert named
        job = desk.parts.store.get(*named)
        assert job
        desk.s3.put_object(Bucket=BUCKET, Key=key, Body=b"{}")
        send(desk, sns(completed(job, output=key)))
        return answer

    monkeypatch.setattr(desk.runtime, "invoke_endpoint_async", quick)
    job_id = desk.submit()

    assert desk("GET", f"/jobs/{job_id}").json["status"] == "succeeded"
    assert desk("GET", f"/jobs/{job_id}/result").body == "{}"


def test_a_job_handed_over_twice_is_answered_once(desk: Desk) -> None:
    job_id = desk.submit()
    first = desk.ends(job_id, "1")
    second = completed(desk.job(job_id), output="outputs/other.out")
    desk.s3.put_object(Bucket=BUCKET, Key="outputs/other.out", Body=b"2")

    send(desk, sns(first))
    send(desk, sns(second))

    assert desk("GET", f"/jobs/{job_id}/result").body == "1"
    assert "outputs/other.out" not in desk.stored()


@pytest.mark.parametrize("name", ["", "x", "../..", "a" * 24 + "." + "b" * 32])
def test_a_notice_of_no_job_is_ignored(desk: Desk, name: str) -> None:
    send(desk, sns(json.dumps({"inferenceId": name, "invocationStatus": "Completed"})))


def test_a_notice_that_cannot_be_read_goes_to_the_dead_letters(desk: Desk) -> None:
    """Lambda puts an event there whose handler raises again and again."""
    with pytest.raises(ValueError, match="Expecting value"):
        send(desk, sns("no JSON"))
    with pytest.raises(LookupError):
        send(desk, {"source": "aws.else"})
    job = desk.job(desk.submit())
    with pytest.raises(LookupError, match="not in this bucket"):
        send(desk, sns(completed(job).replace(f"s3://{BUCKET}", "s3://another")))


def test_storage_that_refuses_makes_lambda_try_again(desk: Desk) -> None:
    job_id = desk.submit()
    notice = desk.ends(job_id)
    desk.dynamodb.fail["update_item"] = ClientError({"Error": {"Code": "ThrottlingException"}}, "UpdateItem")

    with pytest.raises(InvokerError):
        send(desk, sns(notice))
    desk.dynamodb.fail.clear()
    send(desk, sns(notice))

    assert desk.job(job_id).state is State.SUCCEEDED


def test_a_notice_that_never_comes_is_found_in_the_bucket(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    good, bad, slow = (desk.submit(headers={"Accept": "text/csv;q=1"}) for _ in range(3))
    # SageMaker, or S3, has set no type.
    desk.ends(good, "0\n", "binary/octet-stream")
    problem = json.dumps({"status": 415, "detail": "No such format."})
    desk.s3.put_object(Bucket=BUCKET, Key=desk.job(bad).failure, Body=problem.encode())

    tick(desk)
    assert desk.job(good).state is State.RUNNING
    overdue(monkeypatch)
    tick(desk)

    result = desk("GET", f"/jobs/{good}/result")
    assert (result.status, result.headers["Content-Type"], result.body) == (200, "text/csv", "0\n")
    assert desk("GET", f"/jobs/{bad}").json["error"]["status"] == 415
    assert desk.job(slow).state is State.RUNNING


def test_a_job_that_never_ends_expires(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = desk.submit()
    overdue(monkeypatch, desk.job(job_id).deadline - store.now())

    tick(desk)

    assert desk("GET", f"/jobs/{job_id}").json["error"]["status"] == 504
    assert desk.parts.store.count_open(caller_of("key-1"), 10) == 0


def test_a_job_that_was_not_handed_over_is_handed_over(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.runtime.error = EndpointConnectionError(endpoint_url="https://runtime")
    job_id = desk.submit()
    overdue(monkeypatch)
    tick(desk)
    assert desk.job(job_id).state is State.QUEUED
    desk.runtime.error = None

    tick(desk)

    assert desk.job(job_id).state is State.RUNNING


def test_killed_before_the_input_was_written(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.s3.fail["put_object"] = DENIED
    assert desk("POST", "/jobs", ROWS).status == 500
    [job] = desk.parts.store.open_jobs()
    overdue(monkeypatch)

    tick(desk)

    assert desk("GET", f"/jobs/{job.id}").json["error"]["status"] == 503


@pytest.mark.parametrize("left_over", [True, False])
def test_killed_between_lease_and_call(desk: Desk, monkeypatch: pytest.MonkeyPatch, *, left_over: bool) -> None:
    """The lease runs out, and another process hands the job over: the sweep, or the same key sent again."""
    headers = {"Idempotency-Key": "once"}
    monkeypatch.setattr(desk.parts.handover, "try_to_run", lambda job: job)
    job_id = desk.submit(headers=headers)
    monkeypatch.undo()
    assert desk.submit(headers=headers) == job_id
    assert desk.runtime.calls == []
    overdue(monkeypatch)

    if left_over:
        tick(desk)
    else:
        desk.submit(headers=headers)

    assert len(desk.runtime.calls) == 1


def alarm(desk: Desk, state: str, time: str) -> None:
    send(desk, {"source": "aws.cloudwatch", "time": time, "detail": {"state": {"value": state}}})


def test_starting_instances_are_noted_with_their_time(desk: Desk) -> None:
    alarm(desk, "ALARM", "2026-11-27T10:00:00Z")
    alarm(desk, "ALARM", "2026-11-27T10:01:00Z")
    assert desk.parts.store.capacity()["since"] == 1_795_773_600
    alarm(desk, "OK", "2026-11-27T10:05:00Z")
    alarm(desk, "OK", "2026-11-27T10:06:00Z")

    assert {name: desk.parts.store.capacity()[name] for name in ("since", "usual")} == {"since": 0, "usual": 300}
    Capacity(desk.parts.store).note(waiting=False, at=0)
    assert desk.parts.store.capacity()["usual"] == 300


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ('Received client error (400) from primary with message "{"detail": "no", "status": 400}".', 400),
        ('Received server error (500) from primary with message "oops". See the log.', 502),
        ('Received server error (0) from primary with message "Your invocation timed out".', 504),
        ('{"status": 413, "detail": "Too large."}', 413),
        ("something else", None),
        ("[" * 100_000, None),
        ("", None),
    ],
)
def test_failures_are_read(told: str, status: int | None) -> None:
    error = read_failure(told)

    assert (error.status if error else None) == status
