"""Model directories: one with model.joblib for every server, one compiled for the product."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

import numpy as np

from benchmarks.errors import ServerError
from benchmarks.servers import ROOT, Server
from benchmarks.work import MODELS, sample, save, trained

BARE_CALLS = 500


def directories(servers: Sequence[Server], scratch: Path) -> dict[tuple[str, bool], Path]:
    """The model file of each model, plain and compiled, by model and whether it is compiled."""
    shutil.rmtree(scratch / "models", ignore_errors=True)
    paths = {(model, False): save(model, scratch / "models" / model) for model in MODELS}
    if any(server.compiled for server in servers):
        paths |= {(model, True): compiled(model, paths[model, False].parent) for model in MODELS}
    return paths


def compiled(model: str, plain: Path) -> Path:
    directory = plain.with_name(f"{model}-compiled")
    rows = plain.with_name(f"{model}-rows.npy")
    np.save(rows, sample(model, 200))
    command = [sys.executable, "-m", "predictor", "compile", str(plain), "--output", str(directory)]
    command += ["--samples", str(rows)]
    ran = subprocess.run(
        command, env={"PYTHONPATH": str(ROOT / "serving-container")}, capture_output=True, text=True, check=False
    )
    if ran.returncode:
        raise ServerError(f"compile of the {model} ended with {ran.returncode}: {ran.stderr or ran.stdout}")
    print(ran.stdout, file=sys.stderr, end="")
    return directory / "model.onnx"


def bare_predict_ms(model: str) -> float:
    """Median of `predict` for one row, called in this process: what no server can undercut."""
    row = sample(model, 1)
    estimator = trained(model)
    times = []
    for _ in range(BARE_CALLS):
        started = perf_counter()
        estimator.predict(row)
        times.append(perf_counter() - started)
    return float(np.median(times)) * 1000
