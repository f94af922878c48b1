"""What is wrong with a request's cells, where the codecs' own tests do not say it."""

from typing import Any

import pytest

from predictor.errors import BadInputError, Fault
from predictor.inputs.containers import contain
from predictor.inputs.schema import Container, Schema
from predictor.inputs.validation import Table, to_rows
from tests.serving.schemas import a_schema


def refusal(cells: list[list[Any]], schema: Schema) -> BadInputError:
    with pytest.raises(BadInputError) as refused:
        to_rows(Table(cells), schema)
    return refused.value


def test_strings_of_which_a_row_has_fewer_are_explained() -> None:
    schema = a_schema(2, text=range(2))

    assert refusal([["a", {}]], schema).errors == (Fault("/data/0/1", "expected a string or null, got an object"),)


def test_only_cells_of_columns_that_are_wrong_are_named() -> None:
    schema = a_schema()

    assert refusal([[2**60 + 1, []], [2**60 + 1, 1]], schema).errors == (
        Fault("/data/0/1", "expected a string, number, boolean or null, got a list"),
    )


@pytest.mark.parametrize("cells", [[["a", 1], [None, 2]], [[None, 1]]])
def test_a_column_of_strings_has_one_type_whatever_its_cells(cells: list[list[Any]]) -> None:
    schema = a_schema(2, names=("city", "size"), text=frozenset({0}), container=Container.FRAME)
    found = to_rows(Table(cells), schema)

    frame = contain(found, schema)

    assert frame.dtypes.astype(str).to_dict() == {"city": "object", "size": "float64"}


def test_a_wrong_cell_is_told_by_its_columns_name_with_rows_that_suit() -> None:
    named = a_schema(2, names=("age", "income"))

    assert refusal([[1, 2], [1, "x"]], named).detail == (
        'A cell is not what the model takes: expected a number, got "x" at /data/1/1, row 1, column "income". '
        'The model takes rows such as {"columns": ["age", "income"], "data": [[1, 1]]}.'
    )
