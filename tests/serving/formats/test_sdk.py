"""Every pair of the SageMaker SDK's serializers and deserializers, each as its own code writes, asks and reads.

Source: aws/sagemaker-python-sdk 2.257, src/sagemaker/base_serializers.py and base_deserializers.py.
"""

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from predictor.errors import UnsupportedMediaTypeError
from predictor.formats.registry import decode, encode, negotiate
from tests.serving.schemas import a_schema

ROWS = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
PREDICTIONS = np.array([10.5, 20.0, 30.25])


def saved(save: Callable[..., None], values: Any) -> bytes:
    out = io.BytesIO()
    save(out, values)
    return out.getvalue()


SERIALIZERS = {
    "CSVSerializer": ("text/csv", b"1.0,2.0\n3.0,4.0\n5.0,6.0"),
    "JSONSerializer": ("application/json", json.dumps(ROWS).encode()),
    "JSONLinesSerializer": ("application/jsonlines", "\n".join(map(json.dumps, ROWS)).encode()),
    "NumpySerializer": ("application/x-npy", saved(np.save, np.array(ROWS))),
    "SparseMatrixSerializer": ("application/x-npz", saved(sparse.save_npz, sparse.csr_matrix(ROWS))),
}
DESERIALIZERS: dict[str, tuple[str, Callable[[bytes, str], Any]]] = {
    "BytesDeserializer": ("*/*", lambda body, media_type: READ[media_type](body)),
    "CSVDeserializer": ("text/csv", lambda body, _: [float(row[0]) for row in csv.reader(body.decode().splitlines())]),
    "JSONDeserializer": ("application/json", lambda body, _: json.loads(body)["predictions"]),
    "JSONLinesDeserializer": ("application/jsonlines", lambda body, _: lines(body)),
    "NumpyDeserializer": ("application/x-npy", lambda body, _: np.load(io.BytesIO(body)).tolist()),
    "PandasDeserializer": ("text/csv, application/json", lambda body, media_type: FRAMES[media_type](body)),
    "StreamDeserializer": ("*/*", lambda body, media_type: READ[media_type](body)),
    "StringDeserializer": ("application/json", lambda body, _: json.loads(body.decode())["predictions"]),
}


def lines(body: bytes) -> list[float]:
    return [json.loads(line)["prediction"] for line in body.decode().rstrip().split("\n")]


READ: dict[str, Callable[[bytes], Any]] = {
    "application/json": lambda body: json.loads(body)["predictions"],
    "application/jsonlines": lines,
    "application/x-npy": lambda body: np.load(io.BytesIO(body)).tolist(),
    "text/csv": lambda body: [float(line) for line in body.decode().splitlines()],
}
FRAMES: dict[str, Callable[[bytes], Any]] = {
    "text/csv": lambda body: pd.read_csv(io.BytesIO(body)).iloc[:, 0].tolist(),
    "application/json": lambda body: pd.read_json(io.BytesIO(body))["predictions"].tolist(),
}


@pytest.mark.parametrize("deserializer", DESERIALIZERS)
@pytest.mark.parametrize("serializer", SERIALIZERS)
def test_the_client_gets_every_prediction(serializer: str, deserializer: str) -> None:
    content_type, body = SERIALIZERS[serializer]
    accept, read = DESERIALIZERS[deserializer]

    media_type = negotiate(accept, content_type)
    rows: Any = decode(body, content_type, a_schema(2)).rows

    assert rows.tolist() == ROWS
    assert read(encode(PREDICTIONS, media_type).body, media_type) == PREDICTIONS.tolist()


@pytest.mark.parametrize(
    ("content_type", "told"),
    [
        ("text/libsvm", "serializer=CSVSerializer()"),
        ("text/x-libsvm", "serializer=CSVSerializer()"),
        ("application/x-recordio-protobuf", "serializer=NumpySerializer()"),
        ("tensor/pt", "serializer=NumpySerializer()"),
        ("file-path/raw-bytes", "Name the type that the body has."),
        ("text/plain", "Name the type that the body has."),
        ("application/octet-stream", "Name the type that the body has."),
    ],
)
def test_other_serializers_are_told_which_to_take(content_type: str, told: str) -> None:
    with pytest.raises(UnsupportedMediaTypeError) as refused:
        decode(b"1 0:1", content_type, a_schema(2))

    assert told in refused.value.detail
