"""What template.yaml says about the API and its function, read as SAM and CloudFormation would."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.function import Limits
from sam_template import Evaluator, TemplateError, load

METHODS = frozenset({"get", "post", "put", "patch", "delete", "head", "options"})
INTEGRATION = "x-amazon-apigateway-integration"
GATEWAY_RESPONSES = "x-amazon-apigateway-gateway-responses"
BINARY_TYPES = "x-amazon-apigateway-binary-media-types"


@dataclass(frozen=True, slots=True)
class Method:
    """One method of the API."""

    name: str
    resource: str
    key_required: bool

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


def parameters(path: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters that variables of the function stand for: CORS_ORIGIN is CorsOrigin.

    So a variable in the user's shell changes what its parameter changes: routes and gateway responses too.
    """
    source = load(path)
    resources = Evaluator(source, {}).made(source["Resources"])
    variables = resources["Function"]["Properties"].get("Environment", {}).get("Variables", {})
    named = {name: value["Ref"] for name, value in variables.items() if isinstance(value, dict) and "Ref" in value}
    return {parameter: environ[name] for name, parameter in named.items() if environ.get(name)}


@dataclass(frozen=True, slots=True)
class Template:
    """The parts of the stack that run locally."""

    api: Api
    function: FunctionDefinition
    # With Jobs=on.
    events: FunctionDefinition | None


def _parameter(match: re.Match[str]) -> str:
    """`{name}` is one segment of the path, `{name+}` all that are left."""
    return f"(?P<{match[1]}>{'.+' if match[2] else '[^/]+'})"


def read_template(path: Path, parameters: Mapping[str, str]) -> Template:
    """Read the template, with the defaults of all parameters that are not given."""
    source = load(path)
    evaluator = Evaluator(source, parameters)
    # The parts of a guarded rollout do not run locally.
    resources = evaluator.made(source["Resources"])
    common = evaluator.resolve(source.get("Globals", {}).get("Function", {}))

    def function(name: str) -> FunctionDefinition:
        return _read_function(_merged(common, evaluator.resolve(resources[name]["Properties"])), path.parent)

    api = evaluator.resolve(_only(resources, "AWS::Serverless::Api"))
    events = function("JobsFunction") if "JobsFunction" in resources else None
    return Template(_read_api(api), function("Function"), events)


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
    security = definition["paths"][resource][name].get("security")
    return Method(name=name.upper(), resource=resource, key_required=_key_required(security, closed=closed))


def _key_required(security: list[dict[str, Any]] | None, *, closed: bool) -> bool:
    """SAM's own marker `api_key_false` takes a path out of the default; see SAM's OpenApiEditor."""
    if security is None:
        return closed
    return any(name != "api_key_false" for scheme in security for name in scheme)


def _read_gateway_response(item: Mapping[str, Any]) -> GatewayResponse:
    prefix = "gatewayresponse.header."
    parameters = item.get("responseParameters", {})
    status = item.get("statusCode")
    return GatewayResponse(
        status=None if status is None else int(status),
        headers={
            name.removeprefix(prefix): _header(value) for name, value in parameters.items() if name.startswith(prefix)
        },
        body=item.get("responseTemplates", {}).get("application/json"),
    )


def _header(value: str) -> str:
    """A literal stands in quotes; anything else is looked up, and written here as a body writes it."""
    return value[1:-1] if value.startswith("'") else f"${value}"
