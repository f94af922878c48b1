"""The README's plot, made of the results file: bars of requests a second as multiples of the baseline."""

from collections.abc import Iterator
from html import escape

from benchmarks.results import Results
from benchmarks.summary import COMPILED, PRODUCT
from benchmarks.work import MODELS, Model

CLIENTS = 32
PANELS = (1, 100)
SHADES = {PRODUCT: ("#1f6feb", "as trained"), COMPILED: ("#8ec7ff", "compiled")}
LABELS, BARS, NUMBERS, GAP = 150, 230, 44, 16
"""Widths in pixels: of the models' names, of the longest bar, of the number behind it, between the panels."""
TOP, BAR, SPACE = 64, 13, 10
"""Heights: above the first bar, of a bar, between models."""
WIDTH = LABELS + len(PANELS) * (BARS + NUMBERS) + GAP
FONT = "system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif"
TITLE = f"Requests a second as multiples of nginx + gunicorn + Flask + pandas, {CLIENTS} clients, 2 cores"


def draw(results: Results) -> str:
    models = [model for model in MODELS if any(_ratio(results, PRODUCT, model, rows) for rows in PANELS)]
    body = [*_legend(), *_names(models)]
    for place, rows in enumerate(PANELS):
        body += _panel(results, models, rows, LABELS + place * (BARS + NUMBERS + GAP))
    height = TOP + len(models) * _step() + SPACE
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
        f'role="img" font-family="{FONT}" font-size="12">'
    )
    ground = f'<rect width="{WIDTH}" height="{height}" rx="6" fill="#ffffff"/>'
    return "\n".join([head, f"<title>{escape(TITLE)}</title>", ground, *body, "</svg>"]) + "\n"


def _step() -> int:
    return len(SHADES) * BAR + SPACE


def _legend() -> Iterator[str]:
    yield _text(12, 20, TITLE, weight="600")
    for place, (shade, label) in enumerate(SHADES.values()):
        left = LABELS + place * 100
        yield f'<rect x="{left}" y="30" width="11" height="11" fill="{shade}"/>'
        yield _text(left + 16, 40, label)


def _names(models: list[Model]) -> Iterator[str]:
    for place, model in enumerate(models):
        yield _text(LABELS - 8, TOP + place * _step() + BAR + 4, model.title, anchor="end")


def _panel(results: Results, models: list[Model], rows: int, left: int) -> Iterator[str]:
    values = {(server, model): _ratio(results, server, model, rows) for server in SHADES for model in models}
    largest = max((value for value in values.values() if value), default=1.0)
    yield _text(left, TOP - 8, f"{rows} row{'' if rows == 1 else 's'} a request", weight="600")
    for place, model in enumerate(models):
        for line, (server, (shade, _)) in enumerate(SHADES.items()):
            if value := values[server, model]:
                top = TOP + place * _step() + line * BAR
                width = BARS * value / largest
                yield f'<rect x="{left}" y="{top}" width="{width:.1f}" height="{BAR - 1}" fill="{shade}"/>'
                yield _text(left + width + 4, top + BAR - 3, f"{value:.{0 if value >= 10 else 1}f}x")  # noqa: PLR2004


def _ratio(results: Results, server: str, model: Model, rows: int) -> float | None:
    found = results.of(server, model.name, rows, CLIENTS)
    return found.ratio.median if found and found.ratio else None


def _text(left: float, top: float, text: str, *, anchor: str = "start", weight: str = "400") -> str:
    place = f'x="{left:.1f}" y="{top}" text-anchor="{anchor}"'
    return f'<text {place} font-weight="{weight}" fill="#1f2328">{escape(text)}</text>'
