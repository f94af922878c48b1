"""What a batch of Parquet says where pyarrow, an extra, is not installed."""

import sys
from pathlib import Path

import pytest

from batch.columns import Columns
from batch.errors import BatchError
from batch.parquet_files import ParquetFile
from batch.records import Options


def test_without_pyarrow_the_remedy_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    with pytest.raises(BatchError, match=r"pip install pyarrow, .* or write the file as CSV"):
        ParquetFile(tmp_path / "in.parquet", Columns(), Options())
