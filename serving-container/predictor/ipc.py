"""Frames between the server and its workers: a batch of requests one way, as many responses the other way.

A frame is its length in four bytes and a pair in Python's marshal format, which is several times faster than pickle and
holds plain values only: the number of the batch, and its requests or responses. A response must have the number of the
batch that was sent last. Both ends are processes of one program, so there is one version of the format.
"""

import marshal
import struct
from collections.abc import Sequence
from typing import Any, BinaryIO, NamedTuple

_LENGTH = struct.Struct("!I")
FORK = struct.Struct("!i")
"""Asks the loader for a worker: the pid of the dead one it stands in for, or 0."""
FORKED = struct.Struct("!iii")
"""The loader's answer, with the worker's socket: the worker's pid, the dead one's pid, and its exit code."""
UNSEEN = 256
"""Stands for the exit code of a worker that another loader had forked."""
LOAD_FAILED = 3
"""Exit code of a process that could not load the model, and has said why."""
HELLO = 0
"""The number of a worker's first frame, which holds one `Ready`. Batches count from 1."""


class Request(NamedTuple):
    """A request on its way to a worker: what the client sent, and an id for the log."""

    body: bytes
    content_type: str | None
    accept: str | None
    request_id: str


class Response(NamedTuple):
    """A response on its way to the client; `rows` is how many predictions it holds."""

    status: int
    content_type: str
    body: bytes
    rows: int = 0


class Ready(NamedTuple):
    """What a worker says of itself once it has loaded and tried the model."""

    batches: bool
    """Whether requests may be predicted together: whether no row's prediction depends on the others."""
    memory: int
    """Bytes that the worker shares with no other process."""


def pack(number: int, items: Sequence[Request | Response | Ready]) -> bytes:
    """Make a frame."""
    payload = marshal.dumps((number, [tuple(item) for item in items]))
    return _LENGTH.pack(len(payload)) + payload


def read_requests(stream: BinaryIO) -> tuple[int, list[Request]] | None:
    """Wait for a frame; None when the other end has closed."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    number, items = marshal.loads(stream.read(_LENGTH.unpack(head)[0]))  # noqa: S302  # see the module's docstring
    return number, [Request(*item) for item in items]


def take_frame(buffer: bytearray) -> tuple[int, list[Any]] | None:
    """Take one frame of a worker off the front of `buffer`: its number and tuples; None while it is not all there."""
    if len(buffer) < _LENGTH.size:
        return None
    end = _LENGTH.size + _LENGTH.unpack_from(buffer)[0]
    if len(buffer) < end:
        return None
    payload = bytes(memoryview(buffer)[_LENGTH.size : end])
    del buffer[:end]
    number, items = marshal.loads(payload)  # noqa: S302  # runs no code, and comes from our own process
    return number, items
