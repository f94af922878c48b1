"""deployment.toml in a model's folder: how it is deployed, one section for each environment.

    name = "churn"                    # by default the folder's name

    [dev]
    parameters = {Hosting = "serverless"}

    [prod]
    region = "eu-west-1"
    tags = {team = "risk"}
    parameters = {Hosting = "realtime", MinInstances = 2, MaxInstances = 4, Canary = true}

Parameters are those of template.yaml. What is not written has the template's default, also on an update.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from deployment import names
from deployment.errors import UnreadableError

FILE = "deployment.toml"
# Without a file: paid by use, so that a first deployment costs nothing while it is idle.
DEFAULT_PARAMETERS = {"Hosting": "serverless"}
DEFAULT_ENVIRONMENT = "dev"
KEPT_VERSIONS = 5


def _text(value: Any) -> Any:
    """CloudFormation's parameters are texts; TOML has numbers and booleans as well."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


class Section(BaseModel):
    """One environment."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    region: str = ""
    tags: dict[str, str] = Field(default_factory=dict)
    keep_versions: int = Field(default=KEPT_VERSIONS, ge=2)
    parameters: dict[str, Annotated[str, BeforeValidator(_text)]] = Field(default_factory=dict)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = ""
    environments: dict[str, Section] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Deployment:
    """How one model is deployed to one environment."""

    model: Path
    name: str
    environment: str
    section: Section

    @property
    def stack(self) -> str:
        """Name of stack and endpoint."""
        return names.stack_name(self.name, self.environment)

    @property
    def repository(self) -> str:
        """Name of the repository in ECR."""
        return names.repository_name(self.name)

    @property
    def tags(self) -> dict[str, str]:
        """The stack's tags; `list` finds stacks by the first two."""
        return {"model-api:model": self.name, "model-api:environment": self.environment, **self.section.tags}


def read_deployment(model: Path, environment: str, known: Mapping[str, Any]) -> Deployment:
    """Return how `model` is deployed; `known` are the template's parameters. Raises UnreadableError."""
    path = model / FILE
    file = _parse(path) if path.is_file() else _File()
    if file.environments and environment not in file.environments:
        raise UnreadableError(f"{path} has no environment {environment}; it has {', '.join(file.environments)}")
    section = file.environments.get(environment, Section())
    if unknown := sorted(section.parameters.keys() - known.keys()):
        place = f"{path}, [{environment}] parameters"
        raise UnreadableError(f"{place}: template.yaml has no {', '.join(unknown)}; it has {', '.join(known)}")
    return Deployment(model, names.model_name(file.name or model.name), environment, section)


def _parse(path: Path) -> _File:
    try:
        written = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UnreadableError(f"{path} cannot be read: {error}") from None
    sections = {key: value for key, value in written.items() if isinstance(value, dict)}
    top = {key: value for key, value in written.items() if key not in sections}
    try:
        return _File.model_validate({**top, "environments": sections})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"] if part != "environments")
        raise UnreadableError(f"{path}: {place}: {first['msg']}") from None
