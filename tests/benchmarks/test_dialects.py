import json

import numpy as np
import pytest

from benchmarks.dialects import Dialect, Keyed, OpenInference

ROWS = np.array([[1.5, 2.0], [3.0, 4.25]])


def test_rows_go_under_the_key_the_server_asks_for() -> None:
    assert json.loads(Keyed(request="inputs").encode(ROWS)) == {"inputs": [[1.5, 2.0], [3.0, 4.25]]}


def test_open_inference_names_shape_and_type() -> None:
    assert json.loads(OpenInference().encode(ROWS)) == {
        "inputs": [{"name": "data", "shape": [2, 2], "datatype": "FP64", "data": [[1.5, 2.0], [3.0, 4.25]]}]
    }


@pytest.mark.parametrize(
    ("dialect", "body"),
    [
        (Keyed(), b'{"predictions": [0, 2]}'),
        (Keyed(answer=None), b"[0, 2]"),
        (OpenInference(), b'{"outputs": [{"name": "predict", "shape": [2, 1], "data": [[0], [2]]}]}'),
    ],
    ids=["keyed", "bare", "open-inference"],
)
def test_every_answer_becomes_a_flat_array(dialect: Dialect, body: bytes) -> None:
    assert dialect.decode(body).tolist() == [0, 2]
