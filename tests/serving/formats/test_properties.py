"""What holds for every codec, whatever the input: round trips, and nothing but a DecodedRequest or an error of ours."""

import io
import json
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse

from predictor.errors import RefusedError
from predictor.formats.matrix import read_matrix
from predictor.formats.registry import DECODERS, ENCODERS, decode, encode
from predictor.inputs.rows import DecodedRequest
from predictor.inputs.schema import Container, Schema
from tests.serving.schemas import a_schema

ANY_TIME = settings(deadline=None)
"""The first example pays for imports, and the machine may be busy."""
DOUBLES = st.floats(allow_nan=False, allow_infinity=False)
MATRICES = hnp.arrays(np.float64, hnp.array_shapes(min_dims=2, max_dims=2, max_side=6), elements=DOUBLES)
CELLS: Any = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
JSON_VALUES = st.recursive(
    CELLS, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner), max_leaves=20
)
SIGNATURES = [
    a_schema(2),
    a_schema(2, missing=True, sparse=True),
    a_schema(2, names=("a", "b"), text=frozenset({0}), container=Container.FRAME),
    a_schema(),
    a_schema(1, text=frozenset({0})),
]


def as_json(rows: npt.NDArray[np.float64]) -> bytes:
    return json.dumps({"data": rows.tolist()}).encode()


def as_lines(rows: npt.NDArray[np.float64]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows.tolist())


def as_csv(rows: npt.NDArray[np.float64]) -> bytes:
    return b"".join(",".join(map(repr, row)).encode() + b"\n" for row in rows.tolist())


def as_npy(rows: npt.NDArray[np.float64]) -> bytes:
    out = io.BytesIO()
    np.save(out, rows)
    return out.getvalue()


def as_npz(rows: npt.NDArray[np.float64]) -> bytes:
    out = io.BytesIO()
    sparse.save_npz(out, sparse.csr_matrix(rows))
    return out.getvalue()


WRITERS = {
    "application/json": as_json,
    "application/jsonlines": as_lines,
    "text/csv": as_csv,
    "application/x-npy": as_npy,
    "application/x-npz": as_npz,
}


@pytest.mark.parametrize("content_type", WRITERS)
@ANY_TIME
@given(rows=MATRICES)
def test_every_double_arrives_as_it_was_sent(content_type: str, rows: npt.NDArray[np.float64]) -> None:
    request = decode(WRITERS[content_type](rows), content_type, a_schema(rows.shape[1]))

    np.testing.assert_array_equal(request.rows, rows)


COLUMNS = st.lists(st.text(max_size=3), max_size=4) | CELLS


def slowly(body: bytes, schema: Schema) -> DecodedRequest | RefusedError:
    """Read a body in the way that is taken for all others: an index, even none, makes it one of them."""
    return outcome(body[:-1] + b', "index": null}', "application/json", schema)


@ANY_TIME
@given(rows=MATRICES.filter(lambda rows: np.abs(rows).max() < 2**53))
def test_the_fast_way_is_taken_for_numbers(rows: npt.NDArray[np.float64]) -> None:
    found = read_matrix(as_json(rows))

    assert found is not None
    np.testing.assert_array_equal(found.rows, rows)


@ANY_TIME
@given(data=JSON_VALUES | MATRICES.map(lambda rows: rows.tolist()), columns=COLUMNS, method=CELLS, both=st.booleans())
def test_the_fast_way_reads_what_the_slow_way_reads(data: Any, columns: Any, method: Any, *, both: bool) -> None:
    fields = {"data": data} | ({"columns": columns, "method": method} if both else {})
    body = json.dumps(fields).encode()
    matrix = read_matrix(body)
    if matrix is None:
        return
    schema = a_schema(matrix.rows.shape[1], methods=("predict", "transform"), missing=True)

    fast, slow = outcome(body, "application/json", schema), slowly(body, schema)

    assert type(fast) is type(slow)
    if isinstance(fast, DecodedRequest) and isinstance(slow, DecodedRequest):
        assert fast.method == slow.method
        np.testing.assert_array_equal(fast.rows, slow.rows)
    else:
        assert str(fast) == str(slow)


def outcome(body: bytes, content_type: str, schema: Schema) -> DecodedRequest | RefusedError:
    try:
        return decode(body, content_type, schema)
    except RefusedError as error:
        return error


def check(body: bytes, content_type: str, schema: Schema) -> None:
    request = outcome(body, content_type, schema)
    if isinstance(request, RefusedError):
        assert request.status in range(400, 500)
        assert len(request.detail) < 2000
        return
    assert len(request) > 0
    assert request.method in schema.methods
    if schema.numeric and len(schema.required) == schema.width:
        rows: Any = request.rows
        values = rows.data if sparse.issparse(rows) else rows
        assert values.dtype == np.float64
        assert np.isfinite(values).all()
    if schema.width is not None:
        assert request.rows.shape[1] == schema.width


@pytest.mark.parametrize("schema", SIGNATURES, ids=lambda schema: f"text={schema.text}")
@pytest.mark.parametrize("content_type", DECODERS)
@ANY_TIME
@given(body=st.binary(max_size=200))
def test_bytes_give_a_request_or_a_refusal(content_type: str, schema: Schema, body: bytes) -> None:
    check(body, content_type, schema)


@pytest.mark.parametrize("schema", SIGNATURES, ids=lambda schema: f"text={schema.text}")
@ANY_TIME
@given(value=JSON_VALUES)
def test_json_gives_a_request_or_a_refusal(schema: Schema, value: Any) -> None:
    body = json.dumps(value).encode()

    check(body, "application/json", schema)
    check(b'{"data": ' + body + b"}", "application/json", schema)
    check(b'{"instances": ' + body + b"}", "application/json", schema)
    check(b'{"data": [[1, 2]], "columns": ' + body + b"}", "application/json", schema)
    check(b'{"instances": [{"data": {"features": ' + body + b"}}]}", "application/json", schema)
    check(body + b"\n" + body, "application/jsonlines", schema)


@settings(max_examples=500, deadline=None)
@given(text=st.text(alphabet='012,,,\n\n\r .e+-[]{}:"', max_size=40))
def test_csv_read_fast_is_csv_read_slowly(text: str) -> None:
    width = text.partition("\n")[0].count(",") + 1
    fast = outcome(text.encode(), "text/csv; header=absent", a_schema(width, missing=True))
    # objects are never read fast
    slow = outcome(text.encode(), "text/csv; header=absent", a_schema(width, missing=True, objects={0}))

    assert type(fast) is type(slow)
    if isinstance(fast, DecodedRequest) and isinstance(slow, DecodedRequest):
        found: Any = slow.rows
        np.testing.assert_array_equal(fast.rows, found.table().astype(np.float64))
    else:
        assert str(fast) == str(slow)


@pytest.mark.parametrize("schema", SIGNATURES, ids=lambda schema: f"text={schema.text}")
@ANY_TIME
@given(text=st.text(alphabet='ab12,;"\n\r .e-+', max_size=60))
def test_text_gives_a_request_or_a_refusal(schema: Schema, text: str) -> None:
    check(text.encode(), "text/csv", schema)


@pytest.mark.parametrize("content_type", ["application/x-npy", "application/x-npz"])
@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_changed_byte_gives_a_request_or_a_refusal(content_type: str, data: st.DataObject) -> None:
    body = bytearray(WRITERS[content_type](np.array([[1.0, 0.0], [0.0, 4.0]])))
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))

    check(bytes(body), content_type, SIGNATURES[1])
    check(bytes(body[: data.draw(st.integers(0, len(body)))]), content_type, SIGNATURES[0])


LABELS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=5)  # an array drops trailing NULs
PREDICTIONS: Any = st.one_of(
    hnp.arrays(np.float64, hnp.array_shapes(max_dims=3, max_side=4)),
    hnp.arrays(np.float32, hnp.array_shapes(max_dims=2, max_side=4)),
    hnp.arrays(np.int64, hnp.array_shapes(max_dims=2, max_side=4)),
    hnp.arrays("U5", hnp.array_shapes(max_dims=1, max_side=4), elements=LABELS),
)


@ANY_TIME
@given(predictions=PREDICTIONS)
def test_json_answers_are_strict_json_with_a_value_a_row(predictions: Any) -> None:
    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    answer = json.loads(encode(predictions, "application/json").body, parse_constant=refuse)

    assert list(answer) == ["predictions"]
    assert len(answer["predictions"]) == len(predictions)
    if predictions.dtype.kind == "f":
        found = np.array(answer["predictions"], dtype=predictions.dtype)
        np.testing.assert_array_equal(found, np.where(np.isfinite(predictions), predictions, np.nan))
    else:
        assert answer["predictions"] == predictions.tolist()


@pytest.mark.parametrize("media_type", [name for name in ENCODERS if "lines" in name or "ndjson" in name])
@ANY_TIME
@given(predictions=PREDICTIONS)
def test_answers_in_lines_have_one_a_row(media_type: str, predictions: Any) -> None:
    assert encode(predictions, media_type).body.count(b"\n") == len(predictions)
