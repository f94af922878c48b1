"""The example models: trained on real data, saved where the container finds them."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import predictor
from predictor.formats.registry import decode, encode
from predictor.worker.loading import load
from predictor.worker.user_code import UserCode

ROOT = Path(predictor.__file__).parents[1]


def train(example: str, directory: Path) -> str:
    command = [sys.executable, "example/train.py", example, "--output", str(directory)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    ("example", "features", "accuracy"),
    [("iris", 2, 0.95), ("breast-cancer", 30, 0.95), ("wine", 13, 0.95), ("digits", 64, 0.95)],
)
def test_an_example_learns_and_is_found(example: str, features: int, accuracy: float, tmp_path: Path) -> None:
    report = train(example, tmp_path)

    model = load(tmp_path)
    assert not isinstance(model, UserCode)
    samples = decode((tmp_path / "samples.csv").read_bytes(), "text/csv", model.schema)
    assert float(report.split("accuracy ")[1].split()[0]) >= accuracy
    assert model.schema.width == features
    assert len(model.predict(samples.rows, "predict")) == len(samples) > 30


def test_iris_answers_the_body_of_the_documentation_with_species(tmp_path: Path) -> None:
    train("iris", tmp_path)
    model = load(tmp_path)
    assert not isinstance(model, UserCode)

    request = decode(b'{"data": [[1,2],[3,4],[3,3],[10,1],[7,8]]}', None, model.schema)
    answer = encode(model.predict(request.rows, request.method), "application/json").body

    assert answer == b'{"predictions":["versicolor","virginica","virginica","virginica","virginica"]}'
    np.testing.assert_allclose(model.predict(request.rows, "predict_proba").sum(axis=1), 1)
