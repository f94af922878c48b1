"""`make bench`: every server in turn, round by round, then one table."""

import argparse
import shutil
import sys
from collections.abc import Sequence
from statistics import median

from benchmarks import machine, report
from benchmarks.campaign import SINGLE, Campaign
from benchmarks.errors import BenchmarkError, LoadError
from benchmarks.load import require_wrk
from benchmarks.models import directories
from benchmarks.ratios import BASELINE, summarise
from benchmarks.scratch import alone
from benchmarks.servers import ROOT, SERVERS, Server

RESULTS = ROOT / "benchmarks" / "RESULTS.md"
FULL_ROUNDS = 3
FULL_SECONDS = 5


def main() -> int:
    arguments = parse(sys.argv[1:])
    servers = [server for server in SERVERS if server.name in arguments.servers]
    require_programs(servers)
    if load := machine.busy():
        print(f"This machine is in use (load average {load:.1f}): ratios will not hold.", file=sys.stderr)

    with alone() as scratch:
        campaign = Campaign(servers, arguments.seconds, directories(servers, scratch))
        for round_ in range(1, arguments.rounds + 1):
            campaign.run(round_)

    page = write_up(campaign, arguments)
    print(page)
    if is_full(arguments) and not campaign.failures and len(servers) == len(SERVERS):
        RESULTS.write_text(page)
    return 1 if campaign.failures else 0


def require_programs(servers: Sequence[Server]) -> None:
    require_wrk()
    if any(server.name == BASELINE for server in servers) and shutil.which("nginx") is None:
        raise LoadError("nginx is not installed: the baseline needs it, `apt-get install nginx-light`")


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


def is_full(arguments: argparse.Namespace) -> bool:
    """Short runs are for trying things out; their numbers are not results."""
    return bool(arguments.rounds >= FULL_ROUNDS and arguments.seconds >= FULL_SECONDS)


def write_up(campaign: Campaign, arguments: argparse.Namespace) -> str:
    summaries = summarise(campaign.measurements)
    parts = [
        "# Results",
        "" if is_full(arguments) else "**A short run, for trying things out: these are not results.**",
        f"`make bench ROUNDS={arguments.rounds} SECONDS={arguments.seconds:g}`",
        "\n".join(f"* {fact}" for fact in machine.describe()),
        "Ratios are to the baseline of the same round; figures are medians over rounds, pings those of all rounds.",
        report.measured(summaries),
        "\n".join(f"* {name} failed: {why}" for name, why in campaign.failures.items()),
        "## One client, one row",
        report.overhead(summaries, SINGLE.name, median(campaign.bare_ms)),
        "## Servers",
        report.configurations(campaign.servers),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BenchmarkError as error:
        sys.exit(f"benchmarks: {error}")
