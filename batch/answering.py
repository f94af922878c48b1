"""A chunk through the model: where it is refused, the records that are to blame are found, and the rest is answered."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from batch.errors import BatchError
from batch.records import LIKELY, PREDICT, Answers, Chunk, Source
from batch.server import Reply

OK = 200
MANY = 64
"""Records that are asked about one by one, at most, where an answer names them."""


class Asked(Protocol):
    """What answers."""

    def ask(self, body: bytes, content_type: str, accept: str) -> Reply:
        """Send a body and return the answer in another media type, or a refusal."""

    def last_message(self) -> str:
        """Return why the model failed."""


@dataclass(frozen=True, slots=True)
class _Refused:
    """What the container says against records, and which of them it names."""

    message: str
    named: tuple[int, ...]


class Asking:
    """Asks a model about the records of one file."""

    def __init__(self, source: Source, model: Asked) -> None:
        self._source = source
        self._model = model

    def answers(self, chunk: Chunk, *, probabilities: bool) -> Answers:
        """Answer every record of a chunk, by a line or by an error."""
        good = [at for at in range(len(chunk.sent)) if at not in chunk.faults]
        found: dict[int, bytes | str] = dict(chunk.faults)
        self._answer(chunk.sent, good, PREDICT, found)
        errors = {at: value for at, value in found.items() if isinstance(value, str)}
        likely: dict[int, bytes | str] = {}
        if probabilities:
            self._answer(chunk.sent, [at for at in good if at not in errors], LIKELY, likely)
            errors |= {at: value for at, value in likely.items() if isinstance(value, str)}
        return Answers(
            _lines(found, errors, len(chunk.sent)),
            _lines(likely, errors, len(chunk.sent)) if probabilities else None,
            errors,
        )

    def _answer(self, sent: Sequence[bytes], asked: Sequence[int], method: str, found: dict[int, bytes | str]) -> None:
        """Put an answer or an error for each asked record into `found`."""
        waiting = [list(asked)] if asked else []
        while waiting:
            group = waiting.pop()
            outcome = self._call([sent[at] for at in group], method)
            if not isinstance(outcome, _Refused):
                found.update(zip(group, outcome, strict=True))
            elif len(group) == 1:
                found[group[0]] = outcome.message
            else:
                waiting += self._parts(group, outcome, sent, method, found)

    def _parts(
        self, group: list[int], refused: _Refused, sent: Sequence[bytes], method: str, found: dict[int, bytes | str]
    ) -> list[list[int]]:
        """Ask the named records one by one, and return the others; halves where the names do not help."""
        named = [group[place] for place in refused.named if place < len(group)][:MANY]
        confirmed = 0
        for at in named:
            outcome = self._call([sent[at]], method)
            if isinstance(outcome, _Refused):
                found[at] = outcome.message
                confirmed += 1
        rest = [at for at in group if not isinstance(found.get(at), str)]
        if confirmed or len(rest) < 2:  # noqa: PLR2004  # one cannot be halved
            return [rest] if rest else []
        middle = len(rest) // 2
        return [rest[:middle], rest[middle:]]

    def _call(self, records: Sequence[bytes], method: str) -> list[bytes] | _Refused:
        source = self._source
        content_type = source.content_type if method == PREDICT else f"{source.content_type}; method={method}"
        reply = self._model.ask(source.prefix + b"\n".join(records), content_type, source.accept)
        if reply.status != OK:
            return _refused(reply, source.columns, self._model)
        if reply.content_type != source.accept:
            raise BatchError(f"the model answers {reply.content_type} where {source.accept} is asked for")
        lines = _split(reply.body)
        if len(lines) != len(records):
            raise BatchError(f"the model gave {len(lines)} answers for {len(records)} records")
        return lines


def _lines(found: dict[int, bytes | str], errors: dict[int, str], count: int) -> list[bytes | None]:
    values = [found.get(at) if at not in errors else None for at in range(count)]
    return [value if isinstance(value, bytes) else None for value in values]


def _split(body: bytes) -> list[bytes]:
    """The lines of an answer; a line's end within quotes of CSV is none."""
    lines = body.removesuffix(b"\n").split(b"\n")
    if b'"' not in body or all(line.count(b'"') % 2 == 0 for line in lines):
        return lines
    joined: list[bytes] = []
    for line in lines:
        if joined and joined[-1].count(b'"') % 2:
            joined[-1] += b"\n" + line
        else:
            joined.append(line)
    return joined


def _refused(reply: Reply, columns: Sequence[str], model: Asked) -> _Refused:
    try:
        problem = json.loads(reply.body)
        detail, faults = str(problem["detail"]), problem.get("errors", ())
    except (ValueError, KeyError, TypeError):
        return _Refused(f"status {reply.status}: {reply.body[:200].decode(errors='replace')}", ())
    if reply.status >= 500:  # noqa: PLR2004  # the model's own fault: its log has the cause
        return _Refused(f"the model failed: {model.last_message()}", ())
    pointers = [(fault["pointer"].split("/")[1:], fault["detail"]) for fault in faults]
    named = sorted({int(steps[0]) for steps, _ in pointers if steps and steps[0].isdecimal()})
    message = "; ".join(_told(steps, told, columns) for steps, told in pointers[:5])
    return _Refused(message or detail, tuple(named))


def _told(steps: Sequence[str], detail: str, columns: Sequence[str]) -> str:
    """A fault with its column's name; which row it is, the line says."""
    if len(steps) < 2:  # noqa: PLR2004  # row and column
        return detail.partition(": ")[2] if detail.startswith("row ") else detail
    step = steps[1].replace("~1", "/").replace("~0", "~")
    name = columns[int(step)] if step.isdecimal() and int(step) < len(columns) else step
    return f'column "{name}": {detail}'
