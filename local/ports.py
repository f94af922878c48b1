"""The chain's ports, reserved before anything is started: what is wrong with any of them is said at once."""

import socket
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from local.errors import ChainError, PortTakenError
from local.server import bind

HIGHEST = 65_535


@dataclass(frozen=True, slots=True)
class Wanted:
    """A port that a part is to listen on, and the setting that says so; 0 means any free one."""

    part: str
    setting: str
    port: int


def reserve(host: str, wanted: Collection[Wanted]) -> tuple[socket.socket, ...]:
    """Return a bound socket for each port; raises ChainError, and then holds none."""
    sockets: list[socket.socket] = []
    wrong: dict[str, str] = {}
    for each in wanted:
        try:
            sockets.append(_reserve(host, each, wanted))
        except PortTakenError as taken:
            wrong[each.setting] = str(taken)
    if wrong:
        for sock in sockets:
            sock.close()
        free = _free(host, [each for each in wanted if each.setting in wrong], wanted)
        settings = " ".join(f"{name}={port}" for name, port in free.items())
        raise ChainError(f"{'; '.join(wrong.values())}; add {settings} to `make run`")
    return tuple(sockets)


def _reserve(host: str, each: Wanted, wanted: Collection[Wanted]) -> socket.socket:
    for other in wanted:
        if other is each:
            break
        if each.port and other.port == each.port:
            raise PortTakenError(each.port, each.part, f"it is the {other.part}'s, {other.setting}")
    return bind(host, each.port, each.part)


def _free(host: str, taken: Collection[Wanted], wanted: Collection[Wanted]) -> Mapping[str, int]:
    """Return the next port for each setting that nobody has or wants."""
    avoided = {each.port for each in wanted}
    found = {}
    for each in taken:
        found[each.setting] = _next(host, each.port, avoided)
        avoided.add(found[each.setting])
    return found


def _next(host: str, port: int, avoided: Collection[int]) -> int:
    for candidate in range(port + 1, HIGHEST + 1):
        if candidate not in avoided:
            try:
                bind(host, candidate, "").close()
            except PortTakenError:
                continue
            return candidate
    return 0
