"""Compiled models refuse what the encoders of their originals have not seen in training, and would refuse."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler

from predictor import codecs, kinds
from predictor.compile import Options, compile_model
from predictor.errors import BadInputError, CompileError
from predictor.model import Model, UserCode, load

RANDOM = np.random.default_rng(0)
FLATS = pd.DataFrame(
    {
        "town": RANDOM.choice(["Bern", "Köln", "Rom"], 60),
        "rooms": RANDOM.integers(1, 4, 60),
        "size": RANDOM.normal(size=60),
    }
)
DEAR = np.where(FLATS["size"] > 0, "yes", "no")


Compiled: TypeAlias = Callable[[Any], tuple[Model, Model]]
"""Compiles an estimator; gives the original and the compiled model."""


def pipeline(town: Any, rooms: Any) -> Any:
    columns = [("t", town, ["town"]), ("r", rooms, ["rooms"]), ("s", StandardScaler(), ["size"])]
    return make_pipeline(ColumnTransformer(columns), LogisticRegression()).fit(FLATS, DEAR)


@pytest.fixture
def compiled(tmp_path: Path) -> Compiled:
    def compiled(estimator: Any) -> tuple[Model, Model]:
        (tmp_path / "model.pkl").write_bytes(pickle.dumps(estimator))
        FLATS.to_csv(tmp_path / "samples.csv", index=False)
        list(compile_model(Options(tmp_path, tmp_path / "out")))
        original, subject = load(tmp_path), load(tmp_path / "out")
        assert not isinstance(original, UserCode)
        assert not isinstance(subject, UserCode)
        return original, subject

    return compiled


def ask(model: Model, **changed: Any) -> Any:
    """The answer to a row with some cells changed, or what is wrong with it."""
    body = pd.DataFrame([{"town": "Rom", "rooms": 2, "size": 0.5} | changed]).to_json(orient="records").encode()
    try:
        return model.predict(codecs.decode(body, None, model.signature).rows, "predict").tolist()
    except BadInputError as error:
        return error.detail


@pytest.mark.parametrize(
    "encoders",
    [(OneHotEncoder(), OneHotEncoder()), (OrdinalEncoder(), OrdinalEncoder())],
    ids=["one-hot", "ordinal"],
)
def test_what_the_encoder_has_not_seen_is_refused(encoders: Any, compiled: Compiled) -> None:
    original, subject = compiled(pipeline(*encoders))

    for known in ({}, {"town": "Köln"}, {"rooms": 3.0}, {"size": -77.7}):
        assert ask(subject, **known) == ask(original, **known)
    assert "unknown categories" in ask(original, town="Paris")
    assert ask(subject, town="Paris") == (
        'A cell is not what the model takes: expected one of "Bern", "Köln", "Rom", got "Paris" in row 0, column town.'
    )
    assert "unknown categories" in ask(original, rooms=9)
    assert ask(subject, rooms=9) == (
        "A cell is not what the model takes: expected one of 1, 2, 3, got 9 in row 0, column rooms."
    )


def test_what_the_encoder_takes_though_it_has_not_seen_it_is_answered(
    compiled: Compiled,
) -> None:
    tolerant = OneHotEncoder(handle_unknown="ignore")
    original, subject = compiled(pipeline(tolerant, tolerant))

    assert ask(subject, town="Paris", rooms=9) == ask(original, town="Paris", rooms=9)
    assert isinstance(ask(subject, town="Paris"), list)


def test_an_encoder_that_is_not_found_keeps_a_model_from_being_compiled(
    compiled: Compiled,
) -> None:
    hidden = make_pipeline(FunctionTransformer(), OrdinalEncoder())

    with pytest.raises(CompileError, match="does not refuse the same: a row with something unseen in column 1"):
        compiled(pipeline(OneHotEncoder(), hidden))


def test_which_columns_are_closed() -> None:
    tolerant = OneHotEncoder(handle_unknown="ignore")
    imputed = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder())

    assert kinds.of(pipeline(imputed, tolerant), 3).closed == {0: ["Bern", "Köln", "Rom"]}
    assert kinds.of(pipeline(tolerant, OrdinalEncoder()), 3).closed == {1: [1, 2, 3]}
