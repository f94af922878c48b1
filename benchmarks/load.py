"""One run of wrk, and what it says."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from benchmarks.errors import LoadError

SCRIPT = Path(__file__).with_name("post.lua")
TIMEOUT_S = 10


@dataclass(frozen=True, slots=True)
class Load:
    """What a load generator saw: good answers per second, latency in milliseconds, and answers that were not good."""

    rps: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    errors: int


def require_wrk() -> None:
    if shutil.which("wrk") is None:
        raise LoadError("wrk is not installed: it is in Debian and Ubuntu, `apt-get install wrk`")


def post(url: str, bodies: Path, *, clients: int, seconds: int) -> Load:
    """POST the file's lines in turn from `clients` connections, each waiting for its answer before it asks again.

    wrk takes whole seconds only.
    """
    options = ["-t1", f"-c{clients}", f"-d{seconds}s", f"--timeout={TIMEOUT_S}s", f"--script={SCRIPT}"]
    ran = subprocess.run(
        ["wrk", *options, url, "--", str(bodies)], capture_output=True, text=True, timeout=seconds + 60, check=False
    )
    if ran.returncode:
        raise LoadError(f"wrk ended with {ran.returncode}: {ran.stderr or ran.stdout}")
    return parse(ran.stdout)


def parse(output: str) -> Load:
    """Read the line of JSON that post.lua prints last."""
    lines = [line for line in output.splitlines() if line.startswith("{")]
    if not lines:
        raise LoadError(f"wrk printed no summary: {output}")
    said = json.loads(lines[-1])
    return Load(
        rps=(said["requests"] - said["status"]) * 1e6 / said["duration_us"],
        p50_ms=said["p50_us"] / 1000,
        p99_ms=said["p99_us"] / 1000,
        max_ms=said["max_us"] / 1000,
        errors=sum(said[kind] for kind in ("connect", "read", "write", "timeout", "status")),
    )
