"""What a user's functions get in place of the container's own model: the object of the file, in its own library's form.

A skops, pickle or joblib file holds the object itself; XGBoost's files become its XGBClassifier or XGBRegressor,
LightGBM's its Booster, and an ONNX file an InferenceSession.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from predictor.models.loading import kind


def _unchanged(rows: Any) -> Any:
    return rows


@dataclass(frozen=True, slots=True)
class Saved:
    """An object, and how it takes the rows of a request."""

    model: Any
    rows: Callable[[Any], Any] = _unchanged


def saved(path: Path, model: Any) -> Saved:
    """Take from the container's model of a file what was saved in it."""
    if kind(path) == "onnx":
        return Saved(_session(path))
    estimator = model.estimator
    return Saved(estimator.booster if kind(path) == "lightgbm" else estimator, model.given)


def callable_predict(model: Any) -> Callable[[Any], Any] | None:
    """How a model that model_fn returned predicts, where there is no predict_fn; None where nothing tells.

    Boosters and modules are asked as AWS's own containers ask them; pipelines of transformers are called.
    """
    module = type(model).__module__.partition(".")[0]
    if module == "xgboost" and type(model).__name__ == "Booster":
        return partial(_of_booster, model)
    predict = getattr(model, "predict", None)
    if callable(predict):
        return predict  # type: ignore[no-any-return]  # a user's own
    if hasattr(model, "state_dict") and "torch" in sys.modules:
        return partial(_of_module, model)
    if callable(model) and not isinstance(model, type):
        return model  # type: ignore[no-any-return]  # as above
    return None


def _of_booster(booster: Any, data: Any) -> Any:
    import xgboost  # noqa: PLC0415  # an extra, which the model has loaded

    return booster.predict(
        data if isinstance(data, xgboost.DMatrix) else xgboost.DMatrix(data), validate_features=False
    )


def _of_module(module: Any, data: Any) -> Any:
    import torch  # type: ignore[import-not-found]  # noqa: PLC0415  # a package of the model's own

    module.eval()
    with torch.no_grad():
        return module(torch.as_tensor(np.asarray(data), dtype=torch.float32))


def _session(path: Path) -> Any:
    """Open the graph once more, on one thread: a session with more does not survive the fork of the workers."""
    import onnxruntime  # noqa: PLC0415  # only this format needs it

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
