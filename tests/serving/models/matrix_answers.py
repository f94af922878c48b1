"""What the container answers for a model, in every form of a body, beside what the model itself answers.

An answer is equal to the model's own `predict(frame)`, or a refusal that docs/known-limits.md names; all else is wrong.
"""

import io
import json
import pickle
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from predictor.compile.command import Options as Compile
from predictor.compile.command import compile_model
from predictor.errors import ModelLoadError
from predictor.ipc import Request
from predictor.models.base import Model, Options
from predictor.worker.batch import respond
from predictor.worker.loading import load
from predictor.worker.user_code import UserCode
from tests.serving.models.matrix import Case

LIMITS = {"which JSON and CSV do not have": "types that JSON and CSV do not have"}
"""Refusals by a part of their words, and the row of docs/known-limits.md that names them."""


@dataclass
class Counts:
    """What became of the bodies of all cases."""

    tried: int = 0
    found: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def add(self, other: "Counts") -> None:
        self.tried += other.tried
        self.found += other.found
        self.wrong += other.wrong


def as_pickle(case: Case, directory: Path) -> Options:
    (directory / "model.pkl").write_bytes(pickle.dumps(case.model))
    return Options()


def as_skops(case: Case, directory: Path) -> Options:
    import skops.io  # noqa: PLC0415  # takes a second

    skops.io.dump(case.model, directory / "model.skops")
    return Options(trusted=tuple(skops.io.get_untrusted_types(file=directory / "model.skops")))


def as_own_file(case: Case, directory: Path) -> Options:
    """The file of XGBoost's, LightGBM's or CatBoost's own library."""
    name = {"xgboost": "model.ubj", "lightgbm": "model.txt", "catboost": "model.cbm"}
    path = str(directory / name[type(case.model).__module__.partition(".")[0]])
    getattr(case.model, "booster_", case.model).save_model(path)
    return Options()


def as_onnx(case: Case, directory: Path) -> Options:
    source = directory / "source"
    source.mkdir()
    as_pickle(case, source)
    pd.DataFrame(case.rows).to_csv(source / "samples.csv", index=False)
    for _ in compile_model(Compile(source, directory, even_if_slower=True)):
        pass  # it tells line by line what it does
    return Options()


def tried(case: Case, directory: Path, save: Callable[[Case, Path], Options] = as_pickle) -> Counts:
    """Ask the container in every form after a round trip through a file."""
    counts = Counts(tried=1)
    try:
        options = save(case, directory)
    except Exception:  # noqa: BLE001  # the library cannot write this model: there is nothing to serve
        counts.found["not written"] += 1
        return counts
    try:
        model = load(directory, options)
    except ModelLoadError as error:
        return _counted(counts, case.name, error.detail)
    assert not isinstance(model, UserCode)
    with warnings.catch_warnings(action="ignore"):
        expected = plain(case.model.predict(case.rows))
        for form, (body, content_type) in bodies(case.rows).items():
            _judge(counts, model, f"{case.name}, {form}", (body, content_type), expected)
    return counts


def _judge(counts: Counts, model: Model, name: str, body: tuple[bytes, str], expected: list[Any]) -> None:
    (answer,) = respond(model, [Request(*body, "application/json", "one")])
    if answer.status != 200:
        _counted(counts, name, f"{answer.status} {json.loads(answer.body)['detail']}")
        return
    got = json.loads(answer.body)["predictions"]
    if same(got, expected):
        counts.found["equal"] += 1
    else:
        counts.wrong.append(f"{name}: got {str(got)[:150]}, expected {str(expected)[:150]}")


def _counted(counts: Counts, name: str, detail: str) -> Counts:
    limit = next((limit for words, limit in LIMITS.items() if words in detail), None)
    if limit:
        counts.found[f"refused: {limit}"] += 1
    else:
        counts.wrong.append(f"{name}: {detail}")
    return counts


def bodies(rows: Any) -> dict[str, tuple[bytes, str]]:
    """Rows in every form that can hold them."""
    frame = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(rows)
    named = isinstance(rows, pd.DataFrame)
    cells = [[_cell(cell) for cell in row] for row in frame.astype(object).to_numpy().tolist()]
    columns = [str(name) for name in frame.columns]
    found = {
        "rows": (_json({"data": cells}), "application/json"),
        "csv": (frame.to_csv(index=False, header=named).encode(), "text/csv"),
    }
    if named:
        records = [dict(zip(columns, row, strict=True)) for row in cells]
        found["records"] = (_json(records), "application/json")
        found["split"] = (_json({"columns": columns, "index": [*range(len(cells))], "data": cells}), "application/json")
        backwards = [{name: row[name] for name in columns[::-1]} for row in records]
        found["backwards"] = (_json(backwards), "application/json")
    array = frame.to_numpy()
    if array.dtype.kind in "fiub" or all(isinstance(cell, str) for cell in array.ravel()):
        found["npy"] = (_npy(array.astype(str) if array.dtype.hasobject else array), "application/x-npy")
    return found


def _cell(cell: Any) -> Any:
    if cell is None or cell is pd.NaT or (isinstance(cell, float) and np.isnan(cell)):
        return None
    if isinstance(cell, np.generic):
        return cell.item()
    return cell.isoformat() if hasattr(cell, "isoformat") else cell


def _json(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


def _npy(array: npt.NDArray[Any]) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def plain(predictions: Any) -> list[Any]:
    """A model's own predictions as JSON has them."""
    listed: list[Any] = np.asarray(predictions).tolist()
    return listed


def same(got: list[Any], expected: list[Any]) -> bool:
    """Whether answers are equal, numbers but for the last digits of a float32."""
    one, other = np.asarray(got), np.asarray(expected)
    if one.shape != other.shape:
        return False
    if one.dtype.kind in "fiu" and other.dtype.kind in "fiu":
        return bool(np.allclose(one, other, rtol=1e-6, atol=1e-9, equal_nan=True))
    return got == expected
