"""ONNX models: those that `python -m predictor compile` wrote, and any other with rows of features in.

A compiled model carries its signature and where each method's answer is as metadata, so that it serves the same API as
the model it was made of. Of another one both are read from its inputs and outputs.

Numbers are doubles until here. A graph that takes float32 gets the nearest one, as the frameworks that train on float32
make of doubles; a graph that takes whole numbers or booleans gets exactly what was sent, or the request is refused.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

from predictor.errors import BadInputError, ModelLoadError, PredictionError, PredictorError
from predictor.inputs.conversion import is_missing
from predictor.inputs.known_categories import known_categories
from predictor.inputs.rows import Columns, one_a_row
from predictor.inputs.schema import Feature, FeatureType, Schema
from predictor.inputs.schema_json import from_json, to_json

METADATA = "predictor"
"""Key of the metadata that a compiled model carries."""
NUMBERS = {
    "tensor(double)": np.float64,
    "tensor(float)": np.float32,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(bool)": np.bool,
}
TEXT = "tensor(string)"
MISSING = "\uffff"
"""What stands for a missing string in a compiled model: a noncharacter, which no text has (Unicode, section 23.7)."""
NAMED_OUTPUTS = {"prob": "predict_proba", "score": "decision_function", "decision": "decision_function"}
"""Parts of the names that converters give to the outputs of a method."""
LOCALE = (
    "it makes text lower case by the rules of a locale that this machine lacks, as slim images do: export it with "
    "the locale C.UTF-8 (attribute `locale` of StringNormalizer)."
)
EXACT = 2**53 - 1
"""Above it a double may stand for another whole number than the one that was sent."""
LIMITS: dict[type, tuple[str, float, float]] = {
    np.float32: (
        "a number that a 32-bit float can hold",
        -float(np.finfo(np.float32).max),
        float(np.finfo(np.float32).max),
    ),
    np.int64: (f"a whole number of at most {EXACT}", -EXACT, EXACT),
    np.int32: ("a whole number of 32 bits", -(2**31), 2**31 - 1),
    np.bool: ("true, false, 1 or 0", 0, 1),
}
"""What a kind of numbers holds: in words, the least and the greatest."""


@dataclass(frozen=True, slots=True)
class Output:
    """Where a method's answer is: an output of a file's graph, or one column of it."""

    file: str
    name: str
    column: int | None = None
    flags: bool = False
    """Whether 1 and 0 stand for true and false."""


class OnnxModel:
    """An ONNX graph a method; called by one thread at a time."""

    def __init__(self, path: Path, threads: int) -> None:
        self._directory = path.parent
        self._threads = threads
        session = self._open(path.name)
        self.schema, self._outputs, self.most_rows = _described(session, path)
        self._known = known_categories(self.schema)
        self._gaps = any(feature.text and feature.nullable is not False for feature in self.schema.features or ())
        """Whether strings may be missing."""
        self._inputs = [(item.name, NUMBERS.get(item.type, np.str_)) for item in session.get_inputs()]
        self._sessions = self._open_all()

    def predict(self, rows: Any, method: str) -> npt.NDArray[Any]:
        """See `predictor.models.base.Model`."""
        if isinstance(rows, Columns):
            rows = rows.table()
        for known in self._known:
            rows = known.admit(rows)
        output = self._outputs[method]
        feed = self._feed(rows)
        try:
            answer = self._sessions[output.file].run([output.name], feed)[0]
        except Exception as error:
            raise PredictionError("The model failed on these rows.") from error
        return one_a_row(_array(answer, output), rows.shape[0])

    def warm_up(self) -> bool:
        """See `predictor.models.base.Model`."""
        cells = [feature.example for feature in self.schema.features or (Feature(),)]
        row = np.array([cells], dtype=np.float64 if self.schema.numeric else object)
        try:
            for method in self.schema.methods:
                self.predict(row, method)
        except PredictorError:
            return False
        return True

    def _feed(self, rows: Any) -> dict[str, npt.NDArray[Any]]:
        if len(self._inputs) == 1:
            name, kind = self._inputs[0]
            return {name: self._cells(rows, kind)}
        return {name: self._cells(rows[:, i : i + 1], kind, i) for i, (name, kind) in enumerate(self._inputs)}

    def _cells(self, rows: npt.NDArray[Any], kind: type, first: int = 0) -> npt.NDArray[Any]:
        """Make cells what an input takes, from the model's column `first` on; raises BadInputError."""
        if kind is np.str_:
            return _texts(rows, gaps=self._gaps)
        numbers = np.ascontiguousarray(rows, dtype=np.float64)
        if kind in LIMITS:
            _check(numbers, kind, first)
        return numbers.astype(kind, copy=False)

    def _open(self, file: str) -> onnxruntime.InferenceSession:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.add_session_config_entry(
            "session.intra_op.allow_spinning", "0"
        )  # it would burn a core between requests
        path = self._directory / file
        try:
            return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        except Exception as error:
            if "locale" in str(error):
                raise ModelLoadError(f"{path} cannot be loaded: {LOCALE}") from error
            raise

    def _open_all(self) -> dict[str, onnxruntime.InferenceSession]:
        files = {output.file for output in self._outputs.values()}
        return {file: self._open(file) for file in files}


def description(schema: Schema, outputs: dict[str, Output]) -> str:
    """The metadata of a compiled model."""
    places = {name: asdict(output) for name, output in outputs.items()}
    return json.dumps({"schema": to_json(schema), "outputs": places})


def _described(session: onnxruntime.InferenceSession, path: Path) -> tuple[Schema, dict[str, Output], int | None]:
    """Read a compiled model's metadata, or else derive them.

    The last is the largest batch for the graph; its original predicts larger ones. None where there is no original.
    """
    text = session.get_modelmeta().custom_metadata_map.get(METADATA)
    if text is None:
        outputs = _outputs(session.get_outputs(), path.name)
        return _schema(session.get_inputs(), tuple(outputs), path), outputs, None
    read = json.loads(text)
    if "schema" not in read:
        raise ModelLoadError(f"{path} was compiled by an earlier version: compile the original again.")
    outputs = {name: Output(**output) for name, output in read["outputs"].items()}
    return from_json(read["schema"]), outputs, read.get("most_rows")


def _schema(inputs: Sequence[Any], methods: tuple[str, ...], path: Path) -> Schema:
    """Derive the schema: one input of rows, or an input of one column a feature."""
    if unknown := [item.type for item in inputs if item.type not in NUMBERS and item.type != TEXT]:
        raise ModelLoadError(f"{path} takes a {unknown[0]}: only rows of numbers or text can be served.")
    for item in inputs:
        if len(item.shape) != 2 or isinstance(item.shape[0], int):  # noqa: PLR2004  # rows and columns
            raise ModelLoadError(
                f"{path} takes {item.name} of shape {item.shape}: export it as [any number of rows, features]."
            )
    if len(inputs) > 1:
        return Schema(tuple(_feature(item, item.name) for item in inputs), methods=methods)
    (item,) = inputs
    width = item.shape[1] if isinstance(item.shape[1], int) else 1 if item.type == TEXT else None
    return Schema(None if width is None else (_feature(item),) * width, methods=methods)


def _feature(item: Any, name: str = "") -> Feature:
    """A column of an input: floats may be NaN, of which only the graph knows whether it takes it."""
    if item.type == TEXT:
        return Feature(name, FeatureType.TEXT, dtype="object", nullable=False)
    return Feature(name, nullable=None if "float" in item.type or "double" in item.type else False)


def _outputs(outputs: Sequence[Any], file: str) -> dict[str, Output]:
    """The first output is the prediction; another one is probabilities or scores where its name says so."""
    found = {"predict": Output(file, outputs[0].name)}
    for output in outputs[1:]:
        for part, method in NAMED_OUTPUTS.items():
            if part in output.name.lower():
                found.setdefault(method, Output(file, output.name))
    return found


def _check(numbers: npt.NDArray[np.float64], kind: type, first: int) -> None:
    """Refuse what a kind of numbers does not hold; NaN only floats do."""
    expected, least, greatest = LIMITS[kind]
    wrong = (numbers < least) | (numbers > greatest)
    if kind is not np.float32:
        wrong |= numbers != np.trunc(numbers)
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        where = f"{numbers[row, column]:.17g} in row {row}, column {first + column}"
        raise BadInputError(f"A cell is not what the model takes: expected {expected}, got {where}.")


def _texts(rows: npt.NDArray[Any], *, gaps: bool) -> npt.NDArray[Any]:
    cells = rows.ravel().tolist()
    if not all(isinstance(cell, str) and cell != MISSING for cell in cells):
        cells = [MISSING if gaps and is_missing(cell) else _text(cell) for cell in cells]
    return np.array(cells, dtype=object).reshape(rows.shape)


def _text(cell: Any) -> str:
    if not isinstance(cell, str) or cell == MISSING:
        raise BadInputError("A cell is not what the model takes: expected a string in every column of text.")
    return cell


def _array(answer: Any, output: Output) -> Any:
    if isinstance(answer, list) and all(isinstance(row, dict) for row in answer):
        # a ZipMap: a dict of probabilities a row, in the order of the classes
        return np.array([list(row.values()) for row in answer])
    if isinstance(answer, list):  # an array for each of several outputs, which the caller knows
        return answer
    if output.flags:
        return answer.astype(bool)
    if output.column is not None:
        return answer[:, output.column]
    return answer.ravel() if answer.ndim > 1 and answer.shape[1:] == (1,) and output.name != "transform" else answer
