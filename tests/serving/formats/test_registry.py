"""Which format a body has, and which one its answer gets."""

import numpy as np
import pytest

from predictor.errors import BadInputError, NotAcceptableError, UnsupportedMediaTypeError
from predictor.formats.registry import DECODERS, ENCODERS, Payload, decode, encode, negotiate
from tests.serving.schemas import a_schema

PAIRS = a_schema(2)


def test_a_missing_content_type_is_json() -> None:
    assert np.asarray(decode(b'{"data": [[1, 2]]}', None, PAIRS).rows).tolist() == [[1, 2]]


def test_parameters_of_the_content_type_do_not_matter() -> None:
    assert np.asarray(decode(b"1,2\n", "Text/CSV; charset=utf-8; label_size=0", PAIRS).rows).tolist() == [[1, 2]]


def test_an_unknown_content_type_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(
        UnsupportedMediaTypeError, match='"application/xml" cannot be read: send one of application/json'
    ):
        decode(b"<a/>", "application/xml", PAIRS)


def test_what_curl_sends_unless_told_otherwise_is_refused_with_what_to_add() -> None:
    with pytest.raises(UnsupportedMediaTypeError, match="add -H 'Content-Type: application/json'"):
        decode(b"1,2", "application/x-www-form-urlencoded", PAIRS)


@pytest.mark.parametrize("content_type", DECODERS)
def test_an_empty_body_is_refused(content_type: str) -> None:
    with pytest.raises(BadInputError, match="The body is empty: expected at least one row"):
        decode(b"", content_type, PAIRS)


@pytest.mark.parametrize("content_type", ENCODERS)
def test_without_an_accept_the_answer_is_of_the_requests_kind(content_type: str) -> None:
    assert negotiate(None, content_type) == content_type
    assert negotiate("*/*", content_type.upper()) == content_type


def test_a_sparse_matrix_is_answered_in_json() -> None:
    assert negotiate(None, "application/x-npz") == "application/json"


def test_accept_goes_before_the_requests_kind() -> None:
    assert negotiate("text/csv", "application/json; charset=utf-8") == "text/csv"


def test_an_accept_that_cannot_be_met_is_refused() -> None:
    with pytest.raises(NotAcceptableError, match="image/png"):
        negotiate("image/png", "application/json")


def test_csv_is_answered_without_a_charset() -> None:
    # SageMaker SDK's deserializers compare the header as it is.
    assert encode(np.array([1, 2]), "text/csv") == Payload(b"1\n2\n", "text/csv")
