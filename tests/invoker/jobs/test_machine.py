"""Jobs under any order of events: hypothesis makes up the orders, and every job must end once, as it was told first.

`make jobs-states` looks for longer: JOBS_SECONDS says how long, JOBS_EXAMPLES how many orders.
"""

import json
import os
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from invoker.errors import InvokerError
from invoker.jobs import handover, routes, store, sweep
from invoker.jobs.job import Job
from invoker.jobs.states import FOLLOWERS, State
from tests.invoker.jobs import happening
from tests.invoker.jobs.conftest import BUCKET, TABLE, Desk, Open, completed, failed, make_table

EXAMPLES = int(os.environ.get("JOBS_EXAMPLES", "6"))
STEPS = int(os.environ.get("JOBS_STEPS", "15"))
KEYS = ("", "one", "two")
BUSY = ClientError({"Error": {"Code": "ThrottlingException"}}, "UpdateItem")
AWAY = EndpointConnectionError(endpoint_url="https://runtime")


class Jobs(RuleBasedStateMachine):
    """A caller, SageMaker, the events and the clock, each at any moment."""

    jobs = Bundle("jobs")
    open_desk: Open
    patch: pytest.MonkeyPatch

    def __init__(self) -> None:
        super().__init__()
        self.desk: Desk = self.open_desk()
        # Nothing of the order before.
        self.desk.dynamodb.delete_table(TableName=TABLE)
        make_table(self.desk.dynamodb)
        self.late = 0
        self.seen: dict[str, State] = {}
        self.answers: dict[str, str] = {}
        self.keys: dict[str, tuple[str, int]] = {}
        real = self.real_now
        for module in (store, sweep, handover, routes):
            self.patch.setattr(module, "now", lambda: real() + self.late)

    @staticmethod
    def real_now() -> int:
        return store_now()

    @rule(target=jobs, key=st.sampled_from(KEYS), trouble=st.sampled_from(["", "s3", "runtime"]))
    def post(self, key: str, trouble: str) -> str:
        headers = {"Idempotency-Key": key} if key else {}
        if trouble == "s3":
            self.desk.s3.fail["put_object"] = BUSY
        self.desk.runtime.error = AWAY if trouble == "runtime" else None
        answer = self.desk("POST", "/jobs", '{"data": [[1, 2]]}', headers=headers)
        self.desk.s3.fail.clear()
        self.desk.runtime.error = None
        if trouble == "s3" and answer.status == 503:
            return ""
        assert answer.status == 202, answer.body
        job_id = str(answer.json["id"])
        if key:
            assert self.keys.setdefault(key, (job_id, self.late))[0] == job_id
        return job_id

    @rule(target=jobs, sent=st.booleans())
    def upload(self, sent: bool) -> str:  # noqa: FBT001  # hypothesis gives it
        job = happening.upload(self.desk)
        if sent:
            happening.put(self.desk, job)
        return job.id

    @rule(name=jobs, times=st.integers(1, 2))
    def event_of_the_upload(self, name: str, times: int) -> None:
        if job := self.known(name):
            for _ in range(times):
                self.send(happening.created(job.input))

    @rule(name=jobs, good=st.booleans(), times=st.integers(0, 2), number=st.integers(0, 1), busy=st.booleans())
    def sagemaker_ends(self, name: str, good: bool, times: int, number: int, busy: bool) -> None:  # noqa: FBT001  # hypothesis gives them
        """Write an answer or a failure, and tell it once, twice or never; perhaps while DynamoDB is busy."""
        job = self.known(name)
        if job is None or not job.output:
            return
        output = f"{job.output}{number or ''}"
        if good:
            self.desk.s3.put_object(Bucket=BUCKET, Key=output, Body=json.dumps(number).encode())
        elif job.failure:
            self.desk.s3.put_object(Bucket=BUCKET, Key=job.failure, Body=b"ModelError")
        if busy:
            self.desk.dynamodb.fail["update_item"] = BUSY
        for _ in range(times):
            self.send(happening.sns(completed(job, output=output) if good else failed(job, "ModelError")))
        self.desk.dynamodb.fail.clear()

    @rule(name=jobs)
    def cancel(self, name: str) -> None:
        if self.known(name):
            assert self.desk("DELETE", f"/jobs/{name}").status == 200

    @rule(seconds=st.sampled_from([0, 61, 301, 4000, 30_000]))
    def time_goes_by(self, seconds: int) -> None:
        # Below the days that a job is kept.
        self.late = min(self.late + seconds, 400_000)
        happening.tick(self.desk)

    @invariant()
    def states_only_move_forward(self) -> None:
        for job_id, before in list(self.seen.items()):
            job = self.known(job_id)
            assert job is not None, "a job was lost"
            assert job.state == before or job.state in reachable(before), f"{before} became {job.state}"
            self.seen[job_id] = job.state

    @invariant()
    def an_answer_stays_the_same(self) -> None:
        for job_id, state in self.seen.items():
            if state is State.SUCCEEDED:
                answer = self.desk("GET", f"/jobs/{job_id}/result")
                if answer.status == 200:
                    assert self.answers.setdefault(job_id, answer.body) == answer.body
                else:
                    assert (answer.status, self.job(job_id).removed) == (410, True)

    def teardown(self) -> None:
        """After a day every job has ended, and nothing counts as open."""
        for _ in range(3):
            # Longer than SageMaker may take for a job.
            self.late += 30_000
            happening.tick(self.desk)
        for job_id in self.seen:
            assert not self.job(job_id).state.is_open
        assert list(self.desk.parts.store.open_jobs()) == []

    def send(self, event: dict[str, Any]) -> None:
        try:
            happening.send(self.desk, event)
        except InvokerError:
            # Lambda would try again; here the event is lost.
            return

    def known(self, job_id: str) -> Job | None:
        if not job_id:
            return None
        job = self.job(job_id)
        self.seen.setdefault(job_id, job.state)
        return job

    def job(self, job_id: str) -> Job:
        return self.desk.job(job_id)


store_now = store.now


def reachable(state: State) -> set[State]:
    found = set(FOLLOWERS[state])
    return found | {later for follower in found for later in reachable(follower)}


@pytest.fixture
def machine(open_desk: Open, monkeypatch: pytest.MonkeyPatch) -> type[Jobs]:
    return type("Machine", (Jobs,), {"open_desk": staticmethod(open_desk), "patch": monkeypatch})


def test_no_order_of_events_loses_a_job_or_answers_it_twice(machine: type[Jobs]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
            phases=[Phase.generate, *([Phase.shrink] if "JOBS_EXAMPLES" in os.environ else [])],
            derandomize="JOBS_EXAMPLES" not in os.environ,
        ),
    )
