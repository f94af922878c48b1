"""Many clients with questions of their own, and a server that is disturbed: every answer is the one for its question.

The suite asks for a few seconds, `make soak` for as long as SOAK_SECONDS says.
"""

import multiprocessing
import os
import resource
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.serving import disturbances, faults
from tests.serving.disturbances import Deed, Life
from tests.serving.processes import Process, Reply, serving, wait_until

SECONDS = float(os.environ.get("SOAK_SECONDS", "3"))
CLIENTS = 64
DISTURBED_SECONDS = max(SECONDS, 6.0)
MAX_GROWTH_MIB = 60
THREADS: dict[Deed, int] = {
    disturbances.ask_in_order: 16,
    disturbances.kill_a_worker: 1,
    disturbances.kill_the_loader: 1,
    disturbances.leave: 2,
    disturbances.send_slowly: 2,
    disturbances.leave_a_body_unfinished: 6,
    disturbances.read_nothing: 2,
    disturbances.close_its_side: 1,
}


def ask(server: Process, number: int, end: float, wrong: list[tuple[list[list[float]], Reply]]) -> None:
    """Ask until `end`; no row that a client sends is sent by another."""
    sent = 0
    with server.client() as client:
        while time.monotonic() < end:
            rows = [[number * 1e9 + sent + row, 0.0] for row in range(1 + sent % 3)]
            reply = client.predict(*rows)
            if reply.status != 200 or reply.json() != {"predictions": [row[0] for row in rows]}:
                wrong.append((rows, reply))
            sent += len(rows)


def test_answers_are_for_their_own_questions(tmp_path: Path) -> None:
    with serving(faults.save(faults.Echo(seconds=0.001), tmp_path / "model")) as server:
        wrong: list[tuple[list[list[float]], Reply]] = []
        end = time.monotonic() + SECONDS
        threads = [threading.Thread(target=ask, args=(server, number, end, wrong)) for number in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert wrong == []
        # or else it was never put to the test
        assert server.metric('serving_batch_requests_bucket{le="1.0"}') < server.metric("serving_batch_requests_count")


def test_nothing_is_wrong_or_lost_whatever_happens(tmp_path: Path) -> None:
    """Workers and loader are killed, clients leave, are slow, read nothing, send half a body; SIGTERM at the end."""
    model = faults.save(faults.Echo(seconds=0.001), tmp_path / "model")
    with without_core_files(), serving(model, max_queue_bytes=16_000_000, drain_seconds=20) as server:
        wait_until(lambda: server.metric("serving_workers") == 2)
        life = Life(server, DISTURBED_SECONDS)
        threads = [threading.Thread(target=life.repeat, args=(deed,)) for deed, n in THREADS.items() for _ in range(n)]
        sizes = []
        with pinging(life):
            for thread in threads:
                thread.start()
            for _ in range(4):
                life.over.wait(DISTURBED_SECONDS / 4)
                sizes.append(server_memory(server))
        life.over.set()
        code = server.terminate(timeout=30)
        for thread in threads:
            thread.join()

        report = f"{dict(life.counts)}; {summary(life.pings)}; MiB of the server {[round(size) for size in sizes]}"
        print(report)  # noqa: T201  # make soak shows it
        assert life.wrong == [], report
        assert code == 0, report
        assert server.log()[-1]["message"] == "all requests are answered", report
        assert {deed.__name__ for deed in THREADS} <= set(life.counts), report  # or else it was never put to the test
        assert sizes[-1] - sizes[0] < MAX_GROWTH_MIB, report


@contextmanager
def pinging(life: Life) -> Iterator[None]:
    """Ask for /ping meanwhile."""
    context = multiprocessing.get_context("spawn")
    over, results = context.Event(), context.Queue()
    process = context.Process(target=disturbances.ping, args=(life.server.address, over, results))
    process.start()
    try:
        yield
    finally:
        over.set()
        seconds, wrong = results.get(timeout=60)
        process.join()
        life.pings += seconds
        life.wrong += wrong


def server_memory(server: Process) -> float:
    """MiB of anonymous memory of the process that clients speak to."""
    lines = Path(f"/proc/{server.popen.pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss_Anon:")) / 1024


def summary(seconds: list[float]) -> str:
    p99 = sorted(seconds)[int(0.99 * (len(seconds) - 1))]
    return f"/ping p99 {p99 * 1000:.0f} ms, longest {max(seconds) * 1000:.0f} ms of {len(seconds)}"


@contextmanager
def without_core_files() -> Iterator[None]:
    """What dies of SIGSEGV would leave a file of its memory where it runs."""
    limits = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, limits)
