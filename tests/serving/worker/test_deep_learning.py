"""PyTorch, Keras on JAX and ONNX Runtime in `inference.py`, as they are and with no setting.

ONNX Runtime is tried always, the others where DEEP_LEARNING_PYTHON names a Python that has torch, keras and jax beside
serving-container/requirements.txt: they are too large for every run.
"""

import json
import os
import sys
import textwrap
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.serving import processes

PYTHON = os.environ.get("DEEP_LEARNING_PYTHON", "")
PROGRAMS = {
    "torch": """
        import torch

        def model_fn(model_dir):
            module = torch.nn.Linear(3, 1)
            torch.nn.init.ones_(module.weight)
            torch.nn.init.zeros_(module.bias)
            module(torch.ones(2000, 3))
            return module
        """,
    "keras": """
        import os
        os.environ["KERAS_BACKEND"] = "jax"
        import keras
        import numpy as np

        def model_fn(model_dir):
            layers = [keras.Input((3,)), keras.layers.Dense(1, kernel_initializer="ones")]
            model = keras.Sequential(layers)
            model.predict(np.ones((1, 3)), verbose=0)
            return model
        """,
    "onnxruntime": """
        import os
        import numpy as np
        import onnxruntime

        def model_fn(model_dir):
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = 4
            session = onnxruntime.InferenceSession(os.path.join(model_dir, "code", "net.onnx"), options)
            session.run(None, {"X": np.ones((500, 3), np.float32)})
            return session

        def predict_fn(data, model):
            return model.run(None, {"X": np.asarray(data, np.float32)})[0]
        """,
}


def net() -> onnx.ModelProto:
    """A graph that adds up three numbers."""
    ones = numpy_helper.from_array(np.ones((3, 1), np.float32), "W")
    taken = helper.make_tensor_value_info("X", TensorProto.FLOAT, [None, 3])
    given = helper.make_tensor_value_info("Y", TensorProto.FLOAT, [None, 1])
    graph = helper.make_graph([helper.make_node("MatMul", ["X", "W"], ["Y"])], "net", [taken], [given], [ones])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("library", PROGRAMS if PYTHON else ["onnxruntime"])
def test_it_works_by_itself(library: str, workers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", PYTHON or sys.executable)
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "inference.py").write_text(textwrap.dedent(PROGRAMS[library]))
    onnx.save(net(), tmp_path / "code" / "net.onnx")

    with processes.serving(tmp_path, workers=workers) as server:
        answers = [server.ask("POST", "/invocations", b"[[1, 2, 3], [0, 0, 1]]", processes.JSON) for _ in range(4)]

    assert [json.loads(answer.body) for answer in answers] == [{"predictions": [[6.0], [1.0]]}] * 4
