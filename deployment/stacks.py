"""CloudFormation's stacks: propose a change, carry it out, wait for it, delete."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from deployment.changes import Change, describe
from deployment.errors import DeployFailedError
from deployment.parameters import Stack
from deployment.sam import Package
from deployment.stack_states import Next, next_step, remedy

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.literals import CapabilityType

    from deployment.session import Session

CAPABILITIES: tuple["CapabilityType", ...] = ("CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND")
NOTHING_TO_DO = ("didn't contain changes", "No updates are to be performed", "contains no changes")
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change set that waits for an answer."""

    stack: str
    identity: str
    creates: bool
    changes: list[Change]


@dataclass(frozen=True, slots=True)
class Stacks:
    """CloudFormation in one account and region; `pause` are the seconds between two looks."""

    session: "Session"
    tell: Tell
    pause: float = 2.0

    @property
    def client(self) -> "CloudFormationClient":
        """CloudFormation's client."""
        client: CloudFormationClient = self.session.client("cloudformation")
        return client

    def find(self, name: str) -> dict[str, Any] | None:
        """Return what CloudFormation knows of a stack, or None when there is none."""
        try:
            (found,) = self.client.describe_stacks(StackName=name)["Stacks"]
        except ClientError as error:
            if "does not exist" not in str(error):
                raise
            return None
        return None if found["StackStatus"] == "DELETE_COMPLETE" else dict(found)

    def settle(self, name: str) -> dict[str, Any] | None:
        """Wait until nothing is under way; raises DeployFailedError for a state that takes no update."""
        found = self.find(name)
        while found and next_step(found["StackStatus"]) is Next.WAIT:
            self.tell(f"{name} is {found['StackStatus']}: waiting until that is over ...")
            self.wait(name)
            found = self.find(name)
        if found and next_step(found["StackStatus"]) not in {Next.CREATE, Next.UPDATE}:
            status = found["StackStatus"]
            raise DeployFailedError(f"{name} is {status} and takes no update; {remedy(name, status)}")
        return found

    def propose(self, stack: Stack, package: Package) -> Proposal | None:
        """Make a change set of every parameter; None when there is nothing to change."""
        found = self.settle(stack.name)
        creates = found is None or next_step(found["StackStatus"]) is Next.CREATE
        made = self.client.create_change_set(
            StackName=stack.name,
            ChangeSetName=f"model-api-{time.time_ns()}",
            ChangeSetType="CREATE" if creates else "UPDATE",
            TemplateURL=self._upload(package),
            Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in stack.parameters.items()],
            Capabilities=list(CAPABILITIES),
            Tags=[{"Key": name, "Value": value} for name, value in stack.tags.items()],
        )
        described = self._wait_for_changes(made["Id"], stack.name)
        if described["Status"] == "FAILED":
            reason = described.get("StatusReason", "")
            self.discard(Proposal(stack.name, made["Id"], creates, []))
            if any(words in reason for words in NOTHING_TO_DO):
                return None
            raise DeployFailedError(f"CloudFormation refuses the change: {reason}")
        return Proposal(stack.name, made["Id"], creates, describe(described["Changes"]))

    def execute(self, proposal: Proposal) -> None:
        """Carry out a change set and wait; raises DeployFailedError with the first cause."""
        self.client.execute_change_set(ChangeSetName=proposal.identity, StackName=proposal.stack)
        status = self.wait(proposal.stack)
        if status not in {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"}:
            cause = self._first_cause(proposal.stack)
            raise DeployFailedError(f"{proposal.stack} is {status}: {cause}; {remedy(proposal.stack, status)}")

    def discard(self, proposal: Proposal) -> None:
        """Take a change set back; a stack that consists of nothing else goes with it."""
        self.client.delete_change_set(ChangeSetName=proposal.identity, StackName=proposal.stack)
        found = self.find(proposal.stack)
        if proposal.creates and found and found["StackStatus"] == "REVIEW_IN_PROGRESS":
            self.client.delete_stack(StackName=proposal.stack)

    def delete(self, name: str) -> None:
        """Delete a stack and wait; raises DeployFailedError."""
        found = self.find(name)
        if found is None:
            return
        self.client.delete_stack(StackName=found["StackId"])
        status = self.wait(found["StackId"])
        if status != "DELETE_COMPLETE":
            cause = self._first_cause(found["StackId"])
            raise DeployFailedError(f"{name} is {status}: {cause}; mend that and delete again")

    def wait(self, name: str) -> str:
        """Wait until CloudFormation is done with a stack, and say each resource that it has dealt with."""
        seen: set[str] = {event["EventId"] for event in self._events(name)}
        while True:
            try:
                (found,) = self.client.describe_stacks(StackName=name)["Stacks"]
            except ClientError as error:
                if "does not exist" not in str(error):
                    raise
                return "DELETE_COMPLETE"
            self._tell_events(name, seen)
            if not found["StackStatus"].endswith("_IN_PROGRESS") or "CLEANUP" in found["StackStatus"]:
                return found["StackStatus"]
            time.sleep(self.pause)

    def _tell_events(self, name: str, seen: set[str]) -> None:
        for event in reversed(self._events(name)):
            if event["EventId"] not in seen and not event["ResourceStatus"].endswith("_IN_PROGRESS"):
                reason = f": {event['ResourceStatusReason']}" if event.get("ResourceStatusReason") else ""
                self.tell(
                    f"  {event['ResourceStatus']:16} {event['ResourceType']} {event['LogicalResourceId']}{reason}"
                )
            seen.add(event["EventId"])

    def _events(self, name: str) -> list[Any]:
        try:
            return list(self.client.describe_stack_events(StackName=name)["StackEvents"])
        except ClientError:
            return []

    def _first_cause(self, name: str) -> str:
        """The first failure of the last operation: what comes after it follows from it."""
        causes: list[str] = []
        for event in self._events(name):
            if event["ResourceType"] == "AWS::CloudFormation::Stack" and event["ResourceStatus"] in STARTS:
                break
            if event["ResourceStatus"].endswith("_FAILED"):
                causes.append(f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', 'no reason given')}")
        return causes[-1] if causes else "its events name no cause"

    def _wait_for_changes(self, identity: str, name: str) -> dict[str, Any]:
        while True:
            pages = self.client.get_paginator("describe_change_set").paginate(ChangeSetName=identity, StackName=name)
            described: Mapping[str, Any] = {}
            changes: list[Any] = []
            for page in pages:
                described = page
                changes += page.get("Changes", [])
            if described["Status"] not in {"CREATE_PENDING", "CREATE_IN_PROGRESS"}:
                return {**described, "Changes": changes}
            time.sleep(self.pause)

    def _upload(self, package: Package) -> str:
        """Put the template beside its code: it is longer than a call of CloudFormation may be."""
        s3 = self.session.client("s3")
        s3.put_object(Bucket=package.bucket, Key=package.key, Body=package.template.encode())
        return f"{s3.meta.endpoint_url}/{package.bucket}/{package.key}"


STARTS = frozenset({"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "REVIEW_IN_PROGRESS"})
