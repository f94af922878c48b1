"""How far a batch is, for whoever watches it."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class Progress:
    """Bytes of the input, and rows and errors of the output; `earlier` rows are an earlier run's."""

    tell: Callable[["Progress"], None]
    total: int = 0
    read: int = 0
    rows: int = 0
    errors: int = 0
    earlier: int = 0

    def add(self, read: int, rows: int, errors: int) -> None:
        """Count what is written, and say so."""
        self.read += read
        self.rows += rows
        self.errors += errors
        self.tell(self)
