"""The table, and the page around it."""

from collections.abc import Iterable, Sequence

from benchmarks.machine import versions
from benchmarks.ratios import Summary
from benchmarks.servers import Server

Row = Sequence[str]
HEADER = ("server", "req/s", "ratio", "min-max", "p50 ms", "p99 ms", "errors", "ready s", "PSS MB",
          "ping p99 ms", "ping max ms")  # fmt: skip


def table(header: Row, rows: Iterable[Row]) -> str:
    """A Markdown table that also reads well in a terminal: first column left, the others right."""
    lines = [list(header), *map(list, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join("| " + " | ".join(pad(line, widths)) + " |" for line in [lines[0], rule, *lines[1:]])


def pad(line: Row, widths: Sequence[int]) -> list[str]:
    return [line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))]


def measured(summaries: Sequence[Summary]) -> str:
    """One table with a line above each work's servers."""
    rows: list[Row] = []
    for each in summaries:
        heading = f"**{each.work}**"
        if heading not in (row[0] for row in rows):
            rows.append((heading, *[""] * (len(HEADER) - 1)))
        rows.append(line(each))
    return table(HEADER, rows)


def line(each: Summary) -> Row:
    return (
        each.server,
        f"{each.rps:,.0f}",
        "-" if each.ratio is None else f"{each.ratio:.1f}",
        "-" if each.spread is None else f"{each.spread[0]:.1f}-{each.spread[1]:.1f}",
        f"{each.p50_ms:.2f}",
        f"{each.p99_ms:.1f}",
        str(each.errors),
        f"{each.ready_s:.1f}",
        f"{each.pss_mb:.0f}",
        f"{each.ping_p99_ms:.1f}",
        f"{each.ping_max_ms:.1f}",
    )


def overhead(summaries: Iterable[Summary], work: str, bare_ms: float) -> str:
    """What a server adds to a prediction for one client that asks for one row."""
    rows = [
        (each.server, f"{each.p50_ms:.2f}", f"{each.p50_ms - bare_ms:.2f}") for each in summaries if each.work == work
    ]
    return table(("server", "p50 ms", "over bare predict ms"), [("bare predict", f"{bare_ms:.2f}", "0.00"), *rows])


def configurations(servers: Iterable[Server]) -> str:
    rows = [(server.name, *versions(server), server.configuration) for server in servers]
    return table(("server", "version", "scikit-learn", "runs as"), rows)
