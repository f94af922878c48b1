"""Hosting=existing: the endpoint that the API is put in front of."""

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from deployment.findings import Finding, error, passed, warning
from deployment.session import Session
from deployment.target import Hosting, Target

# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeEndpoint.html, EndpointStatus
SERVES_MEANWHILE = frozenset({"Updating", "SystemUpdating", "RollingBack"})


def check(session: Session, target: Target, parameters: Mapping[str, str]) -> Iterator[Finding]:
    """Whether it is there, serves, and has the variant whose metrics are watched."""
    if target.hosting is not Hosting.EXISTING:
        return
    name = parameters["EndpointName"]
    try:
        found = session.client("sagemaker").describe_endpoint(EndpointName=name)
    except ClientError as reason:
        if "Could not find" not in str(reason):
            raise
        advice = "give EndpointName=NAME of one that is there, or let the stack make it: Hosting=realtime"
        yield error("endpoint", f"there is no endpoint {name} in {session.region_name}", advice)
        return
    yield _check_state(name, found)
    yield from _check_variant(name, found, parameters.get("EndpointVariant", "AllTraffic"))


def _check_state(name: str, found: Mapping[str, Any]) -> Finding:
    status = found["EndpointStatus"]
    because = f": {found['FailureReason']}" if found.get("FailureReason") else ""
    match status:
        case "InService":
            return passed("endpoint", f"{name} is InService")
        case "Creating":
            return warning("endpoint", f"{name} is Creating", "callers get 503 until it is InService")
        case _ if status in SERVES_MEANWHILE:
            return warning("endpoint", f"{name} is {status}", "it answers as before until that is over")
        case "UpdateRollbackFailed":
            advice = "it may answer partly; update it again, or make another and give its name as EndpointName"
            return error("endpoint", f"{name} is UpdateRollbackFailed{because}", advice)
        case "Deleting":
            return error("endpoint", f"{name} is Deleting: it will not come back", "give EndpointName=NAME of another")
    advice = "it does not become InService by itself; delete it and make it again, or give EndpointName=NAME of another"
    return error("endpoint", f"{name} is {status}{because}", advice)


def _check_variant(name: str, found: Mapping[str, Any], watched: str) -> Iterator[Finding]:
    variants = [variant["VariantName"] for variant in found.get("ProductionVariants", [])]
    if not variants:
        return
    if watched not in variants:
        text = f"{name} has no variant {watched}, whose metrics are watched; it has {', '.join(variants)}"
        yield error("endpoint", text, f"give EndpointVariant={variants[0]}: no alarm would ever go off")
    else:
        yield passed("endpoint", f"{name} has the variant {watched}")
