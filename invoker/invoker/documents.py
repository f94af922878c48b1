"""The documents the API serves about itself: its OpenAPI document, and a page to try it in a browser.

The first is built ahead by `make openapi`. The page is Swagger UI (swagger-ui-dist), kept in static/docs with its
checksums by `make docs-ui`, so that nothing is fetched from elsewhere.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "static"
ASSETS = {
    "page.js": "text/javascript",
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
}


@dataclass(frozen=True, slots=True)
class Document:
    content_type: str
    text: str


class Documents:
    def __init__(self, folder: Path = FOLDER) -> None:
        self._folder = folder
        self._openapi = (folder / "openapi.json").read_text()
        # Tells whether two deployments take the same bodies.
        self.digest = hashlib.sha256(self._openapi.encode()).hexdigest()[:12]

    def openapi(self) -> Document:
        return Document("application/json", self._openapi)

    def page(self) -> Document:
        return Document("text/html", (self._folder / "docs" / "index.html").read_text())

    def asset(self, name: str) -> Document | None:
        """Return one of the page's scripts and styles; None for any other name, wherever it leads."""
        kind = ASSETS.get(name)
        return None if kind is None else Document(kind, (self._folder / "docs" / name).read_text())
