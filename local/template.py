"""What template.yaml says about the API and its function, read as SAM and CloudFormation would."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft4Validator
from referencing import Registry
from referencing.jsonschema import DRAFT4

from local.errors import TemplateError
from local.function import Limits

METHODS = frozenset({"get", "post", "put", "patch", "delete", "head", "options"})
INTEGRATION = "x-amazon-apigateway-integration"
GATEWAY_RESPONSES = "x-amazon-apigateway-gateway-responses"
BINARY_TYPES = "x-amazon-apigateway-binary-media-types"
PSEUDO_PARAMETERS = {
    "AWS::AccountId": "000000000000",
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::StackName": "local",
    "AWS::URLSuffix": "amazonaws.com",
}


@dataclass(frozen=True, slots=True)
class Method:
    """One method of the API; `validators` by media type check the body before the function sees it."""

    name: str
    resource: str
    key_required: bool
    validators: Mapping[str, Draft4Validator]

    def match(self, name: str, path: str) -> dict[str, str] | None:
        """Return the path parameters when this method answers the request, else None."""
        pattern = re.sub(r"\\{(\w+)(\\\+)?\\}", _parameter, re.escape(self.resource))
        found = re.fullmatch(pattern, path) if name == self.name else None
        return None if found is None else found.groupdict()


@dataclass(frozen=True, slots=True)
class GatewayResponse:
    """How the gateway answers by itself; `body` still holds $context variables."""

    status: int | None
    headers: Mapping[str, str]
    body: str | None


@dataclass(frozen=True, slots=True)
class Api:
    """The API as deployed."""

    stage: str
    methods: tuple[Method, ...]
    binary_types: tuple[str, ...]
    # Bodies at least this long are compressed for callers that ask; None switches compression off, both ways.
    compressed_from: int | None
    gateway_responses: Mapping[str, GatewayResponse]


@dataclass(frozen=True, slots=True)
class FunctionDefinition:
    """The function behind the API."""

    handler: str
    code: Path
    limits: Limits
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Template:
    """The two parts of the stack that run locally."""

    api: Api
    function: FunctionDefinition


def _parameter(match: re.Match[str]) -> str:
    """`{name}` is one segment of the path, `{name+}` all that are left."""
    return f"(?P<{match[1]}>{'.+' if match[2] else '[^/]+'})"


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


def read_template(path: Path, parameters: Mapping[str, str]) -> Template:
    """Read the template, with the defaults of all parameters that are not given."""
    source = yaml.load(path.read_text(), _Loader)  # noqa: S506 - a SafeLoader
    resolver = _Resolver(source, parameters)
    resources = source["Resources"]
    resources = {name: item for name, item in resources.items() if resolver.is_made(item)}
    function = resolver.resolve(_only(resources, "AWS::Serverless::Function"))
    function = _merged(resolver.resolve(source.get("Globals", {}).get("Function", {})), function)
    api = resolver.resolve(_only(resources, "AWS::Serverless::Api"))
    return Template(_read_api(api), _read_function(function, path.parent))


class _Resolver:
    """Replaces parameters, conditions and the intrinsic functions this template needs; leaves others as they are."""

    def __init__(self, source: Mapping[str, Any], parameters: Mapping[str, str]) -> None:
        declared = source.get("Parameters", {})
        if unknown := set(parameters) - set(declared):
            raise TemplateError(f"the template has no parameter {', '.join(sorted(unknown))}")
        defaults = {name: str(item["Default"]) for name, item in declared.items() if "Default" in item}
        self._values = {**PSEUDO_PARAMETERS, **defaults, **parameters}
        self._conditions = source.get("Conditions", {})

    def resolve(self, node: Any) -> Any:
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

    def is_made(self, resource: Mapping[str, Any]) -> bool:
        """Tell whether a resource's condition holds; the parts of a guarded rollout do not run locally."""
        return "Condition" not in resource or self._condition(resource["Condition"])

    def _ref(self, name: str) -> Any:
        return None if name == "AWS::NoValue" else self._values.get(name, name)

    def _sub(self, argument: Any) -> str:
        text, extra = argument if isinstance(argument, list) else (argument, {})
        values = self._values | self.resolve(extra)
        return re.sub(r"\$\{([\w:.]+)\}", lambda match: str(values.get(match[1], match[1])), text)

    def _join(self, argument: list[Any]) -> str:
        separator, parts = argument
        return str(separator).join(str(self.resolve(part)) for part in parts)

    def _if(self, argument: list[Any]) -> Any:
        name, when_true, when_false = argument
        return self.resolve(when_true if self._condition(name) else when_false)

    def _condition(self, name: str) -> bool:
        return bool(self.resolve(self._conditions[name]))

    def _equals(self, argument: list[Any]) -> bool:
        left, right = self.resolve(argument)
        return bool(left == right)

    def _not(self, argument: list[Any]) -> bool:
        return not self.resolve(argument)[0]

    def _and(self, argument: list[Any]) -> bool:
        return all(self.resolve(argument))

    def _or(self, argument: list[Any]) -> bool:
        return any(self.resolve(argument))


def _only(resources: Mapping[str, Any], kind: str) -> Any:
    found = [resource["Properties"] for resource in resources.values() if resource["Type"] == kind]
    if len(found) != 1:
        raise TemplateError(f"expected one {kind} in the template, found {len(found)}")
    return found[0]


def _merged(defaults: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, Any]:
    """SAM merges maps of Globals and replaces everything else."""
    merged = {**defaults, **properties}
    for name in defaults.keys() & properties.keys():
        if isinstance(defaults[name], dict) and isinstance(properties[name], dict):
            merged[name] = _merged(defaults[name], properties[name])
    return merged


def _read_function(properties: Mapping[str, Any], folder: Path) -> FunctionDefinition:
    variables = properties.get("Environment", {}).get("Variables", {})
    for name, value in variables.items():
        if isinstance(value, dict | list):
            raise TemplateError(f"the value of the environment variable {name} cannot be known locally: {value}")
    return FunctionDefinition(
        handler=properties["Handler"],
        code=folder / properties["CodeUri"],
        limits=Limits(float(properties.get("Timeout", 3)), int(properties.get("MemorySize", 128))),
        environment={name: str(value) for name, value in variables.items()},
    )


def _read_api(properties: Mapping[str, Any]) -> Api:
    definition = properties["DefinitionBody"]
    closed = bool(properties.get("Auth", {}).get("ApiKeyRequired"))
    methods = [
        _read_method(definition, resource, name, closed=closed)
        for resource, item in definition["paths"].items()
        for name in item
        if name in METHODS
    ]
    binary = [*definition.get(BINARY_TYPES, []), *properties.get("BinaryMediaTypes", [])]
    return Api(
        stage=properties["StageName"],
        # A fixed path wins over one with parameters.
        methods=tuple(sorted(methods, key=lambda method: "{" in method.resource)),
        binary_types=tuple(kind.replace("~1", "/").lower() for kind in binary),
        compressed_from=properties.get("MinimumCompressionSize"),
        gateway_responses={
            kind: _read_gateway_response(item) for kind, item in definition.get(GATEWAY_RESPONSES, {}).items()
        },
    )


def _read_method(definition: Mapping[str, Any], resource: str, name: str, *, closed: bool) -> Method:
    operation = definition["paths"][resource][name]
    contents = operation.get("requestBody", {}).get("content", {})
    return Method(
        name=name.upper(),
        resource=resource,
        key_required=_key_required(operation.get("security"), closed=closed),
        validators={
            kind.lower(): _validator(definition, "paths", resource, name, "requestBody", "content", kind, "schema")
            for kind in contents
        },
    )


def _key_required(security: list[dict[str, Any]] | None, *, closed: bool) -> bool:
    """SAM's own marker `api_key_false` takes a path out of the default; see SAM's OpenApiEditor."""
    if security is None:
        return closed
    return any(name != "api_key_false" for scheme in security for name in scheme)


def _validator(definition: Mapping[str, Any], *path: str) -> Draft4Validator:
    """API Gateway reads models as JSON schema draft 4; `$ref` points into the definition."""
    registry = Registry[Any]().with_resource("urn:api", DRAFT4.create_resource(definition))
    pointer = "/".join(part.replace("~", "~0").replace("/", "~1") for part in path)
    return Draft4Validator({"$ref": f"urn:api#/{pointer}"}, registry=registry)


def _read_gateway_response(item: Mapping[str, Any]) -> GatewayResponse:
    prefix = "gatewayresponse.header."
    parameters = item.get("responseParameters", {})
    status = item.get("statusCode")
    return GatewayResponse(
        status=None if status is None else int(status),
        headers={
            name.removeprefix(prefix): value.strip("'") for name, value in parameters.items() if name.startswith(prefix)
        },
        body=item.get("responseTemplates", {}).get("application/json"),
    )
