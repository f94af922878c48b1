"""The lines that a folder without requirements.txt is told to write."""

import pickle
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import joblib
import numpy as np
import pytest

from predictor.errors import ModelLoadError
from predictor.models import needs
from predictor.worker.loading import load

MODULES = ("first_package", "second_package.models", "PIL.Image")


@pytest.fixture
def parts() -> Iterator[list[object]]:
    """Objects of modules that are there while they are saved, and an array between them."""
    made = []
    for name in MODULES:
        for full in (name.partition(".")[0], name):
            sys.modules.setdefault(full, ModuleType(full))
        part = type("Part", (), {"__module__": name})
        vars(sys.modules[name])["Part"] = part
        made += [part(), np.arange(1000.0)]
    yield made
    for name in MODULES:
        sys.modules.pop(name, None)
        sys.modules.pop(name.partition(".")[0], None)


@pytest.mark.parametrize("protocol", [2, 4, 5])
@pytest.mark.parametrize("writer", ["pickle", "joblib"])
def test_all_packages_of_a_pickle_are_told_at_once(
    writer: str, protocol: int, parts: list[object], tmp_path: Path
) -> None:
    file = tmp_path / "model.pkl"
    if writer == "pickle":
        file.write_bytes(pickle.dumps(parts, protocol))
    else:
        joblib.dump(parts, file, protocol=protocol)
    for name in MODULES:
        del sys.modules[name]
        sys.modules.pop(name.partition(".")[0], None)

    assert needs.lines(file, tmp_path) == ["first-package", "pillow", "second-package"]


def test_the_load_error_names_them(parts: list[object], tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(parts[0]) + pickle.dumps(parts[2]))
    for name in ("first_package", "second_package", "second_package.models"):
        del sys.modules[name]

    with pytest.raises(
        ModelLoadError,
        match=r"write the lines first-package, second-package into requirements\.txt in the model's folder",
    ):
        load(tmp_path)


def test_packages_that_own_code_imports(tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    program = tmp_path / "code" / "inference.py"
    program.write_text(
        "import json, numpy, helper\nimport no_such_one.models\nfrom no_such_two import x\n"
        "try:\n    import no_such_three\nexcept ImportError:\n    pass\ndef model_fn(d): import no_such_four\n"
    )
    (tmp_path / "code" / "helper.py").write_text("import no_such_five\n")

    assert needs.lines(program, tmp_path) == ["no-such-five", "no-such-one", "no-such-two"]


def test_a_version_that_the_file_tells(tmp_path: Path) -> None:
    (tmp_path / "model.cbm").write_bytes(b"CBM1...Summary: CatBoost release 1.2.10. commit_hash:f8e0\n")

    assert needs.lines(tmp_path / "model.cbm", tmp_path, "catboost") == ["catboost==1.2.10"]


def test_a_version_that_a_keras_file_beside_own_code_tells(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "net.keras", "w") as archive:
        archive.writestr("metadata.json", '{"keras_version": "3.12.0", "date_saved": "2026-01-01"}')
    (tmp_path / "inference.py").write_text("import keras\n")

    assert needs.lines(tmp_path / "inference.py", tmp_path) == ["keras==3.12.0"]
