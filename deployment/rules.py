"""The template's own checks of its parameters, made here before CloudFormation makes them.

Patterns, allowed values, bounds, and the assertions of the section Rules:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/rules-section-structure.html
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from deployment.findings import Finding, error, passed
from sam_template import Evaluator

SUBJECT = "parameters"
WHOLE = re.compile(r"[0-9]+")
NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")
Template = Mapping[str, Any]


def check_rules(template: Template, parameters: Mapping[str, str]) -> list[Finding]:
    """Return what CloudFormation would refuse, in the template's own sentences."""
    refused = check_values(template, parameters)
    evaluator = Evaluator(template, parameters)
    refused += [
        error(SUBJECT, assertion["AssertDescription"], f"see rule {name} in template.yaml")
        for name, rule in template.get("Rules", {}).items()
        for assertion in _broken(rule, evaluator)
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
    # Of a list, each item must fit.
    items = value.split(",") if declared["Type"] == "CommaDelimitedList" else [value]
    if "AllowedPattern" in declared and not all(re.fullmatch(declared["AllowedPattern"], item) for item in items):
        return error(SUBJECT, f"{name}={value}", f"expected {expected}")
    if len(value) > int(declared.get("MaxLength", len(value))):
        return error(SUBJECT, f"{name}={value}", f"expected at most {declared['MaxLength']} characters")
    if declared["Type"] == "Number" and not _in_bounds(declared, value):
        bounds = f"from {declared.get('MinValue', 'any')} to {declared.get('MaxValue', 'any')}"
        kind = "number" if isinstance(declared.get("Default"), float) else "whole number"
        return error(SUBJECT, f"{name}={value}", f"expected a {kind} {bounds}: {expected}")
    return None


def _in_bounds(declared: Mapping[str, Any], value: str) -> bool:
    """CloudFormation takes 1.5 for any number; what is counted is whole, and its default says so."""
    form = NUMBER if isinstance(declared.get("Default"), float) else WHOLE
    if not form.fullmatch(value):
        return False
    number = float(value)
    return bool(declared.get("MinValue", number) <= number <= declared.get("MaxValue", number))


def _broken(rule: Mapping[str, Any], evaluator: Evaluator) -> Iterator[Mapping[str, Any]]:
    if "RuleCondition" not in rule or evaluator.resolve(rule["RuleCondition"]):
        yield from (item for item in rule["Assertions"] if not evaluator.resolve(item["Assert"]))
