"""What a worker says of itself before its first batch: how much it takes at once."""

import os
import pickle
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, SplineTransformer

from predictor.ipc import FORK, FORKED, HELLO, Ready, take_frame
from predictor.worker.startup import LEAST_BATCH_BYTES
from tests.serving.processes import PYTHONPATH

MIB = 2**20
ROWS = np.random.default_rng(0).normal(size=(50, 2))
QUICK = LinearRegression().fit(ROWS, ROWS[:, 0])
VOTERS = RandomForestClassifier(100, random_state=0).fit(ROWS, ROWS[:, 0] > 0)
SLOW = RandomForestRegressor(2000, max_depth=1, random_state=0).fit(ROWS, ROWS[:, 0])


def batch_bytes(model: Any, directory: Path, **settings: int) -> int:
    """Ask a loader for a worker, and the worker for its first frame."""
    (directory / "model.pkl").write_bytes(pickle.dumps(model))
    variables = {f"SERVING_{name.upper()}": str(value) for name, value in settings.items()}
    environment = {"PYTHONPATH": PYTHONPATH, "SERVING_MODEL_DIR": str(directory), **variables}
    control, far_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with control, far_end:
        command = [sys.executable, "-m", "predictor", "load", str(far_end.fileno())]
        with subprocess.Popen(command, pass_fds=[far_end.fileno()], env={"PATH": os.environ["PATH"], **environment}):
            control.send(FORK.pack(0))
            _, (descriptor,), _, _ = socket.recv_fds(control, FORKED.size, 1)
            with socket.socket(fileno=descriptor) as worker:
                frame = take_frame(bytearray(worker.recv(MIB)))
            control.shutdown(socket.SHUT_RDWR)
    assert frame
    number, (ready,) = frame
    assert number == HELLO
    return Ready(*ready).batch_bytes


@pytest.mark.parametrize("quick", [QUICK, VOTERS], ids=["linear", "forest"])
def test_a_model_whose_every_call_takes_long_takes_larger_batches(quick: Any, tmp_path: Path) -> None:
    small, large = (batch_bytes(model, tmp_path) for model in (quick, SLOW))

    assert LEAST_BATCH_BYTES <= small < 3 * small < large <= MIB


@pytest.mark.parametrize("model", [QUICK, SLOW])
def test_batches_are_never_larger_than_the_setting(model: Any, tmp_path: Path) -> None:
    assert batch_bytes(model, tmp_path, max_batch_bytes=1000) == 1000


def test_a_model_that_may_mix_rows_takes_one_task_at_a_time(tmp_path: Path) -> None:
    assert batch_bytes(make_pipeline(FunctionTransformer(np.cumsum), QUICK), tmp_path) == 0


def test_a_model_that_refuses_the_row_it_is_tried_with_takes_batches_of_the_setting(tmp_path: Path) -> None:
    above_one = make_pipeline(SplineTransformer(extrapolation="error"), QUICK).fit([[2, 3], [4, 5], [6, 7]], [0, 1, 2])

    assert batch_bytes(above_one, tmp_path) == MIB
