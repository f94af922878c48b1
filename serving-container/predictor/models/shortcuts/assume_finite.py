"""When scikit-learn need not look for NaN and infinity among rows that have been looked at.

Every cell of a request is finite, but a step of a pipeline may make NaN of it (log of a negative number), or infinity
(a product, a cast to float32). `sklearn.config_context(assume_finite=True)` would hide that, and the model answer
nonsense. So it is for a few plain estimators only, for numbers that are not vast, and after no step but a scaler, of
which it can be said how large a number it makes. It saves them a tenth of their time.
"""

from typing import Any

import numpy as np
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.linear_model import (
    ElasticNet,
    Lasso,
    LinearRegression,
    LogisticRegression,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
    SGDRegressor,
)
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC, SVR, LinearSVC, LinearSVR

from predictor.models.inspection.estimators import has_own_methods

LARGEST = 1e20
"""What a number may be at most. With the limits of scalers below they make 2e35 at most."""
SMALLEST_SCALE = 1e-15
LINEAR = {LinearRegression, LogisticRegression, Ridge, RidgeClassifier, Lasso, ElasticNet, SGDClassifier, SGDRegressor}
PLAIN = LINEAR | {SVC, SVR, LinearSVC, LinearSVR, KMeans, PCA}
"""They compute with the rows as they are; exact classes, for another may add to what it is derived from."""


def stays_finite(estimator: Any) -> bool:
    """Whether an estimator sees finite numbers only, if rows are `bounded`."""
    steps = [step for _, step in estimator.steps] if type(estimator) is Pipeline else [estimator]
    if any(map(has_own_methods, (estimator, *steps))):
        return False
    *before, last = steps
    return type(last) in PLAIN and len(before) <= 1 and all(map(_is_mild, before))


def bounded(rows: Any) -> bool:
    """Whether rows are an array of doubles that are finite and not vast; one product tells."""
    return isinstance(rows, np.ndarray) and rows.dtype == np.float64 and bool(np.vdot(rows, rows) <= LARGEST**2)


def _is_mild(scaler: Any) -> bool:
    """Whether a scaler makes no vast numbers of others."""
    if type(scaler) is StandardScaler:  # (x - mean) / scale
        return _below(scaler.mean_, LARGEST) and (scaler.scale_ is None or bool(scaler.scale_.min() >= SMALLEST_SCALE))
    if type(scaler) is MinMaxScaler:  # x * scale + min
        return _below(scaler.scale_, 1 / SMALLEST_SCALE) and _below(scaler.min_, LARGEST)
    return False


def _below(values: Any, limit: float) -> bool:
    return values is None or bool(np.abs(values).max() <= limit)
