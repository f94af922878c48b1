"""Models as their owners train them, on tables with dates, text and records: the container answers as they do."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.feature_extraction import DictVectorizer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

from predictor.errors import BadInputError, ModelLoadError
from predictor.formats.registry import decode
from predictor.models.estimator import Estimator, wrap


def model(estimator: Any) -> Estimator:
    return wrap(estimator, Path("model.pkl"))


def answers(subject: Estimator, body: bytes) -> Any:
    request = decode(body, "application/json", subject.schema)
    return subject.predict(request.rows, request.method).tolist()


DAYS = pd.to_datetime(["2024-01-01", "2024-02-01", "2024-03-01"])


@pytest.mark.parametrize(
    "values",
    [DAYS, DAYS.date, DAYS.tz_localize("Europe/Berlin"), DAYS.astype("datetime64[s]"), DAYS.astype(object)],
    ids=["datetime64", "date", "zone", "seconds", "timestamp"],
)
@pytest.mark.parametrize("unknown", ["ignore", "error"])
def test_dates_are_sent_as_iso_strings(values: Any, unknown: Any) -> None:
    frame = pd.DataFrame({"n": np.arange(30.0), "day": pd.Series(list(values) * 10)})
    columns = make_column_transformer((OneHotEncoder(handle_unknown=unknown), ["day"]), remainder="passthrough")
    estimator = make_pipeline(columns, LogisticRegression()).fit(frame, [0, 1, 1] * 10)
    body = b'{"columns": ["n", "day"], "data": [[0, "2024-01-01"], [1, "2024-02-01"], [2, "2024-03-01"]]}'

    assert answers(model(estimator), body) == estimator.predict(frame[:3]).tolist()


def month(frame: pd.DataFrame) -> Any:
    return frame["day"].dt.month.to_frame()


def test_own_code_that_needs_dates_gets_them() -> None:
    frame = pd.DataFrame({"day": DAYS.repeat(4)})
    estimator = make_pipeline(FunctionTransformer(month), LogisticRegression()).fit(frame, [0] * 4 + [1] * 8)

    assert answers(model(estimator), b'[{"day": "2024-01-05"}, {"day": "2024-03-05"}]') == [0, 1]


@pytest.mark.parametrize("kind", ["interval", "period", "bytes", "decimal"])
def test_what_json_cannot_hold_is_refused_at_load(kind: str) -> None:
    values: dict[str, Any] = {
        "interval": pd.cut([1, 5, 9], [0, 3, 6, 10]),
        "period": pd.PeriodIndex(["2024-01", "2024-02", "2024-03"], freq="M"),
        "bytes": [b"a", b"b", b"c"],
        "decimal": [Decimal(1), Decimal("2.5"), Decimal(3)],
    }
    frame = pd.DataFrame({"c": pd.Series(list(values[kind]) * 10)})
    estimator = make_pipeline(make_column_transformer((OneHotEncoder(), ["c"])), LogisticRegression())

    with pytest.raises(ModelLoadError, match=r'The column "c" was trained on values of type .*, which JSON and CSV'):
        model(estimator.fit(frame, [0, 1, 1] * 10))


TEXTS = ["good film", "bad film", "nice plot", "awful plot"] * 5
TONES = ["pos", "neg"] * 10
BY_WORDS = make_pipeline(TfidfVectorizer(), LogisticRegression())


@pytest.mark.parametrize(
    "around",
    [
        lambda inner: GridSearchCV(inner, {}, cv=2),
        make_pipeline,
        lambda inner: CalibratedClassifierCV(inner, cv=2),
        lambda inner: VotingClassifier([("a", inner)]),
        lambda inner: StackingClassifier([("a", inner)], cv=2),
        OneVsRestClassifier,
        lambda inner: CalibratedClassifierCV(FrozenEstimator(clone(inner).fit(TEXTS, TONES))),
    ],
    ids=["search", "pipeline", "calibrated", "voting", "stacking", "one-vs-rest", "frozen"],
)
def test_text_inside_other_estimators(around: Any) -> None:
    estimator = around(clone(BY_WORDS)).fit(TEXTS, TONES)

    expected = estimator.predict(["good plot", "bad film"]).tolist()

    assert answers(model(estimator), b'{"data": [["good plot"], ["bad film"]]}') == expected


def test_records_reach_a_dict_vectorizer() -> None:
    records: list[dict[str, Any]] = [{"state": "NY", "age": 30}, {"state": "CA", "age": 40}]
    estimator = make_pipeline(DictVectorizer(), LogisticRegression()).fit(records * 3, [0, 1] * 3)

    assert answers(model(estimator), json.dumps(records).encode()) == [0, 1]
    with pytest.raises(BadInputError, match="The model takes records"):
        answers(model(estimator), b'{"data": [["NY", 30]]}')


@pytest.mark.parametrize("selected", [slice("job", "city"), pd.Series(["job", "city"]), [False, True, True]])
def test_columns_may_be_selected_in_any_way(selected: Any) -> None:
    frame = pd.DataFrame({"age": range(6), "job": list("ababab"), "city": list("xyxyxy")})
    columns = make_column_transformer((OneHotEncoder(), selected), remainder="passthrough")
    estimator = make_pipeline("passthrough", columns, LogisticRegression()).fit(frame, [0, 1] * 3)

    assert answers(model(estimator), b'{"data": [[0, "a", "x"]]}') == estimator.predict(frame[:1]).tolist()


class PatsyError(Exception):
    """As patsy raises it, for statsmodels to catch and to raise once more with a text of its own."""

    __module__ = "patsy"


class Formula:
    """As statsmodels asks a model that was made of a formula."""

    def predict(self, frame: pd.DataFrame) -> Any:
        try:
            return self._design(frame)
        except PatsyError as error:
            raise PatsyError("predict requires that you use a DataFrame") from error

    def _design(self, frame: pd.DataFrame) -> Any:
        raise PatsyError(f"observation with value {frame.iloc[0, 0]!r} does not match any of the expected levels")


def test_the_error_behind_an_error_is_told() -> None:
    with pytest.raises(BadInputError, match="The model refuses the rows: observation with value 'zzz' does not match"):
        answers(model(Formula()), b'[{"job": "zzz"}]')
