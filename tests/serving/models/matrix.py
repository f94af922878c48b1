"""Models of every kind, fitted on tables of every kind."""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils import all_estimators

ROWS = 60
ASKED = 12
"""Rows that are asked; the model has seen them."""
KINDS = ("classifier", "regressor", "cluster", "outlier_detector")
SMALL = {"n_estimators": 5, "n_init": 1, "random_state": 0, "epsilon": 0.5}
"""Parameters that make a model small; it is its kind that matters."""

RANDOM = np.random.default_rng(0)
NUMBERS = pd.DataFrame({name: RANDOM.random(ROWS).round(3) for name in ("age", "income", "debt", "rate")})
MIXED = pd.DataFrame(
    {
        "age": RANDOM.integers(18, 80, ROWS),
        "income": pd.Series(RANDOM.random(ROWS).round(2)).mask(RANDOM.random(ROWS) < 0.2),
        "plan": pd.Series(RANDOM.choice(["basic", "pro", "team"], ROWS)).mask(RANDOM.random(ROWS) < 0.2),
        "city": RANDOM.choice(["Köln", "Rom", "São Paulo"], ROWS),
    }
)
FLAGS = pd.DataFrame({"new": RANDOM.random(ROWS) > 0.5, "paid": RANDOM.random(ROWS) > 0.3})
DATES = pd.DataFrame(
    {"since": pd.to_datetime("2020-01-01") + pd.to_timedelta(RANDOM.integers(0, 9, ROWS), "D"), "age": NUMBERS["age"]}
)
TEXTS = pd.Series(RANDOM.choice(["good film", "bad film", "nice plot", "awful acting, really"], ROWS))
LABELS = np.where(NUMBERS["age"] + NUMBERS["debt"] > 1, "yes", "no")
AMOUNTS = (NUMBERS["age"] * 3 + NUMBERS["rate"] + 1).to_numpy()


@dataclass(frozen=True)
class TableOf:
    """Rows of a kind, and the step that makes numbers of them."""

    rows: Any
    step: Any = None


def _encoding(*columns: Any) -> Any:
    return make_pipeline(
        make_column_transformer(
            (OneHotEncoder(handle_unknown="ignore", sparse_output=False), list(columns)),
            remainder=SimpleImputer(),
        ),
        MinMaxScaler(),
    )


def _of_mixed(numbers: Any, text: Any) -> Any:
    return make_column_transformer(
        (make_pipeline(SimpleImputer(), MinMaxScaler()), numbers),
        (
            make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(sparse_output=False)),
            text,
        ),
    )


TABLES = {
    "numbers": TableOf(NUMBERS),
    "numbers without names": TableOf(NUMBERS.to_numpy()),
    "float32": TableOf(NUMBERS.astype(np.float32)),
    "whole numbers": TableOf((NUMBERS * 3).astype(int)),
    "missing numbers": TableOf(NUMBERS.mask(NUMBERS > 0.9)),
    "missing numbers, imputed": TableOf(NUMBERS.mask(NUMBERS > 0.9), SimpleImputer()),
    "one number": TableOf(NUMBERS[["age"]]),
    "flags": TableOf(FLAGS),
    "flags without names": TableOf(FLAGS.to_numpy()),
    "flags, encoded": TableOf(FLAGS.assign(age=NUMBERS["age"]), _encoding("new", "paid")),
    "mixed": TableOf(MIXED, _of_mixed(["age", "income"], ["plan", "city"])),
    "mixed, by type": TableOf(
        MIXED, _of_mixed(make_column_selector(dtype_include="number"), make_column_selector(dtype_exclude="number"))
    ),
    "mixed without names": TableOf(MIXED.to_numpy(dtype=object), _of_mixed([0, 1], [2, 3])),
    "strings without names": TableOf(
        MIXED[["city"]].assign(b=MIXED["city"][::-1].to_numpy()).to_numpy(dtype=object),
        OneHotEncoder(sparse_output=False),
    ),
    "dates": TableOf(DATES, _encoding("since")),
    "dates in order": TableOf(DATES, make_pipeline(OrdinalEncoder(), MinMaxScaler())),
    "months": TableOf(DATES.assign(since=DATES["since"].dt.to_period("D")), _encoding("since")),
    "durations": TableOf(DATES.assign(since=DATES["since"] - DATES["since"].min()), _encoding("since")),
    "texts": TableOf(TEXTS, TfidfVectorizer()),
    "texts in a table": TableOf(
        MIXED[["age"]].assign(text=TEXTS),
        make_column_transformer((TfidfVectorizer(), "text"), (MinMaxScaler(), ["age"])),
    ),
}
WRAPPED_TABLES = ("numbers", "numbers without names", "mixed", "texts", "dates")
"""Tables that wrappers are tried on; every estimator alone is tried on all."""


def _voting(estimator: Any, kind: str) -> Any:
    if kind == "classifier":
        return VotingClassifier([("one", estimator), ("other", DecisionTreeClassifier(max_depth=2))])
    return VotingRegressor([("one", estimator), ("other", DecisionTreeRegressor(max_depth=2))])


def _stacking(estimator: Any, kind: str) -> Any:
    if kind == "classifier":
        return StackingClassifier([("one", estimator)], LogisticRegression(), cv=2)
    return StackingRegressor([("one", estimator)], Ridge(), cv=2)


WRAPPERS: dict[str, tuple[tuple[str, ...], Callable[[Any, str], Any]]] = {
    "GridSearchCV": (KINDS[:2], lambda estimator, _: GridSearchCV(estimator, {}, cv=2)),
    "CalibratedClassifierCV": (KINDS[:1], lambda estimator, _: CalibratedClassifierCV(estimator, cv=2)),
    "OneVsRest": (KINDS[:1], lambda estimator, _: OneVsRestClassifier(estimator)),
    "Voting": (KINDS[:2], _voting),
    "Stacking": (KINDS[:2], _stacking),
    "MultiOutput": (
        KINDS[:2],
        lambda estimator, kind: (MultiOutputClassifier if kind == "classifier" else MultiOutputRegressor)(estimator),
    ),
    "Bagging": (
        KINDS[:2],
        lambda estimator, kind: (BaggingClassifier if kind == "classifier" else BaggingRegressor)(estimator, 2),
    ),
    "FrozenEstimator": (KINDS, lambda estimator, _: estimator),  # made after the fit
}


@dataclass
class Case:
    """A fitted model and the rows that it is asked."""

    name: str
    model: Any
    rows: Any


@cache
def estimators() -> dict[str, tuple[str, Any]]:
    """Every estimator of scikit-learn that predicts by itself, by its name, with its kind."""
    found: dict[str, tuple[str, Any]] = {}
    for kind in KINDS:
        filters = None if kind == "outlier_detector" else kind
        for name, made in all_estimators(type_filter=filters):
            if not hasattr(made, "predict") or (kind == "outlier_detector" and not hasattr(made, "fit_predict")):
                continue
            try:
                with warnings.catch_warnings(action="ignore"):
                    estimator = made(**({"novelty": True} if name == "LocalOutlierFactor" else {}))
            except TypeError:  # it needs another one, as the wrappers above give it
                continue
            small = {key: value for key, value in SMALL.items() if key in estimator.get_params()}
            if name == "HuberRegressor":
                del small["epsilon"]
            if name.startswith("HistGradientBoosting"):
                small["max_iter"] = 3
            found.setdefault(name, (kind, estimator.set_params(**small)))
    return found


def cases(kind: str, estimator: Any, *, wrapped: bool = True) -> Iterator[Case]:
    """The cases of one estimator: those that the library itself can fit and ask."""
    for name, table in TABLES.items():
        yield from _fitted(f"{name}, alone", _on(table, estimator), table.rows, kind)
        if table.step is None and "numbers" in name:
            scaled = make_pipeline(StandardScaler(), clone(estimator))
            yield from _fitted(f"{name}, Pipeline", scaled, table.rows, kind)
        if wrapped and name in WRAPPED_TABLES:
            yield from wrappers(kind, estimator, name)


def wrappers(kind: str, estimator: Any, name: str) -> Iterator[Case]:
    """An estimator of a kind inside each wrapper, on a table."""
    table = TABLES[name]
    for wrapper, (kinds, wrap) in WRAPPERS.items():
        if kind in kinds:
            model, targets = wrap(_on(table, estimator), kind), 2 if wrapper == "MultiOutput" else 1
            for case in _fitted(f"{name}, {wrapper}", model, table.rows, kind, targets):
                yield replace(case, model=FrozenEstimator(case.model)) if wrapper == "FrozenEstimator" else case


def _on(table: TableOf, estimator: Any) -> Any:
    return clone(estimator) if table.step is None else make_pipeline(clone(table.step), clone(estimator))


def _fitted(name: str, model: Any, rows: Any, kind: str, targets: int = 1) -> Iterator[Case]:
    target = _target(kind, targets)
    try:
        with warnings.catch_warnings(action="ignore"):
            try:
                model.fit(rows, target)
            except ValueError:  # MultiTaskLasso and its kin have several targets only
                model.fit(rows, _target(kind, 2))
            model.predict(rows[:ASKED])
    except Exception:  # noqa: BLE001  # the library itself does not take this table: there is nothing to serve
        return
    yield Case(name, model, rows[:ASKED])


def _target(kind: str, targets: int) -> Any:
    one = LABELS if kind == "classifier" else AMOUNTS
    return one if targets == 1 else np.column_stack([one, one[::-1]])
