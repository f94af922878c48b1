"""The documents that the API serves about itself: the model's schema, the OpenAPI document, and pages for a browser.

Swagger UI (swagger-ui-dist) is kept in static/docs with its checksums by `make docs-ui`, so that nothing is fetched
from elsewhere. The page at / has neither a library nor a build step.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from invoker.model_schema import ModelSchema, read

PACKAGED_SCHEMA = Path(__file__).parent / "schema.json"
FOLDER = Path(__file__).parent / "static"
# Scripts and styles of both pages: the folder in static/, and the media type.
ASSETS = {
    "model.css": ("page", "text/css"),
    "model.js": ("page", "text/javascript"),
    "page.js": ("docs", "text/javascript"),
    "swagger-ui-bundle.js": ("docs", "text/javascript"),
    "swagger-ui.css": ("docs", "text/css"),
}


@dataclass(frozen=True, slots=True)
class Document:
    content_type: str
    text: str


class Documents:
    def __init__(self, schema_file: str = "", folder: Path = FOLDER) -> None:
        """Raise SettingsError when there is a schema.json that cannot be used."""
        self._folder = folder
        file = Path(schema_file) if schema_file else PACKAGED_SCHEMA
        self.model: ModelSchema | None = read(file)
        self._schema = file.read_text() if self.model else ""
        # Tells whether two deployments take the same bodies.
        self.digest = hashlib.sha256(self._schema.encode()).hexdigest()[:12] if self.model else "none"

    def schema(self) -> Document | None:
        return Document("application/schema+json", self._schema) if self.model else None

    def openapi(self, url: str, auth: str, *, jobs: bool) -> Document:
        from invoker import openapi  # noqa: PLC0415  # most starts serve no document

        return Document("application/json", json.dumps(openapi.document(self.model, url=url, auth=auth, jobs=jobs)))

    def swagger(self) -> Document:
        return Document("text/html", (self._folder / "docs" / "index.html").read_text())

    def page(self, url: str, auth: str) -> Document:
        """Return the page for the model; a browser may have asked for it without the slash at the end."""
        text = (self._folder / "page" / "index.html").read_text()
        return Document("text/html", text.replace("{{base}}", url).replace("{{auth}}", auth))

    def asset(self, name: str) -> Document | None:
        """Return one of the pages' scripts and styles; None for any other name, wherever it leads."""
        if name not in ASSETS:
            return None
        folder, kind = ASSETS[name]
        return Document(kind, (self._folder / folder / name).read_text())
