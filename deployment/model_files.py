"""What counts as a model file: the container's own definition, read from its folder, which is no package of ours."""

import importlib.util

from deployment.settings import SERVING

_spec = importlib.util.spec_from_file_location("model_files", SERVING / "predictor" / "models" / "files.py")
if _spec is None or _spec.loader is None:
    raise ImportError(f"{SERVING} is not the container's folder")
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)

MODEL_FILES: dict[str, str] = _module.MODEL_FILES


def by_name(name: str) -> bool:
    """Whether a file's name alone makes it a model."""
    return bool(_module.by_name(name))


def may_be_model(name: str) -> bool:
    """Whether a file may be a model by what it holds."""
    return bool(_module.may_be_model(name))


def by_content(stream: object) -> bool:
    """Whether what a file holds makes it a model."""
    return bool(_module.by_content(stream))
