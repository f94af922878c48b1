"""Forests that ask their trees directly answer as scikit-learn's own methods do, to the last bit."""

from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import make_classification
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from predictor.models.estimator import wrap
from predictor.models.shortcuts.forest import direct

ROWS, CLASSES = make_classification(400, 6, n_informative=5, n_redundant=0, n_classes=3, random_state=0)
LABELS = np.array(["low", "middle", "high"])[CLASSES]
NUMBERS = ROWS[:, 0] * 3 + np.sin(ROWS[:, 1])
RANDOM = np.random.default_rng(0)
QUERIES = RANDOM.normal(scale=3, size=(2000, 6))
FORESTS = [
    RandomForestClassifier(30, random_state=0).fit(ROWS, LABELS),
    RandomForestClassifier(30, max_depth=3, class_weight="balanced", random_state=0).fit(ROWS, CLASSES == 1),
    RandomForestClassifier(7, n_jobs=2, random_state=0).fit(ROWS, CLASSES),
    ExtraTreesClassifier(30, min_samples_leaf=3, random_state=0).fit(ROWS, LABELS),
    RandomForestRegressor(30, random_state=0).fit(ROWS, NUMBERS),
    RandomForestRegressor(30, criterion="absolute_error", max_depth=4, random_state=0).fit(ROWS, NUMBERS),
    ExtraTreesRegressor(30, random_state=0).fit(ROWS, NUMBERS),
]


def at_thresholds(forest: Any) -> Any:
    """Rows with a feature at a threshold of the forest, or next to it in double precision."""
    nodes = [(tree.feature, tree.threshold) for tree in (member.tree_ for member in forest.estimators_)]
    features, thresholds = (np.concatenate(parts) for parts in zip(*nodes, strict=True))
    features, thresholds = features[features >= 0], thresholds[features >= 0]
    rows = QUERIES[RANDOM.integers(len(QUERIES), size=len(features))]
    rows[np.arange(len(rows)), features] = np.nextafter(thresholds, RANDOM.choice([-np.inf, np.inf], len(rows)))
    return rows


def methods(forest: Any) -> list[str]:
    return [name for name in ("predict", "predict_proba") if hasattr(forest, name)]


@pytest.mark.parametrize("forest", FORESTS, ids=str)
@pytest.mark.parametrize("count", [1, 2, 100, None])
def test_answers_are_the_forests_own(forest: Any, count: int | None) -> None:
    rows = np.concatenate([QUERIES, at_thresholds(forest)])[:count]
    alone = forest.set_params(n_jobs=None)

    for method in methods(forest):
        np.testing.assert_array_equal(getattr(direct(forest), method)(rows), getattr(alone, method)(rows), strict=True)


@pytest.mark.parametrize("forest", FORESTS, ids=str)
def test_answers_are_the_forests_own_at_the_end_of_a_pipeline(forest: Any) -> None:
    scaler = StandardScaler().fit(ROWS)
    pipeline = make_pipeline(scaler, forest)

    for method in methods(forest):
        found = getattr(direct(pipeline), method)(QUERIES)
        np.testing.assert_array_equal(found, getattr(forest, method)(scaler.transform(QUERIES)), strict=True)
    assert pipeline.steps[-1][1] is forest


def test_sparse_rows() -> None:
    rows = sparse.csr_matrix(np.where(QUERIES > 0, QUERIES, 0))

    np.testing.assert_array_equal(direct(FORESTS[0]).predict_proba(rows), FORESTS[0].predict_proba(rows))


def test_missing_numbers_are_taken_where_the_forest_takes_them() -> None:
    holed = np.where(RANDOM.random(QUERIES.shape) < 0.2, np.nan, QUERIES)
    forest = RandomForestClassifier(10, random_state=0).fit(holed[:400], CLASSES)

    np.testing.assert_array_equal(direct(forest).predict_proba(holed), forest.predict_proba(holed))


@pytest.mark.filterwarnings("ignore:overflow encountered in cast:RuntimeWarning")
@pytest.mark.parametrize("rows", [np.full((1, 6), 1e39), np.ones((1, 5)), np.ones((1, 7))])
def test_rows_that_the_forest_refuses(rows: Any) -> None:
    with pytest.raises(ValueError, match=r"too large for dtype|is expecting 6 features") as own:
        FORESTS[0].predict(rows)
    with pytest.raises(ValueError, match=r"too large for dtype|is expecting 6 features") as found:
        direct(FORESTS[0]).predict(rows)

    assert str(found.value) == str(own.value)


class Opinionated(DecisionTreeClassifier):  # type: ignore[misc]  # scikit-learn has no types
    """Somebody's own tree."""


@pytest.mark.parametrize("member", [Opinionated(), DecisionTreeClassifier()])
def test_a_forest_with_a_tree_of_somebodys_own_is_left_as_it_is(member: Any) -> None:
    forest = deepcopy(FORESTS[0])
    forest.estimators_[2] = member.fit(ROWS, CLASSES)
    if type(member) is DecisionTreeClassifier:
        member.predict_proba = partial(np.multiply, 2)

    assert direct(forest) is forest


class Derived(RandomForestRegressor):  # type: ignore[misc]  # scikit-learn has no types
    """Somebody's own forest."""


@pytest.mark.parametrize(
    ("estimator", "target"),
    [
        (RandomForestClassifier(3), np.column_stack([CLASSES, CLASSES == 1])),
        (RandomForestRegressor(3), np.column_stack([NUMBERS, NUMBERS])),
        (Derived(3), NUMBERS),
        (GradientBoostingRegressor(n_estimators=3), NUMBERS),
    ],
)
def test_others_are_left_as_they_are(estimator: Any, target: Any) -> None:
    fitted = estimator.fit(ROWS, target)

    assert direct(fitted) is fitted


def test_a_method_that_somebody_has_put_onto_a_forest_is_asked() -> None:
    forest = RandomForestClassifier(3).fit(ROWS, CLASSES)
    forest.predict_proba = partial(np.multiply, 2)

    assert direct(forest) is forest


def refuse(*_: Any, **__: Any) -> Any:
    raise AssertionError


@pytest.mark.parametrize("forest", FORESTS[:2], ids=str)
def test_the_predictor_does_not_go_through_the_trees_own_methods(forest: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = forest.predict(QUERIES)
    monkeypatch.setattr(DecisionTreeClassifier, "predict_proba", refuse)
    subject = wrap(forest, Path("model.pkl"))

    np.testing.assert_array_equal(subject.predict(QUERIES, "predict"), expected)
    assert subject.estimator is forest
