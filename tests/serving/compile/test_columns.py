"""Compiled models of frames: columns by name, columns of text, and what may be missing."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from predictor.compile.command import Options, compile_model
from predictor.errors import BadInputError
from predictor.formats import registry
from tests.serving.compile.test_command import loaded


def flats() -> pd.DataFrame:
    random = np.random.default_rng(0)
    cities = random.choice(["Bern", "Köln", "Rom"], 60)
    return pd.DataFrame(
        {"home town": cities, "size": random.normal(size=60), "rooms": random.integers(1, 9, 60), "id": range(60)}
    )


def test_named_columns_of_text_and_numbers(tmp_path: Path) -> None:
    frame = flats()
    columns = ColumnTransformer(
        [("t", OneHotEncoder(handle_unknown="ignore"), ["home town"]), ("n", StandardScaler(), ["size", "rooms"])]
    )
    model = make_pipeline(columns, RandomForestClassifier(5, random_state=0)).fit(
        frame, frame["size"] * frame["rooms"] > 0
    )
    model[-1].classes_ = np.array(["no", "yes"])
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(model))
    frame.to_csv(tmp_path / "samples.csv", index=False)

    list(compile_model(Options(tmp_path, tmp_path / "out", even_if_slower=True)))

    compiled = loaded(tmp_path / "out")
    request = registry.decode(b'[{"id": 1, "rooms": 3, "home town": "Rom", "size": 0.5}]', None, compiled.schema)
    assert compiled.schema.names == ("home town", "size", "rooms")
    row = pd.DataFrame({"home town": ["Rom"], "size": [0.5], "rooms": [3], "id": [1]})
    assert compiled.predict(request.rows, "predict").tolist() == model.predict(row).tolist()


@pytest.mark.parametrize("imputed", [["size"], ["size", "rooms"], []], ids=len)
def test_a_number_may_be_missing_where_the_model_takes_it_so(imputed: list[str], tmp_path: Path) -> None:
    frame = flats()[["size", "rooms"]]
    others = [name for name in frame if name not in imputed]
    columns = ColumnTransformer([("i", SimpleImputer(), imputed), ("s", StandardScaler(), others)])
    model = make_pipeline(columns, LogisticRegression()).fit(frame, np.where(frame["size"] > 0, "dear", "cheap"))
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(model))
    frame.assign(size=frame["size"].where(frame.index > 0) if imputed else 0).to_csv(
        tmp_path / "samples.csv", index=False
    )

    report = list(compile_model(Options(tmp_path, tmp_path / "out", even_if_slower=True)))
    compiled = loaded(tmp_path / "out")

    assert any(line.startswith("predict: 60 rows missing: all alike") for line in report) == bool(imputed)
    assert set(compiled.schema.required) == {list(frame).index(name) for name in others}
    rows = registry.decode(b'{"data": [[%s, 2]]}' % (b"null" if imputed else b"1"), None, compiled.schema).rows
    expected = model.predict(pd.DataFrame([[np.nan if imputed else 1, 2]], columns=frame.columns))
    assert compiled.predict(rows, "predict").tolist() == expected.tolist()


def test_a_model_trained_with_names_compares_columns_by_name(tmp_path: Path) -> None:
    frame, target = load_iris(as_frame=True, return_X_y=True)
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(LinearRegression().fit(frame, target)))
    frame[frame.columns[::-1]].to_csv(tmp_path / "samples.csv", index=False)

    list(compile_model(Options(tmp_path, tmp_path / "out", even_if_slower=True)))

    assert loaded(tmp_path / "out").schema.names == tuple(frame.columns)


TOWNS = ["Bern", "Köln", None, "Rom", "Bern", "Köln"] * 10
ONE_HOT = OneHotEncoder(handle_unknown="ignore")
ORDINAL = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)


@pytest.mark.parametrize(
    ("encoder", "gap"),
    [
        pytest.param(ONE_HOT, np.nan, id="one-hot"),
        pytest.param(ONE_HOT, None, id="one-hot of None"),
        pytest.param(OneHotEncoder(drop="first"), np.nan, id="one-hot, closed"),
        pytest.param(make_pipeline(SimpleImputer(strategy="most_frequent"), ONE_HOT), np.nan, id="most frequent"),
        pytest.param(
            make_pipeline(SimpleImputer(strategy="constant", fill_value="none"), ONE_HOT), np.nan, id="constant"
        ),
        pytest.param(make_pipeline(SimpleImputer(strategy="most_frequent"), ORDINAL), np.nan, id="ordinal"),
    ],
)
def test_a_string_may_be_missing_where_the_model_takes_it_so(encoder: Any, gap: Any, tmp_path: Path) -> None:
    towns = [gap if town is None else town for town in TOWNS]
    frame = pd.DataFrame({"home town": pd.Series(towns, dtype=object), "size": np.linspace(-1, 1, 60)})
    columns = [("t", encoder, ["home town"]), ("s", StandardScaler(), ["size"])]
    model = make_pipeline(ColumnTransformer(columns), LogisticRegression()).fit(frame, np.arange(60) % 3)
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(model))
    frame.to_csv(tmp_path / "samples.csv", index=False)

    report = list(compile_model(Options(tmp_path, tmp_path / "out", even_if_slower=True)))

    compiled = loaded(tmp_path / "out")
    assert "predict: 60 rows missing: all alike, largest difference 0" in report
    rows = registry.decode(b'{"data": [[null, 0.5], ["Rom", 0.5]]}', None, compiled.schema).rows
    asked = pd.DataFrame({"home town": pd.Series([gap, "Rom"], dtype=object), "size": [0.5, 0.5]})
    np.testing.assert_allclose(compiled.predict(rows, "predict_proba"), model.predict_proba(asked), atol=1e-6)


def test_what_stands_for_a_missing_string_is_no_string_of_a_caller(tmp_path: Path) -> None:
    frame = pd.DataFrame({"home town": pd.Series(TOWNS, dtype=object), "size": np.linspace(-1, 1, 60)})
    model = make_pipeline(ColumnTransformer([("t", ONE_HOT, ["home town"])]), LogisticRegression())
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(model.fit(frame, np.arange(60) % 3)))
    frame.to_csv(tmp_path / "samples.csv", index=False)
    list(compile_model(Options(tmp_path, tmp_path / "out", even_if_slower=True)))
    compiled = loaded(tmp_path / "out")
    rows = registry.decode(b'{"data": [["\\uffff"]]}', None, compiled.schema).rows

    with pytest.raises(BadInputError, match="expected a string"):
        compiled.predict(rows, "predict")


TEXTS = ["Grüße aus Köln a b", "ÄPFEL und Birnen x1", "hello World é ß", "naïve 日本語 テスト don't under_score 3.5"]


@pytest.mark.parametrize("words", [TfidfVectorizer(), CountVectorizer(ngram_range=(1, 2))], ids=["tfidf", "count"])
def test_text_of_any_language(words: Any, tmp_path: Path) -> None:
    model = make_pipeline(words, LogisticRegression()).fit(TEXTS * 5, [0, 1, 2, 1] * 5)
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(model))
    pd.DataFrame({"text": TEXTS}).to_csv(tmp_path / "samples.csv", index=False)

    list(compile_model(Options(tmp_path, tmp_path / "out", even_if_slower=True)))

    compiled = loaded(tmp_path / "out")
    unseen = ["äpfel aus KÖLN", "日本語 und Nichts", ""]
    request = registry.decode(str([[text] for text in unseen]).replace("'", '"').encode(), None, compiled.schema)
    found = compiled.predict(request.rows, "predict_proba")
    np.testing.assert_allclose(found, model.predict_proba(unseen), atol=1e-6)
