"""LightGBM and XGBoost models of pandas categories answer as their own libraries do, or are refused."""

import pickle
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from predictor.errors import BadInputError, ModelLoadError
from predictor.formats.registry import decode
from predictor.models.base import Model
from predictor.worker.loading import load
from predictor.worker.user_code import UserCode

RANDOM = np.random.default_rng(0)
ROWS = 300
NUMBERS = RANDOM.choice([30, 10, 20], ROWS)
WORDS = RANDOM.choice(["b", "a", "c"], ROWS)
X = RANDOM.random(ROWS).round(3)
TARGET = ((NUMBERS == 20) ^ (WORDS == "a")).astype(int)


def frame(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame({name: pd.Categorical(cells) if name != "x" else cells for name, cells in columns.items()})


BOTH = frame(number=NUMBERS, x=X, word=WORDS)
DIGITS = frame(number=NUMBERS, x=X)
LGBM = lightgbm.LGBMClassifier(n_estimators=5, n_jobs=1, verbose=-1)
XGB = xgboost.XGBClassifier(n_estimators=5, n_jobs=1, enable_categorical=True)


def save_pickle(estimator: Any, directory: Path) -> None:
    (directory / "model.pkl").write_bytes(pickle.dumps(estimator))


def save_natively(estimator: Any, directory: Path) -> None:
    if isinstance(estimator, lightgbm.LGBMModel):
        estimator.booster_.save_model(directory / "model.txt")
    else:
        estimator.save_model(directory / "model.ubj")


def loaded(estimator: Any, directory: Path, save: Any = save_pickle) -> Model:
    save(estimator, directory)
    model = load(directory)
    assert not isinstance(model, UserCode)
    model.warm_up()
    return model


def answers(model: Model, body: bytes, content_type: str = "application/json; method=predict_proba") -> Any:
    request = decode(body, content_type, model.schema)
    return model.predict(request.rows, "predict_proba")


def as_json(rows: pd.DataFrame) -> bytes:
    return b'{"data": %s}' % rows.astype(object).to_json(orient="values").encode()


@pytest.mark.parametrize("save", [save_pickle, save_natively])
@pytest.mark.parametrize("estimator", [LGBM, XGB])
@pytest.mark.parametrize("rows", [BOTH, DIGITS], ids=["words and numbers", "numbers"])
def test_categories_are_those_of_the_training(estimator: Any, save: Any, rows: pd.DataFrame, tmp_path: Path) -> None:
    estimator = estimator.fit(rows, TARGET)
    model = loaded(estimator, tmp_path, save)
    expected = estimator.predict_proba(rows)
    by_csv = decode(rows.to_csv(index=False).encode(), "text/csv", model.schema)

    np.testing.assert_array_equal(answers(model, as_json(rows)), expected)
    np.testing.assert_array_equal(model.predict(by_csv.rows, "predict_proba"), expected)


@pytest.mark.parametrize("estimator", [LGBM, XGB])
def test_a_missing_category_is_missing(estimator: Any, tmp_path: Path) -> None:
    estimator = estimator.fit(BOTH, TARGET)
    rows = BOTH.assign(word=pd.Categorical([None] * ROWS, categories=["a", "b", "c"]))

    found = answers(loaded(estimator, tmp_path), as_json(rows))

    np.testing.assert_array_equal(found, estimator.predict_proba(rows))


def test_lightgbm_takes_an_unknown_category_for_a_missing_one(tmp_path: Path) -> None:
    estimator = LGBM.fit(BOTH, TARGET)
    rows = frame(number=[99], x=[0.5], word=["z"])

    found = answers(loaded(estimator, tmp_path), as_json(rows))

    np.testing.assert_array_equal(found, estimator.predict_proba(rows))


@pytest.mark.parametrize(("cells", "wrong"), [(b'[10, 0.5, "z"]', '"z"'), (b'[99, 0.5, "a"]', "99")])
def test_xgboost_refuses_an_unknown_category(cells: bytes, wrong: str, tmp_path: Path) -> None:
    model = loaded(XGB.fit(BOTH, TARGET), tmp_path)

    with pytest.raises(BadInputError, match=f"expected one of .*, got {wrong} in row 0, column"):
        answers(model, b'{"data": [%s]}' % cells)


@pytest.mark.parametrize("estimator", [LGBM, XGB])
def test_a_number_is_no_category_of_words(estimator: Any, tmp_path: Path) -> None:
    model = loaded(estimator.fit(BOTH, TARGET), tmp_path)

    with pytest.raises(BadInputError, match="expected a string"):
        answers(model, b'{"data": [[10, 0.5, 1]]}')


def test_categories_that_are_booleans(tmp_path: Path) -> None:
    rows = frame(flag=TARGET == 1, x=X)
    estimator = LGBM.fit(rows, TARGET)

    found = answers(loaded(estimator, tmp_path, save_natively), as_json(rows))

    np.testing.assert_array_equal(found, estimator.predict_proba(rows))


def test_a_column_of_one_category(tmp_path: Path) -> None:
    rows = frame(same=["a"] * ROWS, number=NUMBERS, x=X)
    estimator = LGBM.fit(rows, TARGET)

    found = answers(loaded(estimator, tmp_path, save_natively), as_json(rows))

    np.testing.assert_array_equal(found, estimator.predict_proba(rows))


def test_lightgbm_categories_whose_columns_cannot_be_told(tmp_path: Path) -> None:
    rows = BOTH.assign(number=pd.Categorical(NUMBERS, ordered=True))

    with pytest.raises(ModelLoadError, match=r"which these are cannot be told.*OrdinalEncoder"):
        loaded(LGBM.fit(rows, TARGET), tmp_path)


def test_xgboost_categories_that_are_not_in_the_file(tmp_path: Path) -> None:
    estimator = xgboost.XGBClassifier(n_estimators=2, n_jobs=1, enable_categorical=True, feature_types=["c", "q"])
    estimator.fit(np.column_stack([NUMBERS // 10, X]), TARGET)

    with pytest.raises(ModelLoadError, match=r"does not hold.*OrdinalEncoder"):
        loaded(estimator, tmp_path)


def test_xgboost_categories_that_it_stores_wrongly(tmp_path: Path) -> None:
    rows = frame(word=np.where(WORDS == "a", "ä", WORDS), x=X)

    with pytest.raises(ModelLoadError, match=r"does not hold.*OrdinalEncoder"):
        loaded(XGB.fit(rows, TARGET), tmp_path)


def test_lightgbm_categories_that_are_of_another_column(tmp_path: Path) -> None:
    rows = pd.DataFrame({"number": NUMBERS, "word": pd.Categorical(WORDS)})

    with pytest.raises(ModelLoadError, match=r"which these are cannot be told.*OrdinalEncoder"):
        loaded(LGBM.fit(rows, TARGET, categorical_feature=["number"]), tmp_path)


@pytest.mark.parametrize("estimator", [LGBM, XGB])
@pytest.mark.parametrize("around", [make_pipeline, lambda inner: GridSearchCV(inner, {"n_estimators": [2]}, cv=2)])
def test_categories_inside_another_estimator_are_refused(estimator: Any, around: Any, tmp_path: Path) -> None:
    outer = around(estimator).fit(DIGITS, TARGET)

    with pytest.raises(ModelLoadError, match=r"(LGBM|XGB)Classifier.*pandas categories.*save it alone.*OrdinalEncoder"):
        loaded(outer, tmp_path)


def test_categories_that_are_numbers_of_lightgbms_own_are_just_numbers(tmp_path: Path) -> None:
    rows = np.column_stack([NUMBERS, X])
    estimator = LGBM.fit(rows, TARGET, categorical_feature=[0])

    np.testing.assert_array_equal(loaded(estimator, tmp_path).predict(rows, "predict"), estimator.predict(rows))
