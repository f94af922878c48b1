"""A fitted estimator as ONNX files: one graph for predictions and probabilities, one more for decision_function."""

import json
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from skl2onnx import to_onnx
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, StringTensorType
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import Pipeline

from predictor.compile import converters
from predictor.compile.trees import BINARY
from predictor.errors import CompileError
from predictor.inputs.schema import Container, Feature, FeatureType, Schema
from predictor.models.files import DECISION_FUNCTION
from predictor.models.inspection.estimators import parts
from predictor.models.onnx_model import METADATA, Output, description

OPSETS = {"": 21, "ai.onnx.ml": 3}
"""skl2onnx knows no later ai.onnx.ml; a graph with TreeEnsemble is raised to the version that has it."""
TREES_OPSET = 5
FILE = "model.onnx"
PRECISIONS = {DoubleTensorType: "double", FloatTensorType: "single"}
"""Tried in this order: some of skl2onnx's converters write single precision only."""
LOCALE = "C.UTF-8"
"""In which text is made lower case. That of ONNX's own default, en_US, is in no slim image."""
PYTHONS_WORD = CountVectorizer().token_pattern
WORD = r"[\p{L}\p{N}_]{2,}"
"""The same in RE2, whose own \\w is ASCII: https://github.com/google/re2/wiki/Syntax."""
# Where skl2onnx puts each method's answer among its outputs.
PLACES = {"predict": 0, "predict_proba": 1, "decision_function": 1, "transform": -1}


def write(estimator: Any, schema: Schema, precision: type, directory: Path) -> None:
    """Convert what the schema offers into files in `directory`; raises CompileError when that cannot be done."""
    converters.register()
    graphs = {FILE: _convert(estimator, schema, precision, raw_scores=False)}
    if {"predict_proba", "decision_function"} <= set(schema.methods):
        graphs[DECISION_FUNCTION] = _convert(estimator, schema, precision, raw_scores=True)
    outputs = {method: _output(method, graphs, estimator) for method in schema.methods}
    features = tuple(map(_compiled, schema.features or ()))
    described = replace(schema, container=Container.ARRAY, sparse=False, features=features)
    onnx.helper.set_model_props(graphs[FILE], {METADATA: description(described, outputs)})
    for name, graph in graphs.items():
        onnx.save(graph, directory / name)


def limit(most_rows: int, directory: Path) -> None:
    """Let the original beside the graph predict batches of more rows."""
    graph = onnx.load(directory / FILE)
    (described,) = (entry for entry in graph.metadata_props if entry.key == METADATA)
    described.value = json.dumps(json.loads(described.value) | {"most_rows": most_rows})
    onnx.save(graph, directory / FILE)


def _compiled(feature: Feature) -> Feature:
    """What the graph takes of a feature: true or false only where an encoder knows these."""
    flag = feature.type is FeatureType.BOOLEAN and not feature.shared
    return replace(
        feature,
        dtype="object" if feature.text else "float64",
        closed=feature.closed or flag,
    )


def _convert(estimator: Any, schema: Schema, precision: type, *, raw_scores: bool) -> onnx.ModelProto:
    last = estimator
    while isinstance(last, Pipeline):
        last = last.steps[-1][1]
    plain: dict[int, dict[str, Any]] = {
        id(part): {"locale": LOCALE} | ({"tokenexp": WORD} if part.token_pattern == PYTHONS_WORD else {})
        for part in parts(estimator)
        if isinstance(part, CountVectorizer)
    }
    plain |= {id(last): {"raw_scores": True}} if raw_scores else {}
    arrays = plain | {id(estimator): plain.get(id(estimator), {}) | {"zipmap": False}}
    try:
        try:
            graph = _to_onnx(estimator, schema, precision, arrays)
        except NameError:  # a converter without zipmap writes arrays anyway
            graph = _to_onnx(estimator, schema, precision, plain)
        onnx.checker.check_model(graph)
    except Exception as error:
        raise CompileError(f"{type(estimator).__name__} cannot be converted: {_first_line(error)}") from error
    return graph


def _to_onnx(estimator: Any, schema: Schema, precision: type, options: dict[int, Any]) -> onnx.ModelProto:
    inputs = _inputs(schema, precision)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # skl2onnx reads attributes that scikit-learn will rename
        graph: onnx.ModelProto = to_onnx(estimator, initial_types=inputs, options=options, target_opset=OPSETS)
    if any(node.op_type == "TreeEnsemble" for node in graph.graph.node):
        next(opset for opset in graph.opset_import if opset.domain == "ai.onnx.ml").version = TREES_OPSET
    return graph


def _inputs(schema: Schema, precision: type) -> list[tuple[str, Any]]:
    """One input of rows; one a column where a model has columns of text, or selects them by name."""
    text = schema.text
    if schema.width is None or any(feature.unknown for feature in schema.features or ()):
        raise CompileError("The model does not say what it takes: only models of known features can be converted.")
    if schema.numeric and schema.container is Container.ARRAY:
        return [("rows", precision([None, schema.width]))]
    names = schema.names or tuple(f"feature {index}" for index in range(schema.width))
    return [(name, (StringTensorType if index in text else precision)([None, 1])) for index, name in enumerate(names)]


def _output(method: str, graphs: dict[str, onnx.ModelProto], estimator: Any) -> Output:
    file = DECISION_FUNCTION if method == "decision_function" and DECISION_FUNCTION in graphs else FILE
    found = graphs[file].graph.output
    if PLACES[method] >= len(found):
        raise CompileError(f"The converted model has no {method}: leave it out with --methods.")
    binary = method == "decision_function" and len(getattr(estimator, "classes_", ())) == BINARY
    flags = method == "predict" and np.asarray(getattr(estimator, "classes_", ())).dtype.kind == "b"
    return Output(file, found[PLACES[method]].name, column=1 if binary else None, flags=flags)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:300]
