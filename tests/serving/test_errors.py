"""Errors as a caller sees them."""

import json

import pytest

from predictor import errors
from predictor.errors import BadInputError, Fault, PredictionError, PredictorError, problem


def test_an_error_is_rendered_as_a_problem() -> None:
    assert json.loads(problem(PredictionError("The model failed."))) == {
        "type": "about:blank",
        "title": "Internal Server Error",
        "status": 500,
        "detail": "The model failed.",
    }


def test_faults_are_listed_with_their_pointers() -> None:
    error = BadInputError(
        "Two cells are wrong.", Fault("/data/0/1", "expected a number"), Fault("/data/3", "too short")
    )

    assert json.loads(problem(error))["errors"] == [
        {"pointer": "/data/0/1", "detail": "expected a number"},
        {"pointer": "/data/3", "detail": "too short"},
    ]


def every_error() -> list[type[PredictorError]]:
    return [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, PredictorError)]


@pytest.mark.parametrize("kind", every_error())
def test_the_tree_at_the_top_names_every_error(kind: type[PredictorError]) -> None:
    assert f"{kind.__name__}" in (errors.__doc__ or "")


@pytest.mark.parametrize("kind", every_error())
def test_every_error_says_when_to_raise_it(kind: type[PredictorError]) -> None:
    assert (kind.__doc__ or "").startswith(("Raise when ", "The base of "))
