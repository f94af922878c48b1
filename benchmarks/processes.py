"""A server's process tree: started, waited for, weighed, stopped."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

GRACE_S = 5.0


@contextmanager
def running(command: list[str], variables: dict[str, str], directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server in a session of its own, its output in `server.log`; at the end nothing of it is left."""
    with (directory / "server.log").open("ab") as log:
        process = subprocess.Popen(
            command, env=variables, cwd=directory, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
    try:
        yield process
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM to the server, and after a grace SIGKILL to what it started: some do not leave by themselves."""
    members = tree(process.pid)
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(GRACE_S)
    for pid in left(members, 1):
        os.kill(pid, signal.SIGKILL)
    process.wait(GRACE_S)
    left(members, GRACE_S)


def left(pids: list[int], seconds: float) -> list[int]:
    """Those of the processes that are still alive after so long."""
    deadline = time.monotonic() + seconds
    while (alive_now := [*filter(alive, pids)]) and time.monotonic() < deadline:
        time.sleep(0.02)
    return alive_now


def alive(pid: int) -> bool:
    with suppress(OSError):
        return stat(pid)[0] != "Z"
    return False


def stat(pid: int) -> list[str]:
    """State, parent and what follows them in proc_pid_stat(5); the name before them may hold spaces."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def tree(root: int) -> list[int]:
    """A process and all its descendants."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            pid = int(entry.name)
            parents.setdefault(int(stat(pid)[1]), []).append(pid)
    found = [root]
    for pid in found:
        found += parents.get(pid, [])
    return found


def pss_mb(root: int) -> float:
    """Proportional set size of the whole tree: shared pages count once, split among those who share them."""
    total = 0
    for pid in tree(root):
        with suppress(OSError):
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            total += sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return total / 1024
