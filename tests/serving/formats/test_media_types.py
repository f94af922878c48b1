"""Content-Type and Accept as clients really send them."""

import pytest

from predictor.errors import NotAcceptableError, UnsupportedMediaTypeError
from predictor.formats.media_types import MediaType, choose, first_choice, parse

OFFERED = ("application/json", "text/csv", "application/x-npy")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, MediaType("application/json")),
        ("", MediaType("application/json")),
        ("application/json", MediaType("application/json")),
        ("Application/JSON; Charset=UTF-8", MediaType("application/json", {"charset": "UTF-8"})),
        ('text/csv; charset="utf-8"; header=present', MediaType("text/csv", {"charset": "utf-8", "header": "present"})),
        ("text/CSV; label_size=0", MediaType("text/csv", {"label_size": "0"})),
    ],
)
def test_content_type(header: str | None, expected: MediaType) -> None:
    assert parse(header) == expected


def test_another_charset_is_refused() -> None:
    with pytest.raises(UnsupportedMediaTypeError, match="latin-1") as refusal:
        parse("text/csv; charset=latin-1")

    assert refusal.value.status == 415


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, "application/json"),
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/csv", "text/csv"),
        ("TEXT/CSV", "text/csv"),
        ("text/*", "text/csv"),
        ("image/png, text/csv", "text/csv"),
        ("text/csv, application/json", "application/json"),  # SageMaker SDK, PandasDeserializer
        ("text/csv, application/x-npy", "text/csv"),
        ("text/csv, */*", "text/csv"),
        ("text/csv;q=0.5, application/json", "application/json"),
        ("application/json;q=0, */*", "text/csv"),
        ("*/*;q=0.1, application/x-npy;q=0.2", "application/x-npy"),
        ("application/*, application/x-npy", "application/x-npy"),
        ("application/json;q=x, text/csv;q=0.1", "text/csv"),
    ],
)
def test_accept(accept: str | None, expected: str) -> None:
    assert choose(accept, OFFERED) == expected


@pytest.mark.parametrize("accept", ["image/png", "application/json;q=0", "text/html, image/*", "json", ","])
def test_nothing_acceptable(accept: str) -> None:
    if accept == ",":  # an empty element is no opinion
        assert choose(accept, OFFERED) == "application/json"
        return
    with pytest.raises(NotAcceptableError, match="ask for application/json, text/csv, application/x-npy"):
        choose(accept, OFFERED)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, "application/json"),
        ("*/*", "application/json"),
        ("text/csv", "text/csv"),
        ("text/csv;q=0.1, image/png", "image/png"),
        ("text/csv, application/json", "application/json"),
        ("text/csv, image/png", "text/csv"),
    ],
)
def test_first_choice(accept: str | None, expected: str) -> None:
    assert first_choice(accept) == expected
