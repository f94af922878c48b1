import os
import sys
from pathlib import Path

import psutil

from local.process import Command, Process

# Starts a child that shrugs SIGTERM off, and then does as it is told.
LEAVES_A_CHILD = """
import signal, subprocess, sys, time
child = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
subprocess.Popen([sys.executable, "-c", child], stdout=open(sys.argv[1], "w"))
time.sleep(60)
"""
STAYS = """
import pathlib, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path(sys.argv[1]).write_text("up")
time.sleep(60)
"""


def start(program: str, file: Path) -> Process:
    process = Process(Command("test", (sys.executable, "-c", program, str(file)), os.environ, file.parent))
    while not (file.exists() and file.read_text()):
        assert process.exit_code is None
    return process


def test_a_process_that_ends_has_its_exit_code(tmp_path: Path) -> None:
    process = Process(Command("test", (sys.executable, "-c", "raise SystemExit(3)"), os.environ, tmp_path))
    while process.exit_code is None:
        pass

    process.stop()

    assert process.exit_code == 3


def test_stopping_ends_what_the_process_leaves_behind(tmp_path: Path) -> None:
    process = start(LEAVES_A_CHILD, tmp_path / "up")
    children = [child for child in psutil.Process().children(recursive=True) if "SIG_IGN" in " ".join(child.cmdline())]

    process.stop()

    assert len(children) == 2  # the process itself names SIG_IGN too
    assert psutil.wait_procs(children, 5)[1] == []


def test_stopping_kills_a_process_that_stays(tmp_path: Path) -> None:
    process = start(STAYS, tmp_path / "up")

    process.stop(seconds=0.2)

    assert process.exit_code == -9


def test_a_process_has_the_given_environment_only(tmp_path: Path) -> None:
    program = "import os, sys; open(sys.argv[1], 'w').write(repr(sorted(os.environ)))"
    file = tmp_path / "names"
    process = Process(
        Command("test", (sys.executable, "-c", program, str(file)), {"A": "1", "LC_CTYPE": "C.UTF-8"}, tmp_path)
    )
    while process.exit_code is None:
        pass

    assert file.read_text() == "['A', 'LC_CTYPE']"
