"""LightGBM's boosters, asked directly: the library's wrapper validates and copies its parameters for each call.

That takes up to ten times as long as the trees of one row (docs/decisions.md).
"""

from copy import copy
from typing import Any

import numpy as np
import numpy.typing as npt

from predictor.models.inspection.estimators import has_own_methods

REGRESSORS = {"LGBMRegressor", "LGBMRanker"}
HARMLESS = {"verbose", "verbosity"}
"""Parameters beyond the wrapper's own that change no prediction; of others (early stopping, raw scores) some do."""


class Regressor:
    """A booster with the method of an estimator; `threads` of 0 are as many as the worker has."""

    def __init__(self, booster: Any, threads: int = 0) -> None:
        self.booster = booster
        self._threads = threads

    def predict(self, rows: Any) -> npt.NDArray[Any]:
        values: npt.NDArray[np.float64] = self.booster.predict(rows, num_threads=self._threads)
        return values


class Classifier(Regressor):
    """A booster whose predictions are probabilities, of the second class where there are two."""

    def __init__(self, booster: Any, threads: int = 0, classes: npt.NDArray[Any] | None = None) -> None:
        super().__init__(booster, threads)
        self._classes = classes

    def predict_proba(self, rows: Any) -> npt.NDArray[np.float64]:
        shares = super().predict(rows)
        return np.column_stack([1 - shares, shares]) if shares.ndim == 1 else shares

    def predict(self, rows: Any) -> npt.NDArray[Any]:
        places: npt.NDArray[np.int64] = np.argmax(self.predict_proba(rows), axis=1)
        return places if self._classes is None else self._classes[places]


def direct(estimator: Any) -> Any:
    """Make a twin of a wrapper that asks its booster; another estimator is returned as it is."""
    kind = type(estimator)
    if not kind.__module__.startswith("lightgbm.") or has_own_methods(estimator):
        return estimator
    if callable(estimator.objective) or not estimator._other_params.keys() <= HARMLESS:  # noqa: SLF001  # get_params() has them among all others
        return estimator
    if kind.__name__ in REGRESSORS:
        asked = Regressor(estimator.booster_)
    elif kind.__name__ == "LGBMClassifier" and len(estimator.classes_) > 1:
        asked = Classifier(estimator.booster_, classes=estimator.classes_)
    else:
        return estimator
    twin = copy(estimator)
    for name in ("predict", "predict_proba"):
        if hasattr(asked, name):
            setattr(twin, name, getattr(asked, name))
    return twin
