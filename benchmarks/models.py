"""Model directories: one with model.joblib for every server, one compiled for the product; kept from run to run."""

import hashlib
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import sklearn

from benchmarks.data import Rows
from benchmarks.errors import ServerError
from benchmarks.servers import ROOT
from benchmarks.work import Model, Work, pool, predictions

CONTAINER = ROOT / "serving-container"
SAMPLES = 200
SAMPLES_SEED = 500


@dataclass(frozen=True, slots=True)
class Trained:
    """A model on disk, and what it predicts here."""

    model: Model
    scratch: Path

    @property
    def file(self) -> Path:
        """The model as trained, in a directory of its own, which is a model directory of SageMaker's."""
        made_by = [ROOT / "benchmarks" / "data.py", ROOT / "benchmarks" / "work.py"]
        return self._directory("trained", made_by) / "model.joblib"

    @property
    def rows_directory(self) -> Path:
        """Beside the model's directory, for files of rows."""
        directory = self.file.parent.with_suffix(".rows")
        directory.mkdir(exist_ok=True)
        return directory

    @property
    def compiled_file(self) -> Path:
        return self._directory("compiled", [*CONTAINER.rglob("*.py"), self.file]) / "model.onnx"

    def _directory(self, kind: str, made_by: Iterable[Path]) -> Path:
        """A directory whose name changes with what makes its content."""
        digest = hashlib.sha256(sklearn.__version__.encode())
        for path in sorted(made_by):
            digest.update(path.read_bytes())
        return self.scratch / "models" / f"{self.model.name}-{kind}-{digest.hexdigest()[:12]}"

    def make(self) -> None:
        if not self.file.exists():
            self.file.parent.mkdir(parents=True, exist_ok=True)
            joblib.dump(self.model.train(), self.file)

    def compile(self) -> None:
        """Compile unless it is there; raises ServerError with the command's own words."""
        if self.compiled_file.exists():
            return
        samples = write_samples(self.model.rows(SAMPLES, SAMPLES_SEED), self.rows_directory)
        command = [sys.executable, "-m", "predictor", "compile", str(self.file.parent), "--samples", str(samples)]
        ran = subprocess.run(
            [*command, "--output", str(self.compiled_file.parent)],
            env={"PYTHONPATH": str(CONTAINER)}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        print(ran.stdout, file=sys.stderr, end="")
        if ran.returncode:
            raise ServerError(f"compile ended with {ran.returncode}: {(ran.stderr or ran.stdout)[-600:]}")

    def expected(self, work: Work, count: int) -> list[Any]:
        """Predictions for the first bodies of a work."""
        return _expected(self.file, work, count)


@cache
def _expected(file: Path, work: Work, count: int) -> list[Any]:
    estimator = joblib.load(file)
    rows = pool(work.model, work.rows)
    return [predictions(estimator, rows[place * work.rows : (place + 1) * work.rows]) for place in range(count)]


def write_samples(rows: Rows, directory: Path) -> Path:
    """Write rows as `compile` reads them."""
    if isinstance(rows, np.ndarray):
        path = directory / "rows.npy"
        np.save(path, rows)
        return path
    path = directory / "rows.csv"
    (rows if isinstance(rows, pd.DataFrame) else pd.DataFrame({"text": rows})).to_csv(path, index=False)
    return path
