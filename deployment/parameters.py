"""The stack's parameters as `sam deploy` would have them: template.yaml, then samconfig.toml, then the command line."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deployment.errors import UnreadableError
from sam_template import load

ROOT = Path(__file__).parent.parent
TEMPLATE = ROOT / "template.yaml"
SAMCONFIG = ROOT / "samconfig.toml"


@dataclass(frozen=True, slots=True)
class Stack:
    """What would be deployed: the template and every parameter's value."""

    name: str
    template: Mapping[str, Any]
    parameters: Mapping[str, str]


def read_template(path: Path = TEMPLATE) -> dict[str, Any]:
    """Read a template, its short forms written out."""
    return load(path)


def read_parameters(
    template: Mapping[str, Any], environment: str, overrides: Sequence[str], samconfig: Path = SAMCONFIG
) -> dict[str, str]:
    """Return every parameter's value; `overrides` are `Name=value` as `sam deploy` takes them."""
    known = {name: str(item.get("Default", "")) for name, item in template["Parameters"].items()}
    given = read_given(environment, overrides, samconfig)
    if unknown := sorted(given.keys() - known.keys()):
        raise UnreadableError(f"template.yaml has no parameter {', '.join(unknown)}; it has {', '.join(known)}")
    return known | given


def read_given(environment: str, overrides: Sequence[str], samconfig: Path = SAMCONFIG) -> dict[str, str]:
    """Return what samconfig.toml and the command line give; `sam deploy` alone would take one or the other."""
    return _read_samconfig(samconfig, environment) | _split(overrides)


def read_stack(environment: str, overrides: Sequence[str]) -> Stack:
    """Return what `make deploy` would deploy."""
    template = read_template()
    return Stack(_stack_name(environment, SAMCONFIG), template, read_parameters(template, environment, overrides))


def _stack_name(environment: str, samconfig: Path) -> str:
    settings = _deploy_settings(samconfig, environment)
    if "stack_name" not in settings:
        raise UnreadableError(f"samconfig.toml names no stack for the environment {environment}")
    return str(settings["stack_name"])


def _read_samconfig(path: Path, environment: str) -> dict[str, str]:
    overrides = _deploy_settings(path, environment).get("parameter_overrides", [])
    return _split(overrides.split() if isinstance(overrides, str) else overrides)


def _deploy_settings(path: Path, environment: str) -> Mapping[str, Any]:
    try:
        config = tomllib.loads(path.read_text())
    except (OSError, tomllib.TOMLDecodeError) as reason:
        raise UnreadableError(f"samconfig.toml cannot be read: {reason}") from None
    if environment not in config:
        names = ", ".join(name for name in config if name != "version")
        raise UnreadableError(f"samconfig.toml has no environment {environment}; it has {names}")
    commands = config[environment]
    everywhere: dict[str, Any] = commands.get("global", {}).get("parameters", {})
    of_deploy: dict[str, Any] = commands.get("deploy", {}).get("parameters", {})
    return everywhere | of_deploy


def _split(pairs: Sequence[str]) -> dict[str, str]:
    if wrong := [pair for pair in pairs if "=" not in pair]:
        raise UnreadableError(f"expected Name=value, not {wrong[0]}")
    return {name: value.strip('"') for name, _, value in (pair.partition("=") for pair in pairs)}
