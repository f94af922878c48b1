"""Models that would answer wrongly are refused when they are loaded, or offer less."""

import pickle
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pytest
import xgboost
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import NMF, PCA, MiniBatchNMF
from sklearn.ensemble import VotingClassifier
from sklearn.experimental import enable_iterative_imputer  # noqa: F401  # IterativeImputer is not there without it
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.impute import IterativeImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler, Normalizer, StandardScaler

from predictor.errors import ModelLoadError
from predictor.models.estimator import Estimator, wrap
from predictor.worker import loading as models

RANDOM = np.random.default_rng(0)
ROWS = np.where(RANDOM.random((60, 4)) < 0.4, 0, RANDOM.random((60, 4)))
TARGET = (ROWS[:, 0] > ROWS[:, 1]).astype(int)
XGB = xgboost.XGBClassifier(n_estimators=5, n_jobs=1)
LGBM = lightgbm.LGBMClassifier(n_estimators=5, n_jobs=1, verbose=-1)


def model(estimator: Any) -> Estimator:
    return wrap(estimator, Path("model.pkl"))


class Own(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Somebody's own transformer, of which nothing tells whether it is fitted."""

    def fit(self, *_: Any) -> "Own":
        return self

    def transform(self, rows: Any) -> Any:
        return rows


@pytest.mark.parametrize(
    ("estimator", "name"),
    [
        (LogisticRegression(), "LogisticRegression"),
        (make_pipeline(StandardScaler(), LogisticRegression()), "Pipeline"),
        (make_pipeline(Own(), make_pipeline(LogisticRegression())), "Pipeline"),
        (VotingClassifier([("a", LogisticRegression())]), "VotingClassifier"),
        (XGB, "XGBClassifier"),
        (LGBM, "LGBMClassifier"),
        (StandardScaler(), "StandardScaler"),
    ],
)
def test_a_model_that_is_not_fitted(estimator: Any, name: str) -> None:
    with pytest.raises(ModelLoadError) as refused:
        model(pickle.loads(pickle.dumps(estimator)))

    assert refused.value.detail == f"model.pkl holds a {name} that is not fitted: call fit before saving it."


@pytest.mark.parametrize("estimator", [FunctionTransformer(np.log), Normalizer(), HashingVectorizer(), Own()])
def test_what_needs_no_fitting(estimator: Any) -> None:
    assert model(estimator).schema.methods == ("transform",)


@pytest.mark.parametrize("around", [lambda inner: inner, make_pipeline, CalibratedClassifierCV])
def test_log_odds_that_would_pass_for_probabilities(around: Any) -> None:
    estimator = around(xgboost.XGBClassifier(n_estimators=2, n_jobs=1, objective="binary:logitraw"))

    with pytest.raises(ModelLoadError, match=r"has the objective binary:logitraw.*train it with binary:logistic"):
        model(estimator.fit(ROWS, TARGET))


def test_log_odds_of_a_native_file(tmp_path: Path) -> None:
    booster = xgboost.train({"objective": "binary:logitraw", "nthread": 1}, xgboost.DMatrix(ROWS, TARGET), 2)
    booster.save_model(tmp_path / "model.ubj")

    with pytest.raises(ModelLoadError, match=r"has the objective binary:logitraw.*train it with binary:logistic"):
        models.load(tmp_path)


@pytest.mark.parametrize("estimator", [XGB, LGBM])
def test_a_pickled_booster(estimator: Any) -> None:
    fitted = estimator.fit(ROWS, TARGET)
    booster = fitted.booster_ if estimator is LGBM else fitted.get_booster()

    with pytest.raises(ModelLoadError, match=r"model.pkl holds a Booster: save it by its save_model, as model.ubj"):
        model(booster)


@pytest.mark.parametrize("estimator", [XGB, make_pipeline(MaxAbsScaler(), XGB)])
def test_zeros_are_zeros_to_xgboost_in_sparse_rows_too(estimator: Any) -> None:
    fitted = estimator.fit(ROWS, TARGET)
    different = fitted.predict_proba(ROWS) != fitted.predict_proba(sparse.csr_matrix(ROWS))

    assert different.any()
    assert not model(fitted).schema.sparse


def test_lightgbm_takes_sparse_rows_as_dense_ones() -> None:
    fitted = LGBM.fit(ROWS, TARGET)

    assert model(fitted).schema.sparse
    np.testing.assert_array_equal(fitted.predict_proba(ROWS), fitted.predict_proba(sparse.csr_matrix(ROWS)))


@pytest.mark.parametrize(
    ("estimator", "independent"),
    [
        (NMF(2, max_iter=1000), False),
        (MiniBatchNMF(2, max_iter=1000), False),
        (make_pipeline(MaxAbsScaler(), NMF(2, max_iter=1000), LogisticRegression()), False),
        (IterativeImputer(sample_posterior=True), False),
        (IterativeImputer(), True),
        (make_pipeline(PCA(2), LogisticRegression()), True),
    ],
)
def test_rows_that_change_each_others_answers_are_predicted_request_by_request(
    estimator: Any,
    independent: bool,  # noqa: FBT001  # pytest's parameter
) -> None:
    assert model(estimator.fit(ROWS, TARGET)).schema.independent is independent
