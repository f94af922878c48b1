"""What is said of a model that another scikit-learn, a missing package or a missing module keeps from loading."""

import pickle
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import sklearn.tree
from sklearn.linear_model import LogisticRegression

from predictor.errors import ModelLoadError
from predictor.worker.loading import load
from predictor.worker.user_code import UserCode

HERE = sklearn.__version__
REQUIREMENTS = "requirements.txt in the model's folder"


@pytest.fixture(autouse=True)
def modules_as_before() -> Iterator[None]:
    """Each model directory is that of a process of its own."""
    path = sys.path.copy()
    yield
    sys.path[:] = path
    sys.modules.pop("ratio", None)
    sys.modules.pop("inference", None)


def refusal(directory: Path) -> str:
    """What is said of a directory's model.pkl, behind its path."""
    with pytest.raises(ModelLoadError) as refused:
        load(directory)
    path, separator, said = refused.value.detail.partition(" cannot be loaded: ")
    assert (path, separator) == (str(directory / "model.pkl"), " cannot be loaded: ")
    return said


def saved_with(version: str, directory: Path) -> None:
    """Pickle a model, and write another version of scikit-learn of equal length into the file."""
    content = pickle.dumps(LogisticRegression().fit([[0], [1]], ["no", "yes"]))
    assert HERE.encode() in content
    (directory / "model.pkl").write_bytes(content.replace(HERE.encode(), version.encode()))


def naming(module: str, directory: Path, protocol: int = 0) -> None:
    """A pickle of a class of a module."""
    (directory / "model.pkl").write_bytes(bytes([0x80, protocol]) + f"c{module}\nModel\n.".encode())


def test_a_lower_scikit_learn(tmp_path: Path) -> None:
    saved_with("1.6.2", tmp_path)

    assert refusal(tmp_path) == (
        f"it was saved with scikit-learn 1.6.2, and this is {HERE}: train it with {HERE}, "
        f"or put scikit-learn==1.6.2 into {REQUIREMENTS}."
    )


def test_a_scikit_learn_that_cannot_be_served(tmp_path: Path) -> None:
    saved_with("1.5.2", tmp_path)

    assert refusal(tmp_path) == (
        f"it was saved with scikit-learn 1.5.2, and this is {HERE}; 1.6 is the lowest that can be served: "
        f"train it with {HERE}, or export it as ONNX where it was trained."
    )


MOVED = (
    f"it was made with another scikit-learn than this {HERE}, which lacks a part of it (%s): train it with {HERE}, "
    f"or, if it was made with 1.6 or later, put scikit-learn== and that version into {REQUIREMENTS}."
)


@pytest.mark.parametrize("module", ["_loss", "sklearn.ensemble._gb_losses"])
def test_a_module_of_another_scikit_learn(module: str, tmp_path: Path) -> None:
    naming(module, tmp_path)

    assert refusal(tmp_path) == MOVED % f"No module named '{module}'"


TREE = f"Can't get attribute 'Model' on <module 'sklearn.tree' from '{sklearn.tree.__file__}'>"


@pytest.mark.parametrize(("protocol", "what"), [(0, "module 'sklearn.tree' has no attribute 'Model'"), (4, TREE)])
def test_a_class_of_another_scikit_learn(protocol: int, what: str, tmp_path: Path) -> None:
    naming("sklearn.tree", tmp_path, protocol)

    assert refusal(tmp_path) == MOVED % what


def test_a_scikit_learn_here_that_is_too_low(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a pickle's code raises then; the version is read from what is installed first on the path."""
    (tmp_path / "scikit_learn-1.5.2.dist-info").mkdir()
    (tmp_path / "scikit_learn-1.5.2.dist-info" / "METADATA").write_text("Name: scikit-learn\nVersion: 1.5.2\n")
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "model.pkl").write_bytes(b"cbuiltins\ngetattr\n(cbuiltins\nint\nV__sklearn_tags__\ntR.")

    assert refusal(tmp_path) == (
        "this is scikit-learn 1.5.2, and 1.6 is the lowest that can be served: train it with 1.6 or later, "
        f"and put that version into {REQUIREMENTS}; or export it as ONNX where it was trained."
    )


def test_a_missing_module(tmp_path: Path) -> None:
    naming("no_such_package.models", tmp_path)

    assert refusal(tmp_path) == (
        'it needs the module "no_such_package", which is not installed: write the line no-such-package into '
        f"{REQUIREMENTS}; or, if the module is your own, put no_such_package.py into {tmp_path}/code."
    )


RATIO = """
import numpy as np
class Model:
    def predict(self, rows):
        return rows[:, 0] / rows[:, 1]
"""


@pytest.mark.parametrize("place", ["", "src"])
@pytest.mark.parametrize("module", ["ratio.py", "ratio/__init__.py"])
def test_a_module_that_lies_in_the_wrong_place(place: str, module: str, tmp_path: Path) -> None:
    naming("ratio", tmp_path)
    (tmp_path / place / module).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / place / module).write_text(RATIO)
    found = tmp_path / place / Path(module).parts[0]

    assert refusal(tmp_path) == f'it needs the module "ratio": move {found} into {tmp_path}/code.'


@pytest.mark.parametrize("program", [True, False], ids=["with inference.py", "without"])
@pytest.mark.parametrize("module", ["ratio.py", "ratio/__init__.py"])
def test_a_module_in_code_is_found(program: bool, module: str, tmp_path: Path) -> None:  # noqa: FBT001  # pytest's way
    (tmp_path / "code" / module).parent.mkdir(parents=True)
    (tmp_path / "code" / module).write_text(RATIO)
    (tmp_path / "model.pkl").write_bytes(b"cratio\nModel\n)\x81.")
    if program:
        (tmp_path / "code" / "inference.py").write_text("")

    model = load(tmp_path)

    assert isinstance(model, UserCode) == program
    if not isinstance(model, UserCode):
        assert model.predict(np.array([[6.0, 2.0]]), "predict").tolist() == [3.0]


@pytest.mark.parametrize(("file", "extra"), [("model.ubj", "xgboost"), ("model.txt", "lightgbm")])
def test_a_missing_extra_is_named(file: str, extra: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / file).write_bytes(b"")
    monkeypatch.setitem(sys.modules, extra, None)  # what Python itself does for a module that is not there

    with pytest.raises(ModelLoadError) as refused:
        load(tmp_path)

    line = {"xgboost": "xgboost-cpu"}.get(extra, extra)
    assert refused.value.detail == (
        f'{tmp_path / file} cannot be loaded: it needs the module "{extra}", which is not installed: '
        f"write the line {line} into {REQUIREMENTS}, "
        f'or build the image with make image MODEL=directory EXTRAS="{extra}".'
    )


@pytest.mark.parametrize("definition", ["class Mine", "def mine"])
def test_a_class_or_function_of_the_training_script(definition: str, tmp_path: Path) -> None:
    name = definition.split()[1]
    script = textwrap.dedent(
        f"""
        import pickle, sys
        {definition}(): pass
        pickle.dump({name}, open(sys.argv[1], "wb"))
        """
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "model.pkl")], check=True)

    assert refusal(tmp_path) == (
        f'it holds "{name}" of the notebook or script that saved it: define it in a file of its own, such as mine.py, '
        f"import it from there, save the model again, and put mine.py into {tmp_path}/code."
    )
