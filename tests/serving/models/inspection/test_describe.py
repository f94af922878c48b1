"""The kinds of features that are read from estimators, and that rows are answered as the estimator itself does."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMRegressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import VotingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler
from xgboost import XGBRegressor

from predictor.errors import BadInputError, Fault
from predictor.formats.registry import decode
from predictor.inputs.schema import FeatureType
from predictor.models.estimator import Estimator, wrap

COLOURS = ["red", "blue", None, None, "red", "blue", None, "red"]
TARGETS = [0, 1, 1, 1, 0, 0, 1, 0]
ONE_HOT = OneHotEncoder(handle_unknown="ignore")
CONSTANT = make_pipeline(SimpleImputer(strategy="constant", fill_value="none"), ONE_HOT)
FREQUENT = make_pipeline(SimpleImputer(strategy="most_frequent"), ONE_HOT)
NONE = make_pipeline(SimpleImputer(missing_values=None, strategy="constant", fill_value="none"), ONE_HOT)


def model(estimator: Any) -> Estimator:
    wrapped = wrap(estimator, Path("model.pkl"))
    wrapped.warm_up()
    return wrapped


def answers(subject: Estimator, body: bytes, content_type: str = "application/json") -> Any:
    request = decode(body, f"{content_type}; method=predict_proba", subject.schema)
    return subject.predict(request.rows, request.method).tolist()


def refused(subject: Estimator, body: bytes, content_type: str = "application/json") -> tuple[Fault, ...]:
    with pytest.raises(BadInputError) as caught:
        answers(subject, body, content_type)
    return caught.value.errors


def frame(dtype: str, missing: float | None = None) -> pd.DataFrame:
    cells = [missing if colour is None else colour for colour in COLOURS]
    return pd.DataFrame({"colour": pd.Series(cells, dtype=dtype), "x": np.arange(8.0)})


@pytest.mark.parametrize(
    ("encoder", "rows"),
    [
        *((encoder, frame("str")) for encoder in (ONE_HOT, CONSTANT, FREQUENT)),
        *((encoder, frame("object", math.nan)) for encoder in (ONE_HOT, CONSTANT, FREQUENT)),
        *((encoder, frame("object")) for encoder in (ONE_HOT, NONE)),
    ],
)
def test_a_missing_string_is_answered_alone_and_beside_others_as_in_training(encoder: Any, rows: pd.DataFrame) -> None:
    columns = ColumnTransformer([("c", encoder, ["colour"])], remainder="passthrough")
    estimator = make_pipeline(columns, LogisticRegression()).fit(rows, TARGETS)
    subject = model(estimator)

    expected = estimator.predict_proba(rows.iloc[[0, 2]]).tolist()

    assert answers(subject, b'{"data": [["red", 0], [null, 2]]}') == expected
    assert answers(subject, b'{"data": [[null, 2]]}') == expected[1:]
    assert answers(subject, b"red,0\n,2\n", "text/csv") == expected
    assert answers(subject, b",2\n", "text/csv") == expected[1:]


@pytest.mark.parametrize("missing", [None, math.nan])
def test_a_missing_string_in_an_array(missing: float | None) -> None:
    rows = frame("object", missing)[["colour"]].to_numpy()
    estimator = make_pipeline(ONE_HOT, LogisticRegression()).fit(rows, TARGETS)

    assert answers(model(estimator), b'{"data": [[null]]}') == estimator.predict_proba(rows[2:3]).tolist()


@pytest.mark.parametrize("cells", [[1, 2, 3], [True, False, True], [True, False, math.nan], [1, 2, None]])
@pytest.mark.parametrize("dtype", [None, "object"])
@pytest.mark.parametrize("encoder", [ONE_HOT, ColumnTransformer([("k", ONE_HOT, ["k"])])])
def test_numbers_that_were_objects_in_training(cells: list[Any], dtype: Any, encoder: Any) -> None:
    rows = pd.DataFrame({"k": pd.Series(cells * 6, dtype=dtype)})
    estimator = make_pipeline(encoder, LogisticRegression()).fit(rows, [0, 1, 0] * 6)
    subject = model(estimator)
    expected = estimator.predict_proba(rows[:3]).tolist()
    texts = ["[null]" if pd.isna(cell) else f"[{cell}]".lower() for cell in cells]

    assert answers(subject, f'{{"data": [{", ".join(texts)}]}}'.encode()) == expected
    assert answers(subject, rows[:3].to_csv(index=False).encode(), "text/csv") == expected


def test_free_text_beside_numbers() -> None:
    rows = pd.DataFrame({"words": ["good day", "bad day", "good", "bad"], "x": [1.0, 2, 3, 4]})
    columns = ColumnTransformer([("w", TfidfVectorizer(), "words"), ("x", StandardScaler(), ["x"])])
    estimator = make_pipeline(columns, LogisticRegression()).fit(rows, [1, 0, 1, 0])

    found = answers(model(estimator), b'{"data": [["good day", 1]]}')

    assert found == estimator.predict_proba(rows[:1]).tolist()
    assert refused(model(estimator), b'{"data": [["good", 1], [null, 1]]}') == (
        Fault("/data/1/0", "expected a string, got null"),
    )


@pytest.mark.parametrize(("cell", "got"), [(b"null", "null"), (b"5", "5"), (b"true", "true")])
def test_a_document_is_a_string(cell: bytes, got: str) -> None:
    subject = model(make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(["good", "bad"], [1, 0]))

    assert refused(subject, b'{"data": [["a"], [%s]]}' % cell) == (Fault("/data/1/0", f"expected a string, got {got}"),)


def passing(encoder: Any = ONE_HOT) -> Estimator:
    rows = frame("str")
    columns = ColumnTransformer([("c", encoder, ["colour"])], remainder="passthrough")
    return model(make_pipeline(columns, LogisticRegression()).fit(rows, TARGETS))


def test_a_number_where_a_string_belongs_is_refused_with_its_place() -> None:
    fault = Fault("/data/1/0", "expected a string or null, got 1")

    assert refused(passing(), b'{"data": [["red", 0], [1, 0]]}') == (fault,)
    assert refused(passing(), b'[{"x": 1, "colour": false}]') == (
        Fault("/0/colour", "expected a string or null, got false"),
    )


def test_a_missing_number_that_a_model_does_not_take_is_refused_with_its_place() -> None:
    fault = Fault("/data/1/1", "expected a number, got null")

    assert refused(passing(), b'{"data": [["red", 0], ["red", null]]}') == (fault,)
    assert refused(passing(), b"red,0\nred,\n", "text/csv") == (Fault("/1/1", "expected a finite number, got nothing"),)


def test_a_missing_number_among_columns_of_numbers_is_refused_with_its_place() -> None:
    rows = pd.DataFrame({"a": [1.0, 2, 3, 4], "b": [1.0, 2, 3, 5], "c": [1.0, 2, 3, 6]})
    columns = ColumnTransformer([("a", SimpleImputer(), ["a"])], remainder="passthrough")
    subject = model(make_pipeline(columns, LogisticRegression()).fit(rows, [0, 0, 1, 1]))

    assert refused(subject, b'{"data": [[null, 1, 2], [1, null, 3]]}') == (
        Fault("/data/1/1", "expected a number, got null"),
    )
    assert len(answers(subject, b'{"data": [[null, 1, 2]]}')) == 1


def test_a_missing_string_that_a_model_refuses_has_its_place() -> None:
    rows = pd.DataFrame({"colour": ["red", "blue"] * 4, "x": np.arange(8.0)})
    columns = ColumnTransformer([("c", OneHotEncoder(), ["colour"])], remainder="passthrough")
    subject = model(make_pipeline(columns, LogisticRegression()).fit(rows, TARGETS))

    assert refused(subject, b'{"data": [[null, 0]]}') == (Fault("/data/0/0", "expected a string, got null"),)


def halved(rows: Any) -> Any:
    return rows / 2


def shortened(rows: Any) -> Any:
    return rows.apply(lambda column: column.str[:2])


def test_strings_are_known_beside_somebodys_own_function() -> None:
    rows = frame("str")
    columns = ColumnTransformer([("c", ONE_HOT, ["colour"]), ("x", FunctionTransformer(halved), ["x"])])
    estimator = make_pipeline(columns, LogisticRegression()).fit(rows, TARGETS)
    subject = model(estimator)

    assert answers(subject, b'{"data": [[null, 2]]}') == estimator.predict_proba(rows[2:3]).tolist()
    assert [feature.type for feature in subject.schema.features or ()] == [FeatureType.CATEGORICAL, FeatureType.UNKNOWN]


def test_strings_for_somebodys_own_function() -> None:
    rows = frame("str")[["colour"]]
    steps = make_pipeline(FunctionTransformer(shortened), SimpleImputer(strategy="most_frequent"), ONE_HOT)
    estimator = make_pipeline(steps, LogisticRegression()).fit(rows, TARGETS)

    found = answers(model(estimator), b'{"data": [["red"], ["blue"], [null]]}')

    assert found == estimator.predict_proba(rows[:3]).tolist()


def digits(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.astype(str)


@pytest.mark.parametrize("content_type", ["application/json", "text/csv"])
def test_whole_numbers_stay_whole_for_somebodys_own_function(content_type: str) -> None:
    rows = pd.DataFrame({"id": [1, 2, 3] * 6})
    estimator = make_pipeline(FunctionTransformer(digits), ONE_HOT, LogisticRegression()).fit(rows, [0, 1, 0] * 6)
    body = b'{"data": [[1], [2]]}' if content_type == "application/json" else b"1\n2\n"

    assert answers(model(estimator), body, content_type) == estimator.predict_proba(rows[:2]).tolist()


@pytest.mark.parametrize(
    "outer",
    [
        TransformedTargetRegressor(make_pipeline(OrdinalEncoder(), LinearRegression()), transformer=StandardScaler()),
        CalibratedClassifierCV(make_pipeline(OrdinalEncoder(), LogisticRegression()), cv=2),
        VotingClassifier([("a", make_pipeline(OrdinalEncoder(), LogisticRegression()))]),
    ],
)
def test_strings_inside_other_estimators(outer: Any) -> None:
    rows = np.array([["a", "x"], ["b", "y"]] * 4, dtype=object)

    assert model(outer.fit(rows, [0, 1] * 4)).schema.text == (0, 1)


def test_unnamed_columns_that_are_alike_share_one_feature() -> None:
    """A model of a million columns, as feature hashing makes them, is loaded in proportion to its file."""
    features = model(LinearRegression().fit(np.eye(50), np.arange(50))).schema.features

    assert features is not None
    assert len(features) == 50
    assert len({id(feature) for feature in features}) == 1


@pytest.mark.parametrize("kind", [XGBRegressor, LGBMRegressor])
def test_a_boosters_estimator_takes_numbers(kind: Any) -> None:
    table = pd.DataFrame({"rooms": np.arange(20.0), "size": np.ones(20)})
    fitted = kind(n_estimators=2, n_jobs=1).fit(table, np.arange(20.0))

    schema = model(fitted).schema

    assert schema.numeric
    assert schema.features
    assert [feature.nullable for feature in schema.features] == [True, True]
