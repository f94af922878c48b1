"""A credit model and one of numbers, asked through the container's own code, without a server in between."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from batch.columns import parse_columns
from batch.journal import Journal
from batch.on_this_machine import OneFile
from batch.progress import Progress
from batch.records import Item, Options
from batch.run import open_file
from batch.server import Reply
from batch.state import State
from predictor.inputs.schema_json import to_json
from predictor.ipc import Request
from predictor.models.base import Model
from predictor.models.base import Options as ModelOptions
from predictor.worker.batch import respond
from predictor.worker.loading import load
from predictor.worker.user_code import UserCode

# Parquet needs an extra, which the suite's environment does not have.
collect_ignore = [] if find_spec("pyarrow") else ["test_parquet.py"]
NUMBERS = ["age", "income", "rate"]
WORDS = ["job", "home"]


def credit(rows: int) -> pd.DataFrame:
    """Rows of a credit table: numbers, categories with commas and quotes, missing cells."""
    rng = np.random.default_rng(7)
    frame = pd.DataFrame(
        {
            "age": rng.integers(18, 90, rows).astype(float),
            "income": rng.normal(50_000, 20_000, rows).round(2),
            "rate": rng.normal(5, 2, rows),
            "job": rng.choice(["clerk", "teacher, senior", 'the "boss"', "none", "on\ntwo lines"], rows),
            "home": rng.choice(["own", "rent", "Wohnung für zwei"], rows),
        }
    )
    for column in ("age", "income", "job"):
        frame.loc[rng.random(rows) < 0.1, column] = np.nan
    return frame


@dataclass(frozen=True, slots=True)
class Asking:
    """A loaded model that answers as the container does."""

    model: Model
    estimator: Any
    folder: Path

    def ask(self, body: bytes, content_type: str, accept: str) -> Reply:
        (answer,) = respond(self.model, [Request(body, content_type, accept, "batch")])
        return Reply(answer.status, answer.content_type, answer.body)

    def last_message(self) -> str:
        return "see the log"

    def predict(self, source: Path, target: Path, **chosen: Any) -> Progress:
        """Do the batch of one file; `size` is how many bytes a chunk has."""
        size = chosen.pop("size", None)
        options = Options(**chosen)
        opened, sink = open_file(source, parse_columns(to_json(self.model.schema)), options)
        if size:
            opened.size.value = opened.size.most = size
        progress = Progress(lambda _: None)
        journal = Journal(target.with_suffix(".journal"), {})
        OneFile(Item(opened, sink, target), State(options, journal, progress), self).write()
        return progress


def asking(folder: Path, estimator: Any) -> Asking:
    joblib.dump(estimator, folder / "model.joblib")
    model = load(folder, ModelOptions(1))
    assert not isinstance(model, UserCode)
    # As `model-api describe` writes it: the command need not load the model to ask.
    (folder / "schema.json").write_text(json.dumps(to_json(model.schema)))
    return Asking(model, estimator, folder)


@pytest.fixture(scope="session")
def credit_model(tmp_path_factory: pytest.TempPathFactory) -> Asking:
    """A pipeline over a mixed table."""
    frame = credit(400)
    good = np.where(frame.income.fillna(40_000) > 48_000, "good", "bad")
    columns = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), NUMBERS),
        (make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")), WORDS),
    )
    estimator = make_pipeline(columns, LogisticRegression(max_iter=200)).fit(frame, good)
    return asking(tmp_path_factory.mktemp("credit"), estimator)


@pytest.fixture(scope="session")
def nameless_model(tmp_path_factory: pytest.TempPathFactory) -> Asking:
    """A model that was trained on an array."""
    values = np.random.default_rng(1).normal(size=(60, 2))
    estimator = LogisticRegression().fit(values, values.sum(axis=1) > 0)
    return asking(tmp_path_factory.mktemp("nameless"), estimator)


Write = Callable[[bytes | str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a function that writes a CSV file."""

    def write_(content: bytes | str) -> Path:
        path = tmp_path / "in.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write_
