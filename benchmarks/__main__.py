"""`make bench`: every server in turn, round by round, then one file of results; table and plot are made of it."""

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import machine, plot, report, results
from benchmarks.campaign import Campaign
from benchmarks.errors import BenchmarkError, LoadError
from benchmarks.load import require_wrk
from benchmarks.results import Results
from benchmarks.scratch import alone
from benchmarks.servers import ROOT, SERVERS, Server
from benchmarks.summary import BASELINE, singles, summarise
from benchmarks.work import GRID, MODELS, Grid, named

RESULTS = ROOT / "benchmarks" / "results.json"
PAGE = ROOT / "benchmarks" / "RESULTS.md"
PLOT = ROOT / "docs" / "benchmark.svg"
FULL_ROUNDS = 3


def main() -> int:
    arguments = parse(sys.argv[1:])
    if not arguments.draw:
        campaign = run(arguments)
        results.write(collected(campaign, sys.argv[1:]), arguments.output)
        print(report.page(results.read(arguments.output)))
        if campaign.failures:
            return 1
    if arguments.output == RESULTS:
        draw()
    return 0


def parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    names = [server.name for server in SERVERS]
    models = [model.name for model in MODELS]
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=6, help="how long each work runs, after a warm-up")
    parser.add_argument("--servers", type=_list, default=names, help=",".join(names))
    parser.add_argument("--models", type=_list, default=models, help=",".join(models))
    parser.add_argument("--grid", type=_grid, default=GRID, help="rows and clients, such as 1x1,1x32,100x32")
    parser.add_argument(
        "--output", type=Path, help=f"the file of results; {RESULTS.name} for {FULL_ROUNDS} rounds or more"
    )
    parser.add_argument("--draw", action="store_true", help="measure nothing: make table and plot of the results again")
    arguments = parser.parse_args(argv)
    _known(parser, "server", arguments.servers, names)
    _known(parser, "model", arguments.models, models)
    if arguments.output is None:
        short = ROOT / ".local" / "benchmarks" / RESULTS.name
        arguments.output = RESULTS if arguments.draw or arguments.rounds >= FULL_ROUNDS else short
    return arguments


def _list(text: str) -> list[str]:
    return text.split(",")


def _grid(text: str) -> Grid:
    pairs = [part.split("x") for part in text.split(",")]
    return [(int(rows), int(clients)) for rows, clients in pairs]


def _known(parser: argparse.ArgumentParser, what: str, asked: list[str], known: list[str]) -> None:
    if unknown := set(asked) - set(known):
        parser.error(f"no such {what}: {', '.join(sorted(unknown))}; there are {', '.join(known)}")


def run(arguments: argparse.Namespace) -> Campaign:
    servers = [server for server in SERVERS if server.name in arguments.servers]
    require_programs(servers)
    with alone() as scratch:
        campaign = Campaign(servers, named(arguments.models), arguments.grid, arguments.seconds, scratch)
        campaign.prepare()
        campaign.load = machine.load()
        if campaign.load > machine.QUIET_LOAD:
            print(f"This machine is in use (load average {campaign.load:.1f}): ratios will not hold.", file=sys.stderr)
        for round_ in range(1, arguments.rounds + 1):
            campaign.run(round_)
    return campaign


def require_programs(servers: Sequence[Server]) -> None:
    require_wrk()
    if any(server.name == BASELINE for server in servers) and shutil.which("nginx") is None:
        raise LoadError("nginx is not installed: the baseline needs it, `apt-get install nginx-light`")


def collected(campaign: Campaign, argv: Sequence[str]) -> Results:
    return Results(
        command=" ".join(["python -m benchmarks", *argv]),
        machine=machine.describe(campaign.load),
        servers=[machine.facts(server) for server in campaign.servers],
        singles=singles(campaign.bare),
        summaries=summarise(campaign.measurements, campaign.bare),
        failures=campaign.failures,
    )


def draw() -> None:
    """Make RESULTS.md and the plot of the results file."""
    found = results.read(RESULTS)
    PAGE.write_text(report.page(found))
    PLOT.write_text(plot.draw(found))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BenchmarkError as error:
        sys.exit(f"benchmarks: {error}")
