"""Linear models that multiply at once.

scikit-learn asks at every step which library an array is of, and whether it is sound, which takes ten times as long as
the product. Here the rows are sound already (assume_finite.py), and the same operations are done on the same numbers
in the same order: the answers are the same to the last bit. Sources: `LinearClassifierMixin` and `LinearModel`,
https://github.com/scikit-learn/scikit-learn/blob/1.9.1/sklearn/linear_model/_base.py, and `StandardScaler` and
`MinMaxScaler`, https://github.com/scikit-learn/scikit-learn/blob/1.9.1/sklearn/preprocessing/_data.py
"""

from collections.abc import Callable, Mapping
from copy import copy
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import ElasticNet, Lasso, LinearRegression, LogisticRegression, Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import LinearSVC

Doubles = npt.NDArray[np.float64]
Ask = Callable[[Doubles], npt.NDArray[Any]]
CLASSIFIERS = {LogisticRegression, LinearSVC}
REGRESSORS = {LinearRegression, Ridge, Lasso, ElasticNet}
"""Exact classes: one that is derived from them may predict otherwise."""


def direct(estimator: Any) -> Mapping[str, Ask]:
    """Make functions that answer finite rows as the methods of an estimator do; none for another estimator."""
    steps = [step for _, step in estimator.steps] if type(estimator) is Pipeline else [estimator]
    *scalers, model = steps
    widths = {getattr(step, "n_features_in_", None) for step in steps}
    if any(type(scaler) not in SCALERS for scaler in scalers) or len(widths) > 1 or None in widths:
        return {}
    asks = _asks(model)
    return {name: partial(_ask, scalers, ask) for name, ask in asks.items()} if scalers else asks


def _asks(model: Any) -> Mapping[str, Ask]:
    if not isinstance(getattr(model, "coef_", None), np.ndarray):  # sparse, by its sparsify
        return {}
    if type(model) in REGRESSORS:
        return {"predict": partial(_scores, model)}
    if type(model) not in CLASSIFIERS or not isinstance(getattr(model, "classes_", None), np.ndarray):
        return {}
    asks = {"predict": partial(_classes, model), "decision_function": partial(_decisions, model)}
    if hasattr(model, "predict_proba"):
        twin = copy(model)
        twin.decision_function = asks["decision_function"]  # which the twin's own predict_proba calls
        asks["predict_proba"] = twin.predict_proba
    return asks


def _ask(scalers: list[Any], ask: Ask, rows: Doubles) -> npt.NDArray[Any]:
    for scaler in scalers:
        rows = SCALERS[type(scaler)](scaler, rows)
    return ask(rows)


def _standardized(scaler: StandardScaler, rows: Doubles) -> Doubles:
    rows = rows.copy()
    if scaler.with_mean:
        rows -= scaler.mean_
    if scaler.with_std:
        rows /= scaler.scale_
    return rows


def _ranged(scaler: MinMaxScaler, rows: Doubles) -> Doubles:
    rows = rows * scaler.scale_
    rows += scaler.min_
    return np.clip(rows, *scaler.feature_range, out=rows) if scaler.clip else rows


SCALERS: dict[type, Callable[[Any, Doubles], Doubles]] = {StandardScaler: _standardized, MinMaxScaler: _ranged}


def _scores(model: Any, rows: Doubles) -> Doubles:
    """The weighted sums: shape (rows,), or (rows, targets) where the model has them so."""
    scores: Doubles = rows @ model.coef_.T + model.intercept_
    return scores


def _decisions(model: Any, rows: Doubles) -> Doubles:
    """A score a row of two classes, or one a class."""
    scores = _scores(model, rows)
    return scores.reshape(-1) if scores.shape[1:] == (1,) else scores


def _classes(model: Any, rows: Doubles) -> npt.NDArray[Any]:
    scores = _decisions(model, rows)
    places = (scores > 0).astype(np.intp) if scores.ndim == 1 else scores.argmax(axis=1)
    classes: npt.NDArray[Any] = model.classes_.take(places, axis=0)
    return classes
