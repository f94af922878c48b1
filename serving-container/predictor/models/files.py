"""Which files are models: by their names, and a lone file by what it holds."""

import zipfile
from pathlib import PurePath
from typing import BinaryIO

MODEL_FILES = {
    ".pkl": "pickle",
    ".pickle": "pickle",
    ".joblib": "pickle",
    ".skops": "skops",
    ".onnx": "onnx",
    ".ubj": "xgboost",
    ".bst": "xgboost",
    ".cbm": "catboost",
    # .json and .txt may be anything, so these have to have this very name
    "model.json": "xgboost",
    "xgboost-model": "xgboost",  # what SageMaker's own XGBoost writes
    "model.txt": "lightgbm",
}
"""Suffixes and whole names, and the library that reads such a file."""
OTHERS_SUFFIXES = {
    ".pt": "PyTorch",
    ".pth": "PyTorch",
    ".keras": "Keras",
    ".h5": "Keras",
    ".hdf5": "Keras",
    ".safetensors": "safetensors",
    ".pb": "TensorFlow",
    ".tflite": "TensorFlow Lite",
    ".gguf": "llama.cpp",
    ".pmml": "PMML",
    ".rds": "R",
    ".mar": "TorchServe",
}
"""Files of libraries whose models need functions of one's own."""
DECISION_FUNCTION = "decision_function.onnx"
"""A compiled model's second graph, which is no model by itself."""
ORIGINAL = "original.pkl"
"""What a compiled model was made of, where that predicts many rows more quickly."""
NEVER_NAMES = frozenset({"schema.json", "golden.json", "deployment.toml", DECISION_FUNCTION, ORIGINAL})
"""Files of a model's folder that say something of the model."""
NEVER_STEMS = frozenset({"samples", "requirements"})
NEVER_FOLDERS = frozenset({"__MACOSX", "__pycache__"})
LIGHTGBM_BEGINNING = b"tree\nversion="
CATBOOST_BEGINNING = b"CBM1"
UBJSON_LEARNER = b"\x07learner"
"""How the first key of XGBoost's UBJSON is written, which an object's mark and the key's length stand before."""
HEAD = 4096


def by_name(name: str) -> str:
    """Tell the library of a file by its name; empty where the name says nothing."""
    path = PurePath(name)
    if not may_be_model(name):
        return ""
    return MODEL_FILES.get(path.name) or MODEL_FILES.get(path.suffix.lower(), "")


def may_be_model(name: str) -> bool:
    """Whether a file may be a model: hidden files, notes of systems, and the folder's other files are none."""
    path = PurePath(name)
    hidden = any(part.startswith(".") and part != "." for part in path.parts)
    beside = path.name in NEVER_NAMES or path.stem in NEVER_STEMS
    return not hidden and not beside and NEVER_FOLDERS.isdisjoint(path.parts)


def by_content(stream: BinaryIO) -> str:
    """Tell the library of a file by how it begins; empty for everything else."""
    head = stream.read(HEAD)
    if is_pickle(head):
        return "pickle"
    if (head.lstrip()[:1] == b"{" and b'"learner"' in head) or UBJSON_LEARNER in head[:24]:
        return "xgboost"
    if head.replace(b"\r", b"").startswith(LIGHTGBM_BEGINNING):
        return "lightgbm"
    if head.startswith(CATBOOST_BEGINNING):
        return "catboost"
    return "skops" if head.startswith(b"PK\x03\x04") and _is_skops(stream) else ""


def is_pickle(head: bytes) -> bool:
    """Whether bytes begin like a pickle of protocol 2 to 5."""
    return head[:1] == b"\x80" and head[1:2] in {b"\x02", b"\x03", b"\x04", b"\x05"}


def _is_skops(stream: BinaryIO) -> bool:
    try:
        with zipfile.ZipFile(stream) as archive:
            return "schema.json" in archive.namelist()
    except zipfile.BadZipFile:
        return False
