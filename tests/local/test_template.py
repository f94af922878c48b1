from pathlib import Path
from typing import Any

import pytest
import yaml

from local.function import Limits
from local.settings import PARAMETERS, TEMPLATE
from local.template import GatewayResponse, Method, parameters, read_template
from sam_template import TemplateError

SMALL = """
Parameters:
  Name: {Type: String, Default: model}
  Url: {Type: String, Default: ''}
  Open: {Type: String, Default: 'false'}
Conditions:
  HasUrl: !Not [!Equals [!Ref Url, '']]
  IsOpen: !Equals [!Ref Open, 'true']
  Both: !And [!Condition HasUrl, !Condition IsOpen]
  Either: !Or [!Condition HasUrl, !Condition IsOpen]
Globals:
  Function:
    MemorySize: 512
    Environment: {Variables: {GLOBAL: '1', NAME: overridden}}
Resources:
  Function:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: code/
      Handler: package.module.function
      Timeout: 7
      Environment:
        Variables:
          NAME: !Sub '${Name}-${AWS::Region}-${Extra}'
          LISTED: !Sub ['${Extra}', {Extra: !Ref Name}]
          JOINED: !Join ['-', [a, !Ref Name]]
          URL: !If [HasUrl, !Ref Url, !Ref AWS::NoValue]
          BOTH: !If [Both, 'yes', 'no']
          EITHER: !If [Either, 'yes', 'no']
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: live
      BinaryMediaTypes: [image~1png]
      MinimumCompressionSize: 10
      Auth: {ApiKeyRequired: true}
      DefinitionBody:
        paths:
          /files/{name}:
            get: {}
          /files/index:
            get: {security: [{api_key_false: []}]}
            post: {security: [{api_key: []}]}
        x-amazon-apigateway-gateway-responses:
          INVALID_API_KEY:
            statusCode: '401'
            responseParameters: {gatewayresponse.header.Content-Type: "'application/problem+json'"}
            responseTemplates: {application/json: '{"status": 401}'}
"""


def write(folder: Path, text: str = SMALL) -> Path:
    file = folder / "template.yaml"
    file.write_text(text)
    return file


def variables(folder: Path, **parameters: str) -> dict[str, str]:
    return dict(read_template(write(folder), parameters).function.environment)


def test_a_function_has_its_own_properties_over_the_global_ones(tmp_path: Path) -> None:
    function = read_template(write(tmp_path), {}).function

    assert (function.handler, function.code) == ("package.module.function", tmp_path / "code")
    assert function.limits == Limits(timeout_seconds=7, memory_mb=512)


def test_variables_by_default(tmp_path: Path) -> None:
    assert variables(tmp_path) == {
        "GLOBAL": "1",
        "NAME": "model-us-east-1-Extra",
        "LISTED": "model",
        "JOINED": "a-model",
        "BOTH": "no",
        "EITHER": "no",
    }


def test_variables_follow_the_parameters(tmp_path: Path) -> None:
    found = variables(tmp_path, Name="other", Url="http://x", Open="true")

    assert (found["NAME"], found["URL"], found["BOTH"]) == ("other-us-east-1-Extra", "http://x", "yes")
    assert variables(tmp_path, Url="http://x")["EITHER"] == "yes"


def test_a_variable_stands_for_its_parameter(tmp_path: Path) -> None:
    text = SMALL.replace("BOTH: !If", "NAMED: !Ref Name\n          BOTH: !If")

    found = parameters(write(tmp_path, text), {"NAMED": "other", "URL": "http://x", "PATH": "/bin"})

    assert found == {"Name": "other"}


def test_cors_origin_opens_the_preflight_and_marks_the_gateways_own_answers() -> None:
    api = read_template(TEMPLATE, PARAMETERS | parameters(TEMPLATE, {"CORS_ORIGIN": "https://example.com"})).api

    assert ("OPTIONS", "/predict") in {(method.name, method.resource) for method in api.methods}
    assert api.gateway_responses["THROTTLED"].headers["Access-Control-Allow-Origin"] == "https://example.com"


def test_an_unknown_parameter_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="the template has no parameter Nme"):
        read_template(write(tmp_path), {"Nme": "x"})


def test_a_variable_that_only_aws_knows_is_refused(tmp_path: Path) -> None:
    text = SMALL.replace("!Join ['-', [a, !Ref Name]]", "!GetAtt Api.Arn")

    with pytest.raises(TemplateError, match="the environment variable JOINED cannot be known locally"):
        read_template(write(tmp_path, text), {})


def test_a_template_without_an_api_is_refused(tmp_path: Path) -> None:
    text = SMALL.replace("AWS::Serverless::Api", "AWS::Serverless::HttpApi")

    with pytest.raises(TemplateError, match="expected one AWS::Serverless::Api in the template, found 0"):
        read_template(write(tmp_path, text), {})


def test_methods_with_a_fixed_path_first(tmp_path: Path) -> None:
    methods = read_template(write(tmp_path), {}).api.methods

    assert [(method.name, method.resource, method.key_required) for method in methods] == [
        ("GET", "/files/index", False),
        ("POST", "/files/index", True),
        ("GET", "/files/{name}", True),
    ]


def test_the_api_as_a_whole(tmp_path: Path) -> None:
    api = read_template(write(tmp_path), {}).api

    assert (api.stage, api.binary_types, api.compressed_from) == ("live", ("image/png",), 10)
    assert api.gateway_responses == {
        "INVALID_API_KEY": GatewayResponse(401, {"Content-Type": "application/problem+json"}, '{"status": 401}')
    }


@pytest.mark.parametrize(
    ("resource", "path", "parameters"),
    [
        ("/predict", "/predict", {}),
        ("/predict", "/predict/", None),
        ("/a.b", "/axb", None),
        ("/docs/{asset}", "/docs/a.js", {"asset": "a.js"}),
        ("/docs/{asset}", "/docs/a/b", None),
        ("/docs/{rest+}", "/docs/a/b", {"rest": "a/b"}),
    ],
)
def test_matching_a_path(resource: str, path: str, parameters: dict[str, str] | None) -> None:
    assert Method("GET", resource, key_required=False).match("GET", path) == parameters


def test_another_method_does_not_match() -> None:
    assert Method("GET", "/predict", key_required=False).match("POST", "/predict") is None


def test_the_projects_template_gives_a_closed_api() -> None:
    api = read_template(TEMPLATE, PARAMETERS).api
    closed = {(method.name, method.resource): method.key_required for method in api.methods}

    assert (closed["POST", "/predict"], closed["GET", "/health"]) == (True, False)


def test_the_projects_template_gives_the_function_all_its_variables() -> None:
    source: Any = yaml.load(TEMPLATE.read_text(), yaml.BaseLoader)
    declared = source["Resources"]["Function"]["Properties"]["Environment"]["Variables"]

    found = read_template(TEMPLATE, {**PARAMETERS, "SageMakerRuntimeUrl": "http://x"}).function.environment

    assert set(found) == set(declared)
