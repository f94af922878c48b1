"""What all connections hold together, and whose part goes first when it becomes too much."""

from collections.abc import Collection
from typing import Protocol

from predictor.errors import QueueFullError
from predictor.logs import RateLimitedWarning
from predictor.settings import Settings

SLOW_SECONDS = 5.0
"""A client is slow when it would need longer, at its present pace, to move the bytes that it makes the server hold."""


class Holder(Protocol):
    """A connection, as far as its bytes go."""

    receiving: int
    """Bytes of a body that has not arrived as a whole."""
    sending: int
    """Bytes of requests that cannot be parsed yet, and of answers that the client has not read."""
    pace: float
    """Bytes a second that it has moved of late, either way; infinity until that is known."""

    def evict(self) -> None:
        """Refuse the body that is being received, and hold it no longer."""

    def drop(self) -> None:
        """Close at once, and hold nothing."""


class Room:
    """The bytes of all connections: bodies on their way, and what clients do not read.

    Each connection has a share that is never refused. What goes beyond the shares is bounded in sum.
    """

    def __init__(self, settings: Settings, holders: Collection[Holder]) -> None:
        self.receiving = 0
        self.sending = 0
        self._limit = settings.max_queue_bytes
        self._share = self._limit // settings.max_connections
        self._holders = holders
        self._warn = RateLimitedWarning()

    def receive(self, holder: Holder, size: int) -> None:
        """Let a connection hold a body of this size; raises QueueFullError."""
        grown = size - holder.receiving
        while size > self._share and self.receiving - holder.receiving >= self._limit:
            slowest = max(self._holders, key=_slowness_of_receiving)
            if slowest is holder or _slowness_of_receiving(slowest) < SLOW_SECONDS:
                raise QueueFullError(f"{self.receiving} bytes of bodies are being received already.")
            slowest.evict()
            self._warn("bodies that come slowly are refused: there is no room for others")
        holder.receiving = size
        self.receiving += grown

    def send(self, holder: Holder, size: int) -> None:
        """Let a connection hold so many bytes that its client does not read; ends the slowest when that is too much."""
        self.sending += size - holder.sending
        holder.sending = size
        while self.sending > self._limit:
            slowest = max(self._holders, key=_slowness_of_sending)
            if slowest.sending <= self._share:
                return
            slowest.drop()
            self._warn("connections are closed whose clients do not read their answers: there is no room for more")


def _slowness_of_receiving(holder: Holder) -> float:
    return holder.receiving / max(holder.pace, 1.0)


def _slowness_of_sending(holder: Holder) -> tuple[float, int]:
    return holder.sending / max(holder.pace, 1.0), holder.sending
