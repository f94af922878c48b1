"""What a refused body looks like, and what to write: for the messages only, never for how a body is read."""

import base64
import binascii
import re

from predictor.inputs.schema import Schema

SEEN = 4000
"""Bytes of a body that are looked at."""
MAGIC = {
    b"\x1f\x8b": "It looks compressed: send it as it is.",
    b"\x28\xb5\x2f\xfd": "It looks compressed: send it as it is.",
    b"BZh": "It looks compressed: send it as it is.",
    b"\xfd7zXZ": "It looks compressed: send it as it is.",
    b"PK\x03\x04": "It looks like a zip archive or a spreadsheet (.xlsx): save the table as CSV UTF-8.",
    b"PAR1": "It looks like Parquet: send the table as CSV.",
    b"\x93NUMPY": "It looks like a NumPy array: send Content-Type: application/x-npy.",
    b"\xff\xfe": "It looks like UTF-16: send UTF-8.",
    b"\xfe\xff": "It looks like UTF-16: send UTF-8.",
    b"--": "It looks like a form: send the file itself, with curl's --data-binary.",
}
SEPARATORS = {";": '";"', "\t": "a tab", "|": '"|"'}
BASE64 = re.compile(rb"[A-Za-z0-9+/\r\n]{8,}={0,2}\s*")
DECIMAL_COMMA = re.compile(r"^-?\d+,\d+$")
NEAR = 12
"""Bytes before and after the place of an error in which its cause stands."""
NO_NAN = (
    "JSON has no NaN and no Infinity: send null for a missing value, "
    'as df.to_json(orient="records") of pandas writes it.'
)
VALID = "Valid JSON has double quotes, and `null` instead of NaN."
HINTS = (
    (re.compile(rb"\s*[\[{]?\s*'|'\s*:"), "JSON has double quotes: send json.dumps(...), not str(...)."),
    (re.compile(rb"\s*[A-Za-z_]\w*="), "It looks like a form: send the JSON itself, with --data-binary in curl."),
    (re.compile(rb"[^\n\[{]*,[^\n]*(\n|$)"), "It looks like CSV: send it with Content-Type: text/csv."),
)
LINE_ENDS = "curl's -d removes the line ends of a file: use --data-binary."


def of_bytes(body: bytes) -> str:
    """Name what a body begins like, or is encoded as; empty for what looks like text."""
    for magic, hint in MAGIC.items():
        if body.startswith(magic):
            return hint
    if BASE64.fullmatch(body[:SEEN]) and _is_text_in_base64(body[:SEEN]):
        return "It looks like base64: send the text itself."
    return ""


def of_csv(body: bytes, schema: Schema) -> str:
    """Name what a refused CSV body looks like; empty where nothing is striking."""
    text = body[:SEEN].decode("utf-8", "replace").lstrip("\ufeff")
    lines = text.splitlines() or [""]
    if hint := of_bytes(body) or _of_other_text(text) or _other_separator(lines[0]):
        return hint
    features = len(schema.trained) or schema.width or 0
    width = lines[0].count(",") + 1
    whole = len(body) <= SEEN
    lines = lines if whole or len(lines) == 1 else lines[:-1]
    if len(lines) == 1 and 1 < features < width and (width - 1) % (features - 1) == 0:
        return f"It looks like several rows in one line: {LINE_ENDS}"
    if len(lines) == 1 and features > 1 and whole and width > features:
        return f"If these are several rows: {LINE_ENDS}"
    if features and width == features + 1 and _has_index(lines):
        return "The first column looks like an index: write to_csv(index=False)."
    return ""


def _of_other_text(text: str) -> str:
    return "It looks like JSON: send Content-Type: application/json." if text.lstrip()[:1] in {"[", "{"} else ""


def of_json(body: bytes, position: int) -> str:
    """Name what a body looks like that is no JSON from a position on."""
    if hint := of_bytes(body):
        return hint
    near = body[max(0, position - NEAR) : position + NEAR]
    if b"NaN" in near or b"Infinity" in near:
        return NO_NAN
    if body[:position].rstrip()[-1:] in {b"]", b"}"} and body[position : position + NEAR].lstrip()[:1] in {b"[", b"{"}:
        return f"Several documents are JSON Lines: send Content-Type: application/jsonlines. {LINE_ENDS}"
    return next((hint for pattern, hint in HINTS if pattern.match(body[:SEEN])), VALID)


def _is_text_in_base64(body: bytes) -> bool:
    compact = body.translate(None, b"\r\n ")
    try:
        text = base64.b64decode(compact[: len(compact) // 4 * 4], validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return False
    return not {",", "[", "{", "\n"}.isdisjoint(text)


def _other_separator(line: str) -> str:
    for separator, name in SEPARATORS.items():
        cells = line.split(separator)
        if len(cells) == 1 or ("," in line and not all("," not in cell or _is_decimal(cell) for cell in cells)):
            continue
        commas = " and a decimal point in place of the comma" if any(map(_is_decimal, cells)) else ""
        return f'It looks separated by {name}: write commas{commas}, as to_csv(sep=",", decimal=".") does.'
    return ""


def _is_decimal(cell: str) -> bool:
    return DECIMAL_COMMA.match(cell.strip().strip('"')) is not None


def _has_index(lines: list[str]) -> bool:
    """Whether the first column has no name, as pandas writes an index, or counts the rows."""
    cells = [line.split(",", 1)[0].strip().strip('"') for line in lines]
    counted = [cell for cell in cells if cell.isdecimal()]
    return cells[0] in {"", "Unnamed: 0", "index"} or (len(counted) > 1 and _counts(counted))


def _counts(cells: list[str]) -> bool:
    first = int(cells[0][:9])
    return all(cell == str(first + index) for index, cell in enumerate(cells))
