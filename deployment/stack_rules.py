"""The stack that would be made or updated: its state, its names, and whether its hosting can change in place."""

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from deployment.findings import Finding, error, passed
from deployment.parameters import read_template
from deployment.session import Session
from deployment.stack_states import Next, next_step, remedy
from deployment.target import Hosting, Target
from sam_template import Evaluator

LOG_GROUP = "AWS::Logs::LogGroup"
ENDPOINT = "AWS::SageMaker::Endpoint"


def check_state(session: Session, stack: str) -> Iterator[Finding]:
    """Whether CloudFormation lets the stack be made or updated now."""
    described = find_stack(session, stack)
    if described is None:
        yield passed("stack", f"the name {stack} is free")
        return
    status = described["StackStatus"]
    match next_step(status):
        case Next.UPDATE:
            yield passed("stack", f"{stack} exists ({status}) and will be updated")
        case Next.CREATE:
            yield passed("stack", f"{stack} is {status}: it has no resources yet, and will be created")
        case Next.WAIT:
            yield error("stack", f"{stack} is in the state {status}", remedy(stack, status))
        case _:
            yield error("stack", f"{stack} is in the state {status} and takes no update", remedy(stack, status))


def check_taken(session: Session, stack: str, target: Target, parameters: Mapping[str, str]) -> Iterator[Finding]:
    """Whether a fixed name that the stack gives is taken already, by something that is not the stack's."""
    own = _own_resources(session, stack)
    taken = [name for name in log_groups(stack, parameters) if name not in own and _has_log_group(session, name)]
    for name in taken:
        advice = f"delete it with `aws logs delete-log-group --log-group-name {name}`, or choose another stack's name"
        yield error("names", f"the log group {name} exists and is not of the stack {stack}", advice)
    if target.hosting is not Hosting.EXISTING and stack not in own and _has_endpoint(session, stack):
        advice = f"put the API before it: Hosting=existing EndpointName={stack}; or choose another stack's name"
        text = f"an endpoint {stack} exists and is not of the stack, whose own would be called so"
        yield error("names", text, advice)
    elif not taken:
        yield passed("names", f"nothing else is called as the endpoint and log groups of {stack}")


def check_hosting(session: Session, stack: str, target: Target) -> Iterator[Finding]:
    """SageMaker makes no serverless endpoint of one with instances; the other way round it does."""
    described = find_stack(session, stack) or {}
    before = {item["ParameterKey"]: item.get("ParameterValue", "") for item in described.get("Parameters", [])}
    was = before.get("Hosting", "")
    if was == Hosting.REALTIME.value and target.hosting is Hosting.SERVERLESS:
        text = "SageMaker turns no real-time endpoint into a serverless one"
        yield error("hosting", text, "deploy with Hosting=existing or delete the stack first, then with serverless")
    elif was:
        yield passed("hosting", f"from {was} to {target.hosting.value} is an update that SageMaker takes")


def find_stack(session: Session, name: str) -> dict[str, Any] | None:
    """Return what CloudFormation knows of a stack; None when there is none."""
    try:
        found: dict[str, Any] = session.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as reason:
        if "does not exist" not in str(reason):
            raise
        return None
    return None if found["StackStatus"] == "DELETE_COMPLETE" else found


def log_groups(stack: str, parameters: Mapping[str, str]) -> list[str]:
    """Return the names of the log groups that the template makes with these parameters."""
    template = read_template()
    known = {name: value for name, value in parameters.items() if name in template["Parameters"]}
    evaluator = Evaluator(template, known, {"AWS::StackName": stack})
    made = evaluator.made(template["Resources"]).values()
    return [evaluator.resolve(item["Properties"]["LogGroupName"]) for item in made if item["Type"] == LOG_GROUP]


def _own_resources(session: Session, stack: str) -> set[str]:
    """The names of what the stack has made already."""
    client = session.client("cloudformation")
    try:
        pages = list(client.get_paginator("list_stack_resources").paginate(StackName=stack))
    except ClientError as reason:
        if "does not exist" not in str(reason):
            raise
        return set()
    resources = [item for page in pages for item in page["StackResourceSummaries"]]
    names = {item.get("PhysicalResourceId", "") for item in resources}
    # CloudFormation knows an endpoint by its ARN.
    return names | {name.rpartition("/")[2] for name in names if ":endpoint/" in name}


def _has_log_group(session: Session, name: str) -> bool:
    found = session.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return any(group["logGroupName"] == name for group in found)


def _has_endpoint(session: Session, name: str) -> bool:
    try:
        session.client("sagemaker").describe_endpoint(EndpointName=name)
    except ClientError as reason:
        if "Could not find" not in str(reason):
            raise
        return False
    return True
