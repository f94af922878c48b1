"""What the function refuses by schema.json, and in which words."""

import gc
import json
from pathlib import Path
from typing import Any

import pytest

from invoker import media_types, model_schema
from invoker.errors import Failure, InvokerError
from invoker.judgement import judge
from invoker.model_schema import ModelSchema
from invoker.settings import SettingsError
from invoker.table_judge import MAX_PROBLEMS
from tests.failing import failing
from tests.refusals import NOT_JSON, REFUSALS, SCHEMA, TAKEN

FEW = 10_000


@pytest.fixture
def schema(tmp_path: Path) -> ModelSchema:
    return read(tmp_path, SCHEMA)


def read(folder: Path, document: dict[str, Any]) -> ModelSchema:
    file = folder / "schema.json"
    file.write_text(json.dumps(document))
    found = model_schema.read(file)
    assert found is not None
    return found


def rows(schema: ModelSchema | None, body: Any, content_type: str = "application/json", max_rows: int = FEW) -> int:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return judge(content, media_types.parse(content_type), schema, max_rows=max_rows)


def refused(schema: ModelSchema | None, body: Any, content_type: str = "application/json") -> InvokerError:
    with pytest.raises(InvokerError) as caught:
        rows(schema, body, content_type)
    return caught.value


@pytest.mark.parametrize("name", REFUSALS)
def test_the_sentence_that_both_halves_say(schema: ModelSchema, name: str) -> None:
    expected = REFUSALS[name]

    error = refused(schema, expected.body, expected.content_type)

    assert (error.status, error.detail) == (400, expected.told)
    if expected.pointer is not None:
        assert (error.problems[0].pointer, error.problems[0].detail) == (expected.pointer, expected.detail)


@pytest.mark.parametrize("name", NOT_JSON)
def test_what_is_no_json_is_told_what_it_looks_like(schema: ModelSchema, name: str) -> None:
    body, hint = NOT_JSON[name]

    error = refused(schema, body)

    assert error.detail.startswith("The body is not JSON: ")
    assert error.detail.endswith(hint)


@pytest.mark.parametrize("name", TAKEN)
def test_every_form_of_a_table_is_taken(schema: ModelSchema, name: str) -> None:
    assert rows(schema, TAKEN[name]) == 1


def test_missing_values_may_be_left_out_of_a_record(schema: ModelSchema) -> None:
    """jsonlite of R writes a record without what is NA."""
    assert rows(schema, [{"age": 1, "income": 2, "plan": "pro"}, {"age": 1, "plan": "pro"}]) == 2


@pytest.mark.parametrize(
    ("item", "taken", "cell", "expected"),
    [
        ({"type": "number"}, [1, 2.5, True], "1", "a number"),
        ({"type": "number", "examples": [0, 1]}, [1, True, False], "true", "a number"),
        ({"type": "number", "examples": [1.5]}, [0, 2**70], True, "a number"),
        ({"type": "integer", "examples": [7]}, [7, 8.5], None, "a whole number"),
        ({"type": ["string", "null"]}, ["", None], 1, "a string or null"),
        ({"type": "boolean"}, [True, 1, 0], "yes", "true or false"),
        ({"type": "string", "format": "date"}, ["2024-01-31", "20240131"], "31.1.24", 'a date such as "2024-01-31"'),
        (
            {"type": ["string", "null"], "format": "date-time"},
            ["2024-01-31T12:00:00+01:00", "2024-01-31T12:00:00Z", "2024-01-31", None],
            "soon",
            'a date and time such as "2024-01-31T12:00:00" or null',
        ),
        ({"type": "number", "enum": [1, 2, 3]}, [1, 2.0], 4, "one of 1, 2, 3"),
        ({"type": "number", "minimum": 18, "examples": [20]}, [18, 99.5], 17, "a number (minimum 18)"),
        ({"type": "string", "pattern": "^[A-Z]+$"}, ["AB"], "ab", 'a string (pattern "^[A-Z]+$")'),
    ],
)
def test_cells_are_judged_by_their_feature(
    tmp_path: Path, item: dict[str, Any], taken: list[Any], cell: Any, expected: str
) -> None:
    schema = read(tmp_path, {**SCHEMA, "properties": {"x": item}, "required": ["x"]})

    assert rows(schema, [{"x": each} for each in taken]) == len(taken)
    shown = json.dumps(cell)
    assert refused(schema, [{"x": cell}]).problems[0].detail == f'column "x", row 0: expected {expected}, got {shown}'


@pytest.mark.parametrize("cell", ["x", 1, None, True, [1], {"a": 1}])
def test_what_is_guessed_is_not_enforced(tmp_path: Path, cell: Any) -> None:
    item = {"type": "number", "enum": [5], "x-guessed": ["type", "enum"]}
    schema = read(tmp_path, {**SCHEMA, "properties": {"x": item}, "required": ["x"]})

    assert rows(schema, {"data": [{"x": cell}]}) == 1


def test_columns_that_are_ignored_may_come_and_rows_may_have_all_of_them(tmp_path: Path) -> None:
    number = {"type": ["number", "boolean"]}
    described = {"x-trained": ["a", "id", "b"], "x-ignored": ["id"]}
    schema = read(tmp_path, {**SCHEMA, "properties": {"a": number, "b": number}, "required": ["a", "b"], **described})

    assert rows(schema, [{"a": 1, "id": "x", "b": True}]) == 1
    assert rows(schema, [[1, "x", 2]]) == rows(schema, [[1, 2]]) == 1
    assert refused(schema, [[1, "x", "y"]]).problems[0].detail == 'column "b", row 0: expected a number, got "y"'
    assert refused(schema, [{"a": 1, "b": 2, "c": 3}]).problems[0].detail == 'unknown column "c"'


def test_a_model_without_names_takes_labels_that_are_its_positions(tmp_path: Path) -> None:
    cell = {"type": "number", "examples": [1.5]}
    schema = read(tmp_path, {"type": "array", "prefixItems": [cell, cell], "x-kind": "table"})

    for body in (
        [[1, 2]],
        {"columns": [0, 1], "index": [0], "data": [[1, 2]]},
        [{"0": 1, "1": 2}],
        {"0": 1, "1": 2},
    ):
        assert rows(schema, body) == 1
    for body in ({"columns": [1, 0], "data": [[1, 2]]}, {"columns": ["a", "b"], "data": [[1, 2]]}, [{"a": 1, "b": 2}]):
        assert "trained without column names" in refused(schema, body).detail


def test_instances_of_sagemakers_own_form_are_the_containers_to_judge(schema: ModelSchema) -> None:
    assert rows(schema, {"instances": [{"features": [30, 1, "pro"]}, {"features": [31, 1, "pro"]}]}) == 2


@pytest.mark.parametrize("content_type", ["text/csv", "application/x-npy", "text/plain", "application/x-own"])
def test_other_formats_are_the_containers_to_judge(schema: ModelSchema, content_type: str) -> None:
    assert rows(schema, b"a,b\n1,2\n", content_type) in (0, 2)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"1,2\n" * 12, "text/csv"),
        (b'[30, 1, "pro"]\n' * 11, "application/jsonlines"),
        (json.dumps({"data": [[30, 1, "pro"]] * 11}).encode(), "application/json"),
    ],
)
def test_rows_are_limited_in_every_form(schema: ModelSchema, body: bytes, content_type: str) -> None:
    with failing(Failure.BAD_REQUEST, match="expected at most 10 rows, got 11"):
        rows(schema, body, content_type, max_rows=10)


def test_without_a_schema_any_json_passes() -> None:
    for body in ({"text": "x"}, "x", 5, [[1], [2, 3]], {"a": {"b": [1]}}, None):
        assert rows(None, body) in (0, 2)
    assert rows(None, b"\x89PNG", "image/png") == 0


@pytest.mark.parametrize("body", [b"", b"{", b'{"a": 1, "a": 2}', b'{"a": {"b": 1, "b": 2}}', b"NaN", b"\xff"])
def test_without_a_schema_json_is_json_all_the_same(body: bytes) -> None:
    assert refused(None, body).status == 400


JSON_SCHEMA = {
    "type": "object",
    "properties": {"text": {"type": "string", "maxLength": 3}},
    "required": ["text"],
    "x-kind": "json",
    "examples": [{"text": "abc"}],
}


def test_json_is_judged_by_the_json_schema(tmp_path: Path) -> None:
    schema = read(tmp_path, JSON_SCHEMA)

    assert rows(schema, {"text": "abc", "more": [1]}) == 1
    error = refused(schema, {"text": "abcd"})
    assert error.problems[0].pointer == "/text"
    assert error.detail.endswith('Example: {"text": "abc"}')
    assert refused(schema, {"text": "abc"}, "text/csv").status == 415


def test_bytes_are_judged_by_media_type_and_size(tmp_path: Path) -> None:
    schema = read(tmp_path, {"x-kind": "binary", "x-media-types": ["image/*", "application/pdf"], "x-max-bytes": 4})

    assert rows(schema, b"\x89PNG", "image/png") == 1
    assert refused(schema, b"\x89PNG!", "image/png").detail == "The body has 5 bytes; the model takes 4 at most."
    assert (refused(schema, b"\x89PNG!", "image/png").status, refused(schema, b"a", "text/csv").status) == (413, 415)
    assert refused(schema, b"", "application/pdf").status == 400


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"x-kind": "picture"}'])
def test_a_schema_that_cannot_be_used_is_named_at_the_start(tmp_path: Path, text: str) -> None:
    file = tmp_path / "schema.json"
    file.write_text(text)

    with pytest.raises(SettingsError, match=r"schema\.json: expected"):
        model_schema.read(file)


@pytest.mark.parametrize(
    "body",
    [
        b'{"data": [' + b",".join([b"[{}]"] * 1_000_000) + b"]}",
        b'{"data": [[' + b",".join([b"{}"] * 1_500_000) + b"]]}",
        b'{"data": [[1]], "columns": [' + b",".join([b"1"] * 2_000_000) + b"]}",
        b'{"data": [' + b",".join([b"[1]"] * 1_000_000) + b"]}",
        b'{"data": [[1]]' + b',"data":[[1]]' * 300_000 + b"}",
        b"{" + b",".join(b'"%d":1' % n for n in range(400_000)) + b"}",
        b"[" + b",".join([b'{"age": "x", "income": 1, "plan": "pro"}'] * 9_000) + b"]",
        b'[{"age": 1, "income": 1, "plan": "pro"' + b"".join(b',"%d":1' % n for n in range(400_000)) + b"}]",
    ],
    ids=["rows", "cells", "columns", "many-rows", "duplicates", "unknown-keys", "wrong-cells", "unknown-columns"],
)
def test_a_body_made_to_be_slow_is_refused_with_few_problems(schema: ModelSchema, body: bytes) -> None:
    error = refused(schema, body)

    assert len(error.problems) <= MAX_PROBLEMS
    assert len(error.detail) < 3000
    assert all(len(problem.pointer) + len(problem.detail) < 3000 for problem in error.problems)


def test_garbage_is_collected_after_whatever_was_read(schema: ModelSchema) -> None:
    refused(schema, b"{")

    assert gc.isenabled()
