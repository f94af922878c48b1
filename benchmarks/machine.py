"""What the measurements were made on."""

import datetime as dt
import os
import platform
import subprocess
from pathlib import Path

from benchmarks.results import ServerFacts
from benchmarks.servers import ROOT, Server, tool

QUIET_LOAD = 0.5
VERSIONS = "from importlib.metadata import distributions as d; print(*(f'{x.name}=={x.version}' for x in d()))"


def describe(load: float) -> list[str]:
    memory = int(field("/proc/meminfo", "MemTotal").split()[0]) / 2**20
    return [
        f"{dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M} UTC, commit {commit()}",
        f"{field('/proc/cpuinfo', 'model name')}, {os.cpu_count()} cores, {memory:.0f} GiB",
        f"load average {load:.1f} at the start",
        f"{platform.platform()}, Python {platform.python_version()}",
        f"{program('nginx', '-v')}; {program('wrk', '-v')}",
    ]


def load() -> float:
    """The load average of the last minute; above QUIET_LOAD others use this machine."""
    return os.getloadavg()[0]


def facts(server: Server) -> ServerFacts:
    """The server's own package with its version, and the version of scikit-learn beside it."""
    installed = dict(
        each.lower().split("==") for each in output(str(tool(server.environment, "python")), "-c", VERSIONS).split()
    )
    own = f"{server.package} {installed[server.package]}" if server.package else "this commit"
    return ServerFacts(server.name, own, installed.get("scikit-learn", "-"), server.configuration)


def commit() -> str:
    changed = output("git", "-C", str(ROOT), "status", "--porcelain", "--untracked-files=no")
    return output("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD") + (" with changes" if changed else "")


def field(file: str, name: str) -> str:
    lines = Path(file).read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "unknown")


def program(*command: str) -> str:
    """What a program says its version is; nginx and wrk say it on either stream, and wrk ends with 1."""
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    return (ran.stdout + ran.stderr).splitlines()[0].removeprefix("nginx version: ").split(" [")[0]


def output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
