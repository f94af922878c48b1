"""The image with its extras: native XGBoost and LightGBM files, and `compile`."""

import os
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import lightgbm
import pytest
import requests
import xgboost
from sklearn.datasets import load_breast_cancer

from tests.containers import container, run
from tests.environments import ROOT

# some machines reach the package index only from the host's network
BUILD_FLAGS = os.environ.get("DOCKER_BUILD_FLAGS", "--network host")
ROWS, TARGETS = load_breast_cancer(return_X_y=True)


@pytest.fixture(scope="module")
def booster() -> xgboost.XGBClassifier:
    return xgboost.XGBClassifier(n_estimators=5, n_jobs=1).fit(ROWS, TARGETS)


@pytest.fixture(scope="module")
def extras(docker: str, booster: xgboost.XGBClassifier, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An image by `make image`, of a model that needs XGBoost, with two more extras that are asked for."""
    folder, tag = tmp_path_factory.mktemp("extras"), f"test-extras-{uuid.uuid4().hex[:12]}"
    (folder / "model").mkdir()
    booster.save_model(folder / "model" / "model.ubj")
    environment = {name: value for name, value in os.environ.items() if name != "MAKEFLAGS"}
    variables = {
        "MODEL": str(folder / "model"),
        "EXTRAS": "lightgbm compile",
        "CONTEXT": str(folder / "context"),
        "IMAGE": tag,
        "DOCKER": docker,
        "DOCKER_BUILD_FLAGS": BUILD_FLAGS,
    }
    command = ["make", "image", *(f"{name}={value}" for name, value in variables.items())]
    made = subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True, timeout=600)
    assert made.returncode == 0, made.stdout + made.stderr
    assert "the model needs xgboost: it is added to EXTRAS\n" in made.stderr
    yield tag
    run(docker, "image", "rm", tag)


def answers(docker: str, image: str, model: Path | None = None) -> list[object]:
    """What the image, as any user and writing nowhere, predicts of the first rows with its model or a mounted one."""
    options = ["--publish", "127.0.0.1::8080", "--user", "1234:1234", "--read-only", "--tmpfs", "/tmp"]
    if model:
        model.parent.chmod(0o755)
        options += ["--volume", f"{model}:/opt/ml/model:ro"]
    with container(docker, image, "serve", options=tuple(options)) as box:
        url = box.url(8080)
        box.wait_for(f"{url}/ping")
        reply = requests.post(f"{url}/invocations", json={"data": ROWS[:50].tolist()}, timeout=60)
    assert reply.status_code == 200, reply.text
    found: list[object] = reply.json()["predictions"]
    return found


def test_an_xgboost_file(docker: str, extras: str, booster: xgboost.XGBClassifier) -> None:
    assert answers(docker, extras) == booster.predict(ROWS[:50]).tolist()


def test_a_lightgbm_file(docker: str, extras: str, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    original = lightgbm.LGBMClassifier(n_estimators=5, n_jobs=1, verbose=-1).fit(ROWS, TARGETS)
    original.booster_.save_model(tmp_path / "model" / "model.txt")

    assert answers(docker, extras, tmp_path / "model") == list(original.predict(ROWS[:50]))


def test_a_model_compiled_in_the_image(docker: str, extras: str, tmp_path: Path) -> None:
    train = "python example/train.py breast-cancer --output /out/trained"
    script = f"{train} && python -m predictor compile /out/trained --even-if-slower --output /out/model"
    tmp_path.chmod(0o755)

    report = run(docker, "run", "--rm", "--volume", f"{tmp_path}:/out", extras, "sh", "-c", script)

    assert report.splitlines()[-1] == "compiled: /out/model/model.onnx"
    expected = answers(docker, extras, tmp_path / "trained")
    assert answers(docker, extras, tmp_path / "model") == expected
