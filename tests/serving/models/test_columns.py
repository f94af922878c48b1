"""Which columns a model takes: those of the training, or those that it makes use of; text where it takes text."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, StackingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, TunedThresholdClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from predictor.errors import BadInputError
from predictor.formats.registry import decode
from predictor.inputs.schema_json import from_json
from predictor.models.estimator import Estimator, wrap
from predictor.models.onnx_model import description

RANDOM = np.random.default_rng(0)
WORDS = RANDOM.choice(["b", "a", "c"], 300)
NUMBERS = RANDOM.choice([30, 10, 20], 300)
X = RANDOM.random(300).round(3)
TARGET = ((NUMBERS == 20) ^ (WORDS == "a")).astype(int)
COLUMNS = pd.DataFrame({"id": [f"x{i}" for i in range(300)], "x": X, "word": WORDS, "number": NUMBERS})
NUMERIC = COLUMNS.drop(columns=["word"]).assign(id=range(300))


def model(estimator: Any) -> Estimator:
    made = wrap(estimator, Path("model.pkl"))
    made.warm_up()
    return made


def answers(subject: Estimator, body: bytes, content_type: str) -> Any:
    request = decode(body, content_type, subject.schema)
    return subject.predict(request.rows, "predict_proba")


def as_json(rows: pd.DataFrame) -> bytes:
    return b'{"data": %s}' % rows.astype(object).to_json(orient="values").encode()


def selecting(columns: pd.DataFrame, *parts: tuple[str, Any, list[str]]) -> Any:
    return make_pipeline(ColumnTransformer(list(parts)), LogisticRegression()).fit(columns, TARGET)


MIXED = selecting(COLUMNS, ("w", OneHotEncoder(), ["word"]), ("n", StandardScaler(), ["number", "x"]))
PLAIN = selecting(NUMERIC, ("n", StandardScaler(), ["number", "x"]))


@pytest.mark.parametrize(("estimator", "columns"), [(MIXED, COLUMNS), (PLAIN, NUMERIC)], ids=["mixed", "numbers"])
def test_rows_of_all_columns_of_the_training_or_of_those_in_use(estimator: Any, columns: pd.DataFrame) -> None:
    subject = model(estimator)
    expected = estimator.predict_proba(columns)

    for rows in (columns, columns.drop(columns=["id"])):
        by_csv = rows.to_csv(index=False, header=False).encode()
        np.testing.assert_array_equal(answers(subject, as_json(rows), "application/json"), expected)
        np.testing.assert_array_equal(answers(subject, by_csv, "text/csv; header=absent"), expected)


@pytest.mark.parametrize(
    "around",
    [
        lambda inner: GridSearchCV(inner, {}, cv=2),
        lambda inner: VotingClassifier([("a", inner), ("b", clone(inner))], voting="soft"),
        lambda inner: CalibratedClassifierCV(inner, cv=2),
        lambda inner: TunedThresholdClassifierCV(inner, cv=2),
        lambda inner: StackingClassifier([("a", inner)], cv=2),
    ],
    ids=["search", "voting", "calibrated", "threshold", "stacking"],
)
def test_columns_that_nobody_uses_inside_another_estimator(around: Any) -> None:
    estimator = around(clone(MIXED)).fit(COLUMNS, TARGET)
    subject = model(estimator)

    assert subject.schema.names == ("x", "word", "number")
    for rows in (COLUMNS, COLUMNS.drop(columns=["id"])):
        found = answers(subject, as_json(rows), "application/json")
        np.testing.assert_array_equal(found, estimator.predict_proba(COLUMNS))


@pytest.mark.parametrize(
    "estimator",
    [
        VotingClassifier([("a", MIXED), ("b", selecting(COLUMNS, ("i", OneHotEncoder(), ["id"])))], voting="soft"),
        StackingClassifier([("a", PLAIN)], cv=2, passthrough=True),
    ],
    ids=["voting", "stacking"],
)
def test_a_column_that_one_of_several_uses_is_in_use(estimator: Any) -> None:
    columns = NUMERIC if isinstance(estimator, StackingClassifier) else COLUMNS
    subject = model(estimator.fit(columns, TARGET))

    assert subject.schema.names == tuple(columns)
    # The frame's columns lie elsewhere in memory, and products are summed in another order.
    np.testing.assert_allclose(
        answers(subject, as_json(columns), "application/json"), estimator.predict_proba(columns), rtol=1e-12
    )


def test_an_array_of_all_columns_of_the_training(tmp_path: Path) -> None:
    np.save(tmp_path / "rows.npy", NUMERIC.to_numpy(float))

    found = answers(model(PLAIN), (tmp_path / "rows.npy").read_bytes(), "application/x-npy")

    np.testing.assert_array_equal(found, PLAIN.predict_proba(NUMERIC))


@pytest.mark.parametrize("content_type", ["application/json", "text/csv; header=absent"])
def test_rows_of_another_width_are_told_both(content_type: str) -> None:
    body = b'{"data": [[1]]}' if "json" in content_type else b"1\n"

    with pytest.raises(BadInputError) as refused:
        answers(model(PLAIN), body, content_type)

    assert refused.value.errors[0].detail == (
        'expected 2 features ("x", "number"), or all 3 columns of the training, got 1'
    )


@pytest.mark.parametrize("around", [lambda inner: inner, make_pipeline, lambda inner: GridSearchCV(inner, {}, cv=2)])
@pytest.mark.parametrize("kind", ["category", "str", "object"])
def test_gradient_boosting_on_columns_of_words(kind: str, around: Any) -> None:
    named = kind != "category"
    rows = COLUMNS.drop(columns=["id"]).astype({"word": kind, "number": "int64" if named else "category"})
    inner = HistGradientBoostingClassifier(
        max_iter=5, categorical_features=["word", "number"] if named else "from_dtype"
    )
    estimator = around(inner).fit(rows, TARGET)
    subject = model(estimator)

    assert subject.schema.text == (1,)
    np.testing.assert_array_equal(answers(subject, as_json(rows), "application/json"), estimator.predict_proba(rows))
    np.testing.assert_array_equal(
        answers(subject, rows.to_csv(index=False).encode(), "text/csv"), estimator.predict_proba(rows)
    )


def test_gradient_boosting_takes_unknown_and_missing_words_for_missing_ones() -> None:
    rows = COLUMNS[["x", "word"]].astype({"word": "category"})
    estimator = HistGradientBoostingClassifier(max_iter=5).fit(rows, TARGET)
    strange = pd.DataFrame({"x": [0.5, 0.5], "word": pd.Categorical(["z", None])})

    found = answers(model(estimator), b'{"data": [[0.5, "z"], [0.5, null]]}', "application/json")

    np.testing.assert_array_equal(found, estimator.predict_proba(strange))


@pytest.mark.parametrize("passed", ["passthrough", FunctionTransformer()])
def test_words_that_go_through_a_column_transformer_as_they_are(passed: Any) -> None:
    rows = COLUMNS.drop(columns=["id"]).astype({"word": "category"})
    columns = ColumnTransformer(
        [("words", passed, ["word"]), ("scaled", StandardScaler(), ["number"])],
        remainder="passthrough",
        verbose_feature_names_out=False,
    ).set_output(transform="pandas")
    estimator = make_pipeline(columns, HistGradientBoostingClassifier(max_iter=5)).fit(rows, TARGET)
    subject = model(estimator)
    strange = pd.DataFrame({"x": [0.5, 0.5], "word": pd.Categorical(["z", None]), "number": [10, 10]})

    assert subject.schema.text == (1,)
    np.testing.assert_array_equal(answers(subject, as_json(rows), "application/json"), estimator.predict_proba(rows))
    np.testing.assert_array_equal(
        answers(subject, b'{"data": [[0.5, "z", 10], [0.5, null, 10]]}', "application/json"),
        estimator.predict_proba(strange),
    )
    with pytest.raises(BadInputError, match=r"expected a string or null, got 3 at /0/word"):
        decode(b'[{"x": 0.5, "word": 3, "number": 10}]', "application/json", subject.schema)


class Own(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Somebody's own classifier, for numbers."""

    def fit(self, rows: Any, target: Any) -> "Own":
        self.classes_ = np.unique(target)
        self.n_features_in_ = rows.shape[1]
        return self

    def predict(self, rows: Any) -> Any:
        return (np.exp(rows).sum(axis=1) > 3).astype(int)


@pytest.mark.parametrize("rows", [NUMERIC, NUMERIC.to_numpy()], ids=["names", "positions"])
def test_columns_that_go_on_to_somebodys_own_code_are_numbers(rows: Any) -> None:
    columns = ColumnTransformer([("scaled", StandardScaler(), [0])], remainder="passthrough")
    subject = model(make_pipeline(columns, Own()).fit(rows, TARGET))

    with pytest.raises(BadInputError, match=r'expected a number, got "x" at /data/0/1'):
        decode(b'{"data": [[1, "x", 2]]}', "application/json", subject.schema)


def test_a_compiled_model_can_carry_positions_of_words() -> None:
    rows = COLUMNS[["word", "x"]].to_numpy(object)
    columns = ColumnTransformer([("words", OneHotEncoder(), [0]), ("scaled", StandardScaler(), [1])])
    schema = model(make_pipeline(columns, LogisticRegression()).fit(rows, TARGET)).schema

    assert from_json(json.loads(description(schema, {}))["schema"]) == schema


def test_gradient_boosting_on_an_array_of_words() -> None:
    rows = COLUMNS[["word", "x"]].to_numpy(object)
    estimator = HistGradientBoostingClassifier(max_iter=5, categorical_features=[0]).fit(rows, TARGET)

    found = answers(model(estimator), as_json(COLUMNS[["word", "x"]]), "application/json")

    np.testing.assert_array_equal(found, estimator.predict_proba(rows))
