"""The results file: what was measured, with what, and where; tables and plot are made of it."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.summary import Figure, Single, Summary

DIGITS = 4
FIGURES = ("rps", "ratio", "of_ceiling", "p50_ms")


@dataclass(frozen=True, slots=True)
class ServerFacts:
    name: str
    version: str
    scikit_learn: str
    runs_as: str


@dataclass(frozen=True, slots=True)
class Results:
    command: str
    machine: list[str]
    servers: list[ServerFacts]
    singles: list[Single]
    summaries: list[Summary]
    failures: dict[str, str]

    def of(self, server: str, model: str, rows: int, clients: int) -> Summary | None:
        key = (server, model, rows, clients)
        return next(
            (each for each in self.summaries if (each.server, each.model, each.rows, each.clients) == key), None
        )


def write(results: Results, path: Path) -> None:
    """One line an entry, so that a change can be read."""
    fields = asdict(results)
    parts = [
        f'"{name}": {_lines(value) if isinstance(value, list) else _line(value)}' for name, value in fields.items()
    ]
    path.write_text("{\n" + ",\n".join(parts) + "\n}\n")


def _lines(values: Iterable[Any]) -> str:
    return "[\n  " + ",\n  ".join(map(_line, values)) + "\n]"


def _line(value: Any) -> str:
    return json.dumps(_rounded(value), allow_nan=False)


def _rounded(value: Any) -> Any:
    """Four digits: more would be noise."""
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    if isinstance(value, dict):
        return {name: _rounded(part) for name, part in value.items()}
    return value


def read(path: Path) -> Results:
    fields = json.loads(path.read_text())
    fields["servers"] = [ServerFacts(**each) for each in fields["servers"]]
    fields["singles"] = [Single(each["model"], Figure(**each["ms"])) for each in fields["singles"]]
    fields["summaries"] = [
        Summary(**each | {name: _figure(each[name]) for name in FIGURES}) for each in fields["summaries"]
    ]
    return Results(**fields)


def _figure(value: dict[str, float] | None) -> Figure | None:
    return Figure(**value) if value else None
