"""CSV through a batch: the output is what the model's own predict says of pandas.read_csv of the file."""

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from batch.columns import parse_columns
from batch.csv_files import CsvFile
from batch.errors import BatchError, LineError
from batch.records import Options
from tests.batch.conftest import Asking, Write, credit

NAMES = "age,income,rate,job,home"
ROWS = "31,50000,4.5,clerk,own\n,20000,5.5,,rent\n44,NA,1,none,own\n"


def same(model: Asking, source: Path, output: Path) -> pd.DataFrame:
    """Compare with the model's own prediction of the whole file, and the columns with the input's."""
    given, got = pd.read_csv(source), pd.read_csv(output)
    pd.testing.assert_frame_equal(got[given.columns], given)
    assert got["prediction"].tolist() == model.estimator.predict(given).tolist()
    return got


@pytest.mark.parametrize("size", [200, 2000, 100_000])
def test_a_table_with_quotes_and_missing_cells(credit_model: Asking, tmp_path: Path, size: int) -> None:
    source = tmp_path / "in.csv"
    credit(100).to_csv(source, index=False)

    progress = credit_model.predict(source, tmp_path / "out", size=size, probabilities=True)

    got = same(credit_model, source, tmp_path / "out")
    expected = credit_model.estimator.predict_proba(pd.read_csv(source))
    # BLAS adds in another order for another number of rows: the last bit may differ.
    np.testing.assert_allclose(got[["probability_0", "probability_1"]], expected, rtol=1e-12)
    assert progress.rows == 100
    assert progress.read == source.stat().st_size


@pytest.mark.parametrize(
    "content",
    [
        f"{NAMES}\n{ROWS}",
        f"{NAMES}\n{ROWS}".removesuffix("\n"),
        f"{NAMES}\n{ROWS}".replace("\n", "\r\n"),
        f"{NAMES}\n{ROWS}".replace("\n", "\r"),
        f"\ufeff{NAMES}\n{ROWS}",
        f"\n\n{NAMES}\n\n{ROWS}\n  \n\n",
        f'{NAMES}\n{ROWS}31,1,2,"a ""b"" c","d,\r\ne"\r\n',
        f'"age",income,"rate",job,home\n{ROWS}',
        f"id,{NAMES},note\n7,31,50000,4.5,clerk,own,x\n8,,NaN,1,None,null,y\n",
        "home,job,rate,income,age\nown,clerk,4.5,50000,31\n",
        f'{NAMES}\n31,1,2,5" pipe,own\n31,1,2,a "b" c,own\n',
        f'{NAMES}\n31,1,2,"ab"c,own\n',
        f"{NAMES}\n1,2,3,{'w' * 3000},own\n{ROWS}",
    ],
    ids=[
        "plain", "no-final-newline", "crlf", "cr", "bom", "blank-lines", "quoted-newline", "quoted-header",
        "further-columns", "another-order", "quotes-within", "text-behind-quotes", "long-line",
    ],
)  # fmt: skip
@pytest.mark.parametrize("size", [16, 100_000])
def test_however_it_is_written(credit_model: Asking, write: Write, tmp_path: Path, content: str, size: int) -> None:
    source = write(content)

    credit_model.predict(source, tmp_path / "out", size=size)

    same(credit_model, source, tmp_path / "out")


@pytest.mark.parametrize(("content", "expected"), [("", ""), ("\n\n", ""), (f"{NAMES}\n", f"{NAMES},prediction\n")])
def test_a_file_without_rows(credit_model: Asking, write: Write, tmp_path: Path, content: str, expected: str) -> None:
    credit_model.predict(write(content), tmp_path / "out")

    assert (tmp_path / "out").read_text() == expected


def test_only_some_columns_are_kept(credit_model: Asking, write: Write, tmp_path: Path) -> None:
    source = write(f"id,{NAMES}\n7,31,50000,4.5,clerk,own\n8,31,20,4.5,clerk,own\n")

    credit_model.predict(source, tmp_path / "some", only=("job", "id"))
    credit_model.predict(source, tmp_path / "none", only=())

    assert (tmp_path / "some").read_text() == "job,id,prediction\nclerk,7,good\nclerk,8,bad\n"
    assert (tmp_path / "none").read_text() == "prediction\ngood\nbad\n"


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("x,1,2,clerk,own", 'column "age": expected a number, got "x"'),
        ("1,2,3,clerk", "expected 5 cells, got 4"),
        ("1,2,3,clerk,own,6", "expected 5 cells, got 6"),
        ("1,inf,3,clerk,own", 'column "income": expected a finite number, got "inf"'),
        ('1,2,3,"a\nb"', "expected 5 cells, got 4"),
    ],
)
def test_a_bad_line_is_named(credit_model: Asking, write: Write, tmp_path: Path, bad: str, message: str) -> None:
    source = write(f"{NAMES}\n31,5e4,4.5,clerk,own\n\n{bad}\n44,3,1,none,own\n{bad}\n")

    with pytest.raises(LineError) as refused:
        credit_model.predict(source, tmp_path / "out", size=40)
    assert f"in.csv, line 4: {message}" in str(refused.value)

    progress = credit_model.predict(source, tmp_path / "skipped", skip=True)
    got = pd.read_csv(tmp_path / "skipped")
    assert got["prediction"].isna().tolist() == [False, True, False, True]
    assert got["error"].dropna().tolist() == [message] * 2
    assert progress.errors == 2


def test_a_model_that_fails_on_a_row(credit_model: Asking, write: Write, tmp_path: Path) -> None:
    """Bad rows that the container names none of are found by halves."""
    rows = ["31,5e4,4.5,clerk,own"] * 50
    rows[0] = rows[17] = "31,5e4,4.5,\udcff,own"
    source = write(f"{NAMES}\n{chr(10).join(rows)}\n".encode(errors="surrogateescape"))

    credit_model.predict(source, tmp_path / "out", skip=True)

    got = pd.read_csv(tmp_path / "out", encoding_errors="replace")
    assert got.index[got["prediction"].isna()].tolist() == [0, 17]


def test_a_file_with_a_quote_that_is_not_closed(credit_model: Asking, write: Write, tmp_path: Path) -> None:
    with pytest.raises(LineError, match="begins in line 3 does not end"):
        credit_model.predict(write(f'{NAMES}\n1,2,3,a,b\n1,2,3,"a,b\n4,5,6,a,b\n'), tmp_path / "out", skip=True)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("age,income,rate,job\n1,2,3,a\n", "the input lacks the column home, which the model takes; it has age"),
        (f"{NAMES},home\n1,2,3,a,b,c\n", "the column home stands twice"),
        (f"{NAMES},prediction\n1,2,3,a,b,c\n", "has a column prediction already"),
        (f"{NAMES}\n".encode("utf-16"), "is UTF-16"),
    ],
)
def test_a_header_that_does_not_fit(
    credit_model: Asking, write: Write, tmp_path: Path, content: str | bytes, message: str
) -> None:
    with pytest.raises((BatchError, LineError), match=message):
        credit_model.predict(write(content), tmp_path / "out")


def test_a_model_without_names(nameless_model: Asking, write: Write, tmp_path: Path) -> None:
    source = write("1,2\n-3,-4\n")

    with pytest.raises(BatchError, match="--header where it names the columns, or --no-header"):
        nameless_model.predict(source, tmp_path / "out")
    nameless_model.predict(source, tmp_path / "rows", header=False)
    nameless_model.predict(source, tmp_path / "header", header=True)
    nameless_model.predict(write("a,b\n1,2\n"), tmp_path / "named")

    assert (tmp_path / "rows").read_text() == "1,2,True\n-3,-4,False\n"
    assert (tmp_path / "header").read_text() == "1,2,prediction\n-3,-4,False\n"
    assert (tmp_path / "named").read_text() == "a,b,prediction\n1,2,True\n"
    with pytest.raises(BatchError, match="the model takes 2 columns"):
        nameless_model.predict(write("a,b,c\n1,2,3\n"), tmp_path / "wide")


def test_a_word_for_a_missing_cell_that_is_a_category(write: Write) -> None:
    """A model that was trained with "None" as a category gets it; in another column it is a missing cell."""
    columns = parse_columns({"properties": {"job": {"x-categories": ["None", "clerk"]}, "home": {}}})
    file = CsvFile(write("job,home\nNone,None\nNA,own\n"), columns, Options())

    (chunk,) = file.chunks(file.start)

    assert chunk.sent == [b"None,", b",own"]
    assert chunk.kept == [b"None,None", b"NA,own"]


def test_a_cell_beyond_the_csv_modules_limit(credit_model: Asking, write: Write, tmp_path: Path) -> None:
    source = write(f'id,{NAMES}\n"{"x," * 100_000}",31,50000,4.5,clerk,own\n')

    credit_model.predict(source, tmp_path / "out")

    same(credit_model, source, tmp_path / "out")
    assert csv.field_size_limit() == 131_072


def test_a_header_that_was_written_without_an_answer(credit_model: Asking, write: Write, tmp_path: Path) -> None:
    """How many probabilities there are is not known while every record is bad."""
    bad, good = "x,1,2,clerk,own\n", "31,50000,4.5,clerk,own\n"

    credit_model.predict(write(f"{NAMES}\n{bad * 9}{good * 9}"), tmp_path / "out", skip=True, size=40)
    with pytest.raises(BatchError, match="put a record that is right first"):
        credit_model.predict(
            write(f"{NAMES}\n{bad * 9}{good * 9}"), tmp_path / "two", skip=True, size=40, probabilities=True
        )

    assert pd.read_csv(tmp_path / "out")["prediction"].notna().tolist() == [False] * 9 + [True] * 9
