"""One feature's cells: what they become, and what is wrong with them."""

import math
from dataclasses import replace
from typing import Any

import pytest

from predictor.inputs.conversion import convert, number, wrong_cell
from predictor.inputs.schema import ANY, Feature, FeatureType

NUMBER = Feature(nullable=False)
STRINGS = Feature(type=FeatureType.TEXT, dtype="object", nullable=True)


@pytest.mark.parametrize(
    ("cells", "kind", "expected"),
    [
        ([1, 2], "int64", [1, 2]),
        ([2**53 + 1], "int64", [2**53 + 1]),
        ([1, 2.5], "float64", [1.0, 2.5]),
        ([1, None], "float64", [1.0, math.nan]),
        ([None], "float64", [math.nan]),
        ([True, False], "bool", [True, False]),
        ([True, None], "object", [True, math.nan]),
        (["a", None, 1], "object", ["a", math.nan, 1]),
    ],
)
def test_cells_of_no_known_kind_are_read_as_pandas_reads_a_column(cells: list[Any], kind: str, expected: Any) -> None:
    found = convert(cells, ANY, None)

    assert found.dtype == kind
    assert repr(found.tolist()) == repr(expected)  # NaN equals nothing


@pytest.mark.parametrize(
    ("cells", "kind", "expected"),
    [
        (["1", " 2"], "int64", [1, 2]),
        (["1", "2.5"], "float64", [1.0, 2.5]),
        (["1", ""], "float64", [1.0, math.nan]),
        (["True", "false"], "bool", [True, False]),
        (["True", ""], "object", [True, math.nan]),
        (["1", "x"], "object", ["1", "x"]),
        (["inf"], "object", ["inf"]),
        (["1_000"], "object", ["1_000"]),
    ],
)
def test_csv_of_no_known_kind_is_read_so_as_well(cells: list[str], kind: str, expected: Any) -> None:
    found = convert(cells, ANY, number)

    assert found.dtype == kind
    assert repr(found.tolist()) == repr(expected)  # NaN equals nothing


@pytest.mark.parametrize("cells", [["a"], [None], ["a", None]])
def test_strings_are_objects_whatever_stands_beside_them(cells: list[Any]) -> None:
    found = convert(cells, STRINGS, None)

    assert found.dtype == object
    assert repr(found.tolist()) == repr([math.nan if cell is None else cell for cell in cells])


def test_a_missing_string_is_none_where_it_was_so_in_training() -> None:
    assert convert([None], replace(STRINGS, none=True), None).tolist() == [None]


@pytest.mark.parametrize("cell", [2**53 + 1, -(2**53) - 1, 2**63 + 1, 10**400])
def test_a_whole_number_that_would_be_rounded_is_refused(cell: int) -> None:
    for feature in (NUMBER, Feature(nullable=True), Feature(dtype="object")):
        with pytest.raises(OverflowError):
            convert([1, cell], feature, None)
        with pytest.raises(OverflowError):
            convert(["1", str(cell)], feature, number)
        expected = "a number that a 64-bit float holds exactly"
        assert wrong_cell(cell, feature, None) == wrong_cell(str(cell), feature, number) == expected


@pytest.mark.parametrize("cell", [2**53, 2**60, -(2**1000), 1e300, 9007199254740993.0])
def test_a_large_number_that_a_double_holds_is_taken(cell: float) -> None:
    assert convert([cell], NUMBER, None).tolist() == [cell]
    assert convert([str(cell)], NUMBER, number).tolist() == [cell]


@pytest.mark.parametrize("cell", [2**53 + 1, 2**64])
def test_a_whole_number_among_fractions_of_no_known_kind_is_not_rounded_either(cell: int) -> None:
    with pytest.raises(OverflowError):
        convert([cell, 0.5] if cell < 2**63 else [cell], ANY, None)

    assert wrong_cell(cell, ANY, None) == "a number of 64 bits"


@pytest.mark.parametrize(("cell", "expected"), [("True", 1), ("false", 0), (" TRUE ", 1), ("1e2", 100)])
def test_a_csv_cell_of_a_feature_of_numbers(cell: str, expected: float) -> None:
    assert number(cell) == expected


@pytest.mark.parametrize("cell", ["x", "1_000", "NA", "yes", "0x10"])
def test_a_csv_cell_that_is_no_number(cell: str) -> None:
    assert wrong_cell(cell, NUMBER, number) == "a number"
