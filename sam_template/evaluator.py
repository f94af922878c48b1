"""The template's expressions with the values of its parameters: references, conditions and intrinsic functions.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
"""

import re
from collections.abc import Mapping
from typing import Any

from sam_template.loader import TemplateError

# As they are on no account in particular.
PSEUDO_PARAMETERS = {
    "AWS::AccountId": "000000000000",
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::StackName": "local",
    "AWS::URLSuffix": "amazonaws.com",
}


class Evaluator:
    """Evaluates expressions of one template; intrinsic functions that it does not know stay as they are."""

    def __init__(
        self, template: Mapping[str, Any], parameters: Mapping[str, str], pseudo: Mapping[str, str] = PSEUDO_PARAMETERS
    ) -> None:
        """Take the defaults of all parameters that are not given; raise TemplateError for an unknown one."""
        declared = template.get("Parameters", {})
        if unknown := set(parameters) - set(declared):
            raise TemplateError(f"the template has no parameter {', '.join(sorted(unknown))}")
        defaults = {name: str(item["Default"]) for name, item in declared.items() if "Default" in item}
        self._values = {**PSEUDO_PARAMETERS, **pseudo, **defaults, **parameters}
        self._lists = {name for name, item in declared.items() if item["Type"] == "CommaDelimitedList"}
        self._conditions = template.get("Conditions", {})
        self._mappings = template.get("Mappings", {})

    def resolve(self, node: Any) -> Any:
        """Return the node with every known expression replaced; what becomes AWS::NoValue is left out."""
        if isinstance(node, list):
            return [value for item in node if (value := self.resolve(item)) is not None]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            ((name, argument),) = node.items()
            if replace := getattr(self, "_" + str(name).removeprefix("Fn::").lower(), None):
                return replace(argument)
        resolved = {key: self.resolve(value) for key, value in node.items()}
        return {key: value for key, value in resolved.items() if value is not None}

    def holds(self, condition: str) -> bool:
        """Return whether a condition of the template is true."""
        return self._condition(condition)

    def made(self, items: Mapping[str, Any]) -> dict[str, Any]:
        """Return those of the resources, or outputs, whose condition holds; by their logical id."""
        return {name: item for name, item in items.items() if "Condition" not in item or self.holds(item["Condition"])}

    def _ref(self, name: str) -> Any:
        """A parameter of type CommaDelimitedList is a list."""
        if name == "AWS::NoValue":
            return None
        value = self._values.get(name, name)
        return value.split(",") if name in self._lists else value

    def _sub(self, argument: Any) -> str:
        text, extra = argument if isinstance(argument, list) else (argument, {})
        values = self._values | self.resolve(extra)
        return re.sub(r"\$\{([\w:.]+)\}", lambda match: str(values.get(match[1], match[1])), text)

    def _join(self, argument: list[Any]) -> str:
        separator, parts = argument
        return str(separator).join(str(part) for part in self.resolve(parts))

    def _split(self, argument: list[Any]) -> list[str]:
        separator, text = argument
        return str(self.resolve(text)).split(separator)

    def _select(self, argument: list[Any]) -> Any:
        index, values = argument
        return self.resolve(values)[int(index)]

    def _findinmap(self, argument: list[Any]) -> Any:
        name, first, second = self.resolve(argument)
        return self._mappings[name][str(first)][str(second)]

    def _if(self, argument: list[Any]) -> Any:
        name, when_true, when_false = argument
        return self.resolve(when_true if self._condition(name) else when_false)

    def _condition(self, name: str) -> bool:
        return bool(self.resolve(self._conditions[name]))

    def _equals(self, argument: list[Any]) -> bool:
        """CloudFormation compares text: a parameter of type Number equals the number that it is written as."""
        left, right = self.resolve(argument)
        return str(left) == str(right)

    def _contains(self, argument: list[Any]) -> bool:
        values, value = self.resolve(argument)
        return str(value) in map(str, values)

    def _not(self, argument: list[Any]) -> bool:
        return not self.resolve(argument)[0]

    def _and(self, argument: list[Any]) -> bool:
        return all(self.resolve(argument))

    def _or(self, argument: list[Any]) -> bool:
        return any(self.resolve(argument))
