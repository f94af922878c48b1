"""Limits of a caller, many requests at once, and storage or an endpoint that refuses."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from tests.invoker.jobs.conftest import ROWS, Desk, Open, caller_of

# With one Idempotency-Key; `make jobs-states` sends a thousand.
POSTS = int(os.environ.get("JOBS_POSTS", "100"))
TROUBLE = ClientError({"Error": {"Code": "SlowDown"}, "ResponseMetadata": {"HTTPStatusCode": 503}}, "PutObject")  # type: ignore[typeddict-item]  # the least there is
THROTTLED = ClientError({"Error": {"Code": "ThrottlingException"}}, "PutItem")


def test_many_posts_with_one_key_are_one_job(desk: Desk) -> None:
    def post(_: int) -> str:
        return desk.submit(headers={"Idempotency-Key": "once"})

    with ThreadPoolExecutor(16) as pool:
        ids = set(pool.map(post, range(POSTS)))

    assert len(ids) == 1
    assert len(desk.runtime.calls) == 1
    assert len(desk("GET", "/jobs").json["jobs"]) == 1
    assert desk.parts.store.bytes_today(caller_of("key-1")) == len(ROWS)


def test_a_caller_may_have_so_many_open_jobs(open_desk: Open) -> None:
    desk = open_desk(JOBS_MAX_OPEN="2")
    first = desk.submit()
    desk.submit()

    answer = desk("POST", "/jobs", ROWS)

    assert (answer.status, answer.headers["Retry-After"]) == (429, "60")
    assert desk("POST", "/jobs", ROWS, key="key-2").status == 202
    desk.parts.notices.take(desk.ends(first))
    assert desk("POST", "/jobs", ROWS).status == 202


def test_a_caller_may_send_so_many_bytes_a_day(open_desk: Open) -> None:
    desk = open_desk(JOBS_GIGABYTES_PER_DAY="1")
    desk.parts.store.count_bytes(caller_of("key-1"), 10**9 - len(ROWS))
    desk.submit()

    answer = desk("POST", "/jobs", ROWS)

    assert answer.status == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 86_400


@pytest.mark.parametrize(("service", "call"), [("dynamodb", "put_item"), ("dynamodb", "query"), ("s3", "put_object")])
def test_storage_that_refuses_is_a_503(desk: Desk, service: str, call: str) -> None:
    client = desk.s3 if service == "s3" else desk.dynamodb
    client.fail[call] = TROUBLE if service == "s3" else THROTTLED

    answer = desk("POST", "/jobs", ROWS, headers={"Idempotency-Key": "once"})

    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert desk.runtime.calls == []
    client.fail.clear()
    # The same key tries again at once.
    assert desk("POST", "/jobs", ROWS, headers={"Idempotency-Key": "once"}).status == 202
    assert len(desk.runtime.calls) == 1


def test_storage_that_is_denied_is_our_fault(desk: Desk) -> None:
    desk.dynamodb.fail["put_item"] = ClientError({"Error": {"Code": "AccessDeniedException"}}, "PutItem")

    assert desk("POST", "/jobs", ROWS).status == 500


def test_an_endpoint_that_takes_nothing_now_gets_the_job_later(desk: Desk) -> None:
    desk.runtime.error = EndpointConnectionError(endpoint_url="https://runtime")
    job_id = desk.submit()
    assert desk("GET", f"/jobs/{job_id}").json["status"] == "queued"

    desk.runtime.error = None
    desk.submit(headers={"Idempotency-Key": "other"})

    assert desk.job(job_id).leased == 0


def test_too_large_a_body_names_the_limit(open_desk: Open) -> None:
    assert open_desk(MAX_BODY_BYTES="5")("POST", "/jobs", ROWS).status == 413
