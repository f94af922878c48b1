"""What is wrong with the parameters together that neither a pattern nor a rule of CloudFormation can say.

RULES is the table: one line a rule, with the page of AWS that it follows.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from deployment.findings import Finding, error, passed
from deployment.parameters import Stack
from deployment.target import Hosting, Target

ENDPOINT_NAME = 63
BURSTABLE = re.compile(r"ml\.t\d[a-z]*\.")
Check = Callable[[Stack, Target], Iterator[Finding]]


def check(stack: Stack, target: Target) -> Iterator[Finding]:
    """Apply every rule."""
    for rule in RULES:
        yield from rule.check(stack, target)


def check_name(stack: Stack, target: Target) -> Iterator[Finding]:
    """The endpoint is called like the stack, and SageMaker's names are shorter than CloudFormation's."""
    name = stack.name
    if target.hosting is not Hosting.EXISTING and len(name) > ENDPOINT_NAME:
        text = f"{name} has {len(name)} characters; the endpoint is called like it and may have {ENDPOINT_NAME}"
        yield error("stack", text, "shorten stack_name in samconfig.toml")


def check_bounds(stack: Stack, _target: Target) -> Iterator[Finding]:
    """CloudFormation's Rules cannot compare numbers."""
    least, most = int(stack.parameters["MinInstances"]), int(stack.parameters["MaxInstances"])
    if most < least:
        text = f"MaxInstances={most} is below MinInstances={least}"
        yield error("parameters", text, "set MaxInstances to at least MinInstances; equal to it, nothing scales")


def check_capitals(stack: Stack, target: Target) -> Iterator[Finding]:
    """SageMaker writes an endpoint's name in lower case into the ARN that IAM compares."""
    name, given = stack.parameters["EndpointName"], stack.parameters["EndpointArnName"]
    if target.hosting is not Hosting.EXISTING or not (given or name != name.lower()):
        return
    if given != name.lower():
        text = f"EndpointName={name} and EndpointArnName={given or '(empty)'}: every prediction would be refused"
        yield error("parameters", text, f"give EndpointArnName={name.lower()}, the name in the endpoint's ARN")
    else:
        yield passed("parameters", f"EndpointName={name} is called EndpointArnName={given} in its ARN")


def check_burstable(stack: Stack, target: Target) -> Iterator[Finding]:
    """Application Auto Scaling takes no instances whose speed comes in bursts."""
    scales = stack.parameters["MinInstances"] != stack.parameters["MaxInstances"]
    if target.hosting is Hosting.REALTIME and scales and BURSTABLE.match(target.instance_type):
        advice = "choose another family, such as ml.m5.large, or set MaxInstances to MinInstances"
        yield error("parameters", f"SageMaker does not scale {target.instance_type}, a burstable type", advice)


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the table; `source` is AWS's page."""

    subject: str
    check: Check
    source: str


SAGEMAKER = "https://docs.aws.amazon.com/sagemaker/latest"
RULES = (
    Rule("stack", check_name, f"{SAGEMAKER}/APIReference/API_CreateEndpoint.html"),
    Rule("bounds", check_bounds, f"{SAGEMAKER}/dg/endpoint-auto-scaling.html"),
    Rule(
        "capitals",
        check_capitals,
        "https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemaker.html",
    ),
    Rule("burstable", check_burstable, f"{SAGEMAKER}/dg/endpoint-auto-scaling-prerequisites.html"),
)
