"""The two tables of docs/settings.md say what the code reads, and the same defaults."""

import re
from dataclasses import fields
from pathlib import Path

from invoker import settings as invoker_settings
from predictor.settings import Settings as ContainerSettings
from sam_template import load

ROOT = Path(__file__).parents[2]
VARIABLE = re.compile(r'"((?:SERVING|SAGEMAKER)_[A-Z_]+)"')
ROW = re.compile(r"^\| `(?P<name>[A-Z_]+)` \| (?P<default>[^|]*?) ?\| ", re.MULTILINE)
# depend on the machine
OF_AWS = {"program": "SAGEMAKER_PROGRAM", "default_accept": "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT"}
OF_THE_MACHINE = {"SERVING_WORKERS", "SERVING_THREADS"}


def tables() -> tuple[dict[str, str], dict[str, str]]:
    """Return variable -> default of the function's table and of the container's."""
    function, container = (ROOT / "docs" / "settings.md").read_text().split("The container's, ")
    return dict(ROW.findall(function)), dict(ROW.findall(container))


def test_the_functions() -> None:
    defaults = invoker_settings.Settings("")
    values = {field.name.upper(): getattr(defaults, field.name) for field in fields(defaults)}

    assert tables()[0] == {name: str(value).lower() if value is False else str(value) for name, value in values.items()}


def test_the_container_reads_these_and_no_others() -> None:
    sources = (ROOT / "serving-container" / "predictor").rglob("*.py")
    read = {name for path in sources for name in VARIABLE.findall(path.read_text())}

    assert set(tables()[1]) == read


def name_of(field: str) -> str:
    return OF_AWS.get(field) or f"SERVING_{field.upper()}"


def shown(value: object) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)


def test_the_containers_defaults() -> None:
    settings = ContainerSettings.from_environ({})
    values = {name_of(field.name): shown(getattr(settings, field.name)) for field in fields(settings)}
    documented = tables()[1]

    same = {name: documented[name].replace("true", "True") for name in values if name not in OF_THE_MACHINE}

    assert same == {name: value for name, value in values.items() if name not in OF_THE_MACHINE}


def test_the_page_names_the_containers_settings_that_are_parameters() -> None:
    page = (ROOT / "docs" / "settings.md").read_text()
    parameters = [name for name in load(ROOT / "template.yaml")["Parameters"] if name.startswith("Serving")]

    assert parameters
    assert [name for name in parameters if f"`{name}`" not in page] == []
