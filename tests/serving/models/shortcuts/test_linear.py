"""Linear models that multiply at once answer as scikit-learn's own methods do, to the last bit."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.decomposition import PCA
from sklearn.linear_model import ElasticNet, Lasso, LinearRegression, LogisticRegression, Ridge, RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import LinearSVC

from predictor.models.estimator import wrap
from predictor.models.shortcuts.linear import direct

ROWS, CLASSES = make_classification(300, 6, n_informative=5, n_redundant=0, n_classes=3, random_state=0)
ROWS = ROWS * [0.5, 1, 2, 3, 4, 5] + 2
LABELS = np.array(["low", "middle", "high"])[CLASSES]
NUMBERS = ROWS[:, 0] * 3 + np.sin(ROWS[:, 1])
RANDOM = np.random.default_rng(0)
QUERIES = RANDOM.normal(scale=5, size=(1000, 6))
SCALERS = [
    StandardScaler(),
    StandardScaler(with_mean=False),
    StandardScaler(with_std=False),
    MinMaxScaler((-1, 3)),
    MinMaxScaler(clip=True),
]
MODELS = [
    LogisticRegression(max_iter=3000).fit(ROWS, LABELS),
    LogisticRegression(max_iter=3000).fit(ROWS, CLASSES == 1),
    LogisticRegression(solver="liblinear", fit_intercept=False).fit(ROWS, LABELS == "low"),
    LogisticRegression(max_iter=3000).fit(ROWS.astype(np.float32), CLASSES),
    LinearSVC().fit(ROWS, LABELS),
    LinearSVC().fit(ROWS, CLASSES > 1),
    LinearRegression().fit(ROWS, NUMBERS),
    LinearRegression().fit(ROWS, np.c_[NUMBERS, -NUMBERS]),
    Ridge(fit_intercept=False).fit(ROWS, NUMBERS),
    Lasso(0.01).fit(ROWS, NUMBERS),
    ElasticNet(0.01).fit(ROWS, NUMBERS),
]
METHODS = ("predict", "predict_proba", "decision_function")


def methods(model: Any) -> list[str]:
    return [name for name in METHODS if hasattr(model, name)]


def named(model: Any) -> str:
    return type(model).__name__


@pytest.mark.parametrize("count", [1, 2, 5, 100, 1000])
@pytest.mark.parametrize("model", MODELS, ids=named)
def test_answers_are_the_models_own(model: Any, count: int) -> None:
    rows = QUERIES[:count]
    asks = direct(model)

    assert sorted(asks) == sorted(methods(model))
    for method, ask in asks.items():
        np.testing.assert_array_equal(ask(rows), getattr(model, method)(rows), strict=True)


@pytest.mark.parametrize("scaler", SCALERS, ids=str)
@pytest.mark.parametrize("model", [MODELS[0], MODELS[1], MODELS[6]], ids=named)
def test_answers_are_the_pipelines_own(scaler: Any, model: Any) -> None:
    pipeline = make_pipeline(scaler.fit(ROWS), model)
    rows = QUERIES.copy()
    asks = direct(pipeline)

    assert sorted(asks) == sorted(methods(pipeline))
    for method, ask in asks.items():
        np.testing.assert_array_equal(ask(rows), getattr(pipeline, method)(QUERIES), strict=True)
    np.testing.assert_array_equal(rows, QUERIES)


def test_a_score_of_nothing_is_the_first_class() -> None:
    model = LogisticRegression().fit([[-1.0], [1.0]], ["first", "second"])
    model.coef_, model.intercept_ = np.array([[1.0]]), np.array([0.0])
    rows = np.array([[0.0], [-0.0], [5e-324]])

    assert direct(model)["predict"](rows).tolist() == model.predict(rows).tolist() == ["first", "first", "second"]


class Own(LogisticRegression):  # type: ignore[misc]  # scikit-learn has no types
    """May predict otherwise."""


class OwnScaler(StandardScaler):  # type: ignore[misc]  # as above
    """May scale otherwise."""


def changed(model: Any, **attributes: Any) -> Any:
    vars(model).update(attributes)
    return model


def of_other_widths() -> Any:
    pipeline = make_pipeline(StandardScaler(), LinearRegression()).fit(ROWS, NUMBERS)
    return changed(pipeline, steps=[("scaler", StandardScaler().fit(ROWS[:, :1])), pipeline.steps[1]])


def without(name: str, model: Any) -> Any:
    delattr(model, name)
    return model


@pytest.mark.parametrize(
    "estimator",
    [
        Own().fit(ROWS[:, :1], CLASSES),
        RidgeClassifier().fit(ROWS, CLASSES),
        make_pipeline(OwnScaler(), LinearRegression()).fit(ROWS, NUMBERS),
        make_pipeline(PCA(2), LinearRegression()).fit(ROWS, NUMBERS),
        make_pipeline("passthrough", LinearRegression()).fit(ROWS, NUMBERS),
        LogisticRegression().fit(ROWS[:, :1], CLASSES).sparsify(),
        changed(LogisticRegression().fit(ROWS[:, :1], CLASSES), classes_=[0, 1, 2]),
        of_other_widths(),
        without("n_features_in_", LinearRegression().fit(ROWS, NUMBERS)),
        without("classes_", LogisticRegression().fit(ROWS[:, :1], CLASSES)),
    ],
    ids=str,
)
def test_another_estimator_is_asked_itself(estimator: Any) -> None:
    assert not direct(estimator)


@pytest.mark.parametrize("method", METHODS)
def test_what_is_served(method: str) -> None:
    pipeline = make_pipeline(StandardScaler().fit(ROWS), MODELS[0])
    expected = getattr(pipeline, method)(QUERIES)

    np.testing.assert_array_equal(wrap(pipeline, Path("model.pkl")).predict(QUERIES, method), expected)


@pytest.mark.parametrize("place", ["model", "scaler", "pipeline"])
def test_methods_that_somebody_has_put_onto_the_object_are_asked(place: str) -> None:
    estimator = make_pipeline(StandardScaler(), LogisticRegression()).fit(ROWS, CLASSES == 1)
    own = {
        "model": (estimator[-1], {"decision_function": partial(np.sum, axis=1)}),
        "scaler": (estimator[0], {"transform": partial(np.multiply, -1.0)}),
        "pipeline": (estimator, {"predict": partial(np.argmax, axis=1)}),
    }
    before = estimator.predict(QUERIES)
    step, own_methods = own[place]
    changed(step, **own_methods)
    expected = estimator.predict(QUERIES)

    assert (expected != before).any()
    np.testing.assert_array_equal(wrap(estimator, Path("model.pkl")).predict(QUERIES, "predict"), expected)


def test_rows_that_are_too_large_are_scikit_learns() -> None:
    rows = np.where(QUERIES > 0, 1e30, QUERIES)
    model = MODELS[0]

    np.testing.assert_array_equal(wrap(model, Path("model.pkl")).predict(rows, "predict"), model.predict(rows))
