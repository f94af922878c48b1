"""Which extras of the image a model is found to need."""

import subprocess
import sys
from pathlib import Path

import joblib
import lightgbm
import pytest
import xgboost
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from tests.environments import ROOT

ROWS, TARGETS = [[0.0], [1.0]], [0, 1]


def command(directory: Path, *asked: str) -> tuple[str, str]:
    """What the command prints on stdout and on stderr."""
    arguments = [sys.executable, "-m", "predictor.worker.extras", str(directory), *asked]
    ran = subprocess.run(arguments, cwd=ROOT / "serving-container", capture_output=True, text=True, check=True)
    return ran.stdout, ran.stderr


@pytest.mark.parametrize(("asked", "printed"), [((), "\n"), (("xgboost", "compile"), "compile xgboost\n")])
def test_a_model_of_scikit_learn_needs_none(asked: tuple[str, ...], printed: str, tmp_path: Path) -> None:
    joblib.dump(LogisticRegression().fit(ROWS, TARGETS), tmp_path / "model.joblib")

    assert command(tmp_path, *asked) == (printed, "")


def test_a_file_of_xgboosts(tmp_path: Path) -> None:
    xgboost.XGBClassifier(n_estimators=1, n_jobs=1).fit(ROWS, TARGETS).save_model(tmp_path / "model.ubj")

    assert command(tmp_path) == ("xgboost\n", "the model needs xgboost: it is added to EXTRAS\n")
    assert command(tmp_path, "xgboost") == ("xgboost\n", "")


def test_a_lightgbm_model_inside_a_pickle(tmp_path: Path) -> None:
    model = make_pipeline(lightgbm.LGBMClassifier(n_estimators=1, n_jobs=1, verbose=-1)).fit(ROWS, TARGETS)
    joblib.dump(model, tmp_path / "model.joblib")

    assert command(tmp_path, "compile") == (
        "compile lightgbm\n",
        "the model needs lightgbm: it is added to EXTRAS\n",
    )


def test_code_that_imports_one_and_prints(tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    program = 'import xgboost\ndef model_fn(d): print("loading")\ndef predict_fn(data, model): ...'
    (tmp_path / "code" / "inference.py").write_text(program)

    assert command(tmp_path) == ("xgboost\n", "loading\nthe model needs xgboost: it is added to EXTRAS\n")


def test_a_model_that_does_not_load_is_said_and_keeps_what_was_asked_for(tmp_path: Path) -> None:
    detail = f"{tmp_path / 'none'} is no directory: put the model there, or name another in SERVING_MODEL_DIR."

    assert command(tmp_path / "none", "compile") == (
        "compile\n",
        f"warning: name the extras that the model needs in EXTRAS, for here {detail}\n",
    )


def test_a_class_of_a_notebook_stops_the_build(tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(b"\x80\x04c__main__\nMine\n)R.")

    arguments = [sys.executable, "-m", "predictor.worker.extras", str(tmp_path)]
    ran = subprocess.run(arguments, cwd=ROOT / "serving-container", capture_output=True, text=True, check=False)

    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith(f'error: {tmp_path / "model.pkl"} cannot be loaded: it holds "Mine" of the notebook')


def test_a_package_that_no_extra_brings_stops_the_build(tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(b"\x80\x02cno_such_package.models\nModel\n)R.")

    arguments = [sys.executable, "-m", "predictor.worker.extras", str(tmp_path)]
    ran = subprocess.run(arguments, cwd=ROOT / "serving-container", capture_output=True, text=True, check=False)

    assert (ran.returncode, ran.stdout) == (1, "")
    assert "write the line no-such-package into requirements.txt in the model's folder" in ran.stderr


def test_a_model_that_ends_this_python_is_tried_again_in_the_image(tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "inference.py").write_text("import os\nos.kill(os.getpid(), 11)\n")

    printed, told = command(tmp_path, "xgboost")

    assert printed == "xgboost\n"
    assert "with signal 11; the image has Python 3.13, and tries it again" in told
