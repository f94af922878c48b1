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
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from predictor.compile.command import Options, compile_model
from predictor.errors import CompileError
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

    list(compile_model(Options(tmp_path, tmp_path / "out")))

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

    report = list(compile_model(Options(tmp_path, tmp_path / "out")))
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

    list(compile_model(Options(tmp_path, tmp_path / "out")))

    assert loaded(tmp_path / "out").schema.names == tuple(frame.columns)


def test_a_string_that_may_be_missing_may_not_be_in_onnx_and_that_is_said(tmp_path: Path) -> None:
    frame = flats()[["home town", "size"]]
    columns = [("t", OneHotEncoder(handle_unknown="ignore"), ["home town"]), ("s", StandardScaler(), ["size"])]
    model = make_pipeline(ColumnTransformer(columns), LogisticRegression()).fit(frame, frame["size"] > 0)
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(model))
    frame.to_csv(tmp_path / "samples.csv", index=False)

    report = list(compile_model(Options(tmp_path, tmp_path / "out")))
    frame.assign(**{"home town": frame["home town"].where(frame.index != 3)}).to_csv(
        tmp_path / "samples.csv", index=False
    )
    with pytest.raises(CompileError) as refused:
        list(compile_model(Options(tmp_path, tmp_path / "again")))

    assert "missing strings: refused, for ONNX has none, in columns home town" in report
    assert refused.value.detail == (
        f"A string is missing ({tmp_path / 'samples.csv'}, row 3, column home town), and ONNX has no missing strings: "
        "leave such rows out of the samples, and they will be refused; or train with a word in their place."
    )


TEXTS = ["Grüße aus Köln a b", "ÄPFEL und Birnen x1", "hello World é ß", "naïve 日本語 テスト don't under_score 3.5"]


@pytest.mark.parametrize("words", [TfidfVectorizer(), CountVectorizer(ngram_range=(1, 2))], ids=["tfidf", "count"])
def test_text_of_any_language(words: Any, tmp_path: Path) -> None:
    model = make_pipeline(words, LogisticRegression()).fit(TEXTS * 5, [0, 1, 2, 1] * 5)
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(model))
    pd.DataFrame({"text": TEXTS}).to_csv(tmp_path / "samples.csv", index=False)

    list(compile_model(Options(tmp_path, tmp_path / "out")))

    compiled = loaded(tmp_path / "out")
    unseen = ["äpfel aus KÖLN", "日本語 und Nichts", ""]
    request = registry.decode(str([[text] for text in unseen]).replace("'", '"').encode(), None, compiled.schema)
    found = compiled.predict(request.rows, "predict_proba")
    np.testing.assert_allclose(found, model.predict_proba(unseen), atol=1e-6)
