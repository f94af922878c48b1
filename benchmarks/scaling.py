"""`make bench-scaling`: how the container's cost grows with rows and clients, and what it does when asked too much."""

import argparse
import resource
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace

from benchmarks import arrivals, machine, report
from benchmarks.errors import BenchmarkError
from benchmarks.load import require_wrk
from benchmarks.measure import visit
from benchmarks.models import Trained
from benchmarks.scratch import alone
from benchmarks.servers import ROOT, SERVERS, Launch, Place, Server, product
from benchmarks.work import Work, named

RESULTS = ROOT / "benchmarks" / "SCALING.md"
FULL_SECONDS = 5
ROWS = (1, 10, 100, 1_000, 10_000)
CLIENTS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
OFFERED = (0.5, 0.8, 1.0, 1.2, 1.5, 2.0, 3.0)
QUEUES = (None, 64)
PRODUCTS = tuple(server for server in SERVERS if server.name in {"product", "compiled"})
MODELS = named(["credit-logistic", "forest"])
HEAVY = Work(MODELS[-1], 100, clients=256)  # as many as fill every batch: the most it can do
OVERLOAD_NOTE = (
    f"Requests arrive at random at a multiple of what {HEAVY.clients} waiting clients get from a queue of the default "
    "length; latency is that of accepted requests, from the moment each was due; a refusal is 503."
)

Row = tuple[str, ...]


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench-scaling", description=__doc__)
    parser.add_argument("--seconds", type=int, default=6)
    parser.add_argument("--servers", type=lambda text: text.split(","), default=[server.name for server in PRODUCTS])
    arguments = parser.parse_args()
    require_wrk()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

    servers = [server for server in PRODUCTS if server.name in arguments.servers]
    with alone() as scratch:
        models = [Trained(model, scratch) for model in MODELS]
        for trained in models:
            trained.make()
            if any(server.compiled for server in servers):
                trained.compile()
        page = write_up(servers, models, arguments.seconds)
    print(page)
    if arguments.seconds >= FULL_SECONDS and len(servers) == len(PRODUCTS):
        RESULTS.write_text(page)
    return 0


def write_up(servers: Sequence[Server], models: Sequence[Trained], seconds: int) -> str:
    growth = [line for server in servers for model in models for line in by_rows(server, model, seconds)]
    crowd = [line for server in servers for model in models for line in by_clients(server, model, seconds)]
    parts = [
        "# Scaling",
        "" if seconds >= FULL_SECONDS else "**A short run, for trying things out: these are not results.**",
        f"`make bench-scaling SECONDS={seconds:g}`",
        "\n".join(f"* {fact}" for fact in machine.describe(machine.load())),
        "## Rows in a request, one client",
        report.table(("server, model", "rows", "body kB", "p50 ms", "us a row", "rows/s"), growth),
        "## Clients, one row each",
        report.table(("server, model", "clients", "req/s", "p50 ms", "p99 ms", "errors"), crowd),
    ]
    if any(not server.compiled for server in servers):
        model = models[-1]
        rps = capacity(model, seconds)
        parts += [
            f"## Overload: {HEAVY.model.title}, {HEAVY.rows} rows, model.joblib",
            OVERLOAD_NOTE,
            report.table(
                ("offered", "req/s", "accepted/s", "refused", "failed", "p50 ms", "p99 ms", "refusal p99 ms"),
                [line for queue in QUEUES for line in overload(queue, model, rps, seconds)],
            ),
        ]
    return "\n\n".join(filter(None, parts)) + "\n"


def by_rows(server: Server, trained: Trained, seconds: int) -> Iterator[Row]:
    with visit(server, trained, Work(trained.model, 1, 1)) as started:
        for rows in ROWS:
            work = Work(trained.model, rows, 1)
            load = started.load(work, seconds)
            size = len(started.bodies(work).read_bytes().splitlines()[0])
            yield (
                f"{server.name}, {trained.model.title}",
                f"{rows:,}",
                f"{size / 1000:,.1f}",
                f"{load.p50_ms:.2f}",
                f"{load.p50_ms * 1000 / rows:.1f}",
                f"{load.rps * rows:,.0f}",
            )


def by_clients(server: Server, trained: Trained, seconds: int) -> Iterator[Row]:
    with visit(server, trained, Work(trained.model, 1, 1)) as started:
        for clients in CLIENTS:
            load = started.load(Work(trained.model, 1, clients), seconds)
            yield (
                f"{server.name}, {trained.model.title}",
                str(clients),
                f"{load.rps:,.0f}",
                f"{load.p50_ms:.2f}",
                f"{load.p99_ms:.1f}",
                str(load.errors),
            )


def capacity(model: Trained, seconds: int) -> float:
    """Requests a second with a queue that refuses none of the clients."""
    with visit(with_queue(None), model, HEAVY) as started:
        return started.load(HEAVY, seconds).rps


def overload(queue: int | None, model: Trained, rps: float, seconds: int) -> Iterator[Row]:
    """One process tree for the whole curve: what it suffered at 2x it must not remember at 3x."""
    with visit(with_queue(queue), model, HEAVY) as started:
        started.load(HEAVY, seconds)  # warms it up
        for times in OFFERED:
            found = arrivals.post(
                started.place.port, started.server.invocations, started.bodies(HEAVY), rps=rps * times, seconds=seconds
            )
            yield (
                f"queue of {queue or 'the default length'}, {times:g}x",
                f"{found.offered_rps:,.0f}",
                f"{found.accepted_rps:,.0f}",
                f"{found.refused:,}",
                f"{found.failed:,}",
                f"{found.p50_ms:.1f}",
                f"{found.p99_ms:.1f}",
                f"{found.refusal_p99_ms:.1f}" if found.refused else "-",
            )


def with_queue(queue: int | None) -> Server:
    def launch(place: Place) -> Launch:
        plain = product(place)
        limit = {} if queue is None else {"SERVING_MAX_QUEUE_REQUESTS": str(queue)}
        return replace(plain, variables=plain.variables | limit)

    return replace(PRODUCTS[0], launch=launch)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BenchmarkError as error:
        sys.exit(f"benchmarks: {error}")
