"""Which files are models, and what is said of a folder in which none is found."""

import dis
import pickle
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import joblib
import lightgbm
import numpy as np
import pytest
import xgboost
from sklearn.cluster import DBSCAN
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import LocalOutlierFactor, NearestNeighbors

from predictor.errors import ModelLoadError
from predictor.models import files
from predictor.models.base import Options
from predictor.worker.loading import load
from predictor.worker.user_code import UserCode

ROWS = np.random.default_rng(0).random((40, 2))
TARGET = [0, 1] * 20


@pytest.fixture(autouse=True)
def modules_as_before() -> Iterator[None]:
    path = sys.path.copy()
    yield
    sys.path[:] = path
    sys.modules.pop("inference", None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    joblib.dump(LogisticRegression().fit(ROWS, TARGET), tmp_path / "model.joblib")
    return tmp_path


def refusal(directory: Path, options: Options = Options()) -> str:
    with pytest.raises(ModelLoadError) as refused:
        load(directory, options)
    assert "\n" not in refused.value.detail
    return refused.value.detail


@pytest.mark.parametrize(
    "name",
    [
        "._model.joblib", ".DS_Store", ".model.pkl", "__MACOSX/._model.joblib", "schema.json", "golden.json",
        "requirements.txt", "requirements.lock", "samples.jsonl", "samples.pkl", "samples/model.pkl", "deployment.toml",
        "decision_function.onnx",
    ],
)  # fmt: skip
def test_what_lies_beside_a_model_is_none(name: str, folder: Path) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(b"{}" if name.endswith(".json") else b"\x80\x04}.")

    assert not isinstance(load(folder), UserCode)
    assert files.by_name(name) == "" or "/" in name


@pytest.mark.parametrize(
    "name", ["xgboost-model.json", "model.bst", "booster.ubj", "best.model", "xgb.txt", "learner.json"]
)
def test_a_lone_file_of_xgboosts_is_taken_whatever_its_name(name: str, tmp_path: Path) -> None:
    model = xgboost.XGBRegressor(n_estimators=3, n_jobs=1).fit(ROWS, TARGET)
    form = "model.json" if name.endswith("json") else "model.ubj"
    model.save_model(tmp_path / form)
    (tmp_path / form).rename(tmp_path / name)
    (tmp_path / "notes.json").write_text('{"author": "me"}')

    served = load(tmp_path)

    assert not isinstance(served, UserCode)
    np.testing.assert_allclose(served.predict(ROWS, "predict"), model.predict(ROWS), rtol=1e-6)


@pytest.mark.parametrize("name", ["lightgbm-model.txt", "model.lgb", "model"])
def test_a_lone_file_of_lightgbms_is_taken_whatever_its_name(name: str, tmp_path: Path) -> None:
    model = lightgbm.LGBMRegressor(n_estimators=3, n_jobs=1, verbose=-1).fit(ROWS, TARGET)
    model.booster_.save_model(tmp_path / name)

    served = load(tmp_path)

    assert not isinstance(served, UserCode)
    np.testing.assert_allclose(served.predict(ROWS, "predict"), model.predict(ROWS))


def test_a_lone_pickle_of_another_name_is_taken(folder: Path) -> None:
    (folder / "model.joblib").rename(folder / "classifier.bin")

    assert not isinstance(load(folder), UserCode)


def test_a_ranker_answers_as_it_does_itself(tmp_path: Path) -> None:
    model = xgboost.XGBRanker(n_estimators=3, n_jobs=1).fit(ROWS, TARGET, qid=np.zeros(40, int))
    model.save_model(tmp_path / "model.json")

    served = load(tmp_path)

    assert not isinstance(served, UserCode)
    np.testing.assert_allclose(served.predict(ROWS, "predict"), model.predict(ROWS), rtol=1e-6)


def test_a_link_to_nowhere_is_named(tmp_path: Path) -> None:
    (tmp_path / "model.joblib").symlink_to("/no/where.joblib")

    assert refusal(tmp_path).endswith(
        f" {tmp_path / 'model.joblib'} is a link to /no/where.joblib, which is not there: put the file itself there."
    )


def test_a_model_two_levels_too_deep_is_named(folder: Path) -> None:
    deep = folder / "export" / "model"
    deep.mkdir(parents=True)
    shutil.move(folder / "model.joblib", deep)

    assert f" {deep / 'model.joblib'} is 2 levels too deep: move it up into {folder}" in refusal(folder)


def test_a_file_of_another_library_is_told_what_it_needs(tmp_path: Path) -> None:
    (tmp_path / "model.pt").write_bytes(b"PK")

    assert "model.pt is a file of PyTorch: write " in refusal(tmp_path)


def test_functions_in_a_file_of_another_name_are_named(tmp_path: Path) -> None:
    (tmp_path / "serve.py").write_text("def model_fn(model_dir): ...\n")

    assert f"{tmp_path / 'serve.py'} defines model_fn: name the file " in refusal(tmp_path)


def test_inference_py_at_the_top_is_used(folder: Path) -> None:
    (folder / "inference.py").write_text("import beside\ndef predict_fn(data, model): return beside.ANSWER\n")
    (folder / "beside.py").write_text("ANSWER = ['mine']\n")

    assert isinstance(load(folder), UserCode)


def test_a_program_that_is_not_there_is_named(folder: Path) -> None:
    (folder / "code").mkdir()
    (folder / "code" / "serve.py").write_text("")

    assert refusal(folder, Options(program="predictor.py")) == (
        f"SAGEMAKER_PROGRAM names predictor.py, which is neither in {folder / 'code'} nor in {folder} (there is "
        "serve.py): name a file that is there, or leave the variable out."
    )


MODEL = LogisticRegression().fit(ROWS, TARGET)


@pytest.mark.parametrize(
    ("held", "told"),
    [
        (
            NearestNeighbors().fit(ROWS),
            "a NearestNeighbors, which has no predict for new rows (it has kneighbors): w",
        ),
        (DBSCAN().fit(ROWS), "a DBSCAN, which has no predict for new rows (it has fit_predict): write"),
        (LocalOutlierFactor().fit(ROWS), "a LocalOutlierFactor, which has no predict with novelty=False: fit it with"),
        (GridSearchCV(MODEL, {"C": [1, 2]}, refit=False).fit(ROWS, TARGET), "was fitted with refit=False"),
        ({"model": MODEL, "columns": ["a"]}, "a dict with a LogisticRegression at ['model']: save that alone"),
        ((MODEL, ["a"]), "a tuple with a LogisticRegression at [0]: save that alone"),
        ([MODEL, MODEL], "a list with 2 models, at [0], [1]: save the one to serve"),
        ({"a": 1}, "a dict with the keys 'a' and no fitted model in it"),
        (ROWS, "a ndarray, which is data and no model"),
        (LogisticRegression, "the class LogisticRegression and no fitted model"),
        (len, "a builtin_function_or_method that can be called and has no predict"),
        (None, "a NoneType, which has none of predict"),
    ],
)
def test_what_cannot_predict_is_named_with_what_to_do(held: object, told: str, tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(held))

    assert refusal(tmp_path).startswith(f"{tmp_path / 'model.pkl'} holds ")
    assert told in refusal(tmp_path)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"\x80\x04cpandas.core.indexes.numeric\nInt64Index\n)R.", "it was made with another pandas than this "),
        (b"\x80\x04cxgboost.compat\nXGBoostLabelEncoder\n)R.", "it was made with another xgboost than this "),
        (b"\x80\x04c__main__\nMine\n)R.", 'it holds "Mine" of the notebook or script that saved it'),
    ],
)
def test_the_true_cause_of_a_pickle_that_does_not_load(content: bytes, told: str, tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(content)

    assert refusal(tmp_path).startswith(f"{tmp_path / 'model.pkl'} cannot be loaded: {told}")


@pytest.mark.parametrize("content", [pickle.dumps({"a": 1}), b"binf\x00\x00\x00\x00"])
def test_old_forms_of_xgboosts_file_are_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "xgboost-model").write_bytes(content)

    told = refusal(tmp_path)

    assert ("is a pickle of an XGBoost model" in told) or ("is in XGBoost's old binary form" in told)
    assert 'save_model("model.ubj")' in told


def test_bytecode_of_another_python_is_refused_before_it_runs(tmp_path: Path) -> None:
    script = (
        "import cloudpickle, sys\n"
        "class Mine:\n    def predict(self, rows):\n        return [7 for _ in rows]\n"
        "sys.stdout.buffer.write(cloudpickle.dumps(Mine()))\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    (tmp_path / "model.pkl").write_bytes(ran.stdout)
    served = load(tmp_path)
    assert not isinstance(served, UserCode)
    assert list(served.predict(ROWS[:2], "predict")) == [7, 7]

    resume = bytes([dis.opmap["RESUME"], 0])
    assert resume in ran.stdout
    (tmp_path / "model.pkl").write_bytes(ran.stdout.replace(resume, bytes([255, 0])))

    assert "holds functions in the bytecode of another Python than this 3." in refusal(tmp_path)
