"""Columns that may hold nothing but what the model has seen in training: its encoder refuses all else.

ONNX has no such encoder: what it does not know becomes some number, or an error for the whole batch.
"""

import json
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from predictor.errors import BadInputError

SHOWN = 10
"""Values in a message."""
SHOWN_CHARACTERS = 40


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
        for cell in rows[:, self.index].tolist():
            if cell not in self.values and cell == cell:  # noqa: PLR0124  # NaN is what does not equal itself
                shown = ", ".join(map(json.dumps, list(self.values)[:SHOWN]))
                more = ", ..." if len(self.values) > SHOWN else ""
                expected = f"expected one of {shown}{more} in column {self.name}"
                raise BadInputError(
                    f"A cell is not what the model takes: {expected}, got {json.dumps(cell)[:SHOWN_CHARACTERS]}."
                )
