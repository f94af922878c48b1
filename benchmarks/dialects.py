"""The same rows in each server's own request format, and its answer back as a flat array."""

import json
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from benchmarks.data import Body


class Dialect(Protocol):
    def encode(self, body: Body) -> bytes: ...

    def decode(self, answer: bytes) -> NDArray[Any]: ...


@dataclass(frozen=True, slots=True)
class Split:
    """`{"columns": names, "data": rows}`, under a key of its own where there is one; answered by `predictions`."""

    key: str = ""

    def encode(self, body: Body) -> bytes:
        split = {"columns": body.columns, "data": body.data} if body.columns else {"data": body.data}
        whole = split if not self.key else {self.key: split} if body.columns else {"inputs": body.data}
        return json.dumps(whole).encode()

    def decode(self, answer: bytes) -> NDArray[Any]:
        return np.ravel(json.loads(answer)["predictions"])


@dataclass(frozen=True, slots=True)
class Records:
    """BentoML's table: `{"data": records}`, answered by bare predictions."""

    def encode(self, body: Body) -> bytes:
        names = body.columns or tuple(str(index) for index in range(len(body.data[0])))
        return json.dumps({"data": [dict(zip(names, row, strict=True)) for row in body.data]}).encode()

    def decode(self, answer: bytes) -> NDArray[Any]:
        return np.ravel(json.loads(answer))


@dataclass(frozen=True, slots=True)
class OpenInference:
    """Open Inference Protocol, version 2: a named tensor a column, or one of all rows where there are no names."""

    def encode(self, body: Body) -> bytes:
        if not body.columns:
            return json.dumps({"inputs": [_tensor("data", body.data, len(body.data[0]), "np")]}).encode()
        columns = zip(*body.data, strict=True)
        tensors = [_tensor(name, list(cells), 1) for name, cells in zip(body.columns, columns, strict=True)]
        return json.dumps({"parameters": {"content_type": "pd"}, "inputs": tensors}).encode()

    def decode(self, answer: bytes) -> NDArray[Any]:
        return np.ravel(json.loads(answer)["outputs"][0]["data"])


def _tensor(name: str, cells: list[Any], width: int, content_type: str = "") -> dict[str, Any]:
    tensor = {"name": name, "shape": [len(cells), width], "datatype": "FP64", "data": cells}
    return tensor | ({"parameters": {"content_type": content_type}} if content_type else {})
