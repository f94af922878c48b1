"""Compiled forests whose leaves are looked up: the table beside the graph."""

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from predictor.compile.command import Options, compile_model
from predictor.errors import BadInputError, CompileError, ModelLoadError
from predictor.models.base import Model
from predictor.models.shortcuts import boxes_forest, boxes_metadata
from predictor.models.shortcuts.boxes import Table
from predictor.worker.loading import load
from predictor.worker.user_code import UserCode

IRIS = load_iris()
FOREST = RandomForestClassifier(40, random_state=0).fit(IRIS.data, IRIS.target_names[IRIS.target])


def table() -> Table:
    found = boxes_forest.read(FOREST)
    assert found
    return found


@pytest.fixture
def options(tmp_path: Path) -> Options:
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(FOREST))
    np.save(tmp_path / "samples.npy", IRIS.data)
    return Options(tmp_path, tmp_path / "compiled")


def loaded(directory: Path) -> Model:
    model = load(directory)
    assert not isinstance(model, UserCode)
    return model


def test_the_table_answers_and_the_graph_is_the_same_model(options: Options) -> None:
    report = list(compile_model(options))
    compiled = loaded(options.output)
    session = onnxruntime.InferenceSession(options.output / "model.onnx")
    labels, shares = session.run(None, {"rows": IRIS.data})

    assert [line for line in report if "largest difference 0" not in line] == [report[0], *report[-3:]]
    assert boxes_metadata.METADATA in session.get_modelmeta().custom_metadata_map
    for rows in (IRIS.data, IRIS.data * np.nan, IRIS.data[:1]):
        for method in ("predict", "predict_proba"):
            np.testing.assert_array_equal(compiled.predict(rows, method), getattr(FOREST, method)(rows))
    assert labels.tolist() == FOREST.predict(IRIS.data).tolist()
    np.testing.assert_allclose(shares, FOREST.predict_proba(IRIS.data))
    with pytest.raises(BadInputError, match=r"expected a number that a 32-bit float can hold, got 1\.36"):
        compiled.predict(np.full((1, 4), 2.0**130), "predict")


def test_a_table_that_answers_otherwise_is_refused(options: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = replace(table(), bits=np.roll(table().bits, 1, axis=0))
    monkeypatch.setattr(boxes_forest, "read", lambda _: wrong)

    with pytest.raises(CompileError, match="it does not answer the same: predict: 150 rows"):
        list(compile_model(options))
    assert not list(options.output.glob("*.onnx"))


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ("rubbish", "Expecting value"),
        ('{"labels": ["a"], "table": "rubbish"}', "Incorrect padding"),
        (boxes_metadata.description(table(), np.array([1])), "other labels than classes"),
    ],
)
def test_metadata_of_another_kind_are_refused_in_one_line(metadata: str, said: str, options: Options) -> None:
    list(compile_model(options))
    graph = onnx.load(options.output / "model.onnx")
    properties = {item.key: item.value for item in graph.metadata_props}
    onnx.helper.set_model_props(graph, properties | {boxes_metadata.METADATA: metadata})
    onnx.save(graph, options.output / "model.onnx")

    with pytest.raises(ModelLoadError, match=f"cannot be loaded: .*{said}"):
        load(options.output)


def test_a_forest_trained_with_missing_numbers(options: Options) -> None:
    holed = np.where(np.random.default_rng(0).random(IRIS.data.shape) < 0.2, np.nan, IRIS.data)
    model = RandomForestClassifier(40, random_state=0).fit(holed, IRIS.target)
    assert any(np.isinf(member.tree_.threshold).any() for member in model.estimators_)
    (options.model_dir / "model.pkl").write_bytes(pickle.dumps(model))
    np.save(options.model_dir / "samples.npy", holed)
    list(compile_model(options))

    found = loaded(options.output).predict(holed, "predict_proba")
    np.testing.assert_array_equal(found, model.predict_proba(holed))


def test_a_forest_with_steps_before_it_is_a_graph_alone(options: Options) -> None:
    model = make_pipeline(StandardScaler(), RandomForestClassifier(40, random_state=0)).fit(IRIS.data, IRIS.target)
    (options.model_dir / "model.pkl").write_bytes(pickle.dumps(model))
    list(compile_model(options))

    session = onnxruntime.InferenceSession(options.output / "model.onnx")
    assert boxes_metadata.METADATA not in session.get_modelmeta().custom_metadata_map
    np.testing.assert_array_equal(loaded(options.output).predict(IRIS.data, "predict"), model.predict(IRIS.data))
