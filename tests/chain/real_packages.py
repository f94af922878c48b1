"""Models of packages that people use, each from an empty folder to an answer: `make real-packages`.

It needs a package index. A model is trained in the environment that its requirements.txt makes, saved as its package
saves it, and served.
"""

import base64
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from deployment.settings import without_make
from local.environment import find_python
from local.process import run_to_end
from tests.chain.running import ANY_PORTS, ROOT, running
from tests.containers import run

RED = "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR4nGM4wcAARAwQCgAZDgMhfGVi9QAAAABJRU5ErkJggg=="
TABLE = """
import numpy as np, pandas as pd
table = pd.DataFrame({"age": [20.0, 30, 40, 50] * 10, "city": ["Rom", "Köln", "Rom", "Bonn"] * 10, "n": range(40)})
answers = ["no", "yes", "no", "yes"] * 10
table.head(2).to_csv("samples.csv", index=False)
"""
ROW = {"age": 20.0, "city": "Rom", "n": 0}
KERAS = """
import os

os.environ["KERAS_BACKEND"] = "jax"
import keras
import numpy as np


def model_fn(model_dir):
    return keras.saving.load_model(os.path.join(model_dir, "net.keras"))


def predict_fn(data, model):
    return np.asarray(model(np.asarray(data, dtype="float32")))
"""
PICTURE = """
import io

from PIL import Image


def model_fn(model_dir):
    return 128


def input_fn(body, content_type):
    return Image.open(io.BytesIO(body)).convert("RGB")


def predict_fn(data, model):
    return {"red": data.getpixel((0, 0))[0] > model}
"""
OWN_CLASS = """
class Sum:
    def predict(self, rows):
        return [float(sum(row)) for row in rows]
"""


@dataclass(frozen=True)
class Case:
    """What lies in the folder, how the model is trained, and a request with its answer."""

    requirements: str
    training: str
    body: Any
    answer: Any
    code: tuple[tuple[str, str], ...] = ()
    media_type: str = "application/json"


CASES = {
    "CatBoost größe": Case(
        "catboost",
        f"{TABLE}import catboost\n"
        "model = catboost.CatBoostClassifier(iterations=20, verbose=0, allow_writing_files=False)\n"
        "model.fit(table, answers, cat_features=['city']).save_model('model.cbm')",
        [ROW],
        {"predictions": ["no"]},
    ),
    "catboost pickle": Case(
        "catboost",
        f"{TABLE}import catboost, pickle\n"
        "model = catboost.CatBoostClassifier(iterations=20, verbose=0, allow_writing_files=False)\n"
        "pickle.dump(model.fit(table, answers, cat_features=['city']), open('model.pkl', 'wb'))",
        [ROW],
        {"predictions": ["no"]},
    ),
    "statsmodels": Case(
        "statsmodels",
        f"{TABLE}import statsmodels.formula.api as formulas\n"
        "table['y'] = 2 * table.age\nformulas.ols('y ~ age + n', table).fit().save('model.pkl')",
        [ROW],
        {"predictions": [pytest.approx(40)]},
    ),
    "skrub": Case(
        "skrub\nscikit-learn==1.7.2",
        f"{TABLE}import joblib, skrub\nfrom sklearn.linear_model import LogisticRegression\n"
        "joblib.dump(skrub.tabular_pipeline(LogisticRegression()).fit(table, answers), 'model.joblib')",
        [ROW],
        {"predictions": ["no"]},
    ),
    "tf-idf": Case(
        "scikit-learn==1.7.2",
        "import joblib\nfrom sklearn.pipeline import make_pipeline\n"
        "from sklearn.linear_model import LogisticRegression\n"
        "from sklearn.feature_extraction.text import TfidfVectorizer\n"
        "model = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(['good', 'bad'], ['pos', 'neg'])\n"
        "joblib.dump(model, 'model.joblib')",
        {"data": [["good"]]},
        {"predictions": ["pos"]},
    ),
    "own class": Case(
        "pillow",
        "import sys, pickle\nsys.path.append('code')\nimport mine\npickle.dump(mine.Sum(), open('model.pkl', 'wb'))",
        {"data": [[1, 2]]},
        {"predictions": [3.0]},
        code=(("mine.py", OWN_CLASS),),
    ),
    "keras on jax": Case(
        "keras\njax",
        "import os\nos.environ['KERAS_BACKEND'] = 'jax'\nimport keras, numpy as np\n"
        "model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, kernel_initializer='ones')])\n"
        "model.compile('adam', 'mse')\nmodel.save('net.keras')",
        {"data": [[1, 2, 3, 4]]},
        {"predictions": [[10.0]]},
        code=(("inference.py", KERAS),),
    ),
    "picture": Case(
        "pillow",
        "",
        base64.b64decode(RED),
        {"red": True},
        code=(("inference.py", PICTURE),),
        media_type="image/png",
    ),
}


def made(name: str, folder: Path) -> Path:
    """The model's folder, with the model trained in the environment of its packages."""
    case, model = CASES[name], folder / name
    (model / "code").mkdir(parents=True)
    (model / "requirements.txt").write_text(case.requirements)
    for file, text in case.code:
        (model / "code" / file).write_text(text)
    python = find_python(model, run_to_end, print)
    subprocess.run([python, "-c", case.training], cwd=model, check=True, timeout=300)
    return model


@pytest.mark.parametrize("name", CASES)
def test_from_an_empty_folder_to_an_answer(name: str, tmp_path: Path) -> None:
    case, model = CASES[name], made(name, tmp_path)
    body = case.body if isinstance(case.body, bytes) else json.dumps(case.body).encode()

    with running(tmp_path / "log", *ANY_PORTS, "--model", str(model)) as chain:
        chain.wait_until_ready()
        headers = {"Content-Type": case.media_type}
        answer = requests.post(f"{chain.url}/predict", data=body, headers=headers, timeout=60)

    assert (answer.status_code, answer.json()) == (200, case.answer), answer.text


def test_the_image_answers_golden_requests_with_its_own_packages(docker: str, tmp_path: Path) -> None:
    case, model = CASES["CatBoost größe"], made("CatBoost größe", tmp_path)
    tag, flags = "test-own-packages", os.environ.get("DOCKER_BUILD_FLAGS", "--network host")
    statuses = {}
    for answer in ("no", "yes"):
        golden = {"request": {"data": case.body}, "answer": {"predictions": [answer]}}
        (model / "golden.json").write_text(json.dumps([golden]))
        command = ["make", "image", f"MODEL={model}", f"IMAGE={tag}", f"DOCKER={docker}", f"DOCKER_BUILD_FLAGS={flags}"]
        statuses[answer] = subprocess.run(command, cwd=ROOT, env=without_make(), check=False, timeout=900).returncode
    run(docker, "image", "rm", tag)

    assert "catboost==" in (model / "requirements.lock").read_text()
    assert statuses == {"no": 0, "yes": 2}
