"""Writes docs/parameters.md, the table of the template's parameters: `make parameters`."""

from collections.abc import Iterator, Mapping
from typing import Any

from sam_template import load
from tests.environments import ROOT

PAGE = ROOT / "docs" / "parameters.md"
TEMPLATE = ROOT / "template.yaml"
HEAD = """# Parameters of the template

Written by `make parameters` from template.yaml. `sam deploy --parameter-overrides Name=value`, samconfig.toml and
`PARAMETERS="Name=value"` of `make deploy` take them. Each default is safe, and the cheapest while nobody calls.
"""


def groups(template: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Each group of parameters as CloudFormation's console shows it: its title, and their names."""
    for group in template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]:
        yield group["Label"]["default"], group["Parameters"]


def page() -> str:
    template = load(TEMPLATE)
    parts = [HEAD]
    for title, names in groups(template):
        rows = "\n".join(row(name, template["Parameters"][name]) for name in names)
        parts.append(f"## {title}\n\n| parameter | default | values | meaning |\n|---|---|---|---|\n{rows}\n")
    return "\n".join(parts)


def row(name: str, declared: Mapping[str, Any]) -> str:
    default = str(declared["Default"]).replace(",", ", ")
    cells = (f"`{name}`", f"`{default}`" if default else "", values(declared), declared["Description"])
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def values(declared: Mapping[str, Any]) -> str:
    """What the parameter takes, in words where a pattern decides."""
    if "AllowedValues" in declared:
        return ", ".join(f"`{value}`" for value in declared["AllowedValues"])
    if "MinValue" in declared:
        least, most = declared["MinValue"], declared.get("MaxValue")
        return f"at least {least}" if most is None else f"{least} to {most}"
    return str(declared.get("ConstraintDescription", ""))


def main() -> None:
    PAGE.write_text(page())


if __name__ == "__main__":
    main()
