"""ONNX models that somebody else made: what is read from their inputs and outputs."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from skl2onnx import to_onnx
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from predictor.errors import BadInputError, ModelLoadError, PredictionError
from predictor.formats.registry import decode
from predictor.inputs.schema import Feature, FeatureType, Schema
from predictor.models.base import Options
from predictor.models.onnx_model import OnnxModel
from predictor.worker.loading import load

IRIS = load_iris()


def loaded(directory: Path, **options: Any) -> OnnxModel:
    model = load(directory, Options(**options))
    assert isinstance(model, OnnxModel)
    return model


def graph(directory: Path, nodes: list[Any], inputs: list[Any], outputs: list[Any]) -> Path:
    def values(items: list[Any]) -> list[Any]:
        return [helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in items]

    made = helper.make_graph(nodes, "graph", values(inputs), values(outputs))
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid("ai.onnx.ml", 3)]
    onnx.save(helper.make_model(made, opset_imports=opsets, ir_version=10), directory / "model.onnx")
    return directory


def doubled(directory: Path, kind: int, shape: list[Any]) -> Path:
    node = helper.make_node("Add", ["x", "x"], ["y"])
    return graph(directory, [node], [("x", kind, shape)], [("y", kind, shape)])


@pytest.mark.parametrize("zipmap", [True, False])
def test_a_classifier_as_skl2onnx_writes_it(zipmap: bool, tmp_path: Path) -> None:  # noqa: FBT001  # pytest's parameter
    estimator = LogisticRegression(max_iter=1000).fit(IRIS.data, IRIS.target_names[IRIS.target])
    made = to_onnx(estimator, IRIS.data[:1].astype(np.float32), options={"zipmap": zipmap}, target_opset=21)
    onnx.save(made, tmp_path / "model.onnx")

    model = loaded(tmp_path)
    model.warm_up()

    assert model.schema == Schema((Feature(),) * 4, methods=("predict", "predict_proba"))
    assert model.predict(IRIS.data, "predict").tolist() == estimator.predict(IRIS.data).tolist()
    np.testing.assert_allclose(model.predict(IRIS.data, "predict_proba"), estimator.predict_proba(IRIS.data), atol=1e-5)


@pytest.mark.parametrize("kind", [TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.INT64])
def test_rows_become_what_the_model_takes(kind: int, tmp_path: Path) -> None:
    model = loaded(doubled(tmp_path, kind, ["rows", 2]))

    assert model.predict(np.array([[1.0, 2.0], [3.0, 4.0]]), "predict").tolist() == [[2, 4], [6, 8]]


KINDS: dict[int, str] = {
    TensorProto.FLOAT: "a number that a 32-bit float can hold",
    TensorProto.INT64: "a whole number of at most 9007199254740991",
    TensorProto.INT32: "a whole number of 32 bits",
    TensorProto.BOOL: "true, false, 1 or 0",
}


def same(directory: Path, kind: int) -> OnnxModel:
    node = helper.make_node("Identity", ["x"], ["y"])
    return loaded(graph(directory, [node], [("x", kind, [None, 2])], [("y", kind, [None, 2])]))


@pytest.mark.parametrize(
    ("kind", "cell"),
    [
        (TensorProto.FLOAT, 1e39),
        (TensorProto.FLOAT, -1e39),
        (TensorProto.INT64, 1.7),
        (TensorProto.INT64, 9007199254740992.0),
        (TensorProto.INT64, 1e30),
        (TensorProto.INT64, np.nan),
        (TensorProto.INT32, 2147483648.0),
        (TensorProto.INT32, -0.4),
        (TensorProto.BOOL, 2.0),
        (TensorProto.BOOL, -1.0),
        (TensorProto.BOOL, 0.5),
    ],
)
def test_a_number_that_the_input_does_not_hold_is_refused(kind: int, cell: float, tmp_path: Path) -> None:
    with pytest.raises(BadInputError) as refused:
        same(tmp_path, kind).predict(np.array([[0.0, 1.0], [1.0, cell]]), "predict")

    got = f"{cell:.17g} in row 1, column 1"
    assert refused.value.detail == f"A cell is not what the model takes: expected {KINDS[kind]}, got {got}."


@pytest.mark.parametrize(
    ("kind", "row"),
    [
        (TensorProto.FLOAT, [3.4e38, 0.1]),
        (TensorProto.INT64, [9007199254740991, -9007199254740991]),
        (TensorProto.INT32, [2147483647, -2147483648]),
        (TensorProto.BOOL, [True, False]),
    ],
)
def test_numbers_that_the_input_holds(kind: int, row: list[float], tmp_path: Path) -> None:
    dtype = helper.tensor_dtype_to_np_dtype(kind)

    np.testing.assert_array_equal(
        same(tmp_path, kind).predict(np.array([row], float), "predict"), np.array([row]).astype(dtype)
    )


def test_a_missing_number_is_one_of_floats(tmp_path: Path) -> None:
    assert np.isnan(same(tmp_path, TensorProto.FLOAT).predict(np.array([[np.nan, 1.0]]), "predict")[0, 0])


def test_one_output_a_row_is_a_flat_list(tmp_path: Path) -> None:
    assert loaded(doubled(tmp_path, TensorProto.DOUBLE, [None, 1])).predict(
        np.array([[1.0], [2.0]]), "predict"
    ).tolist() == [2, 4]


def test_an_input_a_column_is_named(tmp_path: Path) -> None:
    columns = [("size", TensorProto.DOUBLE, [None, 1]), ("city", TensorProto.STRING, [None, 1])]
    node = helper.make_node("Identity", ["city"], ["y"])
    model = loaded(graph(tmp_path, [node], columns, [("y", TensorProto.STRING, [None, 1])]))
    request = decode(b'[{"city": "Rom", "size": 1.5}]', "application/json", model.schema)
    model.warm_up()

    assert model.schema == Schema((Feature("size"), Feature("city", FeatureType.TEXT, "object", nullable=False)))
    assert model.predict(request.rows, "predict").tolist() == ["Rom"]


def test_a_number_is_found_in_its_column_where_each_column_is_an_input(tmp_path: Path) -> None:
    columns = [("size", TensorProto.DOUBLE, [None, 1]), ("rooms", TensorProto.INT64, [None, 1])]
    node = helper.make_node("Identity", ["rooms"], ["y"])
    model = loaded(graph(tmp_path, [node], columns, [("y", TensorProto.INT64, [None, 1])]))

    with pytest.raises(BadInputError, match=r"got 2\.5 in row 1, column 1\.$"):
        model.predict(np.array([[1.5, 2], [1.5, 2.5]]), "predict")


@pytest.mark.parametrize("cell", [b"1", b"null"])
def test_a_cell_that_is_no_text_is_refused(cell: bytes, tmp_path: Path) -> None:
    node = helper.make_node("Identity", ["x"], ["y"])
    model = loaded(
        graph(tmp_path, [node], [("x", TensorProto.STRING, [None, 2])], [("y", TensorProto.STRING, [None, 2])])
    )

    with pytest.raises(BadInputError, match=r"expected a string, got .* at /data/0/1"):
        decode(b'{"data": [["a", %s]]}' % cell, "application/json", model.schema)


@pytest.mark.parametrize(
    ("shape", "detail"),
    [([None, 3, 8, 8], r"x of shape \['?.*, 3, 8, 8\]"), ([1, 2], r"x of shape \[1, 2\]"), ([None], "x of shape")],
)
def test_a_shape_that_is_no_rows_is_refused(shape: list[Any], detail: str, tmp_path: Path) -> None:
    with pytest.raises(ModelLoadError, match=detail):
        load(doubled(tmp_path, TensorProto.FLOAT, shape))


def test_a_kind_that_is_no_rows_is_refused(tmp_path: Path) -> None:
    node = helper.make_node("Identity", ["x"], ["y"])
    kind = TensorProto.COMPLEX64

    with pytest.raises(ModelLoadError):
        load(graph(tmp_path, [node], [("x", kind, [None, 2])], [("y", kind, [None, 2])]))


def test_a_damaged_file(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"not ONNX")

    with pytest.raises(ModelLoadError, match="cannot be loaded: it is damaged"):
        load(tmp_path)


def test_a_failure_of_the_graph_is_the_models(tmp_path: Path) -> None:
    nodes = [helper.make_node("Reshape", ["x", "shape"], ["y"])]
    constant = helper.make_node("Constant", [], ["shape"], value=helper.make_tensor("v", TensorProto.INT64, [1], [5]))
    made = graph(tmp_path, [constant, *nodes], [("x", TensorProto.DOUBLE, [None, 2])], [("y", TensorProto.DOUBLE, [5])])

    with pytest.raises(PredictionError, match="The model failed on these rows") as failed:
        loaded(made).predict(np.ones((1, 2)), "predict")

    assert failed.value.__cause__ is not None


def test_a_model_of_several_threads_survives_a_fork(tmp_path: Path) -> None:
    model = loaded(doubled(tmp_path, TensorProto.DOUBLE, [None, 2]), threads=2)
    rows = np.ones((50_000, 2))
    model.predict(rows, "predict")
    reading, writing = os.pipe()

    if (child := os.fork()) == 0:  # as the loader makes its workers
        signal.alarm(30)  # for it would wait for ever
        os.write(writing, json.dumps(model.predict(rows, "predict").sum()).encode())
        os._exit(0)

    os.waitpid(child, 0)
    assert os.read(reading, 100) == b"200000.0"


def test_scores_are_no_probabilities(tmp_path: Path) -> None:
    outputs = [("label", TensorProto.DOUBLE, [None, 2]), ("scores", TensorProto.DOUBLE, [None, 2])]
    nodes = [helper.make_node("Identity", ["x"], [name]) for name, _, _ in outputs]

    model = loaded(graph(tmp_path, nodes, [("x", TensorProto.DOUBLE, [None, 2])], outputs))

    assert model.schema.methods == ("predict", "decision_function")


def test_a_missing_number_is_for_the_graph_to_judge(tmp_path: Path) -> None:
    node = helper.make_node("IsNaN", ["x"], ["y"])
    model = loaded(
        graph(tmp_path, [node], [("x", TensorProto.DOUBLE, [None, 2])], [("y", TensorProto.BOOL, [None, 2])])
    )
    request = decode(b'{"data": [[null, 1]]}', "application/json", model.schema)

    assert model.predict(request.rows, "predict").tolist() == [[True, False]]


def test_a_locale_that_is_not_there_is_named(tmp_path: Path) -> None:
    attributes: dict[str, Any] = {"case_change_action": "LOWER", "locale": "xx_XX.UTF-8", "is_case_sensitive": 1}
    node = helper.make_node("StringNormalizer", ["x"], ["y"], **attributes)
    value = ("x", TensorProto.STRING, [None, 1])

    with pytest.raises(ModelLoadError, match="a locale that this machine lacks"):
        load(graph(tmp_path, [node], [value], [("y", TensorProto.STRING, [None, 1])]))
