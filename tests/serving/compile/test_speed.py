"""No request gets slower by compiling: which model predicts batches of which size."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor

from predictor.compile import command
from predictor.compile.command import Options, compile_model
from predictor.compile.comparison import Timing
from predictor.errors import CompileError
from predictor.models.by_rows import ByRows
from predictor.models.onnx_model import OnnxModel
from tests.serving.compile.test_command import loaded

ROWS = np.random.default_rng(0).normal(size=(200, 2))
FOREST = RandomForestRegressor(3, random_state=0).fit(ROWS, ROWS[:, 0])


@pytest.fixture
def compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Compile, where the original is the quicker one for batches of more than so many rows."""

    def compiled(quick_rows: int, **options: Any) -> Path:
        monkeypatch.setattr(
            command,
            "timing",
            lambda _model, _compiled, _samples, rows: Timing(rows, 1.0, 2.0 if rows > quick_rows else 0.1),
        )
        (tmp_path / "model").mkdir()
        (tmp_path / "model" / "model.pkl").write_bytes(pickle.dumps(FOREST))
        np.save(tmp_path / "model" / "samples.npy", ROWS)
        list(compile_model(Options(tmp_path / "model", tmp_path / "out", **options)))
        return tmp_path / "out"

    return compiled


def test_the_original_predicts_the_batches_for_which_it_is_quicker(compiled: Any) -> None:
    model = loaded(compiled(10))

    assert isinstance(model, ByRows)
    for count in (1, 10, 11, 200):
        np.testing.assert_allclose(model.predict(ROWS[:count], "predict"), FOREST.predict(ROWS[:count]), rtol=1e-12)


def test_a_batch_goes_to_one_of_both() -> None:
    class Named:
        def __init__(self, name: str) -> None:
            self.name, self.schema = name, None

        def predict(self, _rows: Any, _method: str) -> str:
            return self.name

    model = ByRows(Named("compiled"), Named("original"), 10)  # type: ignore[arg-type]

    assert [model.predict(ROWS[:count], "predict") for count in (1, 10, 11)] == ["compiled", "compiled", "original"]


def test_a_graph_that_is_never_slower_goes_alone(compiled: Any) -> None:
    directory = compiled(1000)

    assert isinstance(loaded(directory), OnnxModel)
    assert not (directory / "original.pkl").exists()


def test_a_model_that_is_quicker_for_one_row_is_not_compiled(compiled: Any, tmp_path: Path) -> None:
    with pytest.raises(CompileError, match="slower for 1 row: serve the model as it is, or compile it with --even-if"):
        compiled(0)

    assert not (tmp_path / "out").exists()


def test_it_is_compiled_when_that_is_asked_for(compiled: Any) -> None:
    assert isinstance(loaded(compiled(0, even_if_slower=True)), OnnxModel)
