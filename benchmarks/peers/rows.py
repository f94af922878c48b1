"""What every hand-written peer makes of a body: the rows that the model takes."""

import os
from typing import Any

import joblib
import numpy as np
import pandas as pd


def load() -> Any:
    return joblib.load(os.environ["MODEL"])


def rows(body: dict[str, Any]) -> Any:
    """Make a table of `{"columns": names, "data": rows}`, a list of texts, or an array of what has no columns."""
    if body.get("columns"):
        return table(pd.DataFrame(body["data"], columns=body["columns"]))
    data = body["data"]
    return [text for (text,) in data] if isinstance(data[0][0], str) else np.asarray(data, dtype=float)


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """Write NaN for None, which a column without any value holds, and which an imputer does not take for missing."""
    return frame.fillna(np.nan) if object in frame.dtypes.to_numpy() else frame
