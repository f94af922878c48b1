"""What the chosen parameters cost: an estimate from the dated list prices in prices.json."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deployment.errors import UnknownPriceError, UnreadableError
from deployment.parameters import Stack
from deployment.rules import check_values
from deployment.target import Hosting
from sam_template import Evaluator

PRICES = Path(__file__).parent / "prices.json"
HOURS_A_MONTH = 730
SECONDS_A_MONTH = HOURS_A_MONTH * 3600
MILLION = 1_000_000
GB = 1024**3
# What the template fixes.
FUNCTION_GB = 1.0
LOG_BYTES = 1500  # an access log line and the function's line
# Each is a custom metric: the function's four for answers and for refusals, the gateway's seven for each method called.
METRICS = {"metrics of the function": 8, "detailed metrics of the API": 14}


@dataclass(frozen=True, slots=True)
class Load:
    """What is assumed of a request: seconds in the function, seconds of the model's own, bytes in and out together."""

    function_seconds: float
    model_seconds: float
    body_bytes: int


@dataclass(frozen=True, slots=True)
class Item:
    """One line: what it costs a month without any request, and for a million of them."""

    name: str
    idle: float
    per_million: float


@dataclass(frozen=True, slots=True)
class Prices:
    """The price table; `pages` are AWS's own, `unverified` the prices that were found in no copy of them."""

    date: str
    region: str
    note: str
    prices: Mapping[str, float]
    unverified: Sequence[str]
    pages: Sequence[str]
    instances: Mapping[str, float]

    def instance(self, name: str) -> float:
        """USD an hour; raises UnknownPriceError."""
        if name not in self.instances:
            known = ", ".join(self.instances)
            raise UnknownPriceError(f"{PRICES} has no price of {name}; add it with its source. It has {known}")
        return self.instances[name]


def read_prices(path: Path = PRICES) -> Prices:
    """Read the price table."""
    table: dict[str, Any] = json.loads(path.read_text())
    prices = {name: entry["price"] for name, entry in table["prices"].items()}
    unverified = [name for name, entry in table["prices"].items() if not entry["verified"]]
    pages = sorted({entry["page"] for entry in [*table["prices"].values(), table["instances"]]})
    instances = table["instances"]["per_hour"]
    return Prices(table["date"], table["region"], table["note"], prices, unverified, pages, instances)


def estimate(prices: Prices, stack: Stack, load: Load) -> Iterator[Item]:
    """Yield what a stack costs; raises UnreadableError for a parameter that the template would refuse."""
    if refused := check_values(stack.template, stack.parameters):
        raise UnreadableError("; ".join(f"{finding.text}: {finding.advice}" for finding in refused))
    price = prices.prices
    resources = Evaluator(stack.template, stack.parameters).made(stack.template["Resources"]).values()
    yield Item("API Gateway", 0, MILLION * price["api_gateway_request"])
    yield Item(
        "Lambda (invoker)",
        SECONDS_A_MONTH * FUNCTION_GB * _function_idle(price, stack.parameters),
        MILLION * (price["lambda_request"] + load.function_seconds * FUNCTION_GB * price["lambda_gb_second"]),
    )
    kept = stack.deployment.section.keep_versions if stack.deployment else 1
    if stack.parameters["SnapStart"] == "true" and kept > 1:
        more = (kept - 1) * SECONDS_A_MONTH * FUNCTION_GB * price["lambda_snapstart_cache_gb_second"]
        yield Item(f"SnapStart of {kept - 1} more versions that are kept", more, 0)
    yield Item("logs", 0, MILLION * LOG_BYTES / GB * price["logs_gb"])
    alarms = sum(resource["Type"] == "AWS::CloudWatch::Alarm" for resource in resources)
    yield Item(f"{alarms} alarms and the dashboard", alarms * price["alarm_month"] + price["dashboard_month"], 0)
    for name, series in METRICS.items():
        yield Item(f"{name}, {series} series once there are requests", series * price["custom_metric_month"], 0)
    for resource in resources:
        if resource["Type"] == "AWS::WAFv2::WebACL":
            rules = len(resource["Properties"]["Rules"])
            idle = price["waf_acl_month"] + rules * price["waf_rule_month"]
            yield Item(f"WAF, {rules} rules", idle, MILLION * price["waf_request"])
    yield _endpoint(prices, stack.parameters, load)


def _function_idle(price: Mapping[str, float], parameters: Mapping[str, str]) -> float:
    """USD a second and GB that the function costs while nobody calls."""
    # The cache of one published version, for each that is kept; a restore costs about as much again as a cached hour.
    if parameters["SnapStart"] == "true":
        return price["lambda_snapstart_cache_gb_second"]
    return int(parameters["ProvisionedConcurrency"] or 0) * price["lambda_provisioned_gb_second"]


def _endpoint(prices: Prices, parameters: Mapping[str, str], load: Load) -> Item:
    match Hosting(parameters["Hosting"]):
        case Hosting.EXISTING:
            return Item("endpoint (exists already, not of this stack)", 0, 0)
        case Hosting.REALTIME:
            count, kind = int(parameters["MinInstances"]), parameters["InstanceType"]
            hourly, most = prices.instance(kind), int(parameters["MaxInstances"])
            scaled = f", up to {most}: {HOURS_A_MONTH * most * hourly:.2f}" if most > count else ""
            return Item(f"endpoint: {count} x {kind}{scaled}", HOURS_A_MONTH * count * hourly, 0)
        case Hosting.SERVERLESS:
            memory = int(parameters["ServerlessMemory"]) / 1024
            return Item(f"endpoint: serverless, {memory:g} GB", 0, MILLION * _serverless(prices, memory, load))


def _serverless(prices: Prices, memory: float, load: Load) -> float:
    """USD a request."""
    seconds = load.model_seconds * memory * prices.prices["serverless_gb_second"]
    return seconds + load.body_bytes / GB * prices.prices["serverless_gb_data"]


def break_even(prices: Prices, parameters: Mapping[str, str], load: Load) -> str:
    """Say from which load on an instance is cheaper than serverless."""
    kind, memory = parameters["InstanceType"], int(parameters["ServerlessMemory"]) / 1024
    millions = HOURS_A_MONTH * prices.instance(kind) / _serverless(prices, memory, load) / MILLION
    return f"Below {millions:.1f} million requests a month serverless ({memory:g} GB) is cheaper than one {kind}."


def table(prices: Prices, items: list[Item], load: Load) -> str:
    """Lay the items out as text."""
    total = Item("together", sum(item.idle for item in items), sum(item.per_million for item in items))
    rows = [f"{'USD':<48}{'a month, idle':>15}{'a million requests':>21}"]
    rows += [f"{item.name:<48}{item.idle:>15.2f}{item.per_million:>21.2f}" for item in [*items, total]]
    assumed = (
        f"Assumed of a request: {load.function_seconds * 1000:g} ms in the function, "
        f"{load.model_seconds * 1000:g} ms in the model, {load.body_bytes:,} bytes in and out."
    )
    dated = f"An estimate, not a quotation: prices of {prices.region}, table of {prices.date}. {prices.note}"
    doubted = f"Found in no copy, and so the least sure: {', '.join(prices.unverified)}."
    compare = ["Compare them with AWS's pages before you rely on them:", *(f"  {page}" for page in prices.pages)]
    return "\n".join([*rows, "", assumed, dated, doubted, *compare])
