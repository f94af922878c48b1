"""What is deployed: every stack of this project, and the state of one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from deployment import stack_rules
from deployment.access import api_url, read_outputs
from deployment.errors import UsageError
from deployment.parameters import Stack
from deployment.session import Session

MODEL, ENVIRONMENT = "model-api:model", "model-api:environment"
# How the stacks of samconfig.toml are called, which have no tags.
OLDER = "sagemaker-api"
TIERS = {"/aws/lambda/": "function", "/aws/apigateway/": "gateway", "/aws/sagemaker/": "endpoint"}


def deployments(session: Session) -> list[dict[str, Any]]:
    """Return every stack of this project in this account and region."""
    pages = session.client("cloudformation").get_paginator("describe_stacks").paginate()
    found = [_row(stack) for page in pages for stack in page["Stacks"] if stack["StackStatus"] != "DELETE_COMPLETE"]
    return sorted((row for row in found if row["model"]), key=lambda row: (row["model"], row["environment"]))


def _row(stack: Mapping[str, Any]) -> dict[str, Any]:
    tags = {tag["Key"]: tag["Value"] for tag in stack.get("Tags", [])}
    name = stack["StackName"]
    older = name == OLDER or name.startswith(f"{OLDER}-")
    changed = stack.get("LastUpdatedTime", stack["CreationTime"])
    return {
        "model": tags.get(MODEL, "(samconfig.toml)" if older else ""),
        "environment": tags.get(ENVIRONMENT, name.removeprefix(OLDER).lstrip("-") or "default"),
        "stack": name,
        "state": stack["StackStatus"],
        "changed": changed.isoformat(timespec="seconds"),
    }


def status(session: Session, described: Mapping[str, Any]) -> dict[str, Any]:
    """Return how a stack, its endpoint and its alarms are."""
    outputs = read_outputs(described)
    found = {
        "stack": described["StackName"],
        "state": described["StackStatus"],
        "url": api_url(outputs) if outputs else "-",
    }
    if because := described.get("StackStatusReason"):
        found["because"] = because
    parameters = {item["ParameterKey"]: item.get("ParameterValue", "") for item in described.get("Parameters", [])}
    found |= {name: parameters[name] for name in ("Hosting", "ImageUri", "ModelDataUrl") if parameters.get(name)}
    endpoint = parameters.get("EndpointName") or described["StackName"]
    found["endpoint"] = f"{endpoint}: {_endpoint(session, endpoint)}"
    alarms = session.client("cloudwatch").describe_alarms(AlarmNamePrefix=described["StackName"])["MetricAlarms"]
    going = [alarm["AlarmName"] for alarm in alarms if alarm["StateValue"] == "ALARM"]
    found["alarms"] = ", ".join(going) if going else f"none of {len(alarms)} goes off"
    return found


def _endpoint(session: Session, name: str) -> str:
    try:
        found = session.client("sagemaker").describe_endpoint(EndpointName=name)
    except ClientError as error:
        if "Could not find" not in str(error):
            raise
        return "is not there"
    because = f" ({found['FailureReason']})" if found.get("FailureReason") else ""
    return f"{found['EndpointStatus']}{because}"


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a log."""

    milliseconds: int
    tier: str
    message: str

    @property
    def time(self) -> str:
        """When, as people read it."""
        return datetime.fromtimestamp(self.milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def log_groups(stack: Stack, tier: str) -> list[str]:
    """Return the log groups of a stack, of one tier or of all; raises UsageError."""
    if tier and tier not in TIERS.values():
        raise UsageError(f"there is no tier {tier}; there are {', '.join(TIERS.values())}")
    groups = stack_rules.log_groups(stack.name, stack.parameters)
    return [group for group in groups if not tier or _tier(group) == tier]


def read_logs(session: Session, groups: Sequence[str], since: int) -> list[LogLine]:
    """Return the lines since a moment, in the order of time."""
    lines = [line for group in groups for line in _read(session, group, since)]
    return sorted(lines, key=lambda line: line.milliseconds)


def _read(session: Session, group: str, since: int) -> Iterator[LogLine]:
    pages = session.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group, startTime=since)
    try:
        for page in pages:
            for event in page["events"]:
                yield LogLine(event["timestamp"], _tier(group), event["message"].rstrip())
    except ClientError as error:
        # A group of parameters that were changed since.
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise


def _tier(group: str) -> str:
    return next(tier for prefix, tier in TIERS.items() if group.startswith(prefix))
