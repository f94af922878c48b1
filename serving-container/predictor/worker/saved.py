"""What a user's functions get in place of the container's own model: the object of the file, in its own library's form.

A skops, pickle or joblib file holds the object itself; XGBoost's files become its XGBClassifier or XGBRegressor,
LightGBM's its Booster, and an ONNX file an InferenceSession.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


def _unchanged(rows: Any) -> Any:
    return rows


@dataclass(frozen=True, slots=True)
class Saved:
    """An object, and how it takes the rows of a request."""

    model: Any
    rows: Callable[[Any], Any] = _unchanged


def saved(path: Path, model: Any) -> Saved:
    """Take from the container's model of a file what was saved in it."""
    if path.suffix.lower() == ".onnx":
        return Saved(_session(path))
    estimator = model.estimator
    return Saved(estimator.booster if path.name == "model.txt" else estimator, model.given)


def _session(path: Path) -> Any:
    """Open the graph once more, on one thread: a session with more does not survive the fork of the workers."""
    import onnxruntime  # noqa: PLC0415  # only this format needs it

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
