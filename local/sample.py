"""Write what a model can be tried with, asked of the model itself: `python -m local.sample DIRECTORY FILE`.

FILE is then the JSON of a local.sample_request.Sample. Beside it lies schema.json, unless code of the owner judges by
itself.
"""

import asyncio
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from deployment.errors import UnreadableError
from deployment.samples import SAMPLES, Reply, fit, read_samples
from deployment.settings import ENVIRON
from local.sample_request import Sample
from predictor.errors import PredictorError
from predictor.formats.registry import decode, encode
from predictor.inputs.schema import Schema
from predictor.inputs.schema_json import to_json
from predictor.models.base import Model, Options
from predictor.settings import Settings, SettingsError
from predictor.worker.batch import attempt
from predictor.worker.loading import load
from predictor.worker.user_code import UserCode

JSON = "application/json"
# Petal length and width of five flowers, in cm.
FLOWERS = '{"data": [[1,2],[3,4],[3,3],[10,1],[7,8]]}'
FLOWER_FEATURES = ("petal length (cm)", "petal width (cm)")


def find_sample(model: Model | UserCode, directory: Path) -> Sample:
    """Return a row of samples.csv as the model takes it; without the file, one that is made up."""
    schema = Schema() if isinstance(model, UserCode) else model.schema
    made_up = _made_up(schema)
    form = _written(made_up) if made_up else ""
    if schema.names == FLOWER_FEATURES:
        return Sample(FLOWERS, form=form, features=_features(schema))
    refusal = ""
    if (directory / SAMPLES).exists():
        try:
            body = _written(fit(read_samples(directory), lambda body: ask(model, body)).body(1))
            return Sample(body, form=form, features=_features(schema))
        except UnreadableError as error:
            refusal = str(error)
    answered = made_up is not None and not ask(model, made_up).refusal(1)
    return Sample(form if answered else "", refusal, form, features=_features(schema))


def _features(schema: Schema) -> tuple[tuple[str, str], ...]:
    """Name each feature, and say what it is."""
    return tuple((feature.name or str(at), feature.type.value) for at, feature in enumerate(schema.features or ()))


def ask(model: Model | UserCode, body: dict[str, Any]) -> Reply:
    """Have the model answer as the container does; what it fails with is told, for it is the user's own."""
    answer = attempt(_answer, model, json.dumps(body).encode())
    if not isinstance(answer, PredictorError):
        return answer
    cause = answer.__cause__
    told = f"{answer.detail} ({type(cause).__name__}: {cause})" if cause else answer.detail
    faults = [{"pointer": fault.pointer, "detail": fault.detail} for fault in answer.errors]
    return Reply(answer.status, {"detail": told, "errors": faults})


def _answer(model: Model | UserCode, body: bytes) -> Reply:
    if isinstance(model, UserCode):
        answer = asyncio.run(model.respond(body, JSON, JSON)).body
    else:
        request = decode(body, JSON, model.schema)
        answer = encode(model.predict(request.rows, request.method), JSON).body
    try:
        return Reply(200, json.loads(answer))
    except ValueError:
        return Reply(200, answer.decode(errors="replace"))


def _made_up(schema: Schema) -> dict[str, Any] | None:
    """Return a body with a cell for each feature, or nothing where the number of features is not known."""
    if schema.features is None:
        return None
    row = [1 if feature.example == 1 else feature.example for feature in schema.features]
    return {"data": [row], "columns": list(schema.names)} if schema.names else {"data": [row]}


def _written(body: dict[str, Any]) -> str:
    members = (f'"{name}": {json.dumps(value, separators=(",", ":"))}' for name, value in body.items())
    return f"{{{', '.join(members)}}}"


def main(arguments: list[str], environ: Mapping[str, str]) -> None:
    directory, file = map(Path, arguments)
    try:
        settings = Settings.from_environ(environ)
        model = load(directory, Options(settings.threads, settings.program, settings.trusted_types))
    except (PredictorError, SettingsError) as error:
        file.write_text(json.dumps(asdict(Sample(failure=str(error)))))
        return
    if not isinstance(model, UserCode):
        file.with_name("schema.json").write_text(json.dumps(to_json(model.schema, directory.name)))
    file.write_text(json.dumps(asdict(find_sample(model, directory))))


if __name__ == "__main__":
    main(sys.argv[1:], ENVIRON)
