"""What a compiled model's encoders have seen in training: all else they refuse, or take for unknown.

ONNX has no such encoders. What is to be refused would become some number, or an error for the whole batch; and numbers
are cut to whole ones, or rounded to 32 bits, before they are looked up, so that 0.9 would be taken for 0.
"""

import math
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy.typing as npt

from predictor.errors import BadInputError
from predictor.inputs.conversion import is_missing, shown

LISTED = 10
"""Values in a message."""


@dataclass(frozen=True, slots=True)
class Known:
    """What one column has held."""

    index: int
    name: str
    values: dict[Any, None]
    """In the order of the training, without what is missing."""
    closed: bool
    """Whether all else is refused."""

    @property
    def example(self) -> Any:
        return next(iter(self.values), None)

    def admit(self, rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Make rows that the graph can be asked about; raises BadInputError when one is to be refused.

        Whether a cell may be missing is checked elsewhere.
        """
        cells = rows[:, self.index].tolist()
        strange = [row for row, cell in enumerate(cells) if cell not in self.values and not is_missing(cell)]
        if not strange:
            return rows
        if self.closed:
            self._refuse(cells[strange[0]], strange[0])
        admitted = rows.copy()
        admitted[strange, self.index] = self._nothing_known
        return admitted

    @property
    def _nothing_known(self) -> float:
        """A whole number that is not known, exact in 32 bits, and far from every known one."""
        largest = max((abs(known) for known in self.values), default=1)
        return 2.0 ** (math.frexp(largest)[1] + 2)

    def _refuse(self, cell: Any, row: int) -> NoReturn:
        values = ", ".join(map(shown, list(self.values)[:LISTED])) + ", ..." * (len(self.values) > LISTED)
        raise BadInputError(
            f"A cell is not what the model takes: expected one of {values}, got {shown(cell)} in row {row}, "
            f"column {self.name}."
        )
