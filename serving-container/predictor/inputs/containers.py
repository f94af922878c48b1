"""Rows as an estimator takes them: an array, a DataFrame, texts or records, made once a batch."""

from typing import TYPE_CHECKING, Any

import numpy as np

from predictor.inputs.rows import Columns, Rows
from predictor.inputs.schema import Container, Schema

if TYPE_CHECKING:
    import pandas as pd


def contain(rows: Rows, schema: Schema) -> Any:
    """Make of rows what the schema's container says; names that only the request has make a DataFrame too."""
    if schema.container is Container.TEXTS and isinstance(rows, Columns):
        return rows.arrays[0]
    if schema.container is Container.RECORDS and isinstance(rows, Columns):
        return [dict(zip(rows.names, row, strict=True)) for row in rows.table().tolist()]
    if isinstance(rows, Columns):
        framed = rows.names and (schema.container is Container.FRAME or schema.own_code)
        return _frame(rows, schema) if framed else rows.table()
    if schema.container is Container.FRAME and schema.names and isinstance(rows, np.ndarray):
        import pandas as pd  # noqa: PLC0415  # a worker with an ONNX model never needs it

        return pd.DataFrame(rows, columns=list(schema.names), copy=False)
    return rows


def _frame(rows: Columns, schema: Schema) -> "pd.DataFrame":
    """Make a DataFrame; a column of known type keeps it, where pandas would have it depend on its cells."""
    import pandas as pd  # noqa: PLC0415  # as above

    columns = {
        name: pd.Series(array, dtype=object, copy=False)
        if array.dtype.hasobject and not schema.feature(position).unknown
        else array
        for position, (name, array) in enumerate(zip(rows.names, rows.arrays, strict=True))
    }
    return pd.DataFrame(columns, copy=False)
