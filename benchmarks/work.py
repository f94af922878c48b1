"""The models that are served, and the requests that are measured."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import lightgbm
import numpy as np
import xgboost
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_iris
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor, RandomForestRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from benchmarks import data
from benchmarks.data import Body, Make, Rows

TRAINING_ROWS = 8_000
POOL_SEED = 1_000
"""Rows of requests are made with other seeds than those of the training."""
BODIES = {1: 4096, 5: 1024, 100: 128}
"""Bodies of so many rows each: thousands of rows that differ, for repeated rows stay in the caches."""
LEAST_BODIES = 2


@dataclass(frozen=True, slots=True)
class Model:
    """A model that is served, and the rows that it is asked."""

    name: str
    title: str
    rows: Make
    train: Callable[[], Any]
    compiles: bool = True
    peers: bool = False
    """Whether every peer serves it; the others are served by the baseline and the container."""


@dataclass(frozen=True, slots=True)
class Work:
    """One kind of request: so many rows for a model, from so many clients at a time."""

    model: Model
    rows: int
    clients: int

    @property
    def name(self) -> str:
        return f"{self.model.name}, {_count(self.rows, 'row')}, {_count(self.clients, 'client')}"

    def questions(self, count: int | None = None) -> list[Body]:
        """The bodies, or the first `count` of them."""
        whole = _pool_body(self.model, self.rows)
        starts = range(0, len(whole.data), self.rows)[:count]
        return [Body(whole.columns, whole.data[start : start + self.rows]) for start in starts]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


@cache
def pool(model: Model, rows: int) -> Rows:
    """Rows for all bodies of `rows` rows each."""
    bodies = BODIES.get(rows) or max(LEAST_BODIES, 10_000 // rows)
    return model.rows(rows * bodies, POOL_SEED + rows)


@cache
def _pool_body(model: Model, rows: int) -> Body:
    return data.body(pool(model, rows))


def _credit(encoder: Any, classifier: Any, *steps: Any) -> Any:
    prepared = ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(strategy="median"), *steps), list(data.CREDIT_NUMBERS)),
            ("categories", make_pipeline(SimpleImputer(strategy="most_frequent"), encoder), list(data.CATEGORIES)),
        ]
    )
    table = data.credit(TRAINING_ROWS, 0)
    return make_pipeline(prepared, classifier).fit(table, data.defaults(table))


def _credit_logistic() -> Any:
    return _credit(OneHotEncoder(handle_unknown="ignore"), LogisticRegression(max_iter=1000), StandardScaler())


def _credit_boosting() -> Any:
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    return _credit(encoder, GradientBoostingClassifier(random_state=0))


def _regression(estimator: Any) -> Any:
    table = data.numbers(TRAINING_ROWS, 0)
    return estimator.fit(table, data.target(table))


def _text() -> Any:
    comments = data.texts(TRAINING_ROWS, 0)
    return make_pipeline(TfidfVectorizer(), LogisticRegression(max_iter=1000)).fit(comments, data.likes(comments))


def _iris() -> Any:
    features, labels = load_iris(return_X_y=True)
    return LogisticRegression(max_iter=1000).fit(features[:, :2], labels)


FREE = Model(
    "free", "a linear model that costs nothing", data.numbers, lambda: _regression(LinearRegression()), compiles=False
)
"""Measured in the container alone: what HTTP, JSON and the queue cost."""
MODELS = (
    Model("credit-logistic", "credit, logistic", data.credit, _credit_logistic),
    Model("credit-boosting", "credit, boosting", data.credit, _credit_boosting),
    Model(
        "forest", "forest, regression", data.numbers,
        lambda: _regression(RandomForestRegressor(200, random_state=0)), peers=True,
    ),
    Model(
        "boosting", "boosting, regression", data.numbers,
        lambda: _regression(GradientBoostingRegressor(random_state=0)), peers=True,
    ),
    Model("text", "text", data.texts, _text),
    # One thread, as every other server's process has: several processes with all cores each would take turns.
    Model(
        "xgboost", "XGBoost", data.numbers, lambda: _regression(xgboost.XGBRegressor(n_estimators=200, n_jobs=1)),
        compiles=False,
    ),
    Model(
        "lightgbm", "LightGBM", data.numbers,
        lambda: _regression(lightgbm.LGBMRegressor(n_estimators=200, n_jobs=1, verbose=-1)), compiles=False,
    ),
    Model("iris", "iris, logistic", data.iris, _iris, peers=True),
)  # fmt: skip
Grid = Sequence[tuple[int, int]]
"""Rows of a body, and clients."""
GRID: Grid = tuple((rows, clients) for rows in (1, 100) for clients in (1, 8, 32))
LINE = ((5, 32),)
"""The iris model is a line by itself: what earlier versions were compared with."""


def works(model: Model, grid: Grid = GRID) -> list[Work]:
    """List the works of a model; the free one is only asked by as many clients as fill both cores."""
    most = max(clients for _, clients in grid)
    if model.name == "iris":
        return [Work(model, rows, clients) for rows, clients in LINE]
    return [Work(model, rows, clients) for rows, clients in grid if model is not FREE or clients == most]


def named(names: list[str]) -> list[Model]:
    return [model for model in MODELS if model.name in names]


def predictions(estimator: Any, rows: Rows) -> Any:
    """Ask an estimator as its owner would."""
    return np.ravel(estimator.predict(rows))
