"""The owner's first sample: what a worker answers before it counts as ready.

samples.csv     a header and lines; the first line
samples.jsonl   the first line
samples/        the first file by name; its suffix says its media type
"""

import csv
import io
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from predictor.formats.media_types import JSON
from predictor.formats.registry import DECODERS

TYPES = {
    ".npy": "application/x-npy",
    ".npz": "application/x-npz",
    ".jsonl": "application/jsonlines",
    ".csv": "text/csv",
}
"""Of suffixes that a system may not know."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A body, its media type, and where it was found."""

    path: Path
    body: bytes
    content_type: str


def first(model_dir: Path, *, own_reading: bool) -> Sample | None:
    """Return the first sample; None where there is none, or none of a kind that the container itself reads."""
    for path, read in ((model_dir / "samples.csv", _csv), (model_dir / "samples.jsonl", _lines)):
        if path.is_file() and (body := read(path)):
            header = "" if own_reading else "; header=present"
            return Sample(path, body, JSON if read is _lines else f"text/csv{header}")
    folder = model_dir / "samples"
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        media_type = TYPES.get(path.suffix.lower()) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        if path.is_file() and not path.name.startswith(".") and (own_reading or media_type in DECODERS):
            return Sample(path, path.read_bytes(), media_type)
    return None


def _csv(path: Path) -> bytes:
    """The header and the first row."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = [line for line, _ in zip(csv.reader(file), range(2), strict=False)]
    except (OSError, UnicodeDecodeError, csv.Error):
        return b""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    return text.getvalue().encode()


def _lines(path: Path) -> bytes:
    with path.open("rb") as file:
        return next((line.strip() for line in file if line.strip()), b"").removeprefix(b"\xef\xbb\xbf")
