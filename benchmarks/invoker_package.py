"""The invoker's package as `sam build` makes it, and its size."""

import os
import shutil
import subprocess
import zipfile
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parent.parent


def package(folder: Path) -> list[str]:
    built = build(folder / "lambda")
    compiled = any(built.rglob("*.pyc"))
    whole = folder / "whole"
    install = ["uv", "pip", "install", "-q", "--require-hashes", "--python-version", "3.13", "--target", str(whole)]
    arguments = ["--python-platform", "x86_64-manylinux_2_28", "-r", "requirements.txt"]
    subprocess.run([*install, *arguments], cwd=ROOT / "invoker", env=environment(), check=True)
    shutil.copytree(ROOT / "invoker" / "invoker", whole / "invoker", ignore=shutil.ignore_patterns("__pycache__"))
    names = {f"as deployed, {'with' if compiled else 'without'} bytecode": built}
    if compiled:
        names["as deployed, without bytecode"] = without_bytecode(built, folder / "bare")
    names["all of its requirements, without bytecode"] = whole
    return [
        "## Package",
        "",
        "| what | zipped MB | unzipped MB |",
        "|---|---|---|",
        *(f"| {name} | {zipped_mb(path):.1f} | {size_mb(path):.1f} |" for name, path in names.items()),
    ]


def build(to: Path, **variables: str) -> Path:
    """Make the package as `sam build` does."""
    named = [f"{name}={value}" for name, value in variables.items()]
    command = [
        "make",
        "--silent",
        "--directory",
        str(ROOT / "invoker"),
        "build-Function",
        f"ARTIFACTS_DIR={to}",
        *named,
    ]
    subprocess.run(command, env=environment(), check=True, stderr=subprocess.DEVNULL)
    return to


def environment() -> Mapping[str, str]:
    return {**os.environ, "PATH": f"{ROOT / '.tools/uv/bin'}:{os.environ['PATH']}"}


def without_bytecode(path: Path, to: Path) -> Path:
    return Path(shutil.copytree(path, to, ignore=shutil.ignore_patterns("__pycache__")))


def size_mb(path: Path) -> float:
    return sum(each.stat().st_size for each in path.rglob("*") if each.is_file()) / 1e6


def zipped_mb(path: Path) -> float:
    archive = path.with_suffix(".zip")
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for each in path.rglob("*"):
            file.write(each, each.relative_to(path))
    return archive.stat().st_size / 1e6
