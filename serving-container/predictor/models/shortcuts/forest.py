"""Forests that ask their trees directly, or look their leaves up.

scikit-learn hands the rows to each tree through joblib and through the tree's own public method, which takes ten times
as long as the tree. Here the rows are checked and made float32 once, and the trees' answers added in the same order:
the sums are the same to the last bit. For one that was trained with several jobs too, whose sums scikit-learn adds in
an order that changes. Source: `ForestClassifier.predict_proba` and `ForestRegressor.predict`,
https://github.com/scikit-learn/scikit-learn/blob/1.9.1/sklearn/ensemble/_forest.py
"""

from copy import copy
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.pipeline import Pipeline
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor

from predictor.models.inspection.estimators import has_own_methods

Doubles = npt.NDArray[np.float64]
CLASSIFIERS = {RandomForestClassifier, ExtraTreesClassifier}
REGRESSORS = {RandomForestRegressor, ExtraTreesRegressor}
TREES = {DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor}
"""Exact classes: one that is derived from them may predict otherwise."""
LARGEST = 1e20
"""What a number may be at most to be made float32 without a look at each."""


def direct(estimator: Any) -> Any:
    """Make a twin of a forest, or of a pipeline that ends with one; another estimator is returned as it is."""
    if type(estimator) is Pipeline:
        name, last = estimator.steps[-1]
        twin = copy(estimator)
        twin.steps = [*estimator.steps[:-1], (name, direct(last))]
        return twin
    if not is_plain(estimator):
        return estimator
    twin = copy(estimator)
    if type(estimator) in CLASSIFIERS:
        twin.predict_proba = partial(_means, estimator)  # which the twin's own predict calls
    else:
        twin.predict = partial(_mean, estimator)
    return twin


def is_plain(estimator: Any) -> bool:
    """Whether it is a forest of one output, and it and its trees have their classes' own methods."""
    if type(estimator) not in CLASSIFIERS | REGRESSORS or estimator.n_outputs_ != 1 or not estimator.estimators_:
        return False
    members = estimator.estimators_
    return {type(member) for member in members} <= TREES and not any(map(has_own_methods, (estimator, *members)))


def _means(forest: Any, rows: Any) -> Doubles:
    """The mean of what the trees say, shape (rows, classes) of a classifier, (rows, 1) of a regressor."""
    rows = _checked(forest, rows)
    total: Doubles = np.zeros((rows.shape[0], getattr(forest, "n_classes_", 1)))
    for member in forest.estimators_:
        total += member.tree_.predict(rows)
    total /= len(forest.estimators_)
    return total


def bounded(rows: Any) -> bool:
    """Whether rows are an array of doubles that are finite and not vast; one product tells."""
    return isinstance(rows, np.ndarray) and rows.dtype == np.float64 and bool(np.vdot(rows, rows) <= LARGEST**2)


def _checked(forest: Any, rows: Any) -> Any:
    """Make rows float32, an array or a sparse matrix; raises ValueError, as the forest's own methods do."""
    if bounded(rows) and rows.shape[1:] == (forest.n_features_in_,):  # so there is nothing to find fault with
        return rows.astype(np.float32)
    return forest._validate_X_predict(rows)  # noqa: SLF001  # as its own methods begin


def _mean(forest: Any, rows: Any) -> Doubles:
    return _means(forest, rows)[:, 0]
