"""What an API's OpenAPI document says beyond routes and integrations, which is all that ministack imports.

Binary media types, integration responses (SAM's CORS preflight is one) and gateway responses; and a changed document
updates the API under its old id, as PutRestApi does.
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions.html
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ministack.services import apigateway_v1 as gateway
from ministack.services.cloudformation import provisioners

Json = dict[str, Any]

INTEGRATION_FIELDS = (
    "requestTemplates",
    "requestParameters",
    "passthroughBehavior",
    "timeoutInMillis",
    "credentials",
    "contentHandling",
)
BINARY_TYPES = "x-amazon-apigateway-binary-media-types"


def install() -> None:
    import_routes = gateway._import_rest_api

    def import_rest_api(document: Json, base: Json | None = None) -> str:
        binary = {"binaryMediaTypes": document[BINARY_TYPES]} if BINARY_TYPES in document else {}
        api = Api(import_routes(document, {**(base or {}), **binary}), document)
        api.import_gateway_responses()
        for method, operation, resource in api.operations():
            api.import_integration(method, operation, resource)
        return api.id

    gateway._import_rest_api = import_rest_api
    handler = provisioners._RESOURCE_HANDLERS["AWS::ApiGateway::RestApi"]
    handler["update"] = update_in_place(handler["update"])


@dataclass(frozen=True, slots=True)
class Api:
    id: str
    document: Json

    def operations(self) -> Iterator[tuple[Json, Json, str]]:
        """Each imported method, its operation in the document and its resource's id."""
        resources = {resource["path"]: resource for resource in gateway._resources[self.id].values()}
        for path, operations in self.document["paths"].items():
            for verb, method in resources[path]["resourceMethods"].items():
                yield method, operations[verb.lower()] or {}, resources[path]["id"]

    def import_gateway_responses(self) -> None:
        responses = self.document.get("x-amazon-apigateway-gateway-responses") or {}
        for response_type, response in responses.items():
            status = response.get("statusCode")
            settings = {**response, "statusCode": str(status) if status else None}
            expect(gateway._put_gateway_response(self.id, response_type, settings))

    def import_integration(self, method: Json, operation: Json, resource_id: str) -> None:
        integration = operation.get("x-amazon-apigateway-integration") or {}
        if not method["methodIntegration"]:
            return
        method["methodIntegration"] |= {name: integration[name] for name in INTEGRATION_FIELDS if name in integration}
        for pattern, response in (integration.get("responses") or {}).items():
            address = (self.id, resource_id, method["httpMethod"], str(response.get("statusCode", "200")))
            parameters = response.get("responseParameters") or {}
            expect(gateway._put_method_response(*address, {"responseParameters": dict.fromkeys(parameters, False)}))
            settings = {
                "selectionPattern": "" if pattern == "default" else pattern,
                "responseParameters": parameters,
                "responseTemplates": response.get("responseTemplates") or {},
            }
            expect(gateway._put_integration_response(*address, settings))


def expect(response: tuple[int, Json, bytes]) -> Json:
    """What a call of ministack's API answered; an error fails the deployment."""
    status, _, body = response
    if status >= 400:
        raise ValueError(body.decode())
    answer: Json = json.loads(body)
    return answer


def update_in_place(update: Callable[..., Any]) -> Callable[..., Any]:
    """Import a changed document as a new API and move its parts under the id of the old one."""
    stores = (
        gateway._resources,
        gateway._gateway_responses,
        gateway._authorizers_v1,
    )

    def update_rest_api(api_id: str, old: Json, new: Json, stack: str, logical_id: str | None = None) -> Any:
        if isinstance(new.get("Body"), dict) and new["Body"] != old.get("Body"):
            fresh, _ = provisioners._apigw_rest_api_create(logical_id, new, stack)
            for store in stores:
                store.pop(api_id, None)
                if fresh in store:
                    store[api_id] = store.pop(fresh)
            gateway._rest_apis[api_id]["binaryMediaTypes"] = gateway._rest_apis[fresh].get("binaryMediaTypes")
            gateway._delete_rest_api(fresh)
            old = {**old, "Body": new["Body"]}
        return update(api_id, old, new, stack, logical_id)

    return update_rest_api
