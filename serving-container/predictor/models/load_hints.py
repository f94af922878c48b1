"""What to say of a folder in which no model is found: what lies there instead, and what to do with it."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from predictor.models import files

DEPTH = 4
"""Folders inside each other that are looked into for a model."""
FUNCTION = re.compile(
    r"^(?:async )?def (model_fn|input_fn|predict_fn|output_fn|transform_fn)\b|^(model_fn|predict_fn|transform_fn)\s*=",
    re.MULTILINE,
)


def of_folder(model_dir: Path, candidates: Sequence[Path]) -> str:
    """Name the usual mistake, with a blank before it; empty where there is none to be seen."""
    for path in candidates:
        if path.is_symlink() and not path.exists():
            return f" {path} is a link to {path.readlink()}, which is not there: put the file itself there."
    for path in candidates:
        if library := files.OTHERS_SUFFIXES.get(path.suffix.lower()):
            return (
                f" {path.name} is a file of {library}: write {model_dir / 'code' / 'inference.py'} with "
                "model_fn(model_dir), which loads it, and predict_fn(data, model)."
            )
    return _other_program(model_dir) or _too_deep(model_dir)


def _other_program(model_dir: Path) -> str:
    for path in sorted([*model_dir.glob("*.py"), *model_dir.glob("*/*.py")]):
        if found := FUNCTION.search(path.read_text(errors="replace")):
            name = found[1] or found[2]
            return f" {path} defines {name}: name the file {model_dir / 'code' / 'inference.py'}."
    return ""


def _too_deep(model_dir: Path) -> str:
    for depth, path in _inside(model_dir):
        if files.by_name(str(path.relative_to(model_dir))):
            levels = "one level" if depth == 1 else f"{depth} levels"
            return f" {path} is {levels} too deep: move it up into {model_dir} (in model.tar.gz, to the top)."
    return ""


def _inside(model_dir: Path) -> Iterator[tuple[int, Path]]:
    """Files of the folders inside, those of the upper folders first."""
    found = []
    for folder, folders, names in os.walk(model_dir):
        depth = len(Path(folder).relative_to(model_dir).parts)
        if depth >= DEPTH:
            folders.clear()
        found += [(depth, Path(folder) / name) for name in names if depth]
    yield from sorted(found)
