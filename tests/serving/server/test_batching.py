import asyncio
import time
from typing import Any, cast

import pytest

from predictor.errors import DeadlineError, PredictionError, QueueFullError
from predictor.ipc import Response
from predictor.server.batching import MAX_WAIT_SECONDS, QUICK_SECONDS
from tests.serving.batching import Bench, Caller, Recorder, finish, run


def test_what_arrives_together_is_one_batch() -> None:
    bench, worker = Bench(), Recorder()

    run(lambda: bench.batcher.join(worker), lambda: bench.submit(b"a", b"b", b"c"))

    assert worker.bodies == [[b"a", b"b", b"c"]]


def test_idle_workers_share_what_waits() -> None:
    bench, one, two = Bench(), Recorder(), Recorder()

    run(lambda: bench.batcher.join(two), lambda: bench.batcher.join(one), lambda: bench.submit(b"a", b"b", b"c"))

    assert (one.bodies, two.bodies) == ([[b"a", b"b"]], [[b"c"]])


async def beside_a_busy_worker(seconds: float, **settings: int) -> tuple[Bench, Recorder, Recorder]:
    """Batches have taken `seconds`; one worker has a batch, the other is idle, and a request comes.

    All within the time for which a quick worker is waited for: on a machine that was busy just then, it is done again.
    """
    while True:
        bench, busy, idle = Bench(**settings), Recorder(), Recorder()
        bench.batcher.join(busy)
        for _ in range(100):
            bench.submit(b"a")
            await asyncio.sleep(0)
            finish(bench, busy, seconds)
        began = time.monotonic()
        bench.submit(b"a")
        await asyncio.sleep(0)
        bench.batcher.join(idle)
        bench.submit(b"b")
        await asyncio.sleep(0)
        if time.monotonic() - began < QUICK_SECONDS:
            return bench, busy, idle


def test_a_quick_worker_is_waited_for() -> None:
    async def steps() -> tuple[list[list[bytes]], list[bytes]]:
        bench, busy, idle = await beside_a_busy_worker(seconds=0.0)
        bench.submit(b"c")
        finish(bench, busy, 0.0)
        return idle.bodies, busy.bodies[-1]

    assert asyncio.run(steps()) == ([], [b"b", b"c"])


def test_a_slow_worker_is_not_waited_for() -> None:
    async def steps() -> list[list[bytes]]:
        _, _, idle = await beside_a_busy_worker(seconds=1.0)
        return idle.bodies

    assert asyncio.run(steps()) == [[b"b"]]


def test_a_quick_worker_that_is_slow_for_once_is_not_waited_for_long() -> None:
    async def steps() -> list[list[bytes]]:
        _, _, idle = await beside_a_busy_worker(seconds=0.0)
        await asyncio.sleep(10 * QUICK_SECONDS)
        return idle.bodies

    assert asyncio.run(steps()) == [[b"b"]]


def test_a_quick_worker_is_not_waited_for_when_what_waits_fills_a_batch() -> None:
    async def steps() -> list[list[bytes]]:
        bench, _, idle = await beside_a_busy_worker(seconds=0.0, max_batch_requests=2)
        bench.submit(b"c", b"d")
        await asyncio.sleep(0)
        return idle.bodies

    assert asyncio.run(steps()) == [[b"b", b"c"]]


def test_a_slow_worker_holds_nothing_up_for_long() -> None:
    async def steps() -> list[list[bytes]]:
        bench, _, idle = await beside_a_busy_worker(seconds=0.0)
        await asyncio.sleep(10 * QUICK_SECONDS)
        for body in (b"c", b"d"):
            finish(bench, idle, 0.0)
            bench.submit(body)
            await asyncio.sleep(0)
        return idle.bodies

    assert asyncio.run(steps()) == [[b"b"], [b"c"], [b"d"]]


async def beside_a_batch_of_three() -> tuple[Bench, Recorder]:
    """Batches have taken a second; one worker has three requests, and the other is idle."""
    bench, busy, idle = Bench(), Recorder(), Recorder()
    bench.batcher.join(busy)
    for _ in range(100):
        bench.submit(b"a")
        await asyncio.sleep(0)
        finish(bench, busy, 1.0)
    bench.submit(b"a", b"a", b"a")
    await asyncio.sleep(0)
    bench.batcher.join(idle)
    return bench, idle


def test_an_idle_worker_waits_for_its_share() -> None:
    async def steps() -> list[list[bytes]]:
        bench, idle = await beside_a_batch_of_three()
        bench.submit(b"b")
        await asyncio.sleep(0)
        assert idle.bodies == []
        bench.submit(b"c")
        await asyncio.sleep(0)
        return idle.bodies

    assert asyncio.run(steps()) == [[b"b", b"c"]]


def test_an_idle_worker_does_not_wait_long_for_its_share() -> None:
    async def steps() -> list[list[bytes]]:
        bench, idle = await beside_a_batch_of_three()
        bench.submit(b"b")
        await asyncio.sleep(10 * MAX_WAIT_SECONDS)
        return idle.bodies

    assert asyncio.run(steps()) == [[b"b"]]


def test_a_worker_takes_no_more_than_its_share() -> None:
    async def steps() -> list[list[bytes]]:
        bench, idle = await beside_a_batch_of_three()
        bench.submit(b"b", b"c", b"d", b"e", b"f")
        await asyncio.sleep(0)
        return idle.bodies

    assert asyncio.run(steps()) == [[b"b", b"c", b"d", b"e"]]


def test_however_often_a_quick_worker_is_waited_for_one_timer_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    async def steps() -> int:
        loop = asyncio.get_running_loop()
        timers = []
        call_later = loop.call_later

        def noted(*given: Any) -> asyncio.TimerHandle:
            timers.append(call_later(*given))
            return timers[-1]

        bench, busy, _ = await beside_a_busy_worker(seconds=0.0)
        monkeypatch.setattr(loop, "call_later", noted)
        most = 0
        for _ in range(100):
            finish(bench, busy, 0.0)
            bench.submit(b"c")
            await asyncio.sleep(0)
            most = max(most, sum(timer.when() > loop.time() and not timer.cancelled() for timer in timers))
        return most

    assert asyncio.run(steps()) <= 1


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
