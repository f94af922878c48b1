"""The documents the API serves of itself, read from the package: built ahead by `make openapi`."""

import hashlib
from pathlib import Path

FOLDER = Path(__file__).parent / "static"


class Documents:
    def __init__(self, folder: Path = FOLDER) -> None:
        self.openapi = (folder / "openapi.json").read_text()
        # Tells whether two deployments take the same bodies.
        self.digest = hashlib.sha256(self.openapi.encode()).hexdigest()[:12]
