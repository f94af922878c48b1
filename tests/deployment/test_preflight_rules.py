"""Each rule that asks the account, seen to fail and to pass: stack, names, hosting, permissions, endpoint."""

import json
from typing import Any

import boto3
import pytest
from botocore.parsers import ResponseParserError

from deployment import parameter_rules, permissions, stack_rules
from deployment.account import Account
from deployment.findings import Level
from deployment.parameters import complete
from deployment.stack_states import NEXT
from deployment.target import Hosting, Target
from tests.deployment.told import (
    ARN,
    EXISTING,
    NO_RESOURCES,
    NO_STACK,
    OWN,
    REALTIME,
    SERVERLESS,
    TEMPLATE,
    TIME,
    USER,
    Told,
    refusal,
    run,
    stack_is,
    states_of,
)


def test_every_rule_names_its_source() -> None:
    sources = [rule.source for rule in Account(Told()).rules] + [rule.source for rule in parameter_rules.RULES]

    assert all(source.startswith("https://docs.aws.amazon.com/") for source in sources)
    assert len({rule.subject for rule in Account(Told()).rules}) == len(Account(Told()).rules)


# --- stack

LEVELS = {
    "CREATE_COMPLETE": (Level.OK, ""),
    "CREATE_FAILED": (Level.ERROR, "delete-stack"),
    "CREATE_IN_PROGRESS": (Level.ERROR, "wait"),
    "DELETE_FAILED": (Level.ERROR, "delete-stack"),
    "DELETE_IN_PROGRESS": (Level.ERROR, "wait"),
    "IMPORT_COMPLETE": (Level.OK, ""),
    "IMPORT_IN_PROGRESS": (Level.ERROR, "wait"),
    "IMPORT_ROLLBACK_COMPLETE": (Level.OK, ""),
    "IMPORT_ROLLBACK_FAILED": (Level.ERROR, "describe-stack-events"),
    "IMPORT_ROLLBACK_IN_PROGRESS": (Level.ERROR, "wait"),
    "REVIEW_IN_PROGRESS": (Level.OK, ""),
    "ROLLBACK_COMPLETE": (Level.ERROR, "delete-stack"),
    "ROLLBACK_FAILED": (Level.ERROR, "delete-stack"),
    "ROLLBACK_IN_PROGRESS": (Level.ERROR, "wait"),
    "UPDATE_COMPLETE": (Level.OK, ""),
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": (Level.ERROR, "wait"),
    "UPDATE_FAILED": (Level.OK, ""),
    "UPDATE_IN_PROGRESS": (Level.ERROR, "wait"),
    "UPDATE_ROLLBACK_COMPLETE": (Level.OK, ""),
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": (Level.ERROR, "wait"),
    "UPDATE_ROLLBACK_FAILED": (Level.ERROR, "continue-update-rollback --stack-name iris-dev"),
    "UPDATE_ROLLBACK_IN_PROGRESS": (Level.ERROR, "wait"),
}


@pytest.mark.parametrize("status", LEVELS)
def test_a_stack_in_each_state(status: str) -> None:
    level, advice = LEVELS[status]

    found = run("stack", stack_is(status))

    assert (found.level, status in found.text) == (level, True)
    assert advice in found.advice


def test_the_states_are_those_of_cloudformation() -> None:
    assert states_of("cloudformation", "StackStatus") == NEXT.keys() == LEVELS.keys() | {"DELETE_COMPLETE"}


def test_a_free_name() -> None:
    assert run("stack", NO_STACK).level is Level.OK


# --- names

NOTHING_THERE = {
    "logs.describe_log_groups": {"logGroups": []},
    "sagemaker.describe_endpoint": refusal("ValidationException", "Could not find endpoint"),
}


def test_a_name_that_is_not_taken() -> None:
    assert run("names", NO_RESOURCES | NOTHING_THERE).level is Level.OK


def endpoint(status: str = "InService", **more: Any) -> dict[str, Any]:
    times = {"CreationTime": TIME, "LastModifiedTime": TIME}
    described = {"EndpointName": "iris-dev", "EndpointArn": ARN, "EndpointStatus": status, **times, **more}
    return {"sagemaker.describe_endpoint": described}


def test_an_endpoint_of_that_name() -> None:
    found = run("names", NO_RESOURCES | NOTHING_THERE | endpoint())

    assert (found.level, found.text) == (
        Level.ERROR,
        "an endpoint iris-dev exists and is not of the stack, whose own would be called so",
    )


def test_the_stacks_own_endpoint_may_be_called_so() -> None:
    own = {
        "LogicalResourceId": "Endpoint",
        "PhysicalResourceId": ARN,
        "ResourceType": "AWS::SageMaker::Endpoint",
        "LastUpdatedTimestamp": TIME,
        "ResourceStatus": "CREATE_COMPLETE",
    }
    resources = {"cloudformation.list_stack_resources": {"StackResourceSummaries": [own]}}

    assert run("names", NOTHING_THERE | endpoint() | resources).level is Level.OK


def test_a_log_group_of_that_name() -> None:
    group = {"logs.describe_log_groups": {"logGroups": [{"logGroupName": "/aws/lambda/iris-dev"}]}}

    found = run("names", NO_RESOURCES | NOTHING_THERE | group, EXISTING)

    assert found.level is Level.ERROR
    assert found.advice.startswith("delete it with `aws logs delete-log-group --log-group-name /aws/lambda/iris-dev`")


def test_the_names_are_those_of_the_template() -> None:
    given = complete(TEMPLATE, {"Hosting": "realtime"})

    assert set(stack_rules.log_groups("iris-dev", given)) >= {
        "/aws/lambda/iris-dev",
        "/aws/apigateway/iris-dev",
        "/aws/sagemaker/Endpoints/iris-dev",
    }


# --- hosting


@pytest.mark.parametrize(
    ("before", "after", "level"),
    [
        ("realtime", SERVERLESS, Level.ERROR),
        ("serverless", REALTIME, Level.OK),
        ("existing", REALTIME, Level.OK),
        ("realtime", EXISTING, Level.OK),
        ("serverless", SERVERLESS, Level.OK),
    ],
)
def test_hosting_in_each_direction(before: str, after: Target, level: Level) -> None:
    assert run("hosting", stack_is("UPDATE_COMPLETE", Hosting=before), after).level is level


# --- permissions


@pytest.mark.parametrize(
    ("action", "chosen"),
    [
        ("iam:CreateServiceLinkedRole", {"Hosting": "realtime", "MaxInstances": "2"}),
        ("application-autoscaling:RegisterScalableTarget", {"Hosting": "realtime", "MaxInstances": "2"}),
        ("application-autoscaling:PutScalingPolicy", {"Hosting": "realtime", "MaxInstances": "2"}),
        ("wafv2:CreateWebACL", {"Waf": "true"}),
        ("wafv2:AssociateWebACL", {"Waf": "true"}),
        ("cloudwatch:PutDashboard", {}),
        ("codedeploy:CreateApplication", {"Canary": "true"}),
        ("sagemaker:CreateEndpoint", {"Hosting": "serverless"}),
    ],
)
def test_what_the_chosen_parameters_need_is_asked_and_no_more(action: str, chosen: dict[str, str]) -> None:
    given = complete(TEMPLATE, chosen)
    judged = [
        {"EvalActionName": name, "EvalDecision": "implicitDeny" if name == action else "allowed"}
        for name in permissions.making(given)
    ]
    answers = USER | {"iam.simulate_principal_policy": {"EvaluationResults": judged}}

    found = run("permissions", answers, Target(Hosting(given["Hosting"]), "ml.m5.large", 1), **chosen)

    assert (found.level, action in found.text) == (Level.ERROR, True)
    assert action in permissions.policy(given)["Statement"][0]["Action"]
    if chosen:
        assert action not in permissions.making(complete(TEMPLATE, {}))


def test_the_policy_is_enough_to_push_and_to_remove_what_is_too_old() -> None:
    given = complete(TEMPLATE, {"Hosting": "realtime", "Canary": "true", "Waf": "true", "Jobs": "on"})
    printed = permissions.policy(given)

    ours = {"ecr:PutImage", "ecr:BatchDeleteImage", "lambda:ListAliases", "s3:DeleteObject", "logs:DescribeLogGroups"}
    assert ours <= set(printed["Statement"][0]["Action"])
    # What a managed policy may have.
    assert len(json.dumps(printed, separators=(",", ":"))) < 6_144


@pytest.mark.parametrize("name", permissions.OF_PARAMETER)
def test_a_parameter_adds_its_actions(name: str) -> None:
    assert name in TEMPLATE["Parameters"]
    added = set(permissions.OF_PARAMETER[name].make)

    assert added <= set(permissions.making(complete(TEMPLATE, {name: "given"})))
    assert not added & set(permissions.making(complete(TEMPLATE, {})))


def test_every_kind_of_resource_has_its_actions() -> None:
    kinds = {item["Type"] for item in TEMPLATE["Resources"].values()}

    assert kinds - permissions.OF_KIND.keys() == set()


def test_every_action_is_one_that_iam_knows_the_service_of() -> None:
    services = {"logs", "events", "wafv2", "apigateway", *boto3.Session().get_available_services()}
    actions = {action for item in permissions.OF_KIND.values() for action in (*item.make, *item.later)}

    assert {action.partition(":")[0] for action in actions} <= services


def test_a_role_whose_path_may_not_be_read() -> None:
    session = {"Account": OWN, "Arn": f"arn:aws:sts::{OWN}:assumed-role/AWSReservedSSO_Admin_0/ada", "UserId": "x"}

    found = run("permissions", {"sts.get_caller_identity": session, "iam.get_role": refusal("AccessDenied", "no")})

    assert (found.level, "iam:GetRole" in found.advice) == (Level.SKIPPED, True)


# --- endpoint


@pytest.mark.parametrize(
    ("status", "level"),
    [
        ("InService", Level.OK),
        ("Creating", Level.WARNING),
        ("Updating", Level.WARNING),
        ("SystemUpdating", Level.WARNING),
        ("RollingBack", Level.WARNING),
        ("Deleting", Level.ERROR),
        ("Failed", Level.ERROR),
        ("OutOfService", Level.ERROR),
        ("UpdateRollbackFailed", Level.ERROR),
    ],
)
def test_an_endpoint_in_each_state(status: str, level: Level) -> None:
    answers = endpoint(status, FailureReason="The container did not pass the ping health check.")

    found = run("endpoint", answers, EXISTING, EndpointName="iris-dev")

    assert found.level is level
    assert ("ping health check" in found.text) is (status in {"Failed", "OutOfService", "UpdateRollbackFailed"})
    assert level is Level.WARNING or "503" not in found.advice


def test_the_states_of_endpoints_are_those_of_sagemaker() -> None:
    assert states_of("sagemaker", "EndpointStatus") == {
        *("InService", "Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"),
        *("Failed", "OutOfService", "UpdateRollbackFailed"),
    }


@pytest.mark.parametrize(("variant", "level"), [("AllTraffic", Level.OK), ("blue", Level.ERROR)])
def test_the_variant_that_is_watched(variant: str, level: Level) -> None:
    answers = endpoint(ProductionVariants=[{"VariantName": variant}])

    found = run("endpoint", answers, EXISTING, EndpointName="iris-dev")

    assert found.level is level
    assert level is Level.OK or f"give EndpointVariant={variant}" in found.advice


# --- what keeps a rule from being asked


class Html(Told):
    """A proxy on the way answers with a page of its own."""

    def client(self, service_name: Any) -> Any:
        raise ResponseParserError(f"Unable to parse response of {service_name}: invalid XML received: <html>")


def test_a_proxys_page_is_a_sentence() -> None:
    [found] = Account(Html()).check("iris-dev", REALTIME, complete(TEMPLATE, {}))

    assert (found.level, "HTTPS_PROXY" in found.advice, "<html>" in found.text) == (Level.SKIPPED, True, False)
