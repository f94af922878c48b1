"""The command itself: the container's program on this machine, killed in the middle and run again."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from batch.errors import BatchError, LineError
from batch.on_this_machine import OnThisMachine
from batch.progress import Progress
from batch.records import Options
from batch.run import Batch
from batch.run import run as run_batch
from deployment.settings import ROOT
from tests.batch.conftest import Asking, credit

ROWS = 30_000
PYTHON = Path(sys.executable)


def command(model: Asking, *arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "cli", "batch", str(model.folder), *map(str, arguments), "--local"]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "SERVING_WORKERS": "1"}


def run(model: Asking, *arguments: str | Path) -> tuple[int, str, str]:
    ended = subprocess.run(
        command(model, *arguments),
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return ended.returncode, ended.stdout, ended.stderr


def here(model: Asking) -> OnThisMachine:
    return OnThisMachine(model.folder, PYTHON, environment())


def wait_for(path: Path, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_batch_that_is_killed_goes_on(credit_model: Asking, tmp_path: Path) -> None:
    source, output = tmp_path / "in.csv", tmp_path / "out.csv"
    frame = pd.concat([credit(1000)] * (ROWS // 1000), ignore_index=True)
    frame.to_csv(source, index=False)

    killed = subprocess.Popen(command(credit_model, source, output), cwd=ROOT, env=environment())
    wait_for(tmp_path / "out.csv.journal", killed)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert not output.exists()
    code, said, errors = run(credit_model, source, output)

    assert (code, errors) == (0, "")
    assert f"out.csv: {ROWS:,} rows, " in said
    assert "of them by an earlier run" in said
    given, got = pd.read_csv(source), pd.read_csv(output)
    pd.testing.assert_frame_equal(got[given.columns], given)
    assert got["prediction"].tolist() == credit_model.estimator.predict(given).tolist()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out.csv"]


def test_a_folder_with_a_bad_line(credit_model: Asking, tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    credit(20).to_csv(source / "a.csv", index=False)
    (source / "b.jsonl").write_text('{"age": 1}\n')
    stopped = Batch(credit_model.folder, PYTHON, source, tmp_path / "stopped", Options())
    skipped = Batch(credit_model.folder, PYTHON, source, tmp_path / "skipped", Options(skip=True, only=()))
    progress = Progress(lambda _: None)

    with pytest.raises(LineError, match=r"b\.jsonl, line 1: lacks the key"):
        run_batch(stopped, here(credit_model), Progress(lambda _: None))
    run_batch(skipped, here(credit_model), progress)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "skipped"]
    assert (progress.rows, progress.errors) == (21, 1)
    assert len(pd.read_csv(skipped.output / "a.csv")) == 20
    assert (skipped.output / "b.jsonl").read_text().startswith('{"prediction":null,"error":"lacks')


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("no.csv", "out.csv"), "no.csv does not exist"),
        (("in.txt", "out.txt"), "is no file that can be read"),
        (("in.csv", "out.jsonl"), "name a file that ends in .csv"),
        (("in.csv", "in.csv"), "the output is the input"),
        (("in.csv", "there.csv"), "there.csv is there already"),
    ],
)
def test_files_that_do_not_fit(credit_model: Asking, tmp_path: Path, arguments: tuple[str, str], message: str) -> None:
    for name in ("in.csv", "in.txt", "there.csv"):
        (tmp_path / name).write_text("")
    batch = Batch(credit_model.folder, PYTHON, tmp_path / arguments[0], tmp_path / arguments[1], Options())

    with pytest.raises(BatchError, match=message):
        run_batch(batch, here(credit_model), Progress(lambda _: None))
