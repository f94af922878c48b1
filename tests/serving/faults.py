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
    """Predicts each row's first cell; notes it first, and answers once nothing stands at `hold`."""

    n_features_in_ = 2
    features = 2

    def __init__(self, seconds: float = 0.0, notes: Path | None = None, hold: Path | None = None) -> None:
        self.seconds = seconds
        self.notes = notes
        self.hold = hold

    def fit(self, _rows: npt.NDArray[Any], _targets: npt.NDArray[Any]) -> "Echo":
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def predict(self, rows: npt.NDArray[Any]) -> Any:
        if self.notes:
            with self.notes.open("a") as notes:
                notes.writelines(f"{cell:g}\n" for cell in rows[:, 0])
        if not is_trial(rows):
            time.sleep(self.seconds)
            wait_while(self.hold)
        if (rows[:, 0] == FATAL).any():
            self.fail()
        return self.answer(rows)

    def answer(self, rows: npt.NDArray[Any]) -> Any:
        return rows[:, 0]

    def fail(self) -> None:
        pass

    def __reduce__(self) -> Any:
        return build, (type(self).__name__, self.seconds, self.notes, self.hold)


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
    """Is loaded once nothing stands at `hold`."""

    def __reduce__(self) -> Any:
        return build_late, (self.hold,)


class MissingDependency(Echo):
    def __reduce__(self) -> Any:
        return importlib.import_module, ("a_package_that_is_not_installed",)


def build(name: str, seconds: float, notes: Path | None, hold: Path | None) -> Echo:
    model: Echo = globals()[name](seconds, notes, hold)
    type(model).__module__ = "sklearn.faults"
    return model


def build_late(hold: Path | None) -> Echo:
    wait_while(hold)
    return build("Echo", 0.0, None, None)


def wait_while(hold: Path | None) -> None:
    """Wait until the file is gone; a test that fails may leave it, so not for ever."""
    end = time.monotonic() + 60
    while hold and hold.exists() and time.monotonic() < end:
        time.sleep(0.005)


def noted(notes: Path) -> list[str]:
    """First cells of the rows that a model has been given so far."""
    return notes.read_text().split() if notes.exists() else []


def save(model: Echo, directory: Path) -> Path:
    """Write the model where the server looks for it, and return the directory."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "model.pkl").write_bytes(pickle.dumps(model))
    return directory
