"""Bodies that are not what a model takes, and the sentence for each: function and container say the same.

The two share no code, so this table is what keeps them together. The model has the three features of SCHEMA, in order;
tests/contract has a model that was trained with them.
"""

from dataclasses import dataclass
from typing import Any

JSON = "application/json"
LINES = "application/jsonlines"

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "credit",
    "type": "object",
    "properties": {
        "age": {"type": "number", "examples": [35]},
        "income": {"type": ["number", "null"], "examples": [1200.5]},
        "plan": {"type": "string", "enum": ["basic", "pro"], "examples": ["pro"]},
    },
    "required": ["age", "income", "plan"],
    "additionalProperties": False,
    "x-kind": "table",
    "x-methods": ["predict", "predict_proba"],
    "x-output": {"type": "string"},
}
EXAMPLE = ' Example: {"data": [{"age": 35, "income": 1200.5, "plan": "pro"}]}'


@dataclass(frozen=True, slots=True)
class Refusal:
    """A body, the pointer of its first fault, and what is said about it."""

    body: bytes
    pointer: str | None
    detail: str
    content_type: str = JSON

    @property
    def told(self) -> str:
        """The whole of the answer's detail."""
        return self.detail if self.pointer is None else f"The body is not what the model takes: {self.detail}.{EXAMPLE}"


REFUSALS = {
    # A cell
    "text for a number": Refusal(
        b'{"data": [{"age": 30, "income": 1, "plan": "pro"}, {"age": "x", "income": 1, "plan": "pro"}]}',
        "/data/1/age",
        'column "age", row 1: expected a number, got "x"',
    ),
    "text in a row": Refusal(
        b'[[30, 1, "pro"], [30, "x", "pro"]]', "/1/1", 'column "income", row 1: expected a number or null, got "x"'
    ),
    "text in one bare row": Refusal(b'["x", 1, "pro"]', "/0", 'column "age", row 0: expected a number, got "x"'),
    "text in one bare record": Refusal(
        b'{"age": "x", "income": 1, "plan": "pro"}', "/age", 'column "age", row 0: expected a number, got "x"'
    ),
    "null for a number": Refusal(
        b'[{"age": null, "income": 1, "plan": "pro"}]', "/0/age", 'column "age", row 0: expected a number, got null'
    ),
    "a list for a number": Refusal(
        b'{"data": [[[1], 1, "pro"]]}', "/data/0/0", 'column "age", row 0: expected a number, got a list'
    ),
    "a number for text": Refusal(
        b'{"data": [[30, 1, 5]]}', "/data/0/2", 'column "plan", row 0: expected one of "basic", "pro", got 5'
    ),
    "an unknown category": Refusal(
        b'{"data": [[30, 1, "gold"]]}', "/data/0/2", 'column "plan", row 0: expected one of "basic", "pro", got "gold"'
    ),
    "text in a line": Refusal(
        b'[30, 1, "pro"]\n["x", 1, "pro"]\n', "/1/0", 'column "age", row 1: expected a number, got "x"', LINES
    ),
    # The columns
    "a missing column": Refusal(b'[{"age": 30, "income": 1}]', "/0", 'missing column "plan"'),
    "a missing column of split": Refusal(
        b'{"columns": ["age", "income"], "data": [[30, 1]]}', "/columns", 'missing column "plan"'
    ),
    "an unknown column": Refusal(b'[{"age": 30, "income": 1, "plan": "pro", "x": 1}]', "/0", 'unknown column "x"'),
    "a misspelt column": Refusal(
        b'[{"age": 30, "incme": 1, "plan": "pro"}]',
        "/0",
        'missing column "income"; unknown column "incme" (did you mean "income"?)',
    ),
    "a column twice": Refusal(
        b'{"columns": ["age", "age", "plan"], "data": [[30, 1, "pro"]]}',
        "/columns",
        'the column "age" stands more than once',
    ),
    "more names than cells": Refusal(
        b'{"columns": ["age", "income", "plan"], "data": [[30, 1]]}',
        "/columns",
        "expected 2 names, one for each cell of a row, got 3",
    ),
    # The rows
    "too few cells": Refusal(b'{"data": [[30, 1]]}', "/data/0", "row 0: expected 3 cells, got 2"),
    "rows of unequal length": Refusal(
        b'{"data": [[30, 1, "pro"], [30, 1]]}', "/data/1", "row 1: expected 3 cells, as in row 0, got 2"
    ),
    "a row among records": Refusal(
        b'[{"age": 30, "income": 1, "plan": "pro"}, [30, 1, "pro"]]', "/1", "row 1: expected an object, got a list"
    ),
    "a record without a column": Refusal(
        b'[{"age": 30, "income": 1, "plan": "pro"}, {"income": 1, "plan": "pro"}]', "/1", 'row 1: missing column "age"'
    ),
    "no rows": Refusal(b'{"data": []}', "/data", "expected at least one row, got none"),
    "no bare rows": Refusal(b"[]", "", "expected at least one row, got none"),
    "labels of another length": Refusal(
        b'{"columns": ["age", "income", "plan"], "index": [0, 1], "data": [[30, 1, "pro"]]}',
        "/index",
        "expected one label a row, 1 in all, got 2",
    ),
    # The form
    "a method that the model lacks": Refusal(
        b'{"data": [[30, 1, "pro"]], "method": "transform"}',
        "/method",
        'expected one of predict, predict_proba, got "transform"',
    ),
    "an unknown field": Refusal(
        b'{"data": [[30, 1, "pro"]], "params": {}}',
        "/params",
        "unknown field; known are data, columns, index, method",
    ),
    "a string for rows": Refusal(b'{"data": "x"}', "/data", 'expected a list of rows, got "x"'),
    "a number": Refusal(b"5", "", "expected an object or an array, got 5"),
    "pandas' default": Refusal(
        b'{"age": {"0": 30}, "income": {"0": 1}, "plan": {"0": "pro"}}',
        None,
        "This is a table by column, as pandas writes it by default. Send it by row: "
        'df.to_json(orient="records"), or df.to_dict("records") in Python.',
    ),
    "lists by column": Refusal(
        b'{"age": [30], "income": [1], "plan": ["pro"]}',
        None,
        "This is a table by column, as pandas writes it by default. Send it by row: "
        'df.to_json(orient="records"), or df.to_dict("records") in Python.',
    ),
    "pandas' default under data": Refusal(
        b'{"data": {"age": {"0": 30}, "income": {"0": 1}, "plan": {"0": "pro"}}}',
        None,
        "This is a table by column, as pandas writes it by default. Send it by row: "
        'df.to_json(orient="records"), or df.to_dict("records") in Python.',
    ),
    "JSON in a string": Refusal(
        b'"{\\"data\\": [[30, 1, \\"pro\\"]]}"',
        None,
        "This is JSON inside a JSON string. Send it encoded once: with requests, json=body for a dict, data=text for "
        "a str.",
    ),
    "a name in capitals": Refusal(
        b'{"Data": [[30, 1, "pro"]]}',
        None,
        "`Data` is written `data`. Expected exactly one of data, instances, dataframe_split, dataframe_records, got "
        'none. Send the rows as {"data": [...]}.',
    ),
    "MLflow's inputs": Refusal(
        b'{"inputs": [[30, 1, "pro"]]}',
        None,
        "`inputs` is MLflow's and TensorFlow's name for tensors. Expected exactly one of data, instances, "
        'dataframe_split, dataframe_records, got none. Send the rows as {"data": [...]}.',
    ),
    # No JSON
    "a name twice": Refusal(
        b'{"data": [[30, 1, "pro"]], "data": [[31, 1, "pro"]]}',
        None,
        'The name "data" stands more than once in an object.',
    ),
}
# What is said about these begins alike; where each parser found the fault is its own.
NOT_JSON = {
    "NaN": (
        b'{"data": [[30, NaN, "pro"]]}',
        'send null for a missing value, as df.to_json(orient="records") of pandas writes it.',
    ),
    "single quotes": (
        b"{'data': [[30, 1, 'pro']]}",
        "JSON has double quotes: send json.dumps(...), not str(...).",
    ),
    "CSV": (b"30,1,pro\n", "It looks like CSV: send it with Content-Type: text/csv."),
    "a form": (b"data=1", "It looks like a form: send the JSON itself, with --data-binary in curl."),
    "cut short": (b'{"data": [[30, 1', "Valid JSON has double quotes, and `null` instead of NaN."),
}
# Each of them is the same row.
TAKEN = {
    "rows under data": b'{"data": [[30, 1, "pro"]]}',
    "records under data": b'{"data": [{"age": 30, "income": 1, "plan": "pro"}]}',
    "a record under data": b'{"data": {"age": 30, "income": 1, "plan": "pro"}}',
    "bare rows": b'[[30, 1, "pro"]]',
    "bare records": b'[{"age": 30, "income": 1, "plan": "pro"}]',
    "one bare row": b'[30, 1, "pro"]',
    "one bare record": b'{"age": 30, "income": 1, "plan": "pro"}',
    "one bare record with a method": b'{"age": 30, "income": 1, "plan": "pro", "method": "predict"}',
    "names in another order": b'{"columns": ["plan", "age", "income"], "data": [["pro", 30, 1]]}',
    "split": b'{"columns": ["age", "income", "plan"], "index": [7], "data": [[30, 1, "pro"]]}',
    "MLflow's split": b'{"dataframe_split": {"columns": ["age", "income", "plan"], "data": [[30, 1, "pro"]]}}',
    "MLflow's records": b'{"dataframe_records": [{"age": 30, "income": 1, "plan": "pro"}]}',
    "instances": b'{"instances": [{"age": 30, "income": 1, "plan": "pro"}]}',
    "null is absent": b'{"data": [[30, 1, "pro"]], "columns": null, "method": null, "index": null}',
    "an empty method is absent": b'{"data": [[30, 1, "pro"]], "method": ""}',
    "a byte order mark": b'\xef\xbb\xbf{"data": [[30, 1, "pro"]]}',
}
