"""The rows on which a compiled model is compared with its original: samples, and variations of them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from predictor.compile.trees import thresholds
from predictor.errors import BadInputError, CompileError, PredictorError
from predictor.formats import registry
from predictor.inputs.conversion import is_missing
from predictor.inputs.rows import Columns, Rows
from predictor.inputs.schema import Schema
from predictor.inputs.validation import Table, check_categories, to_rows
from predictor.models.estimator import Estimator

MEDIA_TYPES = {
    ".csv": "text/csv; header=present",
    ".json": "application/json",
    ".jsonl": "application/jsonlines",
    ".npy": "application/x-npy",
    ".npz": "application/x-npz",
}
VARIATIONS = 2000
"""Rows of each kind of variation."""
SEED = 0
UNSEEN = "nobody has ever seen this"
UNSEEN_NUMBER = 98765.4321
UNSEEN_COLUMNS = 1000
"""Columns in which it is tried."""


@dataclass(frozen=True, slots=True)
class Samples:
    """Rows as cells, in the order of the model's features."""

    cells: list[list[Any]]
    kind: str = "samples"

    def rows(self, schema: Schema) -> Rows:
        rows = to_rows(Table(self.cells), schema)
        check_categories(rows, schema)
        return rows

    def first(self, count: int) -> "Samples":
        """Take so many rows, again and again if there are fewer."""
        return Samples([self.cells[index % len(self.cells)] for index in range(count)])


def find_samples(model_dir: Path) -> Path:
    found = sorted(path for path in model_dir.glob("samples.*") if path.suffix in MEDIA_TYPES)
    if len(found) != 1:
        kinds = ", ".join(MEDIA_TYPES)
        raise CompileError(
            f"{model_dir} needs one file samples.* ({kinds}) of rows to compare on, or name one: --samples."
        )
    return found[0]


def read_samples(file: Path, model: Estimator) -> Samples:
    """Read rows as a request's body is read; raises CompileError."""
    try:
        rows: Any = registry.decode(file.read_bytes(), MEDIA_TYPES.get(file.suffix, file.suffix), model.schema).rows
    except (OSError, PredictorError) as error:
        raise CompileError(f"{file} cannot be read: {error}") from error
    if hasattr(rows, "toarray"):
        rows = rows.toarray()
    cells = (rows.table() if isinstance(rows, Columns) else rows).tolist()
    return Samples([[None if is_missing(cell) else cell for cell in row] for row in cells])


def variations(samples: Samples, model: Estimator) -> list[Samples]:
    """The samples, and rows that lie where a converted model may go wrong."""
    random = np.random.default_rng(SEED)
    cells = np.array(samples.cells, dtype=object)
    schema = model.schema
    rows_of = {"samples": cells, "crossed": _crossed(cells, random)}
    if model.schema.numeric:
        numbers = cells.astype(np.float64)
        rows_of["rounded"] = numbers.astype(np.float32).astype(np.float64)
        rows_of["rounded"][:, [*schema.closed]] = numbers[
            :, [*schema.closed]
        ]  # of which the rounded ones may be refused
        finite = [(feature, threshold) for feature, threshold in thresholds(model.estimator) if np.isfinite(threshold)]
        rows_of["at thresholds"] = _at(_around(finite, _neighbours), cells, random)
    rows_of["beside what encoders know"] = _at(_around(_tolerated(schema), _strangers), cells, random)
    if len(schema.required) < cells.shape[1]:
        rows_of["missing"] = _with_missing(cells, model.schema, random)
    return [Samples(rows.tolist(), kind) for kind, rows in rows_of.items() if len(rows)]


def unseen(samples: Samples, model: Estimator) -> list[Samples]:
    """Samples for each column, with something in it that no encoder has seen in training."""
    first = samples.cells[0]
    text, flags = model.schema.text, model.schema.flags
    found = []
    for index in sorted({*range(min(len(first), UNSEEN_COLUMNS))} - set(flags)):
        # A half more may be cut to the whole number that it is beside.
        for cell in (UNSEEN,) if index in text else (UNSEEN_NUMBER, (first[index] or 0) + 0.5):
            found.append(Samples([[*first[:index], cell, *first[index + 1 :]]], f"unseen in column {index}"))  # noqa: PERF401  # two loops in one are hard to read
    return found


def takes_missing(samples: Samples, model: Estimator) -> bool:
    """Whether a model answers rows with missing cells; one that judges its columns itself may refuse them."""
    rows = _with_missing(np.array(samples.cells, dtype=object), model.schema, np.random.default_rng(SEED))
    try:
        if len(rows):
            model.predict(Samples(rows.tolist()).rows(model.schema), model.schema.methods[0])
    except BadInputError:
        return False
    return True


def _with_missing(cells: npt.NDArray[Any], schema: Schema, random: np.random.Generator) -> npt.NDArray[Any]:
    """Samples without a quarter of the cells that may be missing; none where none may."""
    optional = [index not in schema.required for index in range(cells.shape[1])]
    rows = cells.copy()
    rows[(random.random(cells.shape) < 1 / 4) & optional] = None
    return rows[: len(rows) * any(optional)]


def _crossed(cells: npt.NDArray[Any], random: np.random.Generator) -> npt.NDArray[Any]:
    """Rows whose every cell is another sample's: combinations that the samples do not have."""
    picked = random.integers(len(cells), size=(VARIATIONS, cells.shape[1]))
    return np.take_along_axis(cells, picked, axis=0)


def _tolerated(schema: Schema) -> list[tuple[int, float]]:
    """Numbers that encoders know who take others as well; true and false have none beside them."""
    return [
        (position, float(number))
        for position, feature in enumerate(schema.features or ())
        if not (feature.text or feature.closed or position in schema.flags)
        for number in feature.categories
    ]


def _at(places: list[tuple[int, float]], cells: npt.NDArray[Any], random: np.random.Generator) -> npt.NDArray[Any]:
    """Samples with one feature at one of the places."""
    if not places:
        return cells[:0]
    rows = cells[random.integers(len(cells), size=VARIATIONS)]
    for row, (feature, number) in zip(rows, random.permutation(_repeated(places)), strict=False):
        row[int(feature)] = float(number)
    return rows


def _around(places: list[tuple[int, float]], others: Callable[[float], list[float]]) -> list[tuple[int, float]]:
    return [(feature, other) for feature, number in places for other in others(number)]


def _neighbours(number: float) -> list[float]:
    """A number with the next lower and higher ones, in double and in single precision."""
    near = [number, np.nextafter(number, -np.inf), np.nextafter(number, np.inf)]
    single = np.float32(number)
    return [
        *near,
        *map(float, (single, np.nextafter(single, -np.float32(np.inf)), np.nextafter(single, np.float32(np.inf)))),
    ]


def _strangers(number: float) -> list[float]:
    """Numbers that may be taken for another one where they are cut to whole ones, or rounded."""
    return [*_neighbours(number), number + 0.5, number - 0.5, number + 1, number - 1]


def _repeated(places: list[tuple[int, float]]) -> list[tuple[int, float]]:
    return places * (VARIATIONS // len(places) + 1)
