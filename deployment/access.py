"""Print how to call a deployed stack, its URL, its API key and a curl line that works as printed: `make access`."""

import argparse
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from deployment.errors import DeploymentError
from deployment.parameters import read_stack
from deployment.session import account_errors, open_session

if TYPE_CHECKING:
    from mypy_boto3_apigateway import APIGatewayClient
    from mypy_boto3_cloudformation import CloudFormationClient

PERMISSIONS = "cloudformation:DescribeStacks, apigateway:GET on /apikeys/*"


def outputs(cloudformation: "CloudFormationClient", stack: str) -> dict[str, str]:
    """Return the stack's outputs; raises ClientError when there is no such stack."""
    (described,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    return {each["OutputKey"]: each["OutputValue"] for each in described.get("Outputs", [])}


def api_key(apigateway: "APIGatewayClient", of_stack: Mapping[str, str]) -> str:
    """Return the stack's API key; empty where callers show something else."""
    if "ApiKeyId" not in of_stack:
        return ""
    return apigateway.get_api_key(apiKey=of_stack["ApiKeyId"], includeValue=True)["value"]


def text(url: str, key: str) -> str:
    """Say what to type."""
    header = f" -H 'x-api-key: {key}'" if key else ""
    curl = f"curl -X POST {url}/predict{header} -H 'Content-Type: application/json' -d '{{\"data\": [[1,2],[3,4]]}}'"
    return f"URL  {url}\nkey  {key or 'none: see the parameter Auth'}\n\n    {curl}\n"


def run(stack: str) -> str:
    """Ask with this machine's credentials."""
    with account_errors(f"a deployed stack and {PERMISSIONS}"):
        session = open_session()
        found = outputs(session.client("cloudformation"), stack)
        return text(found["ApiUrl"], api_key(session.client("apigateway"), found))


def main() -> int:
    """Print to stdout; 2 when the command could not be run."""
    parser = argparse.ArgumentParser(prog="python -m deployment.access", description="Print how to call a stack.")
    parser.add_argument("--environment", default="default", help="of samconfig.toml (default: %(default)s)")
    try:
        print(run(read_stack(parser.parse_args().environment, []).name), end="")
    except DeploymentError as exc:
        print(f"error: {exc}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
