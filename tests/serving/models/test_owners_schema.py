"""schema.json beside a model: the owner's word, as long as it is not against the model."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

from predictor.errors import BadInputError, ModelLoadError
from predictor.formats.registry import decode
from predictor.models.base import Model
from predictor.worker.loading import load
from predictor.worker.user_code import UserCode
from tests.serving.processes import PYTHONPATH

FRAME = pd.DataFrame({"plan": ["basic", "pro"] * 4, "age": range(8)})
PLANS = make_pipeline(
    make_column_transformer((OneHotEncoder(), ["plan"]), remainder="passthrough"), LogisticRegression()
).fit(FRAME, [0, 1] * 4)


def month(frame: pd.DataFrame) -> Any:
    return frame["day"].dt.month.to_frame()


def described(directory: Path) -> dict[str, Any]:
    """What the command prints of a model's folder."""
    command = [sys.executable, "-m", "predictor", "describe", str(directory)]
    ran = subprocess.run(command, env={"PYTHONPATH": PYTHONPATH}, capture_output=True, text=True, check=True)
    document: dict[str, Any] = json.loads(ran.stdout)
    return document


def loaded(directory: Path, document: dict[str, Any]) -> Model:
    (directory / "schema.json").write_text(json.dumps(document))
    model = load(directory)
    assert not isinstance(model, UserCode)
    return model


def save(model: Any, frame: pd.DataFrame, directory: Path) -> Path:
    joblib.dump(model, directory / "model.joblib")
    frame[:2].to_csv(directory / "samples.csv", index=False)
    return directory


def test_describe_tells_features_examples_and_the_models_digest(tmp_path: Path) -> None:
    document = described(save(PLANS, FRAME, tmp_path))

    assert document["properties"] == {
        "plan": {
            "type": ["string"],
            "x-type": "categorical",
            "enum": ["basic", "pro"],
            "x-dtype": "object",
            "examples": ["basic", "pro"],
        },
        "age": {"type": ["number", "boolean"], "x-type": "numeric", "examples": [0.0, 1.0]},
    }
    assert document["x-model"].startswith("sha256:")


def test_the_file_as_it_is_changes_nothing(tmp_path: Path) -> None:
    save(PLANS, FRAME, tmp_path)
    before = loaded(tmp_path, {"x-kind": "json"}).schema

    assert loaded(tmp_path, described(tmp_path)).schema == before


def test_an_owner_may_narrow_the_categories(tmp_path: Path) -> None:
    document = described(save(PLANS, FRAME, tmp_path))
    document["properties"]["plan"]["enum"] = ["pro"]
    schema = loaded(tmp_path, document).schema

    with pytest.raises(BadInputError, match='expected one of "pro", got "basic" in row 0, column "plan"'):
        decode(b'{"data": [["basic", 1]]}', "application/json", schema)


@pytest.mark.parametrize(
    ("feature", "edit", "said"),
    [
        (
            "plan",
            {"type": "number", "x-type": "numeric"},
            '"plan": the model takes categorical cells, not',
        ),
        ("plan", {"enum": ["basic", "team"]}, '"plan": the model knows basic, pro only'),
        ("age", {"type": ["number", "null"]}, '"age": the model takes no missing cell; leave out null'),
    ],
)
def test_an_edit_against_the_model_is_an_error(feature: str, edit: Any, said: str, tmp_path: Path) -> None:
    document = described(save(PLANS, FRAME, tmp_path))
    document["properties"][feature] |= edit

    with pytest.raises(ModelLoadError, match=said):
        loaded(tmp_path, document)


def test_an_owner_gives_a_type_to_what_only_own_code_knows(tmp_path: Path) -> None:
    frame = pd.DataFrame({"day": pd.to_datetime(["2024-01-01", "2024-03-01"]).repeat(4)})
    model = make_pipeline(FunctionTransformer(month), LogisticRegression()).fit(frame, [0] * 4 + [1] * 4)
    joblib.dump(model, tmp_path / "model.joblib")
    day = {"type": "string", "format": "date-time", "x-dtype": "datetime64[ns]"}
    subject = loaded(tmp_path, {"x-kind": "table", "properties": {"day": day}})

    request = decode(b'[{"day": "2024-03-05"}]', "application/json", subject.schema)
    with pytest.raises(BadInputError, match="expected a date or time as ISO 8601 has it"):
        decode(b'[{"day": "yesterday"}]', "application/json", subject.schema)

    assert subject.predict(request.rows, "predict").tolist() == [1]
