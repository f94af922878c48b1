"""Which model is found, and one line for each way in which it cannot be loaded."""

import gzip
import pickle
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import onnx
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression

import predictor
from predictor.errors import ModelLoadError
from predictor.models.base import Model, Options
from predictor.models.load_errors import explained
from predictor.worker.loading import load
from predictor.worker.user_code import UserCode

ROWS = np.array([[0.0, 0.0], [1.0, 1.0]])


@pytest.fixture
def fitted() -> LogisticRegression:
    return LogisticRegression().fit(ROWS, ["no", "yes"])


def loaded(directory: Path) -> Model:
    model = load(directory)
    assert not isinstance(model, UserCode)
    return model


def refusal(directory: Path) -> str:
    with pytest.raises(ModelLoadError) as refused:
        load(directory)
    assert "\n" not in refused.value.detail
    return refused.value.detail


def save(name: str, model: Any, path: Path) -> None:
    if name.endswith("skops"):
        from skops.io import dump  # noqa: PLC0415  # takes a second

        dump(model, path / name)
    elif name.endswith("joblib"):
        joblib.dump(model, path / name, compress=3)
    elif name == "dumped-by-joblib.pkl":
        joblib.dump(model, path / name)
    else:
        (path / name).write_bytes(pickle.dumps(model))


@pytest.mark.parametrize(
    "name",
    ["model.pkl", "model.pickle", "decision-tree-model.PKL", "dumped-by-joblib.pkl", "model.joblib", "model.skops"],
)
def test_a_model_is_found_by_its_suffix(name: str, fitted: LogisticRegression, tmp_path: Path) -> None:
    save(name, fitted, tmp_path)
    (tmp_path / "samples.csv").write_text("1,2\n")
    (tmp_path / "README.txt").write_text("the model")

    model = loaded(tmp_path)
    model.warm_up()

    assert model.predict(ROWS, "predict").tolist() == ["no", "yes"]
    np.testing.assert_array_equal(model.predict(ROWS, "predict_proba"), fitted.predict_proba(ROWS))


def test_no_model(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing")

    assert refusal(tmp_path).startswith(
        f"{tmp_path} holds no model: expected one file of .pkl, .pickle, .joblib, .skops,"
    )


def test_a_model_one_level_too_deep(fitted: LogisticRegression, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    save("model.pkl", fitted, tmp_path / "model")

    deep = tmp_path / "model" / "model.pkl"
    assert refusal(tmp_path).endswith(
        f" {deep} is one level too deep: move it up into {tmp_path} (in model.tar.gz, to the top)."
    )


def test_no_directory(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none").startswith(f"{tmp_path / 'none'} is no directory: ")


def test_several_models(fitted: LogisticRegression, tmp_path: Path) -> None:
    save("a.pkl", fitted, tmp_path)
    save("b.joblib", fitted, tmp_path)

    assert refusal(tmp_path) == f"{tmp_path} holds 2 models (a.pkl, b.joblib): leave one."


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a pickle",
        pickle.dumps({"a": 1})[:-3],
        gzip.compress(b"x", mtime=0),
        b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7f.",
    ],
)
def test_a_damaged_file(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(content)

    detail = refusal(tmp_path)

    assert detail.startswith(f"{tmp_path / 'model.pkl'} cannot be loaded: ")
    assert re.search(r"damaged, or of another kind than its name says|do not fit into memory", detail)


def test_a_damaged_skops_file(tmp_path: Path) -> None:
    (tmp_path / "model.skops").write_bytes(b"no archive")

    assert "damaged, or of another kind" in refusal(tmp_path)


def test_not_a_model(tmp_path: Path) -> None:
    save("model.pkl", {"a": 1}, tmp_path)

    assert refusal(tmp_path) == (
        f"{tmp_path / 'model.pkl'} holds a dict with the keys 'a' and no fitted model in it: save the fitted "
        f"model, or write {tmp_path / 'code' / 'inference.py'} with predict_fn(data, model)."
    )


class NeedsTooMuchMemory:
    def __reduce__(self) -> Any:
        return bytearray, (2**62,)


def test_too_little_memory(tmp_path: Path) -> None:
    save("model.pkl", NeedsTooMuchMemory(), tmp_path)

    assert "do not fit into memory: use a larger instance" in refusal(tmp_path)


def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "model.pkl"

    with pytest.raises(ModelLoadError) as refused, explained(path):  # the tests may run as root, who may read anything
        raise PermissionError(13, "Permission denied")

    assert refused.value.detail == f"{path} cannot be loaded: it may not be read: make it readable for all (chmod o+r)."


def test_skops_types_that_are_not_known_to_be_safe(fitted: LogisticRegression, tmp_path: Path) -> None:
    fitted.strange = Path("x")
    save("model.skops", fitted, tmp_path)

    detail = refusal(tmp_path)

    found = re.search(r"set SERVING_TRUSTED_TYPES=(\S+) if you trust them", detail)
    assert found
    trusting = load(tmp_path, Options(trusted=tuple(found[1].split(","))))
    assert not isinstance(trusting, UserCode)


def test_a_model_that_fails_on_a_made_up_row_is_no_fault_of_the_model(tmp_path: Path) -> None:
    model = DummyClassifier().fit(ROWS, [0, 1])
    del model.class_prior_
    save("model.pkl", model, tmp_path)

    assert not loaded(tmp_path).warm_up()


def test_an_onnx_worker_imports_no_scikit_learn(tmp_path: Path) -> None:
    node = onnx.helper.make_node("Identity", ["x"], ["y"])
    value = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.DOUBLE, [None, 2]) for name in "xy"]
    graph = onnx.helper.make_graph([node], "g", value[:1], value[1:])
    onnx.save(
        onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 21)], ir_version=10),
        tmp_path / "m.onnx",
    )
    script = f"""
import sys
from pathlib import Path
from predictor.worker.loading import load
load(Path({str(tmp_path)!r})).warm_up()
print(sorted({{"sklearn", "pandas", "scipy", "skl2onnx"}} & set(sys.modules)))
"""
    ran = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(predictor.__file__).parents[1],
        capture_output=True,
        text=True,
        check=True,
    )

    assert ran.stdout.strip() == "[]"
