"""CSV with and without a header."""

from typing import Any

import numpy as np
import pytest

from predictor.errors import BadInputError, Fault
from predictor.formats.registry import decode
from predictor.inputs.rows import Columns
from predictor.inputs.schema import Feature, FeatureType, Schema
from tests.serving.schemas import a_schema

CSV = "text/csv"
PAIRS = a_schema(2)
NAMED = a_schema(2, names=("size", "weight"))
HOLES = a_schema(2, missing=True)


def rows(body: bytes, schema: Schema = PAIRS, content_type: str = CSV) -> Any:
    found: Any = decode(body, content_type, schema).rows
    return found.table().tolist() if isinstance(found, Columns) else found.tolist()


def refusal(body: bytes, schema: Schema = PAIRS, content_type: str = CSV) -> BadInputError:
    with pytest.raises(BadInputError) as refused:
        rows(body, schema, content_type)
    return refused.value


@pytest.mark.parametrize(
    "body",
    [
        b"1,2\n3.5,-4e0\n",
        b"1,2\r\n3.5,-4\r\n",
        b"1,2\n3.5,-4",
        b"\xef\xbb\xbf1,2\n3.5,-4\n",
        b" 1, 2 \n3.5,-4\n",
        b'"1","2"\n3.5,-4\n',
        b"1,2\r3.5,-4\r",
    ],
)
def test_rows_of_numbers(body: bytes) -> None:
    assert rows(body) == [[1, 2], [3.5, -4]]


def test_a_first_line_of_the_features_names_is_a_header_in_any_order() -> None:
    assert rows(b"weight,size\n2,1\n", NAMED) == [[1, 2]]
    assert rows(b"id,weight,size\n9,2,1\n", a_schema(2, names=("size", "weight"), ignored={"id"})) == [[1, 2]]


NUMBERED = a_schema(2, names=("1", "2"))
STRINGS = a_schema(2, names=("yes", "no"), text={0, 1})


@pytest.mark.parametrize(("schema", "body"), [(NUMBERED, b"2,1\n20,10\n"), (STRINGS, b"no,yes\nyes,no\n")])
def test_a_first_line_that_may_be_a_header_or_a_row_is_refused(schema: Schema, body: bytes) -> None:
    refused = refusal(body, schema)

    assert refused.detail == (
        "The first line is a row as well as a header. Say whether it is a header: "
        '"text/csv; header=present", or "text/csv; header=absent".'
    )
    assert refused.errors == (Fault("/0", "expected a header or a row, got what may be either"),)


def test_the_content_type_settles_what_may_be_a_header_or_a_row() -> None:
    assert rows(b"2,1\n20,10\n", NUMBERED, "text/csv; header=present") == [[10, 20]]
    assert rows(b"2,1\n20,10\n", NUMBERED, "text/csv; header=absent") == [[2, 1], [20, 10]]
    assert rows(b"no,yes\nyes,no\n", STRINGS, "text/csv; header=present") == [["no", "yes"]]
    assert rows(b"no,yes\nyes,no\n", STRINGS, "text/csv; header=absent") == [["no", "yes"], ["yes", "no"]]


@pytest.mark.parametrize(
    ("schema", "body", "expected"),
    [
        (NUMBERED, b"2,3\n1,0\n", [[2, 3], [1, 0]]),
        (NUMBERED, b"1,1\n1,0\n", [[1, 1], [1, 0]]),
        (NUMBERED, b"1,0\n2,0\n1,0\n", [[1, 0], [2, 0], [1, 0]]),
        (STRINGS, b"yes,yes\nno,no\n", [["yes", "yes"], ["no", "no"]]),
        (STRINGS, b"yes,maybe\n", [["yes", "maybe"]]),
    ],
)
def test_a_first_line_with_some_features_names_is_a_row(schema: Schema, body: bytes, expected: Any) -> None:
    assert rows(body, schema) == expected


def test_a_first_line_of_all_columns_of_the_training_may_be_a_row() -> None:
    schema = a_schema(2, names=("0", "1"), ignored={"2"}, trained=("0", "2", "1"))

    assert rows(b"0,5,1\n7,8,9\n", schema) == [[0, 1], [7, 9]]
    assert refusal(b"0,2,1\n7,8,9\n", schema).errors[0].pointer == "/0"
    assert rows(b"1,2,0\n7,8,9\n", schema, "text/csv; header=present") == [[9, 7]]


def test_a_header_of_strings_that_are_no_category_is_no_row() -> None:
    features = (
        Feature("b", FeatureType.TEXT, "object", nullable=True),
        Feature("a", FeatureType.CATEGORICAL, "object", nullable=True, categories=("d",)),
    )
    schema = Schema(features)

    assert rows(b"a,b\nc,d\n", schema) == [["d", "c"]]
    assert refusal(b"c,b\nc,d\n", schema).detail.startswith('Wrong columns: missing "a"; unknown "c".')


@pytest.mark.parametrize("line", [b"a,b", b"NA,NA", b"NA,x"])
def test_a_first_line_without_a_number_is_refused_where_the_model_has_no_names(line: bytes) -> None:
    refused = refusal(line + b"\n1,2\n")

    assert refused.detail == (
        "The first line is no row: the model takes numbers. Say whether it is a header: "
        '"text/csv; header=present", or "text/csv; header=absent".'
    )
    assert refused.errors == (Fault("/0", "expected a row of numbers, got none"),)


def test_missing_cells_of_the_first_line_are_no_header() -> None:
    np.testing.assert_array_equal(decode(b"nan,\n1,2\n", CSV, HOLES).rows, [[np.nan, np.nan], [1, 2]])


def test_an_empty_line_is_a_missing_cell_of_one_feature() -> None:
    one = a_schema(1, missing=True)

    np.testing.assert_array_equal(decode(b"1.5\n\n0.2\n", CSV, one).rows, [[1.5], [np.nan], [0.2]])
    np.testing.assert_array_equal(decode(b"\r\n1.5\r\n\r\n", CSV, one).rows, [[np.nan], [1.5], [np.nan]])
    assert refusal(b"1.5\n\n0.2\n", a_schema(1)).errors == (Fault("/1/0", "expected a finite number, got nothing"),)


@pytest.mark.parametrize(("body", "row"), [(b"1,2\n\n3,4\n", 1), (b"\n1,2\n", 0), (b"1,2\n\n", 1)])
def test_an_empty_line_is_no_row_of_several_features(body: bytes, row: int) -> None:
    refused = refusal(body)

    assert refused.detail == "A line is empty: every line is a row."
    assert refused.errors == (Fault(f"/{row}", "the line is empty"),)


def test_booleans_are_the_numbers_that_they_are_in_json() -> None:
    assert rows(b"True,false\nTRUE,0\n") == [[1, 0], [1, 0]]


def test_whole_numbers_that_would_be_rounded_are_refused() -> None:
    assert refusal(b"1,2\n1,9007199254740993\n").errors == (
        Fault("/1/1", 'expected a number that a 64-bit float holds exactly, got "9007199254740993"'),
    )
    assert rows(b"1,9007199254740992\n") == [[1, 2**53]]


@pytest.mark.parametrize("body", [b"1],[2\n", b'1]],"x":[[2\n', b"1,2]\n[3,4\n"])
def test_json_is_no_csv(body: bytes) -> None:
    assert refusal(body, PAIRS, "text/csv; header=absent").status == 400


def test_a_header_of_other_names_is_refused() -> None:
    assert refusal(b"a,b\n1,2\n", NAMED).detail.startswith('Wrong columns: missing "size", "weight"; unknown "a", "b".')


def test_a_content_type_may_say_that_there_is_a_header() -> None:
    assert rows(b"1,2\n3,4\n", PAIRS, "text/csv; header=present") == [[3, 4]]


def test_a_header_alone_is_no_row() -> None:
    assert refusal(b"size,weight\n", NAMED).detail == "Expected at least one row, got none."
    assert refusal(b"a,b\n", PAIRS, "text/csv; header=present").detail == "Expected at least one row, got none."


def test_a_content_type_may_say_that_there_is_none() -> None:
    assert refusal(b"a,b\n1,2\n", PAIRS, "text/csv; header=absent").errors[0] == Fault(
        "/0/0", 'expected a number, got "a"'
    )


def test_a_model_of_text_without_names_has_no_header() -> None:
    text = a_schema(2, text={0, 1})

    assert rows(b"a,b\nc,d\n", text) == [["a", "b"], ["c", "d"]]


def test_an_empty_cell_is_a_missing_value() -> None:
    np.testing.assert_array_equal(decode(b"1,\n nan ,2\n", CSV, HOLES).rows, [[1, np.nan], [np.nan, 2]])


def test_an_empty_cell_of_text_is_missing() -> None:
    assert repr(rows(b",2\n", a_schema(2, text={0}))) == "[[nan, 2.0]]"


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (b"1,2\n3,\n", Fault("/1/1", "expected a finite number, got nothing")),
        (b"1,2\n3,nan\n", Fault("/1/1", 'expected a finite number, got "nan"')),
        (b"1,2\n3,inf\n", Fault("/1/1", 'expected a finite number, got "inf"')),
        (b"1,2\n3,1e999\n", Fault("/1/1", 'expected a finite number, got "1e999"')),
        (b"1,2\n3,1_000\n", Fault("/1/1", 'expected a number, got "1_000"')),
        (b"1,2\n3,0x10\n", Fault("/1/1", 'expected a number, got "0x10"')),
        (b"1,2\n3,x\n", Fault("/1/1", 'expected a number, got "x"')),
        (b"1,2\n3\n", Fault("/1", "expected 2 cells as in row 0, got 1")),
        (b"1,2,3\n", Fault("/0", "expected 2 features, got 3")),
        (b"1;2\n3;4\n", Fault("/0", "expected 2 features, got 1")),
    ],
)
def test_what_is_wrong_and_where(body: bytes, fault: Fault) -> None:
    assert refusal(body, PAIRS, "text/csv; header=absent").errors == (fault,)


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"\n\n", "A line is empty: every line is a row."),
        (b'1,"2\n', "The body is not CSV: unexpected end of data."),
        (b"1,\xff\n", "The body is not UTF-8, at byte 2."),
        (b"\x1f\x8b\x08\x00", "It looks compressed: send it as it is. The body is not UTF-8, at byte 1."),
        ("1,2\n".encode("utf-16"), "It looks like UTF-16: send UTF-8. The body is not UTF-8, at byte 0."),
    ],
)
def test_what_is_no_csv(body: bytes, detail: str) -> None:
    assert refusal(body).detail == detail


def test_a_cell_without_end_is_refused() -> None:
    assert refusal(b'1,"' + b"x" * 200_000).detail.startswith("The body is not CSV: field larger than field limit")
