"""What is wrong with a request's cells, where the codecs' own tests do not say it."""

from typing import Any

import pandas as pd
import pytest

from predictor.errors import BadInputError, Fault
from predictor.inputs.rows import Rows, Signature
from predictor.inputs.validation import Table, to_rows


def refusal(cells: list[list[Any]], signature: Signature) -> BadInputError:
    with pytest.raises(BadInputError) as refused:
        to_rows(Table(cells), signature)
    return refused.value


def test_strings_of_which_a_row_has_fewer_are_explained() -> None:
    signature = Signature(features=None, text=frozenset(range(9)))

    assert refusal([["a", {}]], signature).errors == (Fault("/data/0/1", "expected a string or null, got an object"),)


def test_only_cells_of_columns_that_are_wrong_are_named() -> None:
    signature = Signature(text=None, missing=True)

    assert refusal([[2**60 + 1, []], [2**60 + 1, 1]], signature).errors == (
        Fault("/data/0/1", "expected a string, number, boolean or null, got a list"),
    )


@pytest.mark.parametrize("cells", [[["a", 1], [None, 2]], [[None, 1]]])
def test_a_column_of_strings_has_one_type_whatever_its_cells(cells: list[list[Any]]) -> None:
    signature = Signature(2, ("city", "size"), text=frozenset({0}), frame=True)
    found: Rows = to_rows(Table(cells), signature)

    assert isinstance(found, pd.DataFrame)
    assert found.dtypes.astype(str).to_dict() == {"city": "object", "size": "float64"}
