"""Golden requests: what is asked of a model, and the answer that it must give.

golden.json is a list of `{"request": ..., "answer": ...}`: the body of POST /predict and the body of its 200.
"""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# The same model gives slightly different floats on another processor; this is far below what a wrong model differs by.
TOLERANCE = 1e-6


class GoldenFileError(Exception):
    """Raise when golden.json is not what it should be; the text says where."""


@dataclass(frozen=True, slots=True)
class GoldenRequest:
    """One request and the whole of its expected answer."""

    name: str
    request: Any
    answer: Any

    def body(self) -> bytes:
        """What is sent."""
        return json.dumps(self.request).encode()

    def differences(self, status: int, body: bytes) -> list[str]:
        """How an answer differs from the expected one; empty when it does not."""
        if status != 200:  # noqa: PLR2004  # OK
            return [f"expected 200, got {status}: {body[:300].decode(errors='replace')}"]
        try:
            actual = json.loads(body)
        except ValueError:
            return [f"expected JSON, got {body[:300].decode(errors='replace')}"]
        return list(compare(self.answer, actual))


def read(path: Path) -> tuple[GoldenRequest, ...]:
    """Read golden.json; raises GoldenFileError."""
    try:
        items = json.loads(path.read_text())
    except FileNotFoundError:
        raise GoldenFileError(f"{path} does not exist; `make golden MODEL=...` writes it") from None
    except ValueError as error:
        raise GoldenFileError(f"{path} is not JSON: {error}") from None
    if not isinstance(items, list) or not items:
        raise GoldenFileError(f"{path}: expected a list with at least one item")
    return tuple(_read_item(path, index, item) for index, item in enumerate(items))


def _read_item(path: Path, index: int, item: Any) -> GoldenRequest:
    if not isinstance(item, dict) or set(item) != {"request", "answer"}:
        raise GoldenFileError(f'{path}: expected {{"request": ..., "answer": ...}} at /{index}')
    return GoldenRequest(f"golden request {index}", item["request"], item["answer"])


def write(path: Path, requests: Sequence[GoldenRequest]) -> None:
    """Write golden.json, one item a line."""
    lines = [json.dumps({"request": item.request, "answer": item.answer}) for item in requests]
    path.write_text("[\n" + ",\n".join(lines) + "\n]\n")


def compare(expected: Any, actual: Any, pointer: str = "") -> Iterator[str]:
    """Yield a line for each place where two JSON values differ; numbers may differ by TOLERANCE."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        yield from (f"{pointer}/{name}: missing" for name in sorted(expected.keys() - actual.keys()))
        yield from (f"{pointer}/{name}: not expected" for name in sorted(actual.keys() - expected.keys()))
        for name in sorted(expected.keys() & actual.keys()):
            yield from compare(expected[name], actual[name], f"{pointer}/{name}")
    elif isinstance(expected, list) and isinstance(actual, list):
        if len(expected) != len(actual):
            yield f"{pointer}: expected {len(expected)} elements, got {len(actual)}"
        for index, (one, other) in enumerate(zip(expected, actual, strict=False)):
            yield from compare(one, other, f"{pointer}/{index}")
    elif not _equal(expected, actual):
        yield f"{pointer}: expected {json.dumps(expected)}, got {json.dumps(actual)}"


def _equal(expected: Any, actual: Any) -> bool:
    if _is_number(expected) and _is_number(actual):
        return math.isclose(expected, actual, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return bool(expected == actual) and isinstance(expected, bool) == isinstance(actual, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
