"""template.yaml as Python values, with CloudFormation's short forms written out."""

from pathlib import Path
from typing import Any

import yaml


class TemplateError(Exception):
    """Raise when a template, or a parameter for it, cannot be used; the text is one sentence."""


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms: `!Ref X` is {"Ref": "X"}, `!Sub X` is {"Fn::Sub": "X"}."""


def _short_form(loader: _Loader, tag: str, node: yaml.Node) -> dict[str, Any]:
    name = tag if tag in ("Ref", "Condition") else f"Fn::{tag}"
    if isinstance(node, yaml.ScalarNode):
        return {name: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)
    return {name: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _short_form)


def load(path: Path) -> dict[str, Any]:
    """Read a template, its short forms written out."""
    source: dict[str, Any] = yaml.load(path.read_text(), _Loader)  # noqa: S506  # a SafeLoader
    return source
