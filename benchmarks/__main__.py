"""`make bench`: every server in turn, round by round, then one table."""

import argparse
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from benchmarks import machine, report
from benchmarks.load import LoadError, require_wrk
from benchmarks.measure import SCRATCH, Measurement, ServerError, measure_all
from benchmarks.models import bare_predict_ms, directories
from benchmarks.ratios import Summary, summarise
from benchmarks.servers import ROOT, SERVERS, Server
from benchmarks.work import MODELS, WORKS

RESULTS = ROOT / "benchmarks" / "RESULTS.md"
SINGLE = WORKS[0]
FULL_ROUNDS = 3
FULL_SECONDS = 5


def main() -> int:
    arguments = parse(sys.argv[1:])
    require_wrk()
    servers = [server for server in SERVERS if server.name in arguments.servers]
    if any(server.name == "baseline" for server in servers) and shutil.which("nginx") is None:
        raise LoadError("nginx is not installed: the baseline needs it, `apt-get install nginx-light`")
    if load := machine.busy():
        print(f"This machine is in use (load average {load:.1f}): ratios will not hold.", file=sys.stderr)

    measurements: list[Measurement] = []
    failures: dict[str, str] = {}
    bare: list[float] = []
    paths = directories(servers, SCRATCH)
    for round_ in range(1, arguments.rounds + 1):
        bare.append(bare_predict_ms(SINGLE.model))
        measurements += run(servers, paths, round_, arguments.seconds, failures)

    page = write_up(servers, summarise(measurements), median(bare), arguments, failures)
    print(page)
    if is_full(arguments) and not failures and len(servers) == len(SERVERS):
        RESULTS.write_text(page)
    return 1 if failures else 0


def parse(argv: Sequence[str]) -> argparse.Namespace:
    names = [server.name for server in SERVERS]
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=6, help="how long each work runs, after a second of warm-up")
    parser.add_argument("--servers", type=lambda text: text.split(","), default=names, help=",".join(names))
    arguments = parser.parse_args(argv)
    if unknown := set(arguments.servers) - set(names):
        parser.error(f"no such server: {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    return arguments


def run(
    servers: Sequence[Server],
    paths: dict[tuple[str, bool], Path],
    round_: int,
    seconds: float,
    failures: dict[str, str],
) -> Iterator[Measurement]:
    """One round: the baseline first, so that each ratio is to a baseline of the same minutes."""
    for model in MODELS:
        works = [work for work in WORKS if work.model == model]
        for server in servers:
            print(f"round {round_}: {server.name}, {model}", file=sys.stderr)
            try:
                yield from measure_all(server, paths[model, server.compiled], works, round_, seconds)
            except ServerError as error:
                failures[f"{server.name}, {model}"] = str(error)


def is_full(arguments: argparse.Namespace) -> bool:
    """Short runs are for trying things out; their numbers are not results."""
    return bool(arguments.rounds >= FULL_ROUNDS and arguments.seconds >= FULL_SECONDS)


def write_up(
    servers: Sequence[Server],
    summaries: Sequence[Summary],
    bare_ms: float,
    arguments: argparse.Namespace,
    failures: dict[str, str],
) -> str:
    command = f"make bench ROUNDS={arguments.rounds} SECONDS={arguments.seconds:g}"
    parts = [
        "# Results",
        "" if is_full(arguments) else "**A short run, for trying things out: these are not results.**",
        f"`{command}`",
        "\n".join(f"* {fact}" for fact in machine.describe()),
        "Ratios are to the baseline of the same round; figures are medians over rounds, pings those of all rounds.",
        report.measured(summaries),
        "\n".join(f"* {name} failed: {why}" for name, why in failures.items()),
        "## One client, one row",
        report.overhead(summaries, SINGLE.name, bare_ms),
        "## Servers",
        report.configurations(servers),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LoadError as error:
        sys.exit(f"benchmarks: {error}")
