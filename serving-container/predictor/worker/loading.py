"""The model of a directory: its file, or the user's own code around it."""

from functools import partial
from pathlib import Path

from predictor.models.base import Model, Options
from predictor.models.loading import find_program, importable, load_file
from predictor.models.owners_schema import owned
from predictor.worker import user_code
from predictor.worker.user_code import UserCode


def load(model_dir: Path, options: Options = Options()) -> Model | UserCode:
    """Load the one model in `model_dir`; raises ModelLoadError, whose detail is one line."""
    importable(model_dir / "code")
    if program := find_program(model_dir, options.program):
        importable(program.parent)
        return user_code.load(program, model_dir, partial(load_file, model_dir, options), options.accept)
    model = load_file(model_dir, options)[1]
    model.schema = owned(model.schema, model_dir)
    return model
