"""What is asked of CloudFormation: every parameter as it is, a change set in words, a failure's first cause."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from deployment.changes import describe
from deployment.errors import DeployFailedError
from deployment.parameters import Stack, complete, read_template
from deployment.sam import Package
from deployment.stacks import Stacks

TEMPLATE = read_template()
MISSING = ClientError(
    {"Error": {"Code": "ValidationError", "Message": "Stack with id iris does not exist"}}, "Describe"
)
NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."


@dataclass
class CloudFormation:
    """A stack whose state goes through `statuses`, one a look, and that fails with `events`."""

    statuses: list[str]
    change: tuple[str, str] = ("CREATE_COMPLETE", "")
    events: Sequence[dict[str, str]] = ()
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def describe_stacks(self, **_: Any) -> Any:
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        if not status:
            raise MISSING
        return {"Stacks": [{"StackName": "iris", "StackStatus": status, "StackId": "arn"}]}

    def describe_stack_events(self, **_: Any) -> Any:
        return {"StackEvents": list(self.events)}

    def get_paginator(self, _name: str) -> "CloudFormation":
        return self

    def paginate(self, **_: Any) -> Any:
        status, reason = self.change
        return [{"Status": status, "StatusReason": reason, "Changes": []}]

    def __getattr__(self, name: str) -> Any:
        def call(**arguments: Any) -> Any:
            self.calls.append((name, arguments))
            return {"Id": "change-set"}

        return call

    def called(self, name: str) -> list[dict[str, Any]]:
        return [arguments for called, arguments in self.calls if called == name]


@dataclass
class Session:
    cloudformation: CloudFormation
    region_name: str = "us-east-1"

    def client(self, service_name: Any) -> Any:
        if service_name == "s3":
            client: Any = boto3.client("s3", "eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
            client.put_object = lambda **_: {}
            return client
        return self.cloudformation


def stacks(cloudformation: CloudFormation) -> Stacks:
    return Stacks(Session(cloudformation), lambda _: None, pause=0)


def stack(**parameters: str) -> Stack:
    return Stack("iris", TEMPLATE, complete(TEMPLATE, parameters), tags={"team": "risk"})


PACKAGE = Package("Resources: {}", "bucket")


@pytest.mark.parametrize("value", ["*", "https://a.example/?b=1&c=$d", '"quoted"', "a b", "`id`", "", "ä"])
def test_every_parameter_is_sent_as_it_is(value: str) -> None:
    cloudformation = CloudFormation(["UPDATE_COMPLETE"])

    stacks(cloudformation).propose(stack(CorsOrigin=value), PACKAGE)

    [made] = cloudformation.called("create_change_set")
    sent = {item["ParameterKey"]: item["ParameterValue"] for item in made["Parameters"]}
    assert sent.keys() == TEMPLATE["Parameters"].keys()
    assert (sent["CorsOrigin"], sent["EndpointName"]) == (value, "")
    assert made["ChangeSetType"] == "UPDATE"
    assert made["TemplateURL"].startswith("https://s3.eu-west-1.amazonaws.com/bucket/")
    assert made["Tags"] == [{"Key": "team", "Value": "risk"}]


@pytest.mark.parametrize("status", ["", "REVIEW_IN_PROGRESS"])
def test_a_stack_without_resources_is_created(status: str) -> None:
    cloudformation = CloudFormation([status])

    proposal = stacks(cloudformation).propose(stack(), PACKAGE)

    assert proposal is not None
    assert proposal.creates
    assert cloudformation.called("create_change_set")[0]["ChangeSetType"] == "CREATE"


def test_nothing_to_change_is_no_failure() -> None:
    cloudformation = CloudFormation(["UPDATE_COMPLETE"], ("FAILED", NO_CHANGES))

    assert stacks(cloudformation).propose(stack(), PACKAGE) is None
    assert cloudformation.called("delete_change_set")


def test_a_change_that_is_refused_is_one_line() -> None:
    cloudformation = CloudFormation(["UPDATE_COMPLETE"], ("FAILED", "Transform failed"))

    with pytest.raises(DeployFailedError, match="CloudFormation refuses the change: Transform failed"):
        stacks(cloudformation).propose(stack(), PACKAGE)


def test_no_leaves_nothing_behind() -> None:
    cloudformation = CloudFormation(["", "REVIEW_IN_PROGRESS"])
    asked = stacks(cloudformation)
    proposal = asked.propose(stack(), PACKAGE)
    assert proposal is not None

    asked.discard(proposal)

    assert cloudformation.called("delete_change_set")
    assert cloudformation.called("delete_stack") == [{"StackName": "iris"}]


def test_what_is_under_way_is_waited_for() -> None:
    cloudformation = CloudFormation(["UPDATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"])

    found = stacks(cloudformation).settle("iris")

    assert found is not None
    assert found["StackStatus"] == "UPDATE_COMPLETE"


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED", "DELETE_FAILED"])
def test_a_state_that_takes_no_update_is_one_line(status: str) -> None:
    with pytest.raises(DeployFailedError, match=f"iris is {status} and takes no update; "):
        stacks(CloudFormation([status])).settle("iris")


def event(number: int, name: str, status: str, reason: str = "", kind: str = "AWS::Lambda::Function") -> dict[str, str]:
    described = {"EventId": str(number), "LogicalResourceId": name, "ResourceType": kind, "ResourceStatus": status}
    return described | {"ResourceStatusReason": reason}


def test_a_failure_names_its_first_cause() -> None:
    newest_first = [
        event(6, "iris", "UPDATE_ROLLBACK_COMPLETE", kind="AWS::CloudFormation::Stack"),
        event(5, "Api", "UPDATE_FAILED", "Resource update cancelled"),
        event(4, "Endpoint", "UPDATE_FAILED", "The container did not pass the ping health check."),
        event(3, "iris", "UPDATE_IN_PROGRESS", kind="AWS::CloudFormation::Stack"),
        event(2, "Function", "CREATE_FAILED", "of an operation before"),
    ]
    cloudformation = CloudFormation(["UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"], events=newest_first)
    asked = stacks(cloudformation)
    proposal = asked.propose(stack(), PACKAGE)
    assert proposal is not None

    with pytest.raises(DeployFailedError, match=r"Endpoint: The container did not pass the ping health check\."):
        asked.execute(proposal)


def test_deleting_says_whether_it_is_gone() -> None:
    stacks(CloudFormation(["UPDATE_COMPLETE", "DELETE_IN_PROGRESS", ""])).delete("iris")

    failed = [event(1, "Bucket", "DELETE_FAILED", "not empty")]
    failing = CloudFormation(["UPDATE_COMPLETE", "DELETE_FAILED"], events=failed)
    with pytest.raises(DeployFailedError, match="iris is DELETE_FAILED: Bucket: not empty; mend that and delete again"):
        stacks(failing).delete("iris")


def change(action: str, kind: str, name: str, replacement: str = "", *properties: str) -> dict[str, Any]:
    details = [{"Target": {"Attribute": "Properties", "Name": each}} for each in properties]
    resource = {"Action": action, "ResourceType": kind, "LogicalResourceId": name, "Details": details}
    return {"Type": "Resource", "ResourceChange": resource | ({"Replacement": replacement} if replacement else {})}


def test_a_change_set_in_words() -> None:
    changes = describe(
        [
            change("Modify", "AWS::Lambda::Function", "Function", "False", "MemorySize"),
            change("Modify", "AWS::ApiGateway::RestApi", "Api", "True", "Name"),
            change("Add", "AWS::WAFv2::WebACL", "WebAcl"),
            change("Remove", "AWS::Logs::LogGroup", "EndpointLogs"),
        ]
    )

    assert [str(item) for item in changes] == [
        "added             AWS::WAFv2::WebACL WebAcl: paid by the month",
        "deleted           AWS::Logs::LogGroup EndpointLogs: its logs are lost",
        "replaced          AWS::ApiGateway::RestApi Api (Name): the API's URL changes",
        "changed           AWS::Lambda::Function Function (MemorySize)",
    ]
