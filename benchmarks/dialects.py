"""The same rows in each server's own request format, and its answer back as a flat array."""

import json
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float64]


class Dialect(Protocol):
    def encode(self, rows: Rows) -> bytes: ...

    def decode(self, body: bytes) -> NDArray[Any]: ...


@dataclass(frozen=True, slots=True)
class Keyed:
    """`{request: rows}` answered by `{answer: predictions}`, or by bare predictions where `answer` is None."""

    request: str = "data"
    answer: str | None = "predictions"

    def encode(self, rows: Rows) -> bytes:
        return json.dumps({self.request: rows.tolist()}).encode()

    def decode(self, body: bytes) -> NDArray[Any]:
        value = json.loads(body)
        return np.ravel(value if self.answer is None else value[self.answer])


@dataclass(frozen=True, slots=True)
class OpenInference:
    """Open Inference Protocol, version 2: named tensors with shape and type."""

    def encode(self, rows: Rows) -> bytes:
        tensor = {"name": "data", "shape": rows.shape, "datatype": "FP64", "data": rows.tolist()}
        return json.dumps({"inputs": [tensor]}).encode()

    def decode(self, body: bytes) -> NDArray[Any]:
        return np.ravel(json.loads(body)["outputs"][0]["data"])
