"""Models that fail, each in its own way, and one that does not. A row's first cell says whether it is the fatal one.

They pose as scikit-learn's own, whose rows are known to be independent of each other: others are never batched.
"""

import importlib
import os
import pickle
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator

FATAL = 666.0
"""The first cell of a row at which a model does what it is named for."""


def is_trial(rows: npt.NDArray[Any]) -> bool:
    """Whether these are the rows with which a model is tried out when it is loaded."""
    return bool((rows[:, 1] == 1).all() or np.isnan(rows).any())


class Echo(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Predicts each row's first cell."""

    n_features_in_ = 2
    features = 2

    def __init__(self, seconds: float = 0.0, notes: Path | None = None) -> None:
        self.seconds = seconds
        self.notes = notes

    def fit(self, _rows: npt.NDArray[Any], _targets: npt.NDArray[Any]) -> "Echo":
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def predict(self, rows: npt.NDArray[Any]) -> Any:
        if not is_trial(rows):
            time.sleep(self.seconds)
        if self.notes:
            with self.notes.open("a") as notes:
                notes.writelines(f"{cell:g}\n" for cell in rows[:, 0])
        if (rows[:, 0] == FATAL).any():
            self.fail()
        return self.answer(rows)

    def answer(self, rows: npt.NDArray[Any]) -> Any:
        return rows[:, 0]

    def fail(self) -> None:
        pass

    def __reduce__(self) -> Any:
        return build, (type(self).__name__, self.seconds, self.notes)


class RaisesInPredict(Echo):
    def fail(self) -> None:
        raise RuntimeError("secret of the model")


class DiesInPredict(Echo):
    def fail(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


class HangsInPredict(Echo):
    def fail(self) -> None:
        time.sleep(3600)


class WrongLength(Echo):
    def answer(self, rows: npt.NDArray[Any]) -> Any:
        return rows[:, 0] if is_trial(rows) else rows[:-1, 0]


class KilledInLoad(Echo):
    def __reduce__(self) -> Any:
        return os.kill, (0, signal.SIGKILL)


class SlowToLoad(Echo):
    """Takes a moment to load, in each process that loads it but the first."""

    def __reduce__(self) -> Any:
        return build_late, (self.seconds, self.notes)


class MissingDependency(Echo):
    def __reduce__(self) -> Any:
        return importlib.import_module, ("a_package_that_is_not_installed",)


def build(name: str, seconds: float, notes: Path | None) -> Echo:
    model: Echo = globals()[name](seconds, notes)
    type(model).__module__ = "sklearn.faults"
    return model


def build_late(seconds: float, notes: Path) -> Echo:
    if notes.exists():
        time.sleep(seconds)
    notes.touch()
    return build("Echo", 0.0, None)


def save(model: Echo, directory: Path) -> Path:
    """Write the model where the server looks for it, and return the directory."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "model.pkl").write_bytes(pickle.dumps(model))
    return directory
