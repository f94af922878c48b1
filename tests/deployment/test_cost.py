"""The estimate, against figures worked out by hand from the table's prices."""

from dataclasses import replace
from pathlib import Path

import pytest

from deployment.cost import Load, Prices, break_even, estimate, read_prices, table
from deployment.deployment_file import Deployment, Section
from deployment.errors import UnknownPriceError, UnreadableError
from deployment.parameters import Stack, read_template

PRICES = read_prices()
LOAD = Load(function_seconds=0.03, model_seconds=0.02, body_bytes=2000)
TEMPLATE = read_template()


def stack(**parameters: str) -> Stack:
    defaults = {name: str(item.get("Default", "")) for name, item in TEMPLATE["Parameters"].items()}
    return Stack("stack", TEMPLATE, defaults | parameters)


def items(chosen: Stack, prices: Prices = PRICES) -> dict[str, tuple[float, float]]:
    return {item.name: (round(item.idle, 2), round(item.per_million, 2)) for item in estimate(prices, chosen, LOAD)}


def test_instances_are_paid_by_the_hour() -> None:
    endpoint = items(stack(Hosting="realtime", MinInstances="2"))["endpoint: 2 x ml.m5.large"]

    assert endpoint == (167.9, 0)  # 2 x 730 h x 0.115


def test_serverless_is_paid_by_use() -> None:
    endpoint = items(stack(Hosting="serverless"))["endpoint: serverless, 2 GB"]

    # 1e6 x (0.02 s x 2 GB x 0.00002 + 2000 / 2^30 GB x 0.016)
    assert endpoint == (0, 0.83)


def test_an_existing_endpoint_is_not_of_this_stack() -> None:
    assert items(stack())["endpoint (exists already, not of this stack)"] == (0, 0)


def test_gateway_and_function_are_paid_by_request() -> None:
    found = items(stack())

    # the function: 0.2 + 1e6 x 0.03 s x 1 GB x 0.0000166667
    assert [found[name][1] for name in ("API Gateway", "Lambda (invoker)")] == [3.5, 0.7]


def test_the_function_costs_nothing_while_idle_unless_it_is_kept_ready() -> None:
    """A month has 2,628,000 s: SnapStart's cache of one version, or each instance that is kept started, of 1 GB."""
    assert items(stack())["Lambda (invoker)"][0] == 0
    assert items(stack(SnapStart="true"))["Lambda (invoker)"][0] == 3.95
    assert items(stack(ProvisionedConcurrency="2"))["Lambda (invoker)"][0] == 21.9


def test_every_version_that_is_kept_has_a_snapshot() -> None:
    kept = Deployment(Path("iris"), "iris", "dev", Section(keep_versions=5))
    chosen = replace(stack(SnapStart="true"), deployment=kept)

    assert items(chosen)["SnapStart of 4 more versions that are kept"] == (15.82, 0)  # 4 x 3.954


def test_metrics_are_paid_by_series() -> None:
    found = items(stack())

    paid = {name.partition(",")[0]: idle for name, (idle, _) in found.items() if "series" in name}
    assert paid == {"metrics of the function": 2.4, "detailed metrics of the API": 4.2}


def test_what_scaling_may_cost_is_said() -> None:
    assert "endpoint: 1 x ml.m5.large, up to 3: 251.85" in items(stack(Hosting="realtime", MaxInstances="3"))


def test_from_which_load_on_an_instance_is_cheaper() -> None:
    said = break_even(PRICES, stack().parameters, LOAD)

    # 83.95 / 0.83 a million
    assert said == "Below 101.2 million requests a month serverless (2 GB) is cheaper than one ml.m5.large."


def test_a_web_acl_is_paid_with_its_rules() -> None:
    assert "WAF, 3 rules" not in items(stack())
    assert items(stack(Waf="true"))["WAF, 3 rules"] == (8, 0.6)


def test_alarms_are_counted_as_the_conditions_make_them() -> None:
    alarms = [name for name in items(stack()) if "alarms" in name]
    more = [name for name in items(stack(Hosting="realtime", Canary="true")) if "alarms" in name]

    assert alarms == ["6 alarms and the dashboard"]
    assert more == ["10 alarms and the dashboard"]


def test_an_unknown_instance_type_is_said_to_be_unknown() -> None:
    with pytest.raises(UnknownPriceError, match=r"no price of ml\.x9\.large"):
        items(stack(Hosting="realtime", InstanceType="ml.x9.large"))


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"Hosting": "nowhere"}, "Hosting=nowhere: expected one of existing, realtime, serverless"),
        ({"Hosting": "realtime", "MinInstances": "two"}, "MinInstances=two: expected a whole number from 1 to "),
    ],
)
def test_a_parameter_that_the_template_refuses_is_one_line(parameters: dict[str, str], said: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        items(stack(**parameters))

    assert str(caught.value).startswith(said)


def test_the_table_says_that_it_is_an_estimate_how_old_it_is_and_where_to_look() -> None:
    text = table(PRICES, list(estimate(PRICES, stack(), LOAD)), LOAD)

    assert f"An estimate, not a quotation: prices of us-east-1, table of {PRICES.date}." in text
    assert f"Found in no copy, and so the least sure: {', '.join(PRICES.unverified)}." in text
    assert text.endswith(
        "Compare them with AWS's pages before you rely on them:\n"
        "  https://aws.amazon.com/api-gateway/pricing/\n"
        "  https://aws.amazon.com/cloudwatch/pricing/\n"
        "  https://aws.amazon.com/lambda/pricing/\n"
        "  https://aws.amazon.com/sagemaker-ai/pricing/\n"
        "  https://aws.amazon.com/waf/pricing/"
    )
