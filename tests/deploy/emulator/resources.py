"""CloudFormation resource types that ministack refuses, as records: created, updated in place, deleted, nothing run."""

import re
from collections.abc import Callable
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services.cloudformation import provisioners

Properties = dict[str, Any]
# A change of these replaces the resource: AWS's reference of each type, "Update requires: Replacement".
REPLACING = {
    "Model": ("EnableNetworkIsolation", "ExecutionRoleArn", "ModelName", "PrimaryContainer"),
    "EndpointConfig": ("DataCaptureConfig", "EndpointConfigName", "KmsKeyId", "ProductionVariants"),
    "Endpoint": ("EndpointName",),
}
# resource type -> physical id -> properties
RECORDS: dict[str, dict[str, Properties]] = {}


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{get_region()}:{get_account_id()}:{resource}"


def record(
    resource_type: str, identify: Callable[[Properties, str], str], attributes: Callable[[str, Properties], Properties]
) -> None:
    """Register a type; `identify` is given the properties and the name to use where they have none."""
    records = RECORDS.setdefault(resource_type, {})

    def create(logical_id: str, properties: Properties, stack: str) -> tuple[str, Properties]:
        physical_id = identify(properties, provisioners._physical_name(stack, logical_id, max_len=63))
        records[physical_id] = properties
        return physical_id, attributes(physical_id, properties)

    def update(
        physical_id: str,
        _old: Properties,
        new: Properties,
        _stack: str,
        logical_id: str | None = None,  # noqa: ARG001  # passed by this name
    ) -> tuple[str, Properties]:
        new_id = identify(new, physical_id.rsplit("/", 1)[-1])
        records.pop(physical_id, None)
        records[new_id] = new
        return new_id, attributes(new_id, new)

    def delete(physical_id: str, _properties: Properties) -> None:
        records.pop(physical_id, None)

    provisioners._RESOURCE_HANDLERS[resource_type] = {
        "create": create,
        "update": update,
        "update_with_logical_id": True,
        "delete": delete,
    }


def record_sagemaker(kind: str) -> None:
    """A SageMaker type: `Ref` is the ARN, `GetAtt KindName` the name."""
    name = f"{kind}Name"
    path = re.sub("(?<!^)(?=[A-Z])", "-", kind).lower()  # EndpointConfig: endpoint-config

    def identify(properties: Properties, default: str) -> str:
        return arn("sagemaker", f"{path}/{(properties.get(name) or default).lower()}")

    def attributes(physical_id: str, properties: Properties) -> Properties:
        return {name: properties.get(name) or physical_id.rsplit("/", 1)[1], "Id": physical_id}

    record(f"AWS::SageMaker::{kind}", identify, attributes)
    provisioners._REPLACING_PROPERTIES[f"AWS::SageMaker::{kind}"] = REPLACING[kind]


def identify_target(properties: Properties, _default: str) -> str:
    """Of a scalable target; as Application Auto Scaling does, refuse a range that is none."""
    if int(properties["MaxCapacity"]) < int(properties["MinCapacity"]):
        raise ValueError("Maximum capacity cannot be less than minimum capacity")
    return f"{properties['ResourceId']}|{properties['ScalableDimension']}|{properties['ServiceNamespace']}"


def install() -> None:
    for kind in ("Model", "EndpointConfig", "Endpoint"):
        record_sagemaker(kind)
    record("AWS::CodeDeploy::Application", lambda p, d: p.get("ApplicationName") or d, lambda _i, _p: {})
    record("AWS::CodeDeploy::DeploymentGroup", lambda p, d: p.get("DeploymentGroupName") or d, lambda _i, _p: {})
    record("AWS::ApplicationAutoScaling::ScalableTarget", identify_target, lambda i, _p: {"Id": i})
    record("AWS::WAFv2::WebACLAssociation", lambda p, _d: f"{p['ResourceArn']}|{p['WebACLArn']}", lambda _i, _p: {})
    record(
        "AWS::ApplicationAutoScaling::ScalingPolicy",
        lambda p, _d: arn("autoscaling", f"scalingPolicy:0:{p['PolicyName']}"),
        lambda i, p: {"Arn": i, "PolicyName": p["PolicyName"]},
    )
