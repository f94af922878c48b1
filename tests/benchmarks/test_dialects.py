import json

import pytest

from benchmarks.data import Body
from benchmarks.dialects import Dialect, OpenInference, Records, Split

TABLE = Body(("a", "b"), [[1.5, None], [3.0, 4.25]])
ARRAY = Body((), [[1.5, 2.0], [3.0, 4.25]])


def test_names_go_beside_the_rows() -> None:
    assert json.loads(Split().encode(TABLE)) == {"columns": ["a", "b"], "data": [[1.5, None], [3.0, 4.25]]}
    assert json.loads(Split().encode(ARRAY)) == {"data": ARRAY.data}


def test_mlflow_has_a_key_for_tables_and_one_for_arrays() -> None:
    dialect = Split("dataframe_split")

    assert json.loads(dialect.encode(TABLE)) == {"dataframe_split": {"columns": ["a", "b"], "data": TABLE.data}}
    assert json.loads(dialect.encode(ARRAY)) == {"inputs": ARRAY.data}


def test_bentoml_takes_records() -> None:
    assert json.loads(Records().encode(TABLE)) == {"data": [{"a": 1.5, "b": None}, {"a": 3.0, "b": 4.25}]}


def test_open_inference_has_a_tensor_a_column_or_one_of_all_rows() -> None:
    columns = json.loads(OpenInference().encode(TABLE))["inputs"]
    (rows,) = json.loads(OpenInference().encode(ARRAY))["inputs"]

    assert [(each["name"], each["shape"], each["data"]) for each in columns] == [
        ("a", [2, 1], [1.5, 3.0]),
        ("b", [2, 1], [None, 4.25]),
    ]
    assert (rows["shape"], rows["data"]) == ([2, 2], ARRAY.data)


@pytest.mark.parametrize(
    ("dialect", "answer"),
    [
        (Split(), b'{"predictions": [0, 2]}'),
        (Records(), b"[0, 2]"),
        (OpenInference(), b'{"outputs": [{"name": "predict", "shape": [2, 1], "data": [[0], [2]]}]}'),
    ],
    ids=["split", "records", "open-inference"],
)
def test_every_answer_becomes_a_flat_array(dialect: Dialect, answer: bytes) -> None:
    assert dialect.decode(answer).tolist() == [0, 2]
