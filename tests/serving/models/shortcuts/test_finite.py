"""What is not finite is refused as the estimator itself refuses it, however it comes about."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier, StackingRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, PolynomialFeatures, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from predictor.errors import BadInputError
from predictor.models.estimator import Estimator, wrap
from predictor.models.shortcuts.forest import bounded

RANDOM = np.random.default_rng(0)
ROWS = RANDOM.random((50, 2)) + 0.1
TARGET = (ROWS[:, 0] > ROWS[:, 1]).astype(int)
LOGISTIC = LogisticRegression()
NARROW = ROWS * 1e-20
"""Rows of so small a scale that a scaler makes infinity of large numbers."""


def model(estimator: Any, rows: Any = ROWS) -> Estimator:
    return wrap(estimator.fit(rows, TARGET), Path("model.pkl"))


@pytest.mark.parametrize(
    ("estimator", "row"),
    [
        (make_pipeline(FunctionTransformer(np.log), LOGISTIC), [-5.0, 1.0]),
        (make_pipeline(FunctionTransformer(np.log), LOGISTIC), [0.0, 1.0]),
        (make_pipeline(FunctionTransformer(np.log), StandardScaler(), SVC()), [-5.0, 1.0]),
        (make_pipeline(PolynomialFeatures(3), LOGISTIC), [1e200, 1.0]),
        (make_pipeline(StandardScaler(), LOGISTIC), [1.7e308, -1.7e308]),
        (make_pipeline(MinMaxScaler((0, 1000)), LOGISTIC), [1e307, 1.0]),
        (StackingRegressor([("a", make_pipeline(PolynomialFeatures(3), LinearRegression()))], cv=2), [1e200, 1.0]),
        (DecisionTreeClassifier(), [1e39, 1.0]),
        (RandomForestClassifier(3), [-1e39, 1.0]),
    ],
)
@pytest.mark.filterwarnings("ignore:(invalid value|divide by zero|overflow) encountered:RuntimeWarning")
def test_what_becomes_infinite_is_refused(estimator: Any, row: list[float]) -> None:
    subject = model(estimator)
    with pytest.raises(ValueError, match=r"contains (NaN|infinity)"):
        subject.estimator.predict([row])

    with pytest.raises(BadInputError, match=r"The model refuses the rows: Input X contains (NaN|infinity)"):
        subject.predict(np.array([row]), "predict")


@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
def test_a_scaler_of_a_tiny_scale() -> None:
    subject = model(make_pipeline(StandardScaler(), LOGISTIC), NARROW)

    with pytest.raises(BadInputError, match="contains infinity"):
        subject.predict(np.array([[1e290, 1.0]]), "predict")


@pytest.mark.parametrize(
    ("number", "expected"),
    [(1e19, True), (-1e19, True), (1e21, False), (-1.7e308, False), (np.nan, False), (np.inf, False)],
)
def test_rows_are_bounded_whatever_is_beside_a_number(number: float, expected: bool) -> None:  # noqa: FBT001  # pytest's parameter
    assert bounded(np.array([[0.0, number], [1.0, 2.0]])) is expected
