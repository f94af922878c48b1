"""Models with samples.csv beside them, each named after what its rows are."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
import skops.io
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from tests.local import bmi

LABELS = ["no", "yes"] * 6
Save = Callable[[Path], None]


def text(directory: Path) -> None:
    """Documents, as one column that the model knows no name of."""
    documents = pd.Series(["a bad day", "a good night"] * 6, name="text")
    save(directory, make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(documents, LABELS), documents.to_frame())


def digits(directory: Path) -> None:
    """Strings of digits beside numbers."""
    table = pd.DataFrame({"size": ["2", "3"] * 6, "zip": ["94110", "94111"] * 6, "age": range(12)})
    encoded = ColumnTransformer([("kinds", OneHotEncoder(), ["size", "zip"])], remainder="passthrough")
    save(directory, make_pipeline(encoded, LogisticRegression(max_iter=1000)).fit(table, LABELS), table)


def nameless_digits(directory: Path) -> None:
    """Strings of digits in an array."""
    table = pd.DataFrame({"size": ["2", "3"] * 6})
    model = make_pipeline(OneHotEncoder(), LogisticRegression())
    save(directory, model.fit(table.to_numpy(dtype=object), LABELS), table)


def own_step(directory: Path) -> None:
    """Numbers, one of which a step of one's own takes by its name."""
    model, table = fitted_own_step()
    save(directory, model, table)
    ship_bmi(directory)


def own_step_in_skops(directory: Path) -> None:
    """The same, saved so that it is loaded only where its type is trusted."""
    model, table = fitted_own_step()
    directory.mkdir()
    skops.io.dump(model, directory / "model.skops")
    table.to_csv(directory / "samples.csv", index=False)
    ship_bmi(directory)


def fitted_own_step() -> tuple[Any, pd.DataFrame]:
    table = pd.DataFrame({"age": range(12), "bmi": [20.5, 30.5] * 6})
    return make_pipeline(bmi.Bmi(), LogisticRegression()).fit(table, LABELS), table


def ship_bmi(directory: Path) -> None:
    place = directory / "code" / "tests" / "local" / "bmi.py"
    place.parent.mkdir(parents=True)
    shutil.copy(bmi.__file__, place)


def numbers(directory: Path) -> None:
    """Three numbers with names."""
    table = pd.DataFrame({"a": range(12), "b": [1.5, 2.5] * 6, "c": 0})
    save(directory, make_pipeline(StandardScaler(), LogisticRegression()).fit(table, LABELS), table)


def with_target(directory: Path) -> None:
    """Numbers, with the labels left in samples.csv."""
    numbers(directory)
    file = directory / "samples.csv"
    pd.read_csv(file).assign(target=LABELS).to_csv(file, index=False)


def with_index(directory: Path) -> None:
    """Numbers, with the index left in samples.csv."""
    numbers(directory)
    file = directory / "samples.csv"
    pd.read_csv(file).to_csv(file)


def save(directory: Path, model: Any, table: pd.DataFrame) -> None:
    directory.mkdir()
    joblib.dump(model, directory / "model.joblib")
    table.to_csv(directory / "samples.csv", index=False)
