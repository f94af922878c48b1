import time
from typing import cast

import pytest

from predictor.errors import DeadlineError, PredictionError, QueueFullError
from predictor.ipc import Response
from tests.serving.batching import Bench, Caller, Recorder, finish, run


def test_what_arrives_together_is_one_batch() -> None:
    bench, worker = Bench(), Recorder()

    run(lambda: bench.batcher.join(worker), lambda: bench.submit(b"a", b"b", b"c"))

    assert worker.bodies == [[b"a", b"b", b"c"]]


def test_what_queues_while_the_worker_is_busy_is_its_next_batch() -> None:
    bench, worker = Bench(), Recorder()

    def steps() -> None:
        bench.submit(b"a", b"b")
        bench.batcher.join(worker)
        bench.submit(b"c", b"d")
        finish(bench, worker, 0.1)

    run(steps)

    assert worker.bodies == [[b"a", b"b"], [b"c", b"d"]]


def test_a_worker_that_takes_no_batches_gets_one_at_a_time() -> None:
    bench, worker = Bench(), Recorder(batches=False)

    run(lambda: bench.submit(b"a", b"b"), lambda: bench.batcher.join(worker))

    assert (worker.bodies, bench.batcher.waiting) == ([[b"a"]], 1)


@pytest.mark.parametrize("setting", ["max_batch_requests", "max_batch_bytes"])
def test_a_batch_is_bounded(setting: str) -> None:
    bench, worker = Bench(**{setting: 2}), Recorder()

    run(lambda: bench.submit(b"a", b"b", b"c"), lambda: bench.batcher.join(worker))

    assert worker.bodies == [[b"a", b"b"]]


@pytest.mark.parametrize("settings", [{"max_queue_requests": 2}, {"max_queue_bytes": 2}])
def test_a_full_queue_refuses_at_once(settings: dict[str, int]) -> None:
    bench = Bench(**settings)
    bench.submit(b"a", b"b")

    with pytest.raises(QueueFullError, match="2 requests are waiting already"):
        bench.submit(b"c")


def test_the_queue_has_room_again_once_it_is_served() -> None:
    bench, worker = Bench(max_queue_requests=2, max_queue_bytes=2), Recorder()

    run(lambda: bench.submit(b"a", b"b"), lambda: bench.batcher.join(worker), lambda: bench.submit(b"c", b"d"))

    assert (worker.bodies, bench.batcher.waiting) == ([[b"a", b"b"]], 2)


def test_a_request_that_comes_too_late_is_refused_at_once() -> None:
    with pytest.raises(DeadlineError):
        Bench().submit(b"a", expires_in=-1)


def test_who_has_gone_and_what_has_expired_is_not_sent() -> None:
    bench, worker = Bench(), Recorder()

    def steps() -> None:
        gone, late, _ = bench.submit(b"gone", b"late", b"good")
        cast("Caller", gone.exchange).gone = True
        late.expires = 0
        bench.batcher.join(worker)

    run(steps)

    assert worker.bodies == [[b"good"]]
    assert {body: type(outcome) for body, outcome in bench.outcomes.items()} == {b"late": DeadlineError}


def test_a_worker_stays_idle_when_nobody_waits_any_more() -> None:
    bench, worker = Bench(), Recorder()

    def steps() -> None:
        (pending,) = bench.submit(b"gone")
        cast("Caller", pending.exchange).gone = True
        bench.batcher.join(worker)
        bench.submit(b"good")

    run(steps)

    assert worker.bodies == [[b"good"]]


def test_waiting_callers_hear_of_their_deadline_though_no_worker_comes() -> None:
    bench = Bench(max_queue_requests=2)
    bench.submit(b"a", expires_in=0.01)
    bench.submit(b"b")

    bench.batcher.expire(time.monotonic() + 1)

    assert ([*bench.outcomes], bench.batcher.waiting) == ([b"a"], 1)
    bench.submit(b"c")


def test_who_has_gone_takes_nobodys_place_though_no_worker_comes() -> None:
    bench = Bench(max_queue_requests=2, max_queue_bytes=5)
    gone, _ = bench.submit(b"gone", b"b")
    cast("Caller", gone.exchange).gone = True

    bench.batcher.expire(time.monotonic())

    assert (bench.outcomes, bench.batcher.waiting) == ({}, 1)
    bench.submit(b"c")


def test_answers_go_to_whom_they_belong() -> None:
    bench, worker = Bench(), Recorder()
    batch = [bench.pending(b"a"), bench.pending(b"b")]

    bench.batcher.finish(worker, batch, [Response(200, "", b"1"), Response(400, "", b"2")], 0.1)

    assert bench.outcomes == {b"a": Response(200, "", b"1"), b"b": Response(400, "", b"2")}


def test_a_batch_whose_worker_died_is_tried_again_one_by_one() -> None:
    bench, dead, other = Bench(), Recorder(), Recorder()

    def steps() -> None:
        bench.submit(b"a", b"b")
        bench.batcher.join(dead)
        bench.submit(b"c", b"d")
        bench.batcher.leave(dead, dead.sent[0])
        bench.batcher.join(other)
        finish(bench, other, 0.1)
        finish(bench, other, 0.1)

    run(steps)

    assert other.bodies == [[b"a"], [b"b"], [b"c", b"d"]]


@pytest.mark.parametrize(("deaths", "outcome"), [(2, []), (3, [PredictionError])])
def test_a_request_over_which_worker_after_worker_dies_fails(deaths: int, outcome: list[type[Exception]]) -> None:
    bench = Bench()

    def steps() -> None:
        bench.submit(b"a")
        for worker in [Recorder() for _ in range(deaths)]:
            bench.batcher.join(worker)
            bench.batcher.leave(worker, worker.sent[0])

    run(steps)

    assert [type(error) for error in bench.outcomes.values()] == outcome
    assert bench.batcher.waiting == 1 - len(outcome)


def test_an_idle_worker_that_dies_is_sent_nothing() -> None:
    bench, worker = Bench(), Recorder()

    run(lambda: bench.batcher.join(worker), lambda: bench.batcher.leave(worker, ()), lambda: bench.submit(b"a"))

    assert worker.bodies == []
