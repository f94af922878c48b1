"""A change set of CloudFormation in words: what is added, changed, replaced and deleted, and what that loses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# What holds something that cannot be made again, or what callers hold in their hands.
LOSSES = {
    "AWS::ApiGateway::RestApi": "the API's URL changes",
    "AWS::ApiGateway::ApiKey": "the API key changes",
    "AWS::ApiGateway::Stage": "the API's URL changes",
    "AWS::DynamoDB::Table": "its items are lost",
    "AWS::Logs::LogGroup": "its logs are lost",
    "AWS::S3::Bucket": "its objects are lost",
    "AWS::SageMaker::Endpoint": "callers get errors until the new one is in service",
}
# What is paid while nothing happens.
COSTS = {
    "AWS::CloudWatch::Alarm": "paid by the month",
    "AWS::CloudWatch::Dashboard": "paid by the month",
    "AWS::KMS::Key": "paid by the month",
    "AWS::SageMaker::Endpoint": "instances are paid by the hour, serverless by use",
    "AWS::WAFv2::WebACL": "paid by the month",
}
WORDS = {"Add": "added", "Modify": "changed", "Remove": "deleted", "Import": "imported", "Dynamic": "perhaps changed"}
REPLACED = {"True": "replaced", "Conditional": "perhaps replaced"}


@dataclass(frozen=True, slots=True)
class Change:
    """One resource: what happens to it, and what a reader should know before saying yes."""

    action: str
    kind: str
    name: str
    because: str
    note: str

    def __str__(self) -> str:
        because = f" ({self.because})" if self.because else ""
        note = f": {self.note}" if self.note else ""
        return f"{self.action:17} {self.kind} {self.name}{because}{note}"


def describe(changes: Sequence[Mapping[str, Any]]) -> list[Change]:
    """Return the changes of a change set, what loses something first."""
    found = [_change(item["ResourceChange"]) for item in changes if item.get("Type", "Resource") == "Resource"]
    return sorted(found, key=lambda change: (not change.note, change.action, change.kind, change.name))


def _change(resource: Mapping[str, Any]) -> Change:
    action, kind = resource["Action"], resource["ResourceType"]
    word = REPLACED.get(resource.get("Replacement", ""), WORDS.get(action, action))
    notes = COSTS if action == "Add" else LOSSES if word != "changed" else {}
    return Change(word, kind, resource["LogicalResourceId"], _because(resource), notes.get(kind, ""))


def _because(resource: Mapping[str, Any]) -> str:
    """The properties that change."""
    targets = (detail.get("Target", {}) for detail in resource.get("Details", []))
    names = {str(target.get("Name") or target.get("Attribute", "")) for target in targets}
    return ", ".join(sorted(names - {""}))
