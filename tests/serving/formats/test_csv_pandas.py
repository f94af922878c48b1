"""CSV as pandas writes and reads it: headers of numbers, blanks, quotes; and the answers."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from predictor.errors import BadInputError, Fault
from predictor.formats.registry import decode, encode
from predictor.inputs.rows import Columns
from predictor.inputs.schema import Schema
from predictor.models.estimator import wrap
from predictor.models.inspection.describe import describe
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


COUNTED = (
    "The first line counts the columns from 0, as pandas' header of a table without names does. Say whether it is a "
    'header: "text/csv; header=present", or "text/csv; header=absent".'
)


@pytest.mark.parametrize(
    "body",
    [
        pd.DataFrame([[5, 6], [7, 8]]).to_csv(index=False).encode(),
        b'"0","1"\n5,6\n',
        b"0,1\r\n5,6\r\n",
        b"0,1\r5,6",
        b" 0, 1\n5,6\n",
        b"\xef\xbb\xbf0,1\n5,6\n",
        b"0,1\n0,1\n",
    ],
)
@pytest.mark.parametrize("schema", [PAIRS, NAMED, HOLES, a_schema(2, text={0, 1})])
def test_pandas_header_of_numbers_is_never_a_row(body: bytes, schema: Schema) -> None:
    assert refusal(body, schema).detail == COUNTED


def test_pandas_header_of_numbers_is_settled_by_the_content_type() -> None:
    assert rows(b"0,1\n5,6\n", PAIRS, "text/csv; header=present") == [[5, 6]]
    assert rows(b"0,1\n5,6\n", PAIRS, "text/csv; header=absent") == [[0, 1], [5, 6]]
    assert rows(b'"0","1"\n5,6\n', PAIRS, "text/csv; header=present") == [[5, 6]]


@pytest.mark.parametrize(
    ("body", "schema", "expected"),
    [
        (b"0,1\n", PAIRS, [[0, 1]]),  # one line alone is a row
        (b"1,0\n5,6\n", PAIRS, [[1, 0], [5, 6]]),
        (b"0,1.0\n5,6\n", PAIRS, [[0, 1], [5, 6]]),
        (b"0\n5\n", a_schema(1), [[0], [5]]),
    ],
)
def test_other_lines_of_numbers_are_rows(body: bytes, schema: Schema, expected: Any) -> None:
    assert rows(body, schema) == expected


SPACED = a_schema(2, names=(" Flow Duration", "plan"), text={1})


def test_blanks_belong_to_names_and_cells_as_pandas_reads_them() -> None:
    assert rows(b" Flow Duration,plan\n 25 , pro\n", SPACED) == [[25, " pro"]]
    assert rows(b"plan, Flow Duration\npro,25\n", SPACED) == [[25, "pro"]]


def test_blanks_that_the_names_do_not_have_are_refused() -> None:
    refused = refusal(b"size, weight\n1, 2\n", NAMED)

    assert refused.errors == (Fault("/0/1", 'expected "weight", got " weight"'),)
    assert refused.detail.startswith('Blanks around a name belong to it: expected "weight", got " weight".')
    assert rows(b"Flow Duration,plan\n25,pro\n", SPACED) == [[25, "pro"]]  # a name without its blanks is known


@pytest.mark.parametrize("body", [b'25, "pro"\n', b'size,plan\n25, "pro"\n', b'25,\t"pro"\n', b' "25",pro\n'])
def test_a_quote_after_a_blank_is_refused(body: bytes) -> None:
    schema = a_schema(2, names=("size", "plan"), text={0, 1})

    assert "has a quote after a blank: write it without the blank." in refusal(body, schema).detail


def test_quotes_and_blanks_within_quotes_are_text() -> None:
    text = a_schema(2, text={0, 1})

    assert rows(b'a," ""pro"""\n"x, ""y""",b\n', text) == [["a", ' "pro"'], ['x, "y"', "b"]]


@pytest.mark.parametrize("header", ["present", None])
def test_rows_under_a_header_are_read_as_quickly(header: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("predictor.formats.csv.to_rows", None)  # the slow way
    content_type = CSV if header is None else f"{CSV}; header={header}"

    assert rows(b"weight,size\n2,1\n", NAMED, content_type) == [[1, 2]]
    assert rows(b"size,weight\r\n1,2\r\n", NAMED, content_type) == [[1, 2]]


@pytest.mark.parametrize(
    ("predictions", "expected"),
    [
        (np.array([1, 2]), b"1\n2\n"),
        (np.array([0.1, 1e300]), b"0.1\n1e+300\n"),
        (np.array([[0.25, 0.75], [1, 0]]), b"0.25,0.75\n1.0,0.0\n"),
        (np.array(["a", 'b,"c"']), b'a\n"b,""c"""\n'),
        (np.array([np.nan, np.inf, -np.inf]), b"nan\ninf\n-inf\n"),
        (np.array([[[1, 2], [3, 4]]]), b"1,2,3,4\n"),
        (np.array([None, "x"], dtype=object), b'""\nx\n'),
    ],
)
def test_answers_have_one_line_a_row(predictions: Any, expected: bytes) -> None:
    assert encode(predictions, CSV).body == expected


def test_a_carriage_return_ends_a_line_of_a_header_too() -> None:
    assert rows(b"1,2\r3,4\n", content_type="text/csv; header=absent") == [[1, 2], [3, 4]]
    assert rows(b"a,b\r3,4\n", content_type="text/csv; header=present") == [[3, 4]]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"name,n\nann,0\n", (("name", "n"), [["ann", 0]])),
        (b"since\n2024-01-31\n", (("since",), [["2024-01-31"]])),
        (b"good,bad\nbad,good\n", ((), [["good", "bad"], ["bad", "good"]])),
        (b"zip,n\n01234,1\n", (("zip", "n"), [["01234", 1]])),
    ],
)
def test_words_above_a_number_are_a_header_to_own_code(body: bytes, expected: Any) -> None:
    found: Any = decode(body, CSV, a_schema()).rows

    assert (found.names, found.table().tolist()) == expected


def described(frame: pd.DataFrame, encoder: Any) -> tuple[Any, Schema]:
    columns = [("t", encoder, ["town"]), ("s", SimpleImputer(), ["size"])]
    model = make_pipeline(ColumnTransformer(columns), LinearRegression()).fit(frame, np.arange(len(frame)))
    return model, describe(model)


@pytest.mark.parametrize("town", ["NA", "Bern"])
@pytest.mark.parametrize("size", ["NA", "", "2.5"])
@pytest.mark.parametrize("known", [True, False], ids=["missing seen", "missing not seen"])
def test_rs_na_is_missing_as_pandas_reads_it(town: str, size: str, *, known: bool) -> None:
    towns = ["Bern", "Köln", None if known else "Rom", "Bern"]
    frame = pd.DataFrame({"town": towns, "size": [1.0, np.nan, 2.0, 4.0]})
    model, schema = described(frame, OneHotEncoder(handle_unknown="ignore"))
    body = f"town,size\n{town},{size}\nKöln,1\n"

    request = decode(body.encode(), "text/csv", schema)

    expected = model.predict(pd.read_csv(io.StringIO(body)))
    assert wrap(model, Path("model.pkl")).predict(request.rows, "predict").tolist() == expected.tolist()


def test_rs_na_is_refused_where_nothing_may_be_missing() -> None:
    frame = pd.DataFrame({"town": ["Bern", "Köln", "Rom"], "size": [1.0, 2.0, 4.0]})
    _, schema = described(frame, OneHotEncoder())

    with pytest.raises(BadInputError, match='got "NA"'):
        decode(b"town,size\nNA,1\n", "text/csv", schema)


def test_na_is_a_category_where_the_model_knows_it() -> None:
    frame = pd.DataFrame({"town": ["NA", "Bern", "NA"], "size": [1.0, 2.0, 4.0]})
    _, schema = described(frame, OneHotEncoder())

    assert rows(b"town,size\nNA,1\n", schema) == [["NA", 1.0]]
