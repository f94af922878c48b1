"""JSON Lines through a batch: each record keeps its keys and gets its prediction."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from batch.errors import LineError
from tests.batch.conftest import Asking, credit

RECORD = {"age": 31, "income": 50_000, "rate": 4.5, "job": "clerk", "home": "own"}


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("size", [500, 100_000])
def test_records(credit_model: Asking, tmp_path: Path, size: int) -> None:
    source, frame = tmp_path / "in.jsonl", credit(100)
    frame.to_json(source, orient="records", lines=True)

    credit_model.predict(source, tmp_path / "out", size=size, probabilities=True)

    given = pd.read_json(source, lines=True)
    got = lines(tmp_path / "out")
    assert [line["prediction"] for line in got] == credit_model.estimator.predict(given).tolist()
    likely = [line["probabilities"] for line in got]
    np.testing.assert_allclose(likely, credit_model.estimator.predict_proba(given), rtol=1e-12)
    assert [{name: line[name] for name in frame.columns} for line in got] == lines(source)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_keys_that_the_model_does_not_take(credit_model: Asking, tmp_path: Path, end: str) -> None:
    source = tmp_path / "in.jsonl"
    further = {"id": 12345678901234567890, **RECORD, "tags": ["a", {"b": None}]}
    source.write_text(end.join(["\ufeff" + json.dumps(further), "", json.dumps(RECORD)]), newline="")

    credit_model.predict(source, tmp_path / "out")
    credit_model.predict(source, tmp_path / "only", only=("id",))

    assert lines(tmp_path / "out") == [{**further, "prediction": "good"}, {**RECORD, "prediction": "good"}]
    assert lines(tmp_path / "only")[0] == {"id": 12345678901234567890, "prediction": "good"}


def test_rows(nameless_model: Asking, tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text("[1, 2]\n[-3, -4]\n")

    nameless_model.predict(source, tmp_path / "out")

    assert lines(tmp_path / "out") == [{"data": [1, 2], "prediction": True}, {"data": [-3, -4], "prediction": False}]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("{", "is not JSON"),
        (json.dumps({**RECORD, "age": "x"}), 'column "age": expected a number, got "x"'),
        (json.dumps({**RECORD, "prediction": 1}), 'has a key "prediction" already'),
        ('{"age": 1, "age": 2, "id": 3, "income": 1, "rate": 1, "job": null, "home": "own"}', "has a key twice"),
        (json.dumps({"age": 1}), 'lacks the key "income"'),
    ],
)
def test_a_bad_line_is_named(credit_model: Asking, tmp_path: Path, bad: str, message: str) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text("\n".join([json.dumps(RECORD), "", bad, json.dumps(RECORD)]))

    with pytest.raises(LineError) as refused:
        credit_model.predict(source, tmp_path / "out")
    assert "in.jsonl, line 3: " in str(refused.value)
    assert message in str(refused.value)

    credit_model.predict(source, tmp_path / "skipped", skip=True)
    text = (tmp_path / "skipped").read_text().splitlines()
    assert len(text) == 3
    assert message in json.loads(text[1])["error"]
    assert json.loads(text[2])["prediction"] == "good"
