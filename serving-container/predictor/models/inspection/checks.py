"""Estimators that would answer wrongly without anybody noticing, and what is not offered of others for that reason."""

from pathlib import Path
from typing import Any

from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from predictor.errors import ModelLoadError, NoModelError
from predictor.inputs.schema import METHODS
from predictor.models.inspection import what_it_is
from predictor.models.inspection.estimators import PACKAGES, is_of, parts

MARGIN = "binary:logitraw"
"""XGBoost's objective whose answers are log-odds, which XGBClassifier takes for probabilities."""


def check(estimator: Any, path: Path) -> tuple[str, ...]:
    """Find an estimator's methods; raises ModelLoadError when it can answer nothing, or nothing right."""
    kind = type(estimator).__name__
    methods = tuple(name for name in METHODS if callable(getattr(estimator, name, None)))
    if not methods or isinstance(estimator, type):
        raise NoModelError(f"{path} holds {what_it_is.said(estimator, path)}", estimator)
    if kind == "Booster" and any(is_of(name, estimator) for name in ("xgboost", "lightgbm")):
        raise ModelLoadError(f"{path} holds a Booster: save it by its save_model, as model.ubj (XGBoost) or model.txt.")
    if not _is_fitted(estimator):
        raise ModelLoadError(f"{path} holds a {kind} that is not fitted: call fit before saving it.")
    if any(getattr(part, "objective", None) == MARGIN for part in parts(estimator) if is_of("xgboost", part)):
        raise ModelLoadError(
            f"{path} has the objective {MARGIN}, whose log-odds are no probabilities: train it with binary:logistic, "
            "which grows the same trees."
        )
    return methods


def _is_fitted(estimator: Any) -> bool:
    """Whether an estimator was trained, as far as it tells: somebody's own class need not."""
    while isinstance(estimator, Pipeline):
        estimator = estimator.steps[-1][1]
    if type(estimator).__module__.partition(".")[0] not in PACKAGES:
        return True
    try:
        check_is_fitted(estimator)
    except NotFittedError:
        return False
    return True
