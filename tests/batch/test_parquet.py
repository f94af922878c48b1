"""Parquet through a batch: the same rows with their predictions; pyarrow is an extra."""

from pathlib import Path

import pandas as pd
import pytest

from batch.columns import Columns
from batch.errors import BatchError, LineError
from batch.parquet_files import ParquetFile
from batch.records import Options
from tests.batch.conftest import Asking, credit


@pytest.mark.parametrize("size", [640, 100_000])
def test_a_table(credit_model: Asking, tmp_path: Path, size: int) -> None:
    source, output, frame = tmp_path / "in.parquet", tmp_path / "out.parquet", credit(50)
    frame.insert(0, "when", pd.date_range("2024-01-01", periods=50, tz="UTC"))
    frame.iloc[:, ::-1].to_parquet(source, index=False)

    progress = credit_model.predict(source, output, size=size, probabilities=True)

    given, got = pd.read_parquet(source), pd.read_parquet(output)
    pd.testing.assert_frame_equal(got[given.columns], given)
    columns = list(credit_model.estimator.feature_names_in_)
    assert got["prediction"].tolist() == credit_model.estimator.predict(given[columns]).tolist()
    assert len(got["probabilities"][0]) == 2
    assert (progress.rows, progress.read) == (50, 50)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.parquet", "out.journal", "out.parquet"]


def test_bad_rows_and_no_rows(credit_model: Asking, tmp_path: Path) -> None:
    source = tmp_path / "in.parquet"
    frame = credit(5)
    frame["age"] = ["1", "x", "3", "4", "5"]
    frame.to_parquet(source, index=False)

    with pytest.raises(LineError, match=r'in\.parquet, line 1: column "age": expected a number'):
        credit_model.predict(source, tmp_path / "out")
    credit_model.predict(source, tmp_path / "skipped", skip=True, only=("home",))
    credit(5).iloc[:0].to_parquet(source, index=False)
    credit_model.predict(source, tmp_path / "empty")

    got = pd.read_parquet(tmp_path / "skipped")
    assert list(got.columns) == ["home", "prediction", "error"]
    assert got["error"].notna().all()
    assert pd.read_parquet(tmp_path / "empty").shape == (0, 6)


def test_files_that_do_not_fit(tmp_path: Path) -> None:
    source = tmp_path / "in.parquet"
    pd.DataFrame({"a": [1], "prediction": [2]}).to_parquet(source, index=False)

    with pytest.raises(BatchError, match="lacks the column b"):
        ParquetFile(source, Columns(("a", "b")), Options())
    with pytest.raises(BatchError, match="has a column prediction already"):
        ParquetFile(source, Columns(("a",)), Options())
    source.write_bytes(b"a,b\n")
    with pytest.raises(BatchError, match="is not Parquet"):
        ParquetFile(source, Columns(), Options())
