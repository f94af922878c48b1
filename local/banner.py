"""What the user reads when the chain is ready: what is served, what it takes, where it is, and a line to try."""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.commands import Addresses
from local.sample_request import Sample
from local.settings import ACCOUNT, ENDPOINT

UNKNOWN = '{"data": [[0]]}'
# As many features as a terminal shows at once.
MAX_FEATURES = 15
MAX_CELL = 60


@dataclass(frozen=True, slots=True)
class Served:
    """What the chain serves."""

    model: Path
    sample: Sample
    schema: Mapping[str, Any]


def banner(addresses: Addresses, served: Served, api_key: str | None) -> str:
    """Return the text."""
    sample = served.sample
    return f"""
{takes(served)}
{sample.lead}

    {curl(addresses.gateway, sample.body or sample.form or UNKNOWN, api_key)}

In a browser: {addresses.gateway}/ for this model, {addresses.gateway}/docs for the API

The endpoint itself, for signed calls: {addresses.runtime}/endpoints/{ENDPOINT}/invocations
    access key {ACCOUNT.access_key_id}, secret {ACCOUNT.secret_access_key}, region {ACCOUNT.region}

Ctrl-C stops it.

ready: {addresses.gateway}
"""


def takes(served: Served) -> str:
    """Return the model and what it takes, a line a feature."""
    kind = served.schema.get("x-kind", "table" if served.sample.features else "")
    if kind == "binary":
        listed = ", ".join(served.schema.get("x-media-types", ())) or "bytes"
        return f"The model in {served.model} takes {listed}.\n"
    if kind != "table":
        return f"The model in {served.model} takes {'JSON' if kind == 'json' else 'what its code takes'}.\n"
    features = _features(served.schema) or [(name, kind, "") for name, kind in served.sample.features]
    if not features:
        return f"The model in {served.model} takes rows; it does not say of which features.\n"
    return f"The model in {served.model} takes rows of {_counted(len(features), 'feature')}:\n\n{table(features)}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _features(schema: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    items = schema.get("properties") or dict(enumerate(schema.get("prefixItems", ())))
    return [(str(name), _type(item), _example(item)) for name, item in items.items()]


def _type(item: Mapping[str, Any]) -> str:
    if item.get("enum"):
        return "one of " + ", ".join(json.dumps(value, ensure_ascii=False) for value in item["enum"])
    listed = item.get("type", "any")
    kinds = [listed] if isinstance(listed, str) else list(listed)
    if {"string", "number"} <= set(kinds):  # what the model takes is not known
        return "any value"
    kind = item.get("format") or next((kind for kind in kinds if kind != "null"), "null")
    return f"{kind} or null" if "null" in kinds else str(kind)


def _example(item: Mapping[str, Any]) -> str:
    return next((json.dumps(value, ensure_ascii=False) for value in item.get("examples", ())), "")


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return the rows in columns as wide as their cells."""
    cut = [[cell if len(cell) <= MAX_CELL else f"{cell[: MAX_CELL - 3]}..." for cell in row] for row in rows]
    shown = cut[:MAX_FEATURES]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in shown]
    if len(rows) > MAX_FEATURES:
        lines.append(f"... and {len(rows) - MAX_FEATURES} more")
    return "".join(f"    {line}\n" for line in lines)


def curl(url: str, body: str, api_key: str | None) -> str:
    """Return the command that asks for a prediction."""
    key = [] if api_key is None else ["-H", f"x-api-key: {api_key}"]
    return shlex.join(
        ["curl", "-X", "POST", f"{url}/predict", "-H", "Content-Type: application/json", *key, "-d", body]
    )


def not_served(model: Path, failure: str) -> str:
    """Return three lines: what cannot be served, the cause, and the remedy, which a load error ends with."""
    cause, separator, remedy = failure.rstrip(".").rpartition(": ")
    if not separator:
        cause, remedy = failure.rstrip("."), "see docs/troubleshooting.md"
    return f"the model in {model} cannot be served\n  cause: {cause}\n  remedy: {remedy}"
