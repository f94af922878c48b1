"""A fitted estimator as ONNX files: one graph for predictions and probabilities, one more for decision_function."""

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
from predictor.inputs.rows import Signature
from predictor.models.inspection import feature_types
from predictor.models.inspection.estimators import parts
from predictor.models.loading import DECISION_FUNCTION
from predictor.models.onnx_model import METADATA, Output, description
from predictor.models.shortcuts import boxes_forest, boxes_metadata
from predictor.models.shortcuts.forest import CLASSIFIERS, is_plain

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


def write(estimator: Any, signature: Signature, precision: type, directory: Path) -> None:
    """Convert what the signature offers into files in `directory`; raises CompileError when that cannot be done."""
    converters.register()
    graphs = {FILE: _convert(estimator, signature, precision, raw_scores=False)}
    if {"predict_proba", "decision_function"} <= set(signature.methods):
        graphs[DECISION_FUNCTION] = _convert(estimator, signature, precision, raw_scores=True)
    outputs = {method: _output(method, graphs, estimator) for method in signature.methods}
    required = signature.required | (signature.text or frozenset())  # a string of ONNX is never missing
    described = replace(signature, frame=False, sparse=False, required=required)
    known = (feature_types.read(estimator) or feature_types.Kinds()).known(signature.names)
    onnx.helper.set_model_props(graphs[FILE], {METADATA: description(described, outputs, known)})
    for name, graph in graphs.items():
        onnx.save(graph, directory / name)


def add_boxes(estimator: Any, signature: Signature, directory: Path) -> bool:
    """Put the table of a forest that has one beside its graph, and say whether it is there."""
    votes = signature.numeric and type(estimator) in CLASSIFIERS and is_plain(estimator)
    table = boxes_forest.read(estimator) if votes else None
    if table:
        graph = onnx.load(directory / FILE)
        properties = {item.key: item.value for item in graph.metadata_props}
        properties[boxes_metadata.METADATA] = boxes_metadata.description(table, estimator.classes_)
        onnx.helper.set_model_props(graph, properties)
        onnx.save(graph, directory / FILE)
    return table is not None


def _convert(estimator: Any, signature: Signature, precision: type, *, raw_scores: bool) -> onnx.ModelProto:
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
            graph = _to_onnx(estimator, signature, precision, arrays)
        except NameError:  # a converter without zipmap writes arrays anyway
            graph = _to_onnx(estimator, signature, precision, plain)
        onnx.checker.check_model(graph)
    except Exception as error:
        raise CompileError(f"{type(estimator).__name__} cannot be converted: {_first_line(error)}") from error
    return graph


def _to_onnx(estimator: Any, signature: Signature, precision: type, options: dict[int, Any]) -> onnx.ModelProto:
    inputs = _inputs(signature, precision)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # skl2onnx reads attributes that scikit-learn will rename
        graph: onnx.ModelProto = to_onnx(estimator, initial_types=inputs, options=options, target_opset=OPSETS)
    if any(node.op_type == "TreeEnsemble" for node in graph.graph.node):
        next(opset for opset in graph.opset_import if opset.domain == "ai.onnx.ml").version = TREES_OPSET
    return graph


def _inputs(signature: Signature, precision: type) -> list[tuple[str, Any]]:
    """One input of rows; one a column where a model has columns of text, or selects them by name."""
    text = signature.text
    if text is None or signature.unknown or signature.features is None:
        raise CompileError("The model does not say what it takes: only models of known features can be converted.")
    if signature.numeric and not signature.frame:
        return [("rows", precision([None, signature.features]))]
    names = signature.names or tuple(f"feature {index}" for index in range(signature.features))
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
