"""What the user reads when the chain is ready: where it is, and a line to try."""

import shlex
from dataclasses import dataclass

from local.commands import Addresses
from local.settings import ACCOUNT, ENDPOINT

UNKNOWN = '{"data": [[0]]}'
KNOWN_LEAD = "try it:"
REFUSED_LEAD = "try it, with rows of your model's features:"
UNKNOWN_LEAD = (
    "try it, with rows of your model's features (with samples.csv beside the model, a line of them is shown):"
)


@dataclass(frozen=True, slots=True)
class Sample:
    """A request body that the model answers, or empty; and why it is none of its samples.csv, or empty."""

    body: str = ""
    refusal: str = ""

    @property
    def lead(self) -> str:
        """What stands before the line to try."""
        if self.refusal:
            return f"{self.refusal}\n\n{REFUSED_LEAD}"
        return KNOWN_LEAD if self.body else UNKNOWN_LEAD


def banner(addresses: Addresses, sample: Sample, api_key: str | None) -> str:
    """Return the text."""
    return f"""
ready: {addresses.gateway}

{sample.lead}

    {curl(addresses.gateway, sample.body or UNKNOWN, api_key)}

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
