"""How to call a deployed stack: its URL, its API key and a curl line that works as printed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from deployment.errors import DeployFailedError
from deployment.session import Session, account_errors
from deployment.settings import ENVIRON
from deployment.stack_states import Next, next_step
from deployment.stacks import Stacks

if TYPE_CHECKING:
    from mypy_boto3_apigateway import APIGatewayClient

PERMISSIONS = "cloudformation:DescribeStacks, apigateway:GET on /apikeys/*"


@dataclass(frozen=True, slots=True)
class Access:
    """Where an API is and what it wants to be shown; `auth` is the stack's parameter Auth."""

    url: str
    key: str = field(repr=False)
    auth: str

    def __str__(self) -> str:
        header = f" -H 'x-api-key: {self.key}'" if self.key else ""
        body = '{"data": [[1,2],[3,4]]}'
        curl = f"curl -X POST {self.url}/predict{header} -H 'Content-Type: application/json' -d '{body}'"
        return f"URL  {self.url}\nkey  {self.key or 'none: see the parameter Auth'}\n\n    {curl}\n"


def read_outputs(described: Mapping[str, Any]) -> dict[str, str]:
    """Return a stack's outputs by their names."""
    return {each["OutputKey"]: each["OutputValue"] for each in described.get("Outputs", [])}


def api_key(apigateway: "APIGatewayClient", outputs: Mapping[str, str]) -> str:
    """Return the stack's API key; empty where callers show something else."""
    if "ApiKeyId" not in outputs:
        return ""
    return apigateway.get_api_key(apiKey=outputs["ApiKeyId"], includeValue=True)["value"]


def read_access(session: Session, name: str) -> Access:
    """Ask with this machine's credentials; raises AccountError and DeployFailedError."""
    with account_errors(f"a deployed stack and {PERMISSIONS}"):
        described = find_deployed(session, name)
        outputs = read_outputs(described)
        if "ApiUrl" not in outputs:
            status = described["StackStatus"]
            later = "wait until that is over" if next_step(status) is Next.WAIT else "deploy it"
            raise DeployFailedError(f"{name} is {status} and has no API yet; {later}")
        parameters = {item["ParameterKey"]: item.get("ParameterValue", "") for item in described.get("Parameters", [])}
        key = api_key(session.client("apigateway"), outputs)
        return Access(api_url(outputs), key, parameters.get("Auth", "api_key"))


def api_url(outputs: Mapping[str, str], environ: Mapping[str, str] = ENVIRON) -> str:
    """Return where the API answers: on AWS as the stack says, in a local AWS at that one's own address."""
    local = environ.get("AWS_ENDPOINT_URL", "").rstrip("/")
    if urlsplit(local).hostname in {"127.0.0.1", "localhost"} and "ApiId" in outputs:
        return f"{local}/_aws/execute-api/{outputs['ApiId']}/{outputs['StageName']}"
    return outputs["ApiUrl"]


def find_deployed(session: Session, name: str) -> dict[str, Any]:
    """Return what CloudFormation knows of a stack; raises DeployFailedError when there is none."""
    found = Stacks(session, print).find(name)
    if found is None:
        text = f"there is no stack {name} in this account and {session.region_name}"
        raise DeployFailedError(f"{text}; deploy it, or set AWS_PROFILE and AWS_REGION")
    return found
