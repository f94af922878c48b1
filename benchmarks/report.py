"""RESULTS.md, made of the results file."""

from collections.abc import Iterable, Sequence

from benchmarks.results import Results
from benchmarks.summary import BASELINE, COMPILED, PRODUCT, Figure, Summary
from benchmarks.work import FREE, MODELS

Row = Sequence[str]
CLIENTS = 32
SIZES = (1, 100)
WORKS_HEADER = (
    "model",
    *(f"{size}: {what}" for size in SIZES for what in ("as trained", "of its ceiling", "compiled")),
)
SINGLE_HEADER = ("model", "bare predict ms", "as trained ms", "more than bare ms", "compiled ms", "baseline ms")
HEADER = ("server", "req/s", "min-max", "ratio", "min-max", "of ceiling", "p50 ms", "p99 ms", "errors", "ready s",
          "PSS MB", "ping p99 ms", "ping max ms")  # fmt: skip
NOTES = (
    f"Requests of 1 and of 100 rows from {CLIENTS} clients; all rows differ. A figure with x is a multiple of nginx, "
    "gunicorn, Flask and pandas with the same model in the same round: the median over rounds, and the extremes. "
    "The ceiling is 1 / (1 / bare + 1 / free): bare is the model's own `predict` on both cores with 16 requests in a "
    "call, free is this container with a linear model that costs nothing."
)


def page(results: Results) -> str:
    parts = [
        "# Results",
        "\n".join([f"`{results.command}`", "", *(f"* {fact}" for fact in results.machine)]),
        NOTES,
        table(WORKS_HEADER, _works(results)),
        "## One client, one row",
        table(SINGLE_HEADER, _singles(results)),
        "## Every server",
        "Figures are medians over rounds, pings those of all rounds.",
        _measured(results),
        "\n".join(f"* {name} failed: {why}" for name, why in results.failures.items()),
        "## Servers",
        table(
            ("server", "version", "scikit-learn", "runs as"),
            [(each.name, each.version, each.scikit_learn, each.runs_as) for each in results.servers],
        ),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def table(header: Row, rows: Iterable[Row]) -> str:
    """A Markdown table that also reads well in a terminal: first column left, the others right."""
    lines = [list(header), *map(list, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join("| " + " | ".join(_pad(line, widths)) + " |" for line in [lines[0], rule, *lines[1:]])


def _pad(line: Row, widths: Sequence[int]) -> list[str]:
    return [line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))]


def _works(results: Results) -> Iterable[Row]:
    for model in MODELS:
        cells: list[str] = []
        for size in SIZES:
            trained = results.of(PRODUCT, model.name, size, CLIENTS)
            compiled = results.of(COMPILED, model.name, size, CLIENTS)
            cells += [
                _times(trained.ratio if trained else None),
                _spread(trained.of_ceiling if trained else None, 2),
                _times(compiled.ratio if compiled else None) if model.compiles else "not compiled",
            ]
        if set(cells) - {"-", "not compiled"}:
            yield model.title, *cells


def _times(value: Figure | None) -> str:
    if not value:
        return "-"
    digits = 0 if value.median >= 10 else 1  # noqa: PLR2004  # two digits of each
    return f"{value.median:.{digits}f}x ({value.least:.{digits}f}-{value.most:.{digits}f})"


def _spread(value: Figure | None, digits: int) -> str:
    return f"{value.median:.{digits}f} ({value.least:.{digits}f}-{value.most:.{digits}f})" if value else "-"


def _singles(results: Results) -> Iterable[Row]:
    titles = {model.name: model.title for model in MODELS}
    for single in results.singles:
        asked = {name: results.of(name, single.model, 1, 1) for name in (PRODUCT, COMPILED, BASELINE)}
        if product := asked[PRODUCT]:
            yield (
                titles[single.model],
                f"{single.ms.median:.2f}",
                f"{product.p50_ms.median:.2f}",
                f"{product.p50_ms.median - single.ms.median:.2f}",
                *(f"{each.p50_ms.median:.2f}" if (each := asked[name]) else "-" for name in (COMPILED, BASELINE)),
            )


def _measured(results: Results) -> str:
    """One table with a line above each work's servers."""
    titles = {model.name: model.title for model in (*MODELS, FREE)}
    rows: list[Row] = []
    for each in results.summaries:
        heading = f"**{titles[each.model]}; rows {each.rows}, clients {each.clients}**"
        if heading not in (row[0] for row in rows):
            rows.append((heading, *[""] * (len(HEADER) - 1)))
        rows.append(_measured_line(each))
    return table(HEADER, rows)


def _measured_line(each: Summary) -> Row:
    ratio = each.ratio
    return (
        each.server,
        f"{each.rps.median:,.0f}",
        f"{each.rps.least:,.0f}-{each.rps.most:,.0f}",
        f"{ratio.median:.1f}" if ratio else "-",
        f"{ratio.least:.1f}-{ratio.most:.1f}" if ratio else "-",
        f"{each.of_ceiling.median:.2f}" if each.of_ceiling else "-",
        f"{each.p50_ms.median:.2f}",
        f"{each.p99_ms:.1f}",
        str(each.errors),
        f"{each.ready_s:.1f}",
        f"{each.pss_mb:.0f}",
        *(f"{ms:.1f}" if ms is not None else "failed" for ms in (each.ping_p99_ms, each.ping_max_ms)),
    )
