"""The models that are served, and the requests that are measured."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from benchmarks.dialects import Rows

MODELS = ("logistic", "forest")
BODIES = 32
LARGE_BODIES = 2
LARGE_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Work:
    """One kind of request: so many rows for a model, from so many clients at a time."""

    model: str
    rows: int
    clients: int

    @property
    def name(self) -> str:
        clients = "1 client" if self.clients == 1 else f"{self.clients} clients"
        return f"{self.model} {self.rows}x{features(self.model).shape[1]}, {clients}"

    def questions(self) -> list[Rows]:
        """Rows of several requests: were all equal, a batch would take one path through each tree of a forest."""
        bodies = BODIES if self.rows < LARGE_ROWS else LARGE_BODIES
        return [sample(self.model, self.rows, seed) for seed in range(bodies)]

    @cache  # noqa: B019  # a handful of works, for the whole run
    def answers(self) -> list[NDArray[Any]]:
        return [trained(self.model).predict(rows) for rows in self.questions()]


WORKS = (Work("logistic", 1, 1), Work("logistic", 5, 32), Work("forest", 1, 32), Work("forest", 100, 32))


@cache
def dataset(model: str) -> tuple[Rows, Any]:
    """Features and labels: iris with two features for the logistic regression, breast cancer for the forest."""
    if model == "logistic":
        features, labels = load_iris(return_X_y=True)
        return features[:, :2], labels
    features, labels = load_breast_cancer(return_X_y=True)
    return features, labels


def features(model: str) -> Rows:
    return dataset(model)[0]


def sample(model: str, rows: int, seed: int = 0) -> Rows:
    """Rows near the training data, with six decimals, equal from run to run."""
    random = np.random.default_rng(seed)
    chosen = features(model)[random.integers(len(features(model)), size=rows)]
    return np.round(chosen * random.normal(1, 0.05, chosen.shape), 6)


@cache
def trained(model: str) -> Any:
    estimator = (
        LogisticRegression(max_iter=1000) if model == "logistic" else RandomForestClassifier(100, random_state=0)
    )
    return estimator.fit(*dataset(model))


def save(model: str, directory: Path) -> Path:
    """Write `model.joblib` into a directory of its own, which is a model directory of SageMaker's."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "model.joblib"
    joblib.dump(trained(model), path)
    return path
