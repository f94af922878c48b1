"""Settings of the server, read once from the environment; a bad value names its variable."""

import math
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

LOG_LEVELS = ("debug", "info", "warning", "error")
CGROUP = Path("/sys/fs/cgroup")
MIB = 1024 * 1024
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "LOKY_MAX_CPU_COUNT",
)
"""What numeric libraries read the number of their threads from, when they are imported."""
T = TypeVar("T")


class SettingsError(Exception):
    """Raise when a variable cannot be used; the message is one line that names it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set, each by the variable named beside it."""

    host: str
    """SERVING_HOST: the address to listen on."""
    port: int
    """SAGEMAKER_BIND_TO_PORT, else SERVING_PORT."""
    model_dir: Path
    """SERVING_MODEL_DIR."""
    program: str
    """SAGEMAKER_PROGRAM: the file in the model's code/ that holds its own functions; empty for inference.py."""
    default_accept: str
    """SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT: media type that own code answers in where the request names none."""
    trusted_types: tuple[str, ...]
    """SERVING_TRUSTED_TYPES: types, with commas, that a .skops file may hold besides those known to be safe."""
    workers: int
    """SERVING_WORKERS: processes that predict."""
    threads: int
    """SERVING_THREADS: threads of the numeric libraries in each worker."""
    preload: bool
    """SERVING_PRELOAD: load the model once and fork the workers from it, where the model allows it."""
    max_connections: int
    """SERVING_MAX_CONNECTIONS: open at once, or as many as the process may have files; further ones wait."""
    max_body_bytes: int
    """SERVING_MAX_BODY_BYTES: a longer body is refused with 413."""
    max_rows: int
    """SERVING_MAX_ROWS: a request of more rows is refused with 413."""
    max_queue_requests: int
    """SERVING_MAX_QUEUE_REQUESTS: more waiting requests are refused with 503."""
    max_queue_bytes: int
    """SERVING_MAX_QUEUE_BYTES: the same for the bytes of the bodies, and of those that are being received."""
    max_batch_requests: int
    """SERVING_MAX_BATCH_REQUESTS: requests predicted at once; 1 switches batching off."""
    max_batch_bytes: int
    """SERVING_MAX_BATCH_BYTES: a batch takes no further request once it holds this much."""
    timeout_seconds: float
    """SERVING_TIMEOUT_SECONDS: a request that waited as long is not predicted, and a prediction is ended."""
    stuck_seconds: float
    """SERVING_STUCK_SECONDS: a batch that takes longer makes /ping answer 503, and a start that does is ended."""
    drain_seconds: float
    """SERVING_DRAIN_SECONDS: after SIGTERM, how long what was accepted may take."""
    receive_seconds: float
    """SERVING_RECEIVE_SECONDS: how long a client may take to send one request."""
    idle_seconds: float
    """SERVING_IDLE_SECONDS: how long a connection is kept without a request."""
    log_level: str
    """SERVING_LOG_LEVEL: debug adds a line for every answered request."""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Settings":
        """Read every variable; raises SettingsError."""
        read = _Reader(environ)
        workers = read.number("SERVING_WORKERS", cores(), int, least=1)
        return cls(
            host=environ.get("SERVING_HOST", "127.0.0.1"),
            port=read.number("SAGEMAKER_BIND_TO_PORT", read.number("SERVING_PORT", 8080, int), int),
            model_dir=Path(environ.get("SERVING_MODEL_DIR", "/opt/ml/model")),
            program=environ.get("SAGEMAKER_PROGRAM", ""),
            default_accept=environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", "") or "application/json",
            trusted_types=tuple(filter(None, environ.get("SERVING_TRUSTED_TYPES", "").split(","))),
            workers=workers,
            threads=read.number("SERVING_THREADS", max(1, cores() // workers), int, least=1),
            preload=read.choice("SERVING_PRELOAD", "true", ("true", "false")) == "true",
            max_connections=read.number("SERVING_MAX_CONNECTIONS", 4096, int, least=1),
            max_body_bytes=read.number("SERVING_MAX_BODY_BYTES", 25 * MIB, int, least=1),
            max_rows=read.number("SERVING_MAX_ROWS", 1_000_000, int, least=1),
            max_queue_requests=read.number("SERVING_MAX_QUEUE_REQUESTS", 1024, int, least=1),
            max_queue_bytes=read.number("SERVING_MAX_QUEUE_BYTES", 128 * MIB, int, least=1),
            max_batch_requests=read.number("SERVING_MAX_BATCH_REQUESTS", 64, int, least=1),
            max_batch_bytes=read.number("SERVING_MAX_BATCH_BYTES", MIB, int, least=1),
            timeout_seconds=read.number("SERVING_TIMEOUT_SECONDS", 60.0, float),
            stuck_seconds=read.number("SERVING_STUCK_SECONDS", 60.0, float),
            drain_seconds=read.number("SERVING_DRAIN_SECONDS", 25.0, float),
            receive_seconds=read.number("SERVING_RECEIVE_SECONDS", 60.0, float),
            idle_seconds=read.number("SERVING_IDLE_SECONDS", 75.0, float),
            log_level=read.choice("SERVING_LOG_LEVEL", "info", LOG_LEVELS),
        )


@dataclass(frozen=True, slots=True)
class _Reader:
    environ: Mapping[str, str]

    def number(self, name: str, default: T, parse: Callable[[str], T], *, least: float = 0) -> T:
        text = self.environ.get(name, "")
        if not text:
            return default
        try:
            value: Any = parse(text)
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and value >= least):
            kind = "a whole number" if parse is int else "a number"
            raise SettingsError(f"{name} must be {kind} of at least {least}, not {text!r}")
        return parse(text)

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        text = self.environ.get(name, default).lower()
        if text not in choices:
            raise SettingsError(f"{name} must be one of {', '.join(choices)}, not {text!r}")
        return text


def worker_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of the processes that predict.

    Each numeric library starts as many threads as the host has cores unless told otherwise before it is imported: they
    would fight over the cores, and a process that has them cannot be forked. A worker raises the number when it starts.
    """
    return {**dict.fromkeys(THREAD_VARIABLES, "1"), **environ}


def set_threads(threads: int) -> None:
    """Let the numeric libraries that this process imports from now on use so many threads."""
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, str(threads)))


def cores(cgroup: Path = CGROUP) -> int:
    """Cores this process may use: its affinity, and its container's CPU quota rounded up."""
    return max(1, min(len(os.sched_getaffinity(0)), _quota(cgroup)))


def available_memory(cgroup: Path = CGROUP, meminfo: Path = Path("/proc/meminfo")) -> float:
    """Bytes that may still be had: the machine's, and the container's (cgroup v2 or v1); infinity if neither tells."""
    v1 = cgroup / "memory"
    found = [math.inf]
    for limit, used in (
        (cgroup / "memory.max", cgroup / "memory.current"),
        (v1 / "memory.limit_in_bytes", v1 / "memory.usage_in_bytes"),
    ):
        with suppress(OSError, ValueError):  # no such cgroup, or "max"
            found.append(int(limit.read_text()) - int(used.read_text()))
    with suppress(OSError):
        lines = meminfo.read_text().splitlines()
        found += [1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")]
    return min(found)


def _quota(cgroup: Path) -> int:
    """CPU quota of cgroup v2 (cpu.max) or v1 (cpu.cfs_quota_us); a large number where there is none."""
    try:
        if (cgroup / "cpu.max").exists():
            quota, period = (cgroup / "cpu.max").read_text().split()
        else:
            quota = (cgroup / "cpu/cpu.cfs_quota_us").read_text()
            period = (cgroup / "cpu/cpu.cfs_period_us").read_text()
        return math.ceil(int(quota) / int(period)) if int(quota) > 0 else os.cpu_count() or 1
    except (OSError, ValueError):  # no cgroup file system, or "max"
        return os.cpu_count() or 1
