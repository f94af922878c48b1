"""What a running batch has with it: what was chosen, what is done, and who watches."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from batch.journal import Journal
from batch.progress import Progress
from batch.records import Item, Options


@dataclass(frozen=True, slots=True)
class State:
    """The batch that is running."""

    options: Options
    journal: Journal
    progress: Progress


class Way(Protocol):
    """Where a batch is predicted: on this machine or on AWS."""

    def predict(self, items: Sequence[Item], batch: State) -> None:
        """Write the target of each file."""
