"""What a refused body looks like, and what its sender is told to write."""

import base64

import pandas as pd
import pytest

from predictor.inputs.schema import Container
from tests.serving.decoding import refusal
from tests.serving.schemas import a_schema

TRIPLES = a_schema(3)
NAMED = a_schema(3, names=("age", "income", "plan"), text={2}, missing=True, container=Container.FRAME)
FRAME = pd.DataFrame({"age": [30, 40], "income": [1.5, None], "plan": ["pro", "basic"]})
COMMAS = 'as to_csv(sep=",", decimal=".") does.'


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (FRAME.to_csv(sep=";", index=False), f'It looks separated by ";": write commas, {COMMAS}'),
        (FRAME.to_csv(sep="\t", index=False), f"It looks separated by a tab: write commas, {COMMAS}"),
        (FRAME.to_csv(sep="|", index=False, header=False), f'It looks separated by "|": write commas, {COMMAS}'),
        (
            FRAME.to_csv(sep=";", decimal=",", index=False, header=False),
            f'It looks separated by ";": write commas and a decimal point in place of the comma, {COMMAS}',
        ),
        (FRAME.to_csv(), "The first column looks like an index: write to_csv(index=False)."),
        (FRAME.to_csv(index_label="index"), "The first column looks like an index: write to_csv(index=False)."),
        (FRAME.to_csv(header=False), "The first column looks like an index: write to_csv(index=False)."),
        (FRAME.to_csv(index=False).replace("\n", ""), "curl's -d removes the line ends of a file: use --data-binary."),
        ("30,1,pro40,2,basic", "It looks like several rows in one line: curl's -d removes the line ends of a file:"),
        (FRAME.to_json(orient="records"), "It looks like JSON: send Content-Type: application/json."),
        ("[1, 2]", "It looks like JSON: send Content-Type: application/json."),
        (base64.b64encode(FRAME.to_csv(index=False).encode()).decode(), "It looks like base64: send the text itself."),
        ("PK\x03\x04xlsx", "It looks like a zip archive or a spreadsheet (.xlsx): save the table as CSV UTF-8."),
        ("PAR1", "It looks like Parquet: send the table as CSV."),
        ('--xyz\r\nContent-Disposition: form-data; name="file"', "It looks like a form: send the file itself"),
    ],
)
def test_csv(body: str, told: str) -> None:
    assert told in refusal(body.encode(), NAMED, "text/csv").detail


@pytest.mark.parametrize("body", ["1;2;3\n", "1\t2\t3\n4\t5\t6\n", "1,5;2,5;3,5\n", "1|2|3\n"])
def test_numbers_with_another_separator(body: str) -> None:
    assert refusal(body.encode(), TRIPLES, "text/csv").detail.startswith("It looks separated by ")
    assert refusal(body.encode(), TRIPLES, "text/csv; header=absent").detail.startswith("It looks separated by ")


@pytest.mark.parametrize("content_type", ["text/csv", "application/json", "application/jsonlines"])
@pytest.mark.parametrize("body", [b"\x1f\x8b\x08\x00", b"\x28\xb5\x2f\xfd\x00", b"BZh9"])
def test_compressed_bodies(content_type: str, body: bytes) -> None:
    assert "It looks compressed: send it as it is." in refusal(body, TRIPLES, content_type).detail


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ('{"data": [[1, NaN, 2]]}', "JSON has no NaN and no Infinity: send null for a missing value, "),
        ('{"data": [[1, -Infinity, 2]]}', "JSON has no NaN and no Infinity: send null for a missing value, "),
        (str({"data": [[1, 2, 3]]}), "JSON has double quotes: send json.dumps(...), not str(...)."),
        ("[1,2,3]\n[4,5,6]\n", "Several documents are JSON Lines: send Content-Type: application/jsonlines."),
        ('{"a":1}{"a":2}', "curl's -d removes the line ends of a file: use --data-binary."),
        ("1,2,3\n4,5,6\n", "It looks like CSV: send it with Content-Type: text/csv."),
        ("data=1", "It looks like a form: send the JSON itself, with --data-binary in curl."),
        (base64.b64encode(b'{"data": [[1, 2, 3]]}').decode(), "It looks like base64: send the text itself."),
        ('{"data": [[1, 2', "Valid JSON has double quotes, and `null` instead of NaN."),
    ],
)
def test_json(body: str, told: str) -> None:
    detail = refusal(body.encode(), TRIPLES).detail

    assert detail.startswith("The body is not JSON: ")
    assert told in detail
