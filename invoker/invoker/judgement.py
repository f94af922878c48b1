"""Judges a body by what schema.json says, before the model is asked; never changes it.

| schema says | judged here | by the model alone |
|---|---|---|
| table | JSON and JSON Lines: form, columns, cells | CSV and other formats, but for their rows |
| json | the JSON Schema | |
| binary | media type and size | |
| no schema | JSON's syntax | all else |
"""

import gc
from collections.abc import Mapping
from functools import lru_cache
from itertools import islice
from typing import Any

from invoker import media_types, strict_json, table_judge, tables
from invoker.errors import Failure, InvokerError, Problem
from invoker.media_types import MediaType
from invoker.model_schema import ModelSchema
from invoker.tables import Table

MAX_MESSAGE = 300
FORM = "application/x-www-form-urlencoded"
FORM_HINT = " curl sends this type unless told otherwise: add -H 'Content-Type: application/json'."


def judge(content: bytes, media_type: MediaType, schema: ModelSchema | None, *, max_rows: int) -> int:
    """Return how many rows the body has, 0 where that is not known; raise InvokerError for what is refused."""
    # JSON has no cycles: looking for garbage among a million cells takes longer than reading them.
    gc.disable()
    try:
        return _judge(content, media_type, schema, max_rows)
    finally:
        gc.enable()


def _judge(content: bytes, media_type: MediaType, schema: ModelSchema | None, max_rows: int) -> int:
    kind = schema.kind if schema else ""
    if schema and kind == "binary":
        _judge_bytes(content, media_type, schema)
        return 1
    if not content:
        example = f" Send JSON such as {strict_example(schema)}." if media_type.is_json else ""
        raise InvokerError(Failure.BAD_REQUEST, f"The body is empty.{example}")
    if schema and kind == "json":
        _judge_json(content, media_type, schema)
        return 1
    if media_type.name == media_types.CSV:
        return _count_lines(content, max_rows)
    if media_type.name in media_types.JSON_LINES and schema:
        return _judge_lines(content, schema, max_rows)
    if not media_type.is_json:
        return 0
    document = strict_json.parse(content)
    return _judge_table(document, schema, max_rows) if schema else _count_rows(document, max_rows)


def strict_example(schema: ModelSchema | None) -> str:
    """Return a body that is taken, as JSON."""
    example = schema.example() if schema else None
    return table_judge.written(example or {"data": [[1, 2], [3, 4]]})


def _judge_table(document: Any, schema: ModelSchema, max_rows: int) -> int:
    try:
        table = tables.read(document, schema.names)
    except InvokerError as error:
        raise table_judge.refusal(error.problems, schema) if error.problems else error from error
    table_judge.judge(table, schema, max_rows=max_rows)
    return len(table.rows)


def _judge_lines(content: bytes, schema: ModelSchema, max_rows: int) -> int:
    lines = [line for line in content.removeprefix(strict_json.BYTE_ORDER_MARK).split(b"\n") if line.strip()]
    _check_count(len(lines), max_rows, "")
    if not lines:
        raise tables.refused("expected at least one row, got none", "")
    items = [strict_json.parse(line, f"Line {number}") for number, line in enumerate(lines, 1)]
    by_name = isinstance(items[0], dict)
    foreign = any(isinstance(item, dict) and tables.is_vector(item) for item in items)
    rows = items if by_name else [item if isinstance(item, list | dict) else [item] for item in items]
    table_judge.judge(Table(rows, by_name, foreign=foreign), schema, max_rows=max_rows)
    return len(items)


def _count_lines(content: bytes, max_rows: int) -> int:
    """CSV is the container's to judge: what is a header and what is a row follows from more than the schema."""
    # One line more, for a header.
    _check_count(content.count(b"\n") - 1, max_rows, "")
    return max(1, content.count(b"\n"))


def _count_rows(document: Any, max_rows: int) -> int:
    """Count the rows of a table; what else the body may be is not known without a schema."""
    rows = document.get("data") if isinstance(document, dict) else document
    if not isinstance(rows, list) or not rows or not isinstance(rows[0], list | dict):
        return 0
    _check_count(len(rows), max_rows, "/data" if isinstance(document, dict) else "")
    return len(rows)


def _check_count(rows: int, max_rows: int, base: str) -> None:
    if rows > max_rows:
        raise tables.refused(f"expected at most {max_rows} rows, got {rows}", base)


def _judge_bytes(content: bytes, media_type: MediaType, schema: ModelSchema) -> None:
    if schema.media_types and not media_types.matches(media_type.name, schema.media_types):
        raise unsupported(media_type, ", ".join(schema.media_types))
    if schema.max_bytes is not None and len(content) > schema.max_bytes:
        detail = f"The body has {len(content)} bytes; the model takes {schema.max_bytes} at most."
        raise InvokerError(Failure.BODY_TOO_LARGE, detail)
    if not content:
        raise InvokerError(Failure.BAD_REQUEST, "The body is empty.")


def _judge_json(content: bytes, media_type: MediaType, schema: ModelSchema) -> None:
    if not media_type.is_json:
        raise unsupported(media_type, media_types.JSON)
    document = strict_json.parse(content)
    errors = list(islice(_validator(_Key(schema.document)).iter_errors(document), table_judge.MAX_PROBLEMS))
    if errors:
        problems = [
            Problem("".join(f"/{tables.escaped(step)}" for step in error.instance_path), error.message[:MAX_MESSAGE])
            for error in errors
        ]
        raise table_judge.refusal(problems, schema)


class _Key:
    """A schema as a key: a deployment has one, and its validator is made once."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document

    def __hash__(self) -> int:
        return id(self.document)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and other.document is self.document


@lru_cache(1)
def _validator(key: _Key) -> Any:
    import jsonschema_rs  # noqa: PLC0415  # 13 ms of the start, for schemas of this kind only

    return jsonschema_rs.validator_for(dict(key.document))


def unsupported(media_type: MediaType, expected: str) -> InvokerError:
    """Refuse a media type that the schema does not name."""
    hint = FORM_HINT if media_type.name == FORM else ""
    detail = f'The content type "{media_type.name[:80]}" cannot be read: send {expected}.{hint}'
    return InvokerError(Failure.MEDIA_TYPE, detail)
