"""The rules of CONTRIBUTING.md that a machine can check."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = (
    "invoker/invoker",
    "serving-container/predictor",
    "golden/golden",
    "authorizer/authorizer",
    "batch",
    "cli",
    "deployment",
    "local",
    "sam_template",
)
PRODUCT = [ROOT / name for name in FOLDERS]
MODULES = sorted(path for package in PRODUCT for path in package.rglob("*.py"))
TRACKED = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
SOURCES = sorted(ROOT / name for name in TRACKED if name.endswith(".py") and (ROOT / name).exists())

MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 40


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_files_stay_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MAX_FILE_LINES


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_functions_stay_short(path: Path) -> None:
    functions = [
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]

    long = {node.name: node.end_lineno - node.lineno + 1 for node in functions if node.end_lineno is not None}

    assert {name: lines for name, lines in long.items() if lines > MAX_FUNCTION_LINES} == {}


@pytest.mark.parametrize("path", [path for path in MODULES if path.read_text().strip()], ids=name_of)
def test_modules_open_with_a_sentence(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text()))


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_modules_are_named_by_nouns_of_the_field(path: Path) -> None:
    assert path.stem not in {"utils", "util", "helpers", "helper", "common", "misc"}


def test_no_path_hacks_in_the_product() -> None:
    hacks = [name_of(path) for path in MODULES if re.search(r"sys\.path|except ImportError", path.read_text())]

    # The program's start names the project's folder, and golden/, which Lambda unpacks as a folder of its own.
    # A user's code/ is put on the path, as AWS's containers do, so that its files can import each other.
    assert hacks == ["cli/__init__.py", "cli/install.py", "serving-container/predictor/models/loading.py"]


def test_the_environment_is_read_in_settings_and_entry_points_only() -> None:
    readers = {name_of(path) for path in MODULES if "os.environ" in path.read_text() and path.name != "settings.py"}

    assert {name for name in readers if Path(name).name not in {"app.py", "hook.py", "__main__.py"}} == set()


def imported_packages(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    froms = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    plain = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return {name.split(".")[0] for name in froms | plain}


def test_the_two_halves_share_no_code() -> None:
    for package, other in (("invoker/invoker", "predictor"), ("serving-container/predictor", "invoker")):
        users = [name_of(path) for path in (ROOT / package).rglob("*.py") if other in imported_packages(path)]

        assert users == [], f"{package} imports {other}"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_no_left_over_markers(path: Path) -> None:
    marker = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")

    assert marker.search(path.read_text()) is None


def test_the_changelog_has_an_unreleased_section() -> None:
    assert "## [Unreleased]" in (ROOT / "CHANGELOG.md").read_text()
