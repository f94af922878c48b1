"""What a model directory's own functions get as `model` and as `data`, where they load nothing themselves."""

import asyncio
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import joblib
import lightgbm
import onnx
import pandas as pd
import pytest
import xgboost
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeRegressor

from predictor.worker.loading import load
from predictor.worker.user_code import UserCode


@pytest.fixture(autouse=True)
def modules_as_before() -> Iterator[None]:
    """Programs are imported as in a process of their own."""
    path = sys.path.copy()
    yield
    sys.path[:] = path
    del sys.modules["inference"]


def answer(directory: Path, program: str, body: bytes) -> bytes:
    (directory / "code").mkdir()
    (directory / "code" / "inference.py").write_text(textwrap.dedent(program))
    code = load(directory)
    assert isinstance(code, UserCode)
    return asyncio.run(code.respond(body, "application/json", None)).body


TENTH = """
    def predict_fn(data, model):
        return model.predict(data) / 10
"""


def test_predict_fn_gets_the_estimator_that_was_saved(tmp_path: Path) -> None:
    joblib.dump(DecisionTreeRegressor().fit([[1.0, 1.0], [2.0, 2.0]], [10, 20]), tmp_path / "model.joblib")

    assert answer(tmp_path, TENTH, b'{"data": [[1, 1], [2, 2]]}') == b'{"predictions":[1.0,2.0]}'


def test_transform_fn_and_model_warmup_fn_get_the_estimator_that_was_saved(tmp_path: Path) -> None:
    joblib.dump(LogisticRegression().fit([[0, 0], [1, 1]], ["no", "yes"]), tmp_path / "model.joblib")
    program = """
        def model_warmup_fn(model_dir, model):
            model.warm = type(model).__name__

        def transform_fn(model, body, content_type, accept):
            return f"{model.warm} {type(model).__name__} {model.predict([[1, 1]])[0]}"
        """

    assert answer(tmp_path, program, b"{}") == b"LogisticRegression LogisticRegression yes"


@pytest.mark.parametrize("body", [b'{"data": [[3, 1]]}', b'{"data": [[1, 3]], "columns": ["b", "a"]}'])
def test_predict_fn_gets_a_data_frame_where_the_model_selects_columns_by_name(body: bytes, tmp_path: Path) -> None:
    chosen = ColumnTransformer([("a", "passthrough", ["a"])])
    frame = pd.DataFrame({"a": [10.0, 20.0], "b": [0.0, 1.0]})
    joblib.dump(make_pipeline(chosen, LinearRegression()).fit(frame, [10, 20]), tmp_path / "model.joblib")
    program = """
        def predict_fn(data, model):
            return [f"{type(data).__name__} {list(data.columns)} {round(model.predict(data)[0], 6)}"]
        """

    assert answer(tmp_path, program, body) == b"""{"predictions":["DataFrame ['a'] 3.0"]}"""


def test_predict_fn_gets_documents_as_a_vectorizer_takes_them(tmp_path: Path) -> None:
    model = make_pipeline(CountVectorizer(), LogisticRegression()).fit(["good", "bad"], ["yes", "no"])
    joblib.dump(model, tmp_path / "model.joblib")
    program = "def predict_fn(data, model): return [f'{list(data)} {model.predict(data)[0]}']"

    assert answer(tmp_path, program, b'{"data": [["good"]]}') == b"""{"predictions":["['good'] yes"]}"""


def test_predict_fn_gets_what_input_fn_returned(tmp_path: Path) -> None:
    joblib.dump(DecisionTreeRegressor().fit([[1.0], [3.0]], [10, 30]), tmp_path / "model.joblib")
    program = TENTH + "\n    def input_fn(body, content_type):\n        return [[float(body)]]\n"

    assert answer(tmp_path, program, b"3") == b'{"predictions":[3.0]}'


def test_predict_fn_gets_an_onnx_session(tmp_path: Path) -> None:
    node = onnx.helper.make_node("Identity", ["x"], ["y"])
    value = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.DOUBLE, [None, 2]) for name in "xy"]
    graph = onnx.helper.make_graph([node], "g", value[:1], value[1:])
    opset = [onnx.helper.make_opsetid("", 21)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opset, ir_version=10), tmp_path / "m.onnx")
    program = 'def predict_fn(data, model): return model.run(None, {"x": data})[0] / 10'

    assert answer(tmp_path, program, b"[[10, 20]]") == b'{"predictions":[[1.0,2.0]]}'


def test_predict_fn_gets_a_lightgbm_booster(tmp_path: Path) -> None:
    rows, targets = [[float(index)] for index in range(60)], [index // 30 * 10.0 + 10 for index in range(60)]
    model = lightgbm.LGBMRegressor(n_estimators=1, learning_rate=1.0, n_jobs=1, verbose=-1).fit(rows, targets)
    model.booster_.save_model(tmp_path / "model.txt")
    program = """
        def predict_fn(data, model):
            return [f"{type(model).__name__} {row:.0f}" for row in model.predict(data)]
        """

    assert answer(tmp_path, program, b"[[0], [59]]") == b'{"predictions":["Booster 10","Booster 20"]}'


def test_predict_fn_gets_xgboosts_estimator(tmp_path: Path) -> None:
    model = xgboost.XGBClassifier(n_estimators=1, n_jobs=1).fit([[0], [1]], [0, 1])
    model.save_model(tmp_path / "model.ubj")
    program = "def predict_fn(data, model): return [type(model).__name__, model.predict(data).shape[0]]"

    assert answer(tmp_path, program, b"[[0], [1]]") == b'{"predictions":["XGBClassifier",2]}'
