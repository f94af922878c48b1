"""Converters to ONNX in double precision, registered with skl2onnx: tree ensembles and SimpleImputer.

skl2onnx's own write float32 thresholds and leaves: near a threshold a row may go the other way, and every probability
is off in the seventh digit. TreeEnsemble (ai.onnx.ml 5) holds doubles:
https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsemble.html
"""

from collections.abc import Callable
from copy import copy
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import TensorProto, numpy_helper
from skl2onnx import update_registered_converter
from skl2onnx.common.data_types import DoubleTensorType, StringTensorType
from skl2onnx.common.shape_calculator import (
    calculate_linear_classifier_output_shapes,
    calculate_linear_regressor_output_shapes,
)
from skl2onnx.operator_converters.common import concatenate_variables
from skl2onnx.operator_converters.imputer_op import convert_sklearn_imputer
from skl2onnx.operator_converters.one_hot_encoder import convert_sklearn_one_hot_encoder
from skl2onnx.operator_converters.ordinal_encoder import convert_sklearn_ordinal_encoder
from skl2onnx.shape_calculators.imputer import calculate_sklearn_imputer_output_shapes
from skl2onnx.shape_calculators.one_hot_encoder import calculate_sklearn_one_hot_encoder_output_shapes
from skl2onnx.shape_calculators.ordinal_encoder import calculate_sklearn_ordinal_encoder_output_shapes
from sklearn import ensemble, tree
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from predictor.compile.trees import LEAF, Ensemble, Tree, read
from predictor.inputs.conversion import is_missing
from predictor.models.onnx_model import MISSING


def register() -> None:
    """Make skl2onnx convert tree ensembles this way."""
    for name in ("DecisionTree", "ExtraTree"):
        _register(getattr(tree, f"{name}Classifier"), getattr(tree, f"{name}Regressor"))
    for name in ("RandomForest", "ExtraTrees", "GradientBoosting", "HistGradientBoosting"):
        _register(getattr(ensemble, f"{name}Classifier"), getattr(ensemble, f"{name}Regressor"))
    update_registered_converter(
        SimpleImputer, "DoubleSimpleImputer", calculate_sklearn_imputer_output_shapes, _convert_imputer
    )
    for encoder, shapes, convert in (
        (OneHotEncoder, calculate_sklearn_one_hot_encoder_output_shapes, convert_sklearn_one_hot_encoder),
        (OrdinalEncoder, calculate_sklearn_ordinal_encoder_output_shapes, convert_sklearn_ordinal_encoder),
    ):
        update_registered_converter(encoder, f"Gapped{encoder.__name__}", shapes, _encoder(convert))


def _register(classifier: type, regressor: type) -> None:
    options = {"zipmap": [True, False, "columns"], "raw_scores": [True, False], "nocl": [True, False]}
    update_registered_converter(
        classifier, f"Double{classifier.__name__}", _classifier_shapes, _convert_classifier, options=options
    )
    update_registered_converter(regressor, f"Double{regressor.__name__}", _regressor_shapes, _convert_regressor)


def _classifier_shapes(operator: Any) -> None:
    calculate_linear_classifier_output_shapes(operator)
    operator.outputs[1].type = DoubleTensorType(operator.outputs[1].type.shape)


def _regressor_shapes(operator: Any) -> None:
    calculate_linear_regressor_output_shapes(operator)
    operator.outputs[0].type = DoubleTensorType(operator.outputs[0].type.shape)


def _attributes(trees: list[Tree], targets: int) -> dict[str, Any]:
    """Lay trees out as TreeEnsemble has them: inner nodes and leaves in two lists, over all trees."""
    laid = [_lay_out(item) for item in trees]
    node_starts = np.cumsum([0, *(len(part["splits"]) for part in laid)])
    leaf_starts = np.cumsum([0, *(len(part["weights"]) for part in laid)])
    for part, node_start, leaf_start in zip(laid, node_starts, leaf_starts, strict=False):
        for side in ("true", "false"):
            part[f"{side}ids"] = part[f"{side}ids"] + np.where(part[f"{side}leafs"], leaf_start, node_start)
    joined = {name: np.concatenate([part[name] for part in laid]) for name in laid[0]}
    return {
        "aggregate_function": 1,  # SUM
        "post_transform": 0,  # NONE
        "n_targets": targets,
        "tree_roots": node_starts[:-1].tolist(),
        "nodes_modes": numpy_helper.from_array(np.zeros(len(joined["splits"]), np.uint8)),  # BRANCH_LEQ
        "nodes_splits": numpy_helper.from_array(joined["splits"]),
        "nodes_featureids": joined["features"].tolist(),
        "nodes_missing_value_tracks_true": joined["missing"].tolist(),
        "nodes_trueleafs": joined["trueleafs"].tolist(),
        "nodes_truenodeids": joined["trueids"].tolist(),
        "nodes_falseleafs": joined["falseleafs"].tolist(),
        "nodes_falsenodeids": joined["falseids"].tolist(),
        "leaf_weights": numpy_helper.from_array(joined["weights"]),
        "leaf_targetids": joined["targets"].tolist(),
    }


def _lay_out(item: Tree) -> dict[str, npt.NDArray[Any]]:
    """Number the inner nodes and the leaves that can be reached; a tree that is a leaf gets a node with it twice."""
    inner, leaves = _reachable(item)
    leaf = item.left == LEAF
    number = np.zeros(len(leaf), np.int64)
    number[inner], number[leaves] = np.arange(len(inner)), np.arange(len(leaves))
    inner = inner if len(inner) else leaves
    sides = (
        {"true": item.left[inner], "false": item.right[inner]}
        if not leaf[0]
        else dict.fromkeys(("true", "false"), leaves)
    )
    laid = {
        "splits": np.where(leaf[inner], 0.0, item.threshold[inner]),
        "features": np.where(leaf[inner], 0, item.feature[inner]),
        "missing": item.missing_left[inner].astype(np.int64),
        "weights": np.asarray(item.weight[leaves], dtype=np.float64),
        "targets": item.target[leaves],
    }
    for side, children in sides.items():
        laid |= {f"{side}leafs": leaf[children].astype(np.int64), f"{side}ids": number[children]}
    return laid


def _reachable(item: Tree) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Inner nodes, the root first, and leaves."""
    inner, leaves, waiting = [], [], [0]
    while waiting:
        node = waiting.pop()
        if item.left[node] == LEAF:
            leaves.append(node)
        else:
            inner.append(node)
            waiting += (int(item.right[node]), int(item.left[node]))
    return np.array(inner, np.int64), np.array(leaves, np.int64)


class _Graph:
    """Adds nodes to the graph that skl2onnx builds."""

    def __init__(self, scope: Any, container: Any) -> None:
        self._scope = scope
        self._container = container

    def node(self, kind: str, *inputs: str, output: str = "", domain: str = "", version: int = 13, **given: Any) -> str:
        output = output or self._scope.get_unique_variable_name(kind.lower())
        name = self._scope.get_unique_operator_name(kind)
        self._container.add_node(kind, list(inputs), [output], op_domain=domain, op_version=version, name=name, **given)
        return output

    def constant(self, values: npt.NDArray[Any]) -> str:
        name: str = self._scope.get_unique_variable_name("constant")
        kinds = {"f": TensorProto.DOUBLE, "i": TensorProto.INT64, "U": TensorProto.STRING}
        content = [str(value).encode() for value in values] if values.dtype.kind == "U" else values.ravel().tolist()
        self._container.add_initializer(name, kinds[values.dtype.kind], list(values.shape), content)
        return name

    def is_above(self, values: str, limit: float, *, or_equal: bool) -> str:
        """1 for each row whose one value is above the limit, else 0."""
        kind = "GreaterOrEqual" if or_equal else "Greater"
        flat = self.node("Reshape", values, self.constant(np.array([-1])))
        above = self.node(kind, flat, self.constant(np.array([limit])), version=16 if or_equal else 13)
        return self.node("Cast", above, to=TensorProto.INT64)

    def raw(self, rows: str, trees: Ensemble) -> str:
        """Base plus the trees' sum, shape (rows, targets), in double."""
        if trees.rounds:
            rows = self.node("Cast", rows, to=TensorProto.FLOAT)
        rows = self.node("Cast", rows, to=TensorProto.DOUBLE)
        attributes = _attributes(trees.trees, len(trees.base))
        total = self.node("TreeEnsemble", rows, domain="ai.onnx.ml", version=3, **attributes)
        if trees.divisor != 1:
            total = self.node("Div", total, self.constant(np.array([float(trees.divisor)])))
        return self.node("Add", total, self.constant(trees.base)) if trees.base.any() else total


def _convert_imputer(scope: Any, operator: Any, container: Any) -> None:
    """Impute doubles and strings; skl2onnx's own converter does all else."""
    imputer = operator.raw_operator
    if isinstance(operator.inputs[0].type, StringTensorType) and is_missing(imputer.missing_values):
        operator.raw_operator = _changed(imputer, missing_values=MISSING, fill_value=None)
        convert_sklearn_imputer(scope, operator, container)
        return
    doubles = all(isinstance(given.type, DoubleTensorType) for given in operator.inputs)
    of_nan = isinstance(imputer.missing_values, float) and np.isnan(imputer.missing_values)
    if not (doubles and of_nan) or np.isnan(imputer.statistics_).any():
        convert_sklearn_imputer(scope, operator, container)
        return
    graph = _Graph(scope, container)
    rows = concatenate_variables(scope, operator.inputs, container)
    statistics = graph.constant(imputer.statistics_.reshape(1, -1))
    graph.node("Where", graph.node("IsNaN", rows), statistics, rows, version=16, output=operator.outputs[0].full_name)


def _encoder(convert: Callable[[Any, Any, Any], None]) -> Callable[[Any, Any, Any], None]:
    """A converter of an encoder of strings that may have learnt that one is missing."""

    def converted(scope: Any, operator: Any, container: Any) -> None:
        encoder = operator.raw_operator
        known = [
            np.array([MISSING if is_missing(value) else value for value in values], values.dtype)
            if values.dtype == object
            else values
            for values in encoder.categories_
        ]
        operator.raw_operator = _changed(encoder, categories_=known)
        convert(scope, operator, container)

    return converted


def _changed(estimator: Any, **attributes: Any) -> Any:
    """A copy of a fitted estimator with other attributes."""
    made = copy(estimator)
    vars(made).update(attributes)
    return made


def _convert_regressor(scope: Any, operator: Any, container: Any) -> None:
    graph = _Graph(scope, container)
    trees = read(operator.raw_operator)
    raw = graph.raw(operator.inputs[0].full_name, trees)
    graph.node(trees.link or "Identity", raw, output=operator.outputs[0].full_name)


def _convert_classifier(scope: Any, operator: Any, container: Any) -> None:
    graph = _Graph(scope, container)
    estimator = operator.raw_operator
    trees = read(estimator)
    raw = graph.raw(operator.inputs[0].full_name, trees)
    label, scores = (output.full_name for output in operator.outputs)
    wants_raw = container.get_options(estimator, {"raw_scores": False}).get("raw_scores", False)
    if len(trees.base) == 1:
        index = graph.is_above(raw, 0.0 if trees.link else 0.5, or_equal=trees.tie_is_positive)
        second = raw if wants_raw else graph.node(trees.link or "Identity", raw)
        first = graph.node("Neg", second) if wants_raw else graph.node("Sub", graph.constant(np.array([1.0])), second)
        graph.node("Concat", first, second, output=scores, axis=1)
    else:
        index = graph.node("ArgMax", raw, axis=1, keepdims=0)
        graph.node("Identity" if wants_raw or not trees.link else trees.link, raw, output=scores)
    graph.node("Gather", graph.constant(_labels(estimator.classes_)), index, output=label)


def _labels(classes: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if classes.dtype.kind in "iub":
        return classes.astype(np.int64)
    if all(isinstance(known, str) for known in classes):
        return classes.astype(str)
    raise NotImplementedError(f"class labels of type {classes.dtype}")
