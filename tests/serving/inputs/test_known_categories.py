"""Compiled models refuse what the encoders of their originals have not seen in training, and would refuse."""

import json
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
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, OrdinalEncoder, StandardScaler, TargetEncoder
from sklearn.tree import DecisionTreeClassifier

from predictor.compile.command import Options, compile_model
from predictor.errors import BadInputError, CompileError
from predictor.formats import registry
from predictor.inputs.known_categories import known_categories
from predictor.models.base import Model
from predictor.models.estimator import wrap
from predictor.models.inspection.describe import describe
from predictor.worker.loading import load
from predictor.worker.user_code import UserCode

RANDOM = np.random.default_rng(0)
FLATS = pd.DataFrame(
    {
        "town": RANDOM.choice(["Bern", "Köln", "Rom"], 60),
        "rooms": RANDOM.integers(1, 4, 60),
        "size": RANDOM.normal(size=60),
    }
)
DEAR = np.where(FLATS["size"] > 0, "yes", "no")


Compiled: TypeAlias = Callable[..., tuple[Model, Model]]
"""Compiles an estimator; gives the original and the compiled model."""


def pipeline(town: Any, rooms: Any, flats: pd.DataFrame = FLATS, last: Any = None) -> Any:
    columns = [("t", town, ["town"]), ("r", rooms, ["rooms"]), ("s", StandardScaler(), ["size"])]
    return make_pipeline(ColumnTransformer(columns), last or LogisticRegression()).fit(flats, DEAR)


@pytest.fixture
def compiled(tmp_path: Path) -> Compiled:
    def compiled(estimator: Any, flats: pd.DataFrame = FLATS) -> tuple[Model, Model]:
        (tmp_path / "model.pkl").write_bytes(pickle.dumps(estimator))
        flats.to_csv(tmp_path / "samples.csv", index=False)
        list(compile_model(Options(tmp_path, tmp_path / "out", even_if_slower=True)))
        original, subject = load(tmp_path), load(tmp_path / "out")
        assert not isinstance(original, UserCode)
        assert not isinstance(subject, UserCode)
        return original, subject

    return compiled


def ask(model: Any, method: str = "predict", **changed: Any) -> Any:
    """The answer to a row with some cells changed, or what is wrong with it."""
    row = {"town": "Rom", "rooms": 2, "size": 0.5} | changed
    return answer(model, pd.DataFrame([row]).to_json(orient="records", double_precision=15).encode(), method)


def answer(model: Any, body: bytes, method: str) -> Any:
    try:
        return model.predict(registry.decode(body, None, model.schema).rows, method).tolist()
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
    for model in (original, subject):
        assert ask(model, town="Paris") == (
            'A cell is not what the model takes: expected one of "Bern", "Köln", "Rom", '
            'got "Paris" in row 0, column "town".'
        )
        assert ask(model, rooms=9) == (
            'A cell is not what the model takes: expected one of 1, 2, 3, got 9 in row 0, column "rooms".'
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
    hidden = make_pipeline(SimpleImputer(), MinMaxScaler((1, 3)), OrdinalEncoder())

    with pytest.raises(CompileError, match="does not refuse the same: a row with something unseen in column 1"):
        compiled(pipeline(OneHotEncoder(), hidden))


def test_which_columns_are_closed() -> None:
    tolerant = OneHotEncoder(handle_unknown="ignore")
    imputed = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder())

    first, second = describe(pipeline(imputed, tolerant)), describe(pipeline(tolerant, OrdinalEncoder()))

    assert (first.closed, first.feature(0).categories) == ((0,), ("Bern", "Köln", "Rom"))
    assert (second.closed, second.feature(1).categories) == ((1,), (1, 2, 3))


def test_where_two_encoders_take_a_column_what_either_refuses_is_refused(compiled: Compiled) -> None:
    wider = OrdinalEncoder(categories=[["Bern", "Köln", "Rom", "Wien"]])
    columns = [("o", OrdinalEncoder(), ["town"]), ("w", wider, ["town"]), ("s", StandardScaler(), ["rooms", "size"])]
    original, subject = compiled(make_pipeline(ColumnTransformer(columns), LogisticRegression()).fit(FLATS, DEAR))

    for model in (original, subject):
        assert ask(model, town="Wien") == (
            'A cell is not what the model takes: expected one of "Bern", "Köln", "Rom", '
            'got "Wien" in row 0, column "town".'
        )
    assert ask(subject) == ask(original)


@pytest.mark.parametrize("encoder", [OneHotEncoder(), OrdinalEncoder()], ids=["one-hot", "ordinal"])
@pytest.mark.parametrize("marker", ["?", ""])
def test_what_an_imputer_replaces_is_taken(marker: str, encoder: Any, compiled: Compiled) -> None:
    imputer = SimpleImputer(missing_values=marker, strategy="most_frequent")
    original, subject = compiled(pipeline(make_pipeline(imputer, encoder), OneHotEncoder()))

    assert ask(subject, town=marker) == ask(original, town=marker)
    assert isinstance(ask(subject, town=marker), list)


NEAR = [2.5, 1.9, 0.1, -0.9, 1 + 1e-9, 3 - 1e-9, 7]
"""Numbers of rooms that would be cut to 0, 1 or 2, or to none of them."""


@pytest.mark.parametrize(
    "encoder",
    [
        OneHotEncoder(handle_unknown="ignore"),
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
        TargetEncoder(),
    ],
    ids=["one-hot", "ordinal", "target"],
)
def test_a_number_beside_a_known_one_is_not_known(encoder: Any, compiled: Compiled) -> None:
    flats = FLATS.assign(rooms=FLATS["rooms"] - 1)
    original, subject = compiled(pipeline(OneHotEncoder(handle_unknown="ignore"), encoder, flats), flats)

    for rooms in (0, 1, 2, *NEAR):
        expected, found = (ask(model, method="predict_proba", rooms=rooms) for model in (original, subject))
        np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("encoder", [OneHotEncoder(), OneHotEncoder(handle_unknown="ignore")], ids=["closed", "open"])
def test_ids_that_are_alike_in_single_precision(encoder: Any, compiled: Compiled) -> None:
    ids = np.array([123456789, 150000001, 200000003])
    flats = FLATS.assign(rooms=RANDOM.choice(ids, 60))
    original, subject = compiled(pipeline(OneHotEncoder(), encoder, flats, DecisionTreeClassifier(max_depth=4)), flats)

    for rooms in (*ids.tolist(), 150000000, 150000002, 123456792):
        expected, found = (ask(model, method="predict_proba", rooms=rooms) for model in (original, subject))
        if isinstance(expected, str):
            assert found == expected
        else:
            np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("encoder", [OneHotEncoder(), OneHotEncoder(handle_unknown="ignore")], ids=["closed", "open"])
def test_ids_among_numbers_alone(encoder: Any, compiled: Compiled) -> None:
    flats = pd.DataFrame({"id": RANDOM.choice([123456789, 150000001, 200000003], 60), "size": FLATS["size"]})
    columns = [("i", encoder, ["id"]), ("s", StandardScaler(), ["size"])]
    model = make_pipeline(ColumnTransformer(columns), DecisionTreeClassifier(max_depth=4)).fit(flats, DEAR)
    original, subject = compiled(model, flats)

    for known in (123456789, 150000001, 123456788, 150000000):
        body = json.dumps([{"id": known, "size": 0.5}]).encode()
        assert answer(subject, body, "predict_proba") == answer(original, body, "predict_proba")


def test_an_encoder_that_is_not_found_and_answers_otherwise_keeps_a_model_from_being_compiled(
    compiled: Compiled,
) -> None:
    flats = FLATS.assign(rooms=FLATS["rooms"] > 2)
    hidden = make_pipeline(MinMaxScaler(), OneHotEncoder(handle_unknown="ignore"))

    with pytest.raises(CompileError, match=r"does not answer the same: .* of a row with something unseen in column 1"):
        compiled(pipeline(OneHotEncoder(), hidden, flats), flats)


def test_numbers_other_than_true_and_false_are_refused_and_that_is_said(tmp_path: Path) -> None:
    flats = FLATS.assign(rooms=FLATS["rooms"] > 2)
    model = pipeline(OneHotEncoder(), OneHotEncoder(handle_unknown="ignore"), flats)
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(model))
    flats.to_csv(tmp_path / "samples.csv", index=False)

    report = list(compile_model(Options(tmp_path, tmp_path / "out", even_if_slower=True)))
    original, subject = load(tmp_path), load(tmp_path / "out")

    assert "numbers other than true and false: refused in columns rooms" in report
    assert isinstance(ask(original, rooms=0.5), list)
    for rooms in (True, False):
        assert ask(subject, rooms=rooms) == ask(original, rooms=rooms)
    assert ask(subject, rooms=0.5) == (
        'A cell is not what the model takes: expected one of false, true, got 0.5 in row 0, column "rooms".'
    )


def test_a_column_that_is_a_number_to_another_part_keeps_its_numbers(compiled: Compiled) -> None:
    tolerant = OneHotEncoder(handle_unknown="ignore")
    columns = [("o", tolerant, ["town", "rooms"]), ("s", StandardScaler(), ["rooms", "size"])]
    model = make_pipeline(ColumnTransformer(columns), LogisticRegression()).fit(FLATS, DEAR)

    assert known_categories(describe(model)) == []
    with pytest.raises(CompileError, match=r"rows beside what encoders know: .* DIFFER"):
        compiled(model)


@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
def test_what_an_encoder_takes_is_not_blamed_for_what_the_model_refuses() -> None:
    flats = FLATS.assign(rooms=FLATS["rooms"] > 2)
    tolerant = OneHotEncoder(handle_unknown="ignore")
    subject = wrap(pipeline(OneHotEncoder(), tolerant, flats, DecisionTreeClassifier()), Path("model.pkl"))

    assert ask(subject, rooms=0.5, size=1e39).startswith("The model refuses the rows: Input X contains infinity")


def test_categories_that_are_numpys(compiled: Compiled) -> None:
    flats = FLATS.assign(rooms=pd.Series([np.int64(each) for each in FLATS["rooms"]], dtype=object))
    original, subject = compiled(pipeline(OneHotEncoder(), OneHotEncoder(), flats))

    assert ask(subject) == ask(original)
