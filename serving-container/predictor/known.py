"""Columns that may hold nothing but what the model has seen in training: its encoder refuses all else.

ONNX has no such encoder: what it does not know becomes some number, or an error for the whole batch.
"""

from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from predictor.cells import shown
from predictor.errors import BadInputError

LISTED = 10
"""Values in a message."""


@dataclass(frozen=True, slots=True)
class Known:
    """What one column may hold."""

    index: int
    name: str
    values: dict[Any, None]
    """In the order of the training, without what is missing."""

    @property
    def example(self) -> Any:
        return next(iter(self.values), None)

    def check(self, rows: npt.NDArray[Any]) -> None:
        """Raise BadInputError when a row holds something else; whether a cell may be missing is checked elsewhere."""
        for row, cell in enumerate(rows[:, self.index].tolist()):
            if cell not in self.values and cell == cell:  # noqa: PLR0124  # NaN is what does not equal itself
                values = ", ".join(map(shown, list(self.values)[:LISTED])) + ", ..." * (len(self.values) > LISTED)
                where = f"in row {row}, column {self.name}"
                raise BadInputError(
                    f"A cell is not what the model takes: expected one of {values}, got {shown(cell)} {where}."
                )
