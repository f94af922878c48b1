"""What the server and its workers say to each other: a batch of tasks one way, as many answers the other way.

A frame is its length in four bytes and a list in Python's marshal format, which is several times faster than pickle and
holds nothing but plain values. Both ends are processes of one program, so one version of the format.
"""

import marshal
import struct
from collections.abc import Sequence
from typing import BinaryIO, NamedTuple

_LENGTH = struct.Struct("!I")
FORK = struct.Struct("!i")
"""Asks the loader for a worker: the pid of the dead one it stands in for, or 0."""
FORKED = struct.Struct("!iii")
"""The loader's answer, with the worker's socket: the worker's pid, the dead one's pid, and its exit code."""
UNSEEN = 256
"""Stands for the exit code of a worker that another loader had forked."""
LOAD_FAILED = 3
"""Exit code of a process that could not load the model, and has said why."""


class Task(NamedTuple):
    """A request body to predict."""

    body: bytes
    content_type: str | None
    accept: str | None
    request_id: str


class Answer(NamedTuple):
    """What a caller gets; `rows` is how many predictions it holds."""

    status: int
    content_type: str
    body: bytes
    rows: int = 0


def pack(items: Sequence[Task | Answer]) -> bytes:
    """Make a frame."""
    payload = marshal.dumps([tuple(item) for item in items])
    return _LENGTH.pack(len(payload)) + payload


def read_tasks(stream: BinaryIO) -> list[Task] | None:
    """Wait for a frame; None when the other end has closed."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    payload = stream.read(_LENGTH.unpack(head)[0])
    return [Task(*item) for item in marshal.loads(payload)]  # noqa: S302  # see the module's docstring


def take_answers(buffer: bytearray) -> list[Answer] | None:
    """Take one frame off the front of `buffer`; None while it is not all there."""
    if len(buffer) < _LENGTH.size:
        return None
    end = _LENGTH.size + _LENGTH.unpack_from(buffer)[0]
    if len(buffer) < end:
        return None
    payload = bytes(memoryview(buffer)[_LENGTH.size : end])
    del buffer[:end]
    return [Answer(*item) for item in marshal.loads(payload)]  # noqa: S302  # runs no code, and comes from our own process
