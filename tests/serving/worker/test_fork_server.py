"""What a worker says of itself before its first batch: whether it takes several requests at once."""

import os
import pickle
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, SplineTransformer

from predictor.ipc import FORK, FORKED, HELLO, Ready, take_frame
from tests.serving.processes import PYTHONPATH

ROWS = np.random.default_rng(0).normal(size=(50, 2))
QUICK = LinearRegression().fit(ROWS, ROWS[:, 0])
ABOVE_ONE = make_pipeline(SplineTransformer(extrapolation="error"), LinearRegression())
ABOVE_ONE.fit([[2, 3], [4, 5], [6, 7]], [0, 1, 2])


def batches(model: Any, directory: Path) -> bool:
    """Ask a loader for a worker, and the worker for its first frame."""
    (directory / "model.pkl").write_bytes(pickle.dumps(model))
    environment = {"PYTHONPATH": PYTHONPATH, "SERVING_MODEL_DIR": str(directory)}
    control, far_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with control, far_end:
        command = [sys.executable, "-m", "predictor", "load", str(far_end.fileno())]
        with subprocess.Popen(command, pass_fds=[far_end.fileno()], env={"PATH": os.environ["PATH"], **environment}):
            control.send(FORK.pack(0))
            _, (descriptor,), _, _ = socket.recv_fds(control, FORKED.size, 1)
            with socket.socket(fileno=descriptor) as worker:
                frame = take_frame(bytearray(worker.recv(2**16)))
            control.shutdown(socket.SHUT_RDWR)
    assert frame
    number, (ready,) = frame
    assert number == HELLO
    return Ready(*ready).batches


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        pytest.param(QUICK, True, id="each row by itself"),
        pytest.param(make_pipeline(FunctionTransformer(np.cumsum), QUICK), False, id="rows may be mixed"),
        pytest.param(ABOVE_ONE, True, id="refuses the made-up row"),
    ],
)
def test_a_worker_says_whether_it_predicts_requests_together(model: Any, expected: bool, tmp_path: Path) -> None:  # noqa: FBT001  # a parameter of the test
    assert batches(model, tmp_path) is expected
