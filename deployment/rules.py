"""The template's own checks of its parameters, made here before CloudFormation makes them.

Patterns, allowed values, bounds, and the assertions of the section Rules:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/rules-section-structure.html
"""

import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from deployment.findings import Finding, error, passed

SUBJECT = "parameters"
Template = Mapping[str, Any]


def check_rules(template: Template, parameters: Mapping[str, str]) -> list[Finding]:
    """Return what CloudFormation would refuse, in the template's own sentences."""
    refused = check_values(template, parameters)
    refused += [
        error(SUBJECT, assertion["AssertDescription"], f"see rule {name} in template.yaml")
        for name, rule in template.get("Rules", {}).items()
        for assertion in _broken(rule, parameters)
    ]
    return refused or [passed(SUBJECT, f"{len(parameters)} values fit the template's patterns and rules")]


def check_values(template: Template, parameters: Mapping[str, str]) -> list[Finding]:
    """Return what is wrong with each value by itself."""
    return [
        finding
        for name, declared in template["Parameters"].items()
        if (finding := _check_parameter(name, declared, parameters[name]))
    ]


def _check_parameter(name: str, declared: Mapping[str, Any], value: str) -> Finding | None:
    expected = declared.get("ConstraintDescription") or declared.get("Description", "")
    if "AllowedValues" in declared and value not in map(str, declared["AllowedValues"]):
        return error(SUBJECT, f"{name}={value}", f"expected one of {', '.join(map(str, declared['AllowedValues']))}")
    if "AllowedPattern" in declared and not re.fullmatch(declared["AllowedPattern"], value):
        return error(SUBJECT, f"{name}={value}", f"expected {expected}")
    if declared["Type"] == "Number" and not _in_bounds(declared, value):
        bounds = f"from {declared.get('MinValue', 'any')} to {declared.get('MaxValue', 'any')}"
        return error(SUBJECT, f"{name}={value}", f"expected a number {bounds}: {expected}")
    return None


def _in_bounds(declared: Mapping[str, Any], value: str) -> bool:
    try:
        number = float(value)
    except ValueError:
        return False
    return bool(declared.get("MinValue", number) <= number <= declared.get("MaxValue", number))


def _broken(rule: Mapping[str, Any], parameters: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
    if "RuleCondition" not in rule or evaluate(rule["RuleCondition"], parameters):
        yield from (item for item in rule["Assertions"] if not evaluate(item["Assert"], parameters))


def made(template: Template, parameters: Mapping[str, str]) -> dict[str, Any]:
    """Return the resources whose condition holds, by their logical id."""
    conditions = template.get("Conditions", {})
    return {
        name: resource
        for name, resource in template["Resources"].items()
        if "Condition" not in resource or evaluate({"Condition": resource["Condition"]}, parameters, conditions)
    }


def evaluate(node: Any, parameters: Mapping[str, str], conditions: Mapping[str, Any] = MappingProxyType({})) -> Any:
    """Evaluate an expression of the sections Rules and Conditions."""
    if isinstance(node, list):
        return [evaluate(item, parameters, conditions) for item in node]
    if not isinstance(node, dict):
        return str(node)
    ((function, argument),) = node.items()
    if function == "Ref":
        return parameters[argument]
    if function == "Condition":
        return evaluate(conditions[argument], parameters, conditions)
    return _FUNCTIONS[function](evaluate(argument, parameters, conditions))


_FUNCTIONS: Mapping[str, Callable[[Any], bool]] = {
    "Fn::And": all,
    "Fn::Or": any,
    "Fn::Not": lambda argument: not argument[0],
    "Fn::Equals": lambda argument: argument[0] == argument[1],
    "Fn::Contains": lambda argument: argument[1] in argument[0],
}
