"""Tree ensembles in ONNX decide every row as scikit-learn does, also at the thresholds."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from skl2onnx.common.data_types import DoubleTensorType
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from predictor.compile.graph import write
from predictor.compile.samples import Samples, variations
from predictor.compile.trees import read, thresholds
from predictor.models.base import Model
from predictor.models.estimator import Estimator, wrap
from predictor.worker.loading import load
from predictor.worker.user_code import UserCode

CANCER = load_breast_cancer(return_X_y=True)
WINE = load_wine(return_X_y=True)
DIABETES = load_diabetes(return_X_y=True)
SMALL: dict[str, Any] = {"random_state": 0}


def compiled(original: Estimator, directory: Path) -> Model:
    write(original.estimator, original.schema, DoubleTensorType, directory)
    model = load(directory)
    assert not isinstance(model, UserCode)
    return model


def hard_rows(original: Estimator, rows: npt.NDArray[Any]) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    for samples in variations(Samples(rows.tolist()), original):
        yield samples.kind, np.array(samples.cells)


@pytest.mark.parametrize("data", [CANCER, WINE], ids=["two classes", "three classes"])
@pytest.mark.parametrize(
    "estimator",
    [
        DecisionTreeClassifier(**SMALL),
        DecisionTreeClassifier(max_depth=1, **SMALL),
        DecisionTreeClassifier(min_samples_leaf=20, **SMALL),
        RandomForestClassifier(20, **SMALL),
        RandomForestClassifier(20, max_depth=3, class_weight="balanced", **SMALL),
        ExtraTreesClassifier(20, **SMALL),
        GradientBoostingClassifier(n_estimators=5, **SMALL),
        GradientBoostingClassifier(n_estimators=5, init="zero", **SMALL),
        HistGradientBoostingClassifier(max_iter=5, **SMALL),
    ],
    ids=repr,
)
def test_classifiers(estimator: Any, data: Any, tmp_path: Path) -> None:
    rows, targets = data
    original = wrap(estimator.fit(rows, np.array(["no", "yes", "perhaps"])[targets]), tmp_path)
    copy = compiled(original, tmp_path)

    kinds = set()
    for kind, hard in hard_rows(original, rows):
        kinds.add(kind)
        np.testing.assert_array_equal(copy.predict(hard, "predict"), original.predict(hard, "predict"), kind)
        for method in original.schema.methods[1:]:
            np.testing.assert_allclose(
                copy.predict(hard, method), original.predict(hard, method), 1e-12, 1e-14, err_msg=kind
            )
    assert {"samples", "crossed", "rounded", "at thresholds"} <= kinds


@pytest.mark.parametrize(
    "estimator",
    [
        DecisionTreeRegressor(**SMALL),
        RandomForestRegressor(20, **SMALL),
        ExtraTreesRegressor(20, **SMALL),
        GradientBoostingRegressor(n_estimators=5, **SMALL),
        HistGradientBoostingRegressor(max_iter=5, **SMALL),
        HistGradientBoostingRegressor(max_iter=5, loss="poisson", **SMALL),
        HistGradientBoostingRegressor(max_iter=5, loss="quantile", quantile=0.9, **SMALL),
    ],
    ids=repr,
)
def test_regressors(estimator: Any, tmp_path: Path) -> None:
    original = wrap(estimator.fit(*DIABETES), tmp_path)
    copy = compiled(original, tmp_path)

    for kind, hard in hard_rows(original, DIABETES[0]):
        np.testing.assert_allclose(
            copy.predict(hard, "predict"), original.predict(hard, "predict"), 1e-12, err_msg=kind
        )


def test_ties_go_to_the_same_class(tmp_path: Path) -> None:
    # Two trees of a forest that never agree: every row is a tie.
    forest = RandomForestClassifier(2, max_depth=1, random_state=0).fit(*CANCER)
    for member, classes in zip(forest.estimators_, ([1.0, 0.0], [0.0, 1.0]), strict=True):
        member.tree_.value[:, 0, :] = classes
    original = wrap(forest, tmp_path)

    labels = compiled(original, tmp_path).predict(CANCER[0], "predict")

    assert set(original.predict(CANCER[0], "predict_proba").ravel()) == {0.5}
    np.testing.assert_array_equal(labels, original.predict(CANCER[0], "predict"))


@pytest.mark.parametrize(
    ("estimator", "label"),
    [(GradientBoostingClassifier(init="zero", n_estimators=1), 1), (HistGradientBoostingClassifier(max_iter=1), 0)],
)
def test_a_decision_of_exactly_zero_is_the_same_class(estimator: Any, label: int, tmp_path: Path) -> None:
    rows = np.ones((4, 1))
    original = wrap(estimator.fit(rows, [0, 1, 0, 1]), tmp_path)

    assert original.predict(rows, "decision_function").tolist() == [0] * 4
    assert original.predict(rows, "predict").tolist() == [label] * 4
    assert compiled(original, tmp_path).predict(rows, "predict").tolist() == [label] * 4


def test_a_tree_that_never_splits(tmp_path: Path) -> None:
    original = wrap(DecisionTreeRegressor().fit([[1.0], [2.0]], [3.0, 3.0]), tmp_path)

    assert compiled(original, tmp_path).predict(np.array([[1.0], [9.0]]), "predict").tolist() == [3, 3]


@pytest.mark.parametrize(
    ("estimator", "targets"),
    [
        (RandomForestRegressor(2), np.column_stack([DIABETES[1], DIABETES[1]])),
        (HistGradientBoostingRegressor(max_iter=2, categorical_features=[1]), DIABETES[1]),
        (GradientBoostingRegressor(n_estimators=2, init=LinearRegression()), DIABETES[1]),
        (GradientBoostingClassifier(n_estimators=2, loss="exponential"), DIABETES[1] > 100),
    ],
)
def test_what_onnx_has_no_form_for_is_not_read(estimator: Any, targets: Any) -> None:
    with pytest.raises(NotImplementedError):
        read(estimator.fit(DIABETES[0], targets))


def test_thresholds_are_those_of_the_trees() -> None:
    tree = DecisionTreeClassifier(max_depth=1).fit([[0.0, 1.0], [0.0, 2.0]], [0, 1])

    assert list(thresholds(tree)) == [(1, 1.5)]
    assert list(thresholds(LinearRegression())) == []
