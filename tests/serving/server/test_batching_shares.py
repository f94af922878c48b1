"""How workers share what waits, and for how long one waits for its share."""

import asyncio
import time
from typing import Any

import pytest

from predictor.server.batching import MAX_WAIT_SECONDS, QUICK_SECONDS
from tests.serving.batching import Bench, Recorder, finish, run


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
