"""Forests in compiled models: the table of boxes.py and the labels of its classes, as metadata beside the graph.

The graph is the same model for all that read ONNX; the table answers in a quarter of its time.
"""

import json
from typing import Any

import numpy as np
import numpy.typing as npt

from predictor.models.shortcuts import boxes
from predictor.models.shortcuts.boxes import Boxes, Table

METADATA = "predictor.boxes"
"""Key of the metadata."""


class Voters:
    """A classifier's trees."""

    def __init__(self, text: str, features: int) -> None:
        """Read what `description` has made; raises ValueError when it is something else."""
        read = json.loads(text)
        table = boxes.read(read["table"], features)
        self._boxes = Boxes(table)
        self._labels = np.array(read["labels"])
        if self._labels.shape != table.base.shape:
            raise ValueError("other labels than classes")

    def predict(self, rows: npt.NDArray[np.float32], method: str) -> npt.NDArray[Any]:
        """Answer rows of shape (rows, features): shares of shape (rows, classes), or the label of the largest."""
        shares = self._boxes.shares(rows)
        if method == "predict_proba":
            return shares
        labels: npt.NDArray[Any] = self._labels.take(shares.argmax(axis=1))
        return labels


def description(table: Table, labels: npt.NDArray[Any]) -> str:
    """The metadata of a forest with these classes."""
    return json.dumps({"labels": labels.tolist(), "table": table.written()})
