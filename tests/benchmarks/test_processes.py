import subprocess
import sys
import time
from pathlib import Path

from benchmarks.processes import alive, pss_mb, running, tree

SHELL_WITH_CHILD = ["sh", "-c", "sleep 60 & wait"]


def grown(process: subprocess.Popen[bytes], size: int) -> list[int]:
    deadline = time.monotonic() + 10
    while len(members := tree(process.pid)) < size and time.monotonic() < deadline:
        time.sleep(0.01)
    return members


def test_a_stopped_server_leaves_none_of_its_children(tmp_path: Path) -> None:
    with running(SHELL_WITH_CHILD, {"PATH": "/usr/bin:/bin"}, tmp_path) as process:
        members = grown(process, 2)

    assert (len(members), [pid for pid in members if alive(pid)]) == (2, [])


def test_memory_is_that_of_the_whole_tree(tmp_path: Path) -> None:
    hungry = "import time; held = b'x' * 50_000_000; print(flush=True); time.sleep(60)"
    command = ["sh", "-c", f'{sys.executable} -c "{hungry}" & wait']

    with running(command, {"PATH": "/usr/bin:/bin"}, tmp_path) as process:
        deadline = time.monotonic() + 10
        while not (tmp_path / "server.log").read_bytes() and time.monotonic() < deadline:
            time.sleep(0.01)
        weight = pss_mb(process.pid)

    assert 47 < weight < 150
