"""`python -m deployment`: preflight, golden, account, overrides, smoke, cost."""

import os
import shlex
import sys
from collections.abc import Iterable

import httpx

from deployment import cost, preflight, samples, smoke
from deployment.account import Account
from deployment.errors import DeploymentError
from deployment.findings import Finding, Level
from deployment.parameters import read_given, read_stack
from deployment.session import identify, open_session
from deployment.settings import Cost, Golden, Identity, Overrides, Preflight, Settings, Smoke, read_settings
from golden import requests
from golden.requests import GoldenFileError


def main() -> int:
    """Run one command; 1 when a finding is an error, 2 when the command could not be run."""
    try:
        return run(read_settings(sys.argv[1:], os.environ))
    except (DeploymentError, GoldenFileError) as reason:
        print(f"error: {reason}", file=sys.stderr)
        return 2


def run(settings: Settings) -> int:
    """Run what the settings are for."""
    match settings:
        case Preflight():
            stack = read_stack(settings.environment, settings.overrides)
            return report(preflight.check(settings, stack, Account(open_session())))
        case Smoke():
            golden = requests.read(settings.golden)
            with httpx.Client(auth=settings.auth) as client:
                return report(smoke.check_api(client, settings.url, golden))
        case Golden():
            return record(settings)
        case Overrides():
            given = read_given(settings.environment, settings.overrides)
            print(" ".join(shlex.quote(f"{name}={value}") for name, value in given.items()))
            return 0
        case Identity():
            print(f"account {identify(open_session())}")
            return 0
        case Cost():
            prices = cost.read_prices()
            stack = read_stack(settings.environment, settings.overrides)
            print(cost.table(prices, list(cost.estimate(prices, stack, settings.load)), settings.load))
            return 0


def record(settings: Golden) -> int:
    """Write golden.json."""
    with httpx.Client(auth=settings.auth) as client:
        if settings.model:
            found = samples.read_samples(settings.model)
            bodies = samples.fit(found, lambda body: smoke.ask(client, settings.url, body)).bodies()
        else:
            bodies = [item.request for item in requests.read(settings.golden)]
        recorded = smoke.record(client, settings.url, bodies)
    requests.write(settings.golden, recorded)
    print(f"{settings.golden}: {len(recorded)} golden requests. Read the answers before you trust them.")
    return 0


def report(findings: Iterable[Finding]) -> int:
    """Print each finding as it comes, and a summary."""
    found = []
    for finding in findings:
        print(finding, flush=True)
        found.append(finding)
    counts = {level: sum(finding.level is level for finding in found) for level in Level}
    print(", ".join(f"{count} {level.value}" for level, count in counts.items() if count))
    return int(counts[Level.ERROR] > 0)


if __name__ == "__main__":
    sys.exit(main())
