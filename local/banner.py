"""What the user reads when the chain is ready: where it is, and a line to try."""

import shlex

from local.commands import Addresses
from local.settings import ACCOUNT, ENDPOINT

UNKNOWN = '{"data": [[0]]}'
UNKNOWN_LEAD = (
    "try it, with rows of your model's features (with samples.csv beside the model, a line of them is shown):"
)


def banner(addresses: Addresses, sample: str, api_key: str | None) -> str:
    """Return the text; `sample` is a body that fits the model, empty when that is not known."""
    lead = "try it:" if sample else UNKNOWN_LEAD
    return f"""
ready: {addresses.gateway}

{lead}

    {curl(addresses.gateway, sample or UNKNOWN, api_key)}

In a browser: {addresses.gateway}/docs

The endpoint itself, for signed calls: {addresses.runtime}/endpoints/{ENDPOINT}/invocations
    access key {ACCOUNT.access_key_id}, secret {ACCOUNT.secret_access_key}, region {ACCOUNT.region}

Ctrl-C stops it.
"""


def curl(url: str, body: str, api_key: str | None) -> str:
    """Return the command that asks for a prediction."""
    key = [] if api_key is None else ["-H", f"x-api-key: {api_key}"]
    return shlex.join(
        ["curl", "-X", "POST", f"{url}/predict", "-H", "Content-Type: application/json", *key, "-d", body]
    )
