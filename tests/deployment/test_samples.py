"""samples.csv, as pandas writes it, made into request bodies."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from deployment.errors import UnreadableError
from deployment.samples import read_bodies, read_samples


def test_numbers_need_no_names(tmp_path: Path) -> None:
    pd.DataFrame({"length": [1.5, 2.5], "count": [3, 4]}).to_csv(tmp_path / "samples.csv", index=False)

    assert read_bodies(tmp_path) == [{"data": [[1.5, 3]]}, {"data": [[1.5, 3], [2.5, 4]]}]


def test_columns_are_named_where_they_are_not_all_numbers(tmp_path: Path) -> None:
    table = pd.DataFrame({"length": [1.5, None], "colour": ["red", None], "open": [True, False]})
    table.to_csv(tmp_path / "samples.csv", index=False)

    columns = ["length", "colour", "open"]
    assert read_bodies(tmp_path) == [
        {"data": [[1.5, "red", True]], "columns": columns},
        {"data": [[1.5, "red", True], [None, None, False]], "columns": columns},
    ]


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("1", 1),
        ("-1.5e3", -1500.0),
        ("True", True),
        ("false", False),
        ("", None),
        ("nan", None),
        ("NaN", None),
        ("Infinity", "Infinity"),
        ("1e999", "1e999"),
        ("null", "null"),
        ("[1]", "[1]"),
        ("007", "007"),
        ("größer", "größer"),
    ],
)
def test_a_cell_is_typed_as_json_has_it(tmp_path: Path, text: str, cell: Any) -> None:
    (tmp_path / "samples.csv").write_text(f"a,b\n1,{text}\n", encoding="utf-8")

    (row,) = read_samples(tmp_path).rows

    assert row == (1, cell)
    assert type(row[1]) is type(cell)
    json.dumps(row, allow_nan=False)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "expected a CSV file with a header and sample rows"),
        ("length\n", "expected sample rows below the header"),
        (",length\n0,1\n", "write it without its index: to_csv(index=False)"),
    ],
)
def test_what_holds_no_rows_is_refused(tmp_path: Path, content: str, sentence: str) -> None:
    (tmp_path / "samples.csv").write_text(content)

    with pytest.raises(UnreadableError) as caught:
        read_samples(tmp_path)

    assert sentence in str(caught.value)


def test_a_missing_file_says_what_is_expected(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="expected a CSV file with a header and sample rows"):
        read_samples(tmp_path)
