"""Which packages a model needs and are not installed, told without running its file: lines for a requirements.txt.

A pickle names the module of each class and function: https://docs.python.org/3/library/pickletools.html, GLOBAL and
STACK_GLOBAL. Arrays of joblib's lie between, so that the names are looked for among the bytes.
"""

import ast
import importlib.util
import mmap
import re
import sys
import zipfile
from _compat_pickle import IMPORT_MAPPING  # names of Python 2, which these protocols write
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

GLOBAL = re.compile(rb"c([A-Za-z_]\w+)(?:\.\w+)*\n[A-Za-z_][\w.]*\n")
# A name that stood before is fetched from the memo.
STACK_GLOBAL = re.compile(rb"\x8c(.)([A-Za-z_][\w.]*)\x94(?:\x8c.[A-Za-z_][\w.]*\x94|h.|j.{4})\x93", re.DOTALL)
CATBOOST_VERSION = re.compile(rb"CatBoost release (\d+\.\d+(?:\.\d+)?)")
KERAS_VERSION = re.compile(rb'"keras_version": *"([\d.]+)"')
PACKAGES = {
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "imblearn": "imbalanced-learn",
    "PIL": "pillow",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "tensorflow": "tensorflow-cpu",
    "xgboost": "xgboost-cpu",
    "yaml": "pyyaml",
}
"""Packages whose names are not those of their modules, or that the image takes in the form for processors."""


def lines(path: Path, model_dir: Path, *modules: str) -> list[str]:
    """Return a line for each package that a model's file or program needs; `modules` are known to be missing."""
    needed = {module.partition(".")[0] for module in modules}
    if path.suffix == ".py":
        needed.update(module for file in [path, *(model_dir / "code").rglob("*.py")] for module in _imports(file))
    else:
        needed.update(_named(path))
    return sorted(
        f"{PACKAGES.get(module, module.replace('_', '-'))}{_version(module, path, model_dir)}"
        for module in needed
        if _is_missing(module, model_dir)
    )


def _imports(file: Path) -> Iterator[str]:
    """Modules that a program imports where it is loaded."""
    with suppress(SyntaxError, ValueError, OSError):
        for node in ast.parse(file.read_bytes()).body:
            if isinstance(node, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.partition(".")[0]


def _named(path: Path) -> Iterator[str]:
    """Modules that a pickle names."""
    if not path.is_file() or not path.stat().st_size:
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if content[:2] in {b"\x80\x02", b"\x80\x03"}:
            for found in GLOBAL.finditer(content):
                yield IMPORT_MAPPING.get(found[1].decode(), found[1].decode())
        for found in STACK_GLOBAL.finditer(content):
            if found[1][0] == len(found[2]):
                yield found[2].decode().partition(".")[0]


def _is_missing(module: str, model_dir: Path) -> bool:
    if module in sys.stdlib_module_names or sys.modules.get(module) is not None:
        return False
    own = (model_dir / place / name for place in ("", "code") for name in (module, f"{module}.py"))
    return importlib.util.find_spec(module) is None and not any(path.exists() for path in own)


def _version(module: str, path: Path, model_dir: Path) -> str:
    """The version that wrote the model, as a requirement says it; empty where no file tells."""
    if module == "keras":
        for archive in sorted(model_dir.glob("*.keras")):
            with suppress(zipfile.BadZipFile, KeyError), zipfile.ZipFile(archive) as opened:
                if found := KERAS_VERSION.search(opened.read("metadata.json")):
                    return f"=={found[1].decode()}"
    if module == "catboost" and path.suffix != ".py":
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            if found := CATBOOST_VERSION.search(content):
                return f"=={found[1].decode()}"
    return ""
