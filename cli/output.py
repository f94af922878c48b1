"""What the program prints: results on stdout, for people or as JSON, and progress on stderr."""

import json
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from deployment.findings import Finding, Level

COLOURS = {Level.OK: "green", Level.SKIPPED: "yellow", Level.WARNING: "yellow", Level.ERROR: "bold red"}


def show(text: str) -> None:
    """Print a result as it is, however long its lines are."""
    print(text, flush=True)


def tell(text: str) -> None:
    """Say what happens, on stderr: stdout holds the result alone."""
    Console(stderr=True, highlight=False, soft_wrap=True, markup=False).print(text)


def show_json(value: Any) -> None:
    """Print one JSON document."""
    print(json.dumps(value, indent=2, ensure_ascii=False, default=str), flush=True)


def show_table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Print a table as wide as its content."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, no_wrap=True)
    for row in rows:
        table.add_row(*row)
    console = Console(highlight=False, markup=False)
    # Cells are never cut: they are copied from here.
    console.width = max(console.width, console.measure(table).maximum)
    console.print(table)


def report(findings: Iterable[Finding], *, as_json: bool = False) -> int:
    """Print each finding as it comes, then how many there are of each level; 1 when one is an error."""
    found = []
    console = Console(highlight=False, soft_wrap=True, markup=False)
    for finding in findings:
        found.append(finding)
        if not as_json:
            console.print(_coloured(finding))
    if as_json:
        show_json([finding.as_dict() for finding in found])
    else:
        counts = {level: sum(finding.level is level for finding in found) for level in Level}
        show(", ".join(f"{count} {level.value}" for level, count in counts.items() if count))
    return int(any(finding.level is Level.ERROR for finding in found))


def show_finding(finding: Finding) -> None:
    """Say one finding on stderr, where it is a step of a command and not its result."""
    Console(stderr=True, highlight=False, soft_wrap=True, markup=False).print(_coloured(finding))


def _coloured(finding: Finding) -> Text:
    text = Text(str(finding))
    text.stylize(COLOURS[finding.level], 0, len(finding.level.value))
    return text
