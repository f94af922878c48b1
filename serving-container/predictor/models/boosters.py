"""XGBoost and LightGBM models from the files that their own libraries write; each library is an extra of the image.

Such a file knows how many classes there are, and not what they are called: predictions are 0, 1, ... for a classifier.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from predictor.inputs.schema import Feature, Schema
from predictor.models.estimator import Estimator, wrap
from predictor.models.inspection import pandas_categories

CLASSIFIERS = ("binary", "multi")
"""How the objective of a classifier begins, with both libraries."""


def load_xgboost(path: Path, threads: int) -> Estimator:
    import xgboost  # noqa: PLC0415  # an extra

    content = bytearray(path.read_bytes())  # a file's format is told by its suffix, and "xgboost-model" has none
    configuration = json.loads(xgboost.Booster(model_file=content).save_config())
    objective = configuration["learner"]["objective"]["name"]
    kind = xgboost.XGBClassifier if objective.startswith(CLASSIFIERS) else xgboost.XGBRegressor
    model = kind(n_jobs=threads)
    model.load_model(content)
    return wrap(model, path)


def load_lightgbm(path: Path, threads: int) -> Estimator:
    import lightgbm  # noqa: PLC0415  # an extra

    booster = lightgbm.Booster(model_file=path)
    classifies = str(booster.params.get("objective")).startswith(CLASSIFIERS)
    names = tuple(booster.feature_name())
    if names == tuple(f"Column_{index}" for index in range(len(names))):
        names = ()  # what LightGBM calls features that were given no name
    categories = pandas_categories.of_lightgbm(booster)
    features = tuple(Feature(name, nullable=True) for name in names or [""] * booster.num_feature())
    methods = ("predict", "predict_proba") if classifies else ("predict",)
    schema = Schema(features, methods=methods, sparse=categories is None)
    estimator = _Classifier(booster, threads) if classifies else _Regressor(booster, threads)
    return Estimator(estimator, categories.described(schema) if categories else schema, categories)


class _Regressor:
    """A booster with the method of an estimator."""

    def __init__(self, booster: Any, threads: int) -> None:
        self.booster = booster
        self._threads = threads

    def predict(self, rows: Any) -> npt.NDArray[Any]:
        values: npt.NDArray[np.float64] = self.booster.predict(rows, num_threads=self._threads)
        return values


class _Classifier(_Regressor):
    """A booster whose predictions are probabilities, of the second class where there are two."""

    def predict_proba(self, rows: Any) -> npt.NDArray[np.float64]:
        shares = super().predict(rows)
        return np.column_stack([1 - shares, shares]) if shares.ndim == 1 else shares

    def predict(self, rows: Any) -> npt.NDArray[Any]:
        labels: npt.NDArray[np.int64] = np.argmax(self.predict_proba(rows), axis=1)
        return labels
