"""The image with its extras: native XGBoost and LightGBM files, and `compile`."""

import os
import shlex
from pathlib import Path

import lightgbm
import pytest
import requests
import xgboost
from sklearn.datasets import load_breast_cancer

from tests.containers import container, run

CONTEXT = Path(__file__).parents[2] / "serving-container"
# some machines reach the package index only from the host's network
BUILD_FLAGS = shlex.split(os.environ.get("DOCKER_BUILD_FLAGS", "--network host"))
ROWS, TARGETS = load_breast_cancer(return_X_y=True)


@pytest.fixture(scope="module")
def extras(docker: str) -> str:
    command = ("build", "--quiet", *BUILD_FLAGS, "--build-arg", "EXTRAS=xgboost lightgbm compile", str(CONTEXT))
    return run("env", "DOCKER_BUILDKIT=1", docker, *command)


def answers(docker: str, image: str, model: Path) -> list[object]:
    """What the image, as any user and without writing anywhere, predicts of the first rows with a mounted model."""
    model.parent.chmod(0o755)
    options = ("--publish", "127.0.0.1::8080", "--user", "1234:1234", "--read-only", "--tmpfs", "/tmp")
    with container(docker, image, "serve", options=(*options, "--volume", f"{model}:/opt/ml/model:ro")) as box:
        url = box.url(8080)
        box.wait_for(f"{url}/ping")
        reply = requests.post(f"{url}/invocations", json={"data": ROWS[:50].tolist()}, timeout=60)
    assert reply.status_code == 200, reply.text
    found: list[object] = reply.json()["predictions"]
    return found


def test_an_xgboost_file(docker: str, extras: str, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    original = xgboost.XGBClassifier(n_estimators=5, n_jobs=1).fit(ROWS, TARGETS)
    original.save_model(tmp_path / "model" / "model.ubj")

    assert answers(docker, extras, tmp_path / "model") == original.predict(ROWS[:50]).tolist()


def test_a_lightgbm_file(docker: str, extras: str, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    original = lightgbm.LGBMClassifier(n_estimators=5, n_jobs=1, verbose=-1).fit(ROWS, TARGETS)
    original.booster_.save_model(tmp_path / "model" / "model.txt")

    assert answers(docker, extras, tmp_path / "model") == list(original.predict(ROWS[:50]))


def test_a_model_compiled_in_the_image(docker: str, extras: str, tmp_path: Path) -> None:
    train = "python example/train.py breast-cancer --output /out/trained"
    script = f"{train} && python -m predictor compile /out/trained --output /out/model"
    tmp_path.chmod(0o755)

    report = run(docker, "run", "--rm", "--volume", f"{tmp_path}:/out", extras, "sh", "-c", script)

    assert report.splitlines()[-1] == "compiled: /out/model/model.onnx"
    expected = answers(docker, extras, tmp_path / "trained")
    assert answers(docker, extras, tmp_path / "model") == expected
