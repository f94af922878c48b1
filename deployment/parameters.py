"""The stack to deploy and each of its parameters: from a model's deployment.toml, or from samconfig.toml."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deployment.deployment_file import DEFAULT_ENVIRONMENT, DEFAULT_PARAMETERS, Deployment, read_deployment
from deployment.errors import UnreadableError
from deployment.settings import SAMCONFIG, TEMPLATE
from sam_template import load


@dataclass(frozen=True, slots=True)
class Stack:
    """What would be deployed: the template and every parameter's value, so that none keeps its old one.

    `deployment` is how a model's folder is deployed; None for a stack of samconfig.toml.
    """

    name: str
    template: Mapping[str, Any]
    parameters: Mapping[str, str]
    environment: str = "default"
    region: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    confirm: bool = True
    deployment: Deployment | None = None


def read_template(path: Path = TEMPLATE) -> dict[str, Any]:
    """Read a template, its short forms written out."""
    return load(path)


def choose_stack(model: Path | None, environment: str | None, overrides: Sequence[str]) -> Stack:
    """Return the stack of a model's folder, or without one the stack of samconfig.toml."""
    if model is None:
        return read_stack(environment or "default", overrides)
    template = read_template()
    deployment = read_deployment(model, environment or DEFAULT_ENVIRONMENT, template["Parameters"])
    stage = deployment.environment.replace("-", "_")
    given = {"StageName": stage, **DEFAULT_PARAMETERS, **deployment.section.parameters, **split(overrides)}
    return Stack(
        name=deployment.stack,
        template=template,
        parameters=complete(template, given),
        environment=deployment.environment,
        region=deployment.section.region,
        tags=deployment.tags,
        deployment=deployment,
    )


def read_stack(environment: str, overrides: Sequence[str], samconfig: Path = SAMCONFIG) -> Stack:
    """Return the stack of an environment of samconfig.toml."""
    template = read_template()
    settings = _deploy_settings(samconfig, environment)
    if "stack_name" not in settings:
        raise UnreadableError(f"samconfig.toml names no stack for the environment {environment}")
    return Stack(
        name=str(settings["stack_name"]),
        template=template,
        parameters=read_parameters(template, environment, overrides, samconfig),
        environment=environment,
        region=str(settings.get("region", "")),
        tags=_tags(settings.get("tags", [])),
        confirm=bool(settings.get("confirm_changeset", False)),
    )


def read_parameters(
    template: Mapping[str, Any], environment: str, overrides: Sequence[str], samconfig: Path = SAMCONFIG
) -> dict[str, str]:
    """Return every parameter's value; `overrides` are `Name=value`, each value as it was typed."""
    written = _deploy_settings(samconfig, environment).get("parameter_overrides", [])
    pairs = written.split() if isinstance(written, str) else written
    # SAM takes quotes around a value of samconfig.toml away.
    of_file = {name: value.strip('"') for name, value in split(pairs).items()}
    return complete(template, of_file | split(overrides))


def complete(template: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, str]:
    """Return every parameter's value, given or by default; raises UnreadableError for one that is not there."""
    known = {name: str(item.get("Default", "")) for name, item in template["Parameters"].items()}
    if unknown := sorted(given.keys() - known.keys()):
        raise UnreadableError(f"template.yaml has no parameter {', '.join(unknown)}; it has {', '.join(known)}")
    values = known | dict(given)
    name = values.get("EndpointName", "")
    # SageMaker lower-cases the name in the ARN that the function's permission names.
    if name != name.lower() and not values["EndpointArnName"]:
        values["EndpointArnName"] = name.lower()
    return values


def split(pairs: Sequence[str]) -> dict[str, str]:
    """Return names and values of `Name=value`; raises UnreadableError."""
    if wrong := [pair for pair in pairs if "=" not in pair]:
        raise UnreadableError(f"expected Name=value, not {wrong[0]}")
    return {name: value for name, _, value in (pair.partition("=") for pair in pairs)}


def _tags(written: str | list[str]) -> dict[str, str]:
    return split(written.split() if isinstance(written, str) else written)


def _deploy_settings(path: Path, environment: str) -> Mapping[str, Any]:
    try:
        config = tomllib.loads(path.read_text())
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise UnreadableError(f"samconfig.toml cannot be read: {error}") from None
    if environment not in config:
        names = ", ".join(name for name in config if name != "version")
        raise UnreadableError(f"samconfig.toml has no environment {environment}; it has {names}")
    commands = config[environment]
    everywhere: dict[str, Any] = commands.get("global", {}).get("parameters", {})
    of_deploy: dict[str, Any] = commands.get("deploy", {}).get("parameters", {})
    return everywhere | of_deploy
