"""Draws the container's packages and their imports: `python -m tests.docs.packages` writes docs/packages.svg."""

import math
import sys
from html import escape
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[2]
PICTURE = ROOT / "docs" / "packages.svg"
LAYERS = (
    ("server", "worker", "compile"),
    ("http", "formats", "models"),
    ("inputs",),
    ("ipc", "logs", "errors", "settings"),
)
"""From the top down, as the contract in pyproject.toml has them."""
WIDTH, HEIGHT, COLUMN, ROW = 120, 40, 180, 110
STYLE = (
    "text{font:14px sans-serif;text-anchor:middle;dominant-baseline:central}"
    "rect{fill:#eef3fa;stroke:#456}path{fill:none;stroke:#456}"
)
ARROW = '<marker id="a" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'


def imports() -> set[tuple[str, str]]:
    """Pairs of packages, the first of which imports the second."""
    graph = grimp.build_graph("predictor", exclude_type_checking_imports=True)
    pairs = {
        (importer.split(".")[1], imported.split(".")[1])
        for importer in graph.modules
        for imported in graph.find_modules_directly_imported_by(importer)
        if importer.count(".") and imported.count(".")
    }
    return {(importer, imported) for importer, imported in pairs if importer not in {imported, "__main__"}}


def draw(pairs: set[tuple[str, str]]) -> str:
    """The picture as SVG: a box a package, an arrow an import."""
    widest = max(map(len, LAYERS))
    places = {
        name: ((widest - len(names)) * COLUMN // 2 + column * COLUMN + COLUMN // 2, row * ROW + 40)
        for row, names in enumerate(LAYERS)
        for column, name in enumerate(names)
    }
    unplaced = {name for pair in pairs for name in pair} - places.keys()
    if unplaced:
        sys.exit(f"LAYERS in {__file__} lacks {', '.join(sorted(unplaced))}")
    arrows = [_arrow(places[importer], places[imported]) for importer, imported in sorted(pairs)]
    boxes = [
        f'<rect x="{x - WIDTH // 2}" y="{y - HEIGHT // 2}" width="{WIDTH}" height="{HEIGHT}" rx="6"/>'
        f'<text x="{x}" y="{y}">{escape(name)}</text>'
        for name, (x, y) in places.items()
    ]
    size = f'viewBox="0 0 {widest * COLUMN} {(len(LAYERS) - 1) * ROW + 80}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img"><title>Packages of the container</title>'
    marker = f'<defs>{ARROW}<path d="M0 0L8 4L0 8"/></marker></defs><style>{STYLE}</style>'
    return "\n".join([head, marker, *arrows, *boxes, "</svg>", ""])


def _arrow(start: tuple[int, int], end: tuple[int, int]) -> str:
    """A line between the edges of two boxes; one beside the other is bent below them."""
    (x, y), (to_x, to_y) = start, end
    if y == to_y:
        y, to_y = y + HEIGHT // 2, to_y + HEIGHT // 2
        bend = f"Q{(x + to_x) // 2} {y + 40}"
    else:
        sign = int(math.copysign(1, to_y - y))
        y, to_y = y + sign * HEIGHT // 2, to_y - sign * HEIGHT // 2
        bend = "L"
    return f'<path d="M{x} {y}{bend} {to_x} {to_y}" marker-end="url(#a)"/>'


if __name__ == "__main__":
    PICTURE.write_text(draw(imports()))
