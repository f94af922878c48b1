"""The rules of parameters together, seen to fail and to pass."""

import pytest

from deployment import parameter_rules
from deployment.findings import Level
from deployment.parameters import Stack, complete
from deployment.rules import check_rules
from deployment.target import Hosting, Target
from tests.deployment.told import (
    TEMPLATE,
)

# --- parameters


def parameters(name: str = "iris-dev", **given: str) -> dict[str, Level]:
    stack = Stack(name, TEMPLATE, complete(TEMPLATE, given))
    target = Target(Hosting(stack.parameters["Hosting"]), stack.parameters["InstanceType"], 1)
    return {
        rule.subject: max((f.level for f in rule.check(stack, target)), key=list(Level).index, default=Level.OK)
        for rule in parameter_rules.RULES
    }


@pytest.mark.parametrize(
    ("rule", "bad", "good"),
    [
        ("stack", {"name": "s" * 64, "Hosting": "realtime"}, {"name": "s" * 63, "Hosting": "realtime"}),
        ("bounds", {"MinInstances": "3", "MaxInstances": "2"}, {"MinInstances": "2", "MaxInstances": "2"}),
        ("capitals", {"EndpointName": "Iris", "EndpointArnName": "isis"}, {"EndpointName": "Iris"}),
        (
            "burstable",
            {"Hosting": "realtime", "InstanceType": "ml.t2.medium", "MaxInstances": "2"},
            {"Hosting": "realtime", "InstanceType": "ml.t2.medium"},
        ),
        (
            "burstable",
            {"Hosting": "realtime", "InstanceType": "ml.t3.large", "MaxInstances": "2"},
            {"Hosting": "realtime", "InstanceType": "ml.m5.large", "MaxInstances": "2"},
        ),
    ],
)
def test_parameters_together(rule: str, bad: dict[str, str], good: dict[str, str]) -> None:
    assert (parameters(**bad)[rule], parameters(**good)[rule]) == (Level.ERROR, Level.OK)


def test_an_endpoint_with_capitals_gets_the_name_that_its_arn_has() -> None:
    assert complete(TEMPLATE, {"EndpointName": "MyIris"})["EndpointArnName"] == "myiris"
    assert complete(TEMPLATE, {"EndpointName": "my-iris"})["EndpointArnName"] == ""


@pytest.mark.parametrize("value", ["1.5", "1e1", "nan", "inf", " 2", "-1", "+2", "1_0", "", "٣"])
def test_what_is_counted_is_whole(value: str) -> None:
    given = complete(TEMPLATE, {"EndpointName": "iris", "MinInstances": value})

    found = check_rules(TEMPLATE, given)

    assert f"MinInstances={value}" in [finding.text for finding in found]


def test_a_share_is_a_number() -> None:
    [found] = check_rules(TEMPLATE, complete(TEMPLATE, {"EndpointName": "iris", "ErrorShare": "0.1"}))

    assert found.level is Level.OK
