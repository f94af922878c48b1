"""Stacks in the local AWS: deployed and deleted with the SAM CLI, their API called with requests."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import requests

from tests.sam_cli import CREDENTIALS, SamCli

REGION = CREDENTIALS["AWS_DEFAULT_REGION"]
BUCKET = "packages"
_EMPTY = '""'


@dataclass(frozen=True, slots=True)
class Api:
    url: str
    key: str = field(repr=False)

    def predict(self, body: Any, key: str | None = "") -> requests.Response:
        """POST /predict with the API's own key, with another, or with none at all."""
        headers = {} if key is None else {"x-api-key": key or self.key}
        return requests.post(f"{self.url}/predict", json=body, headers=headers, timeout=30)

    def health(self) -> requests.Response:
        return requests.get(f"{self.url}/health", timeout=30)


@dataclass(frozen=True, slots=True)
class Cloud:
    """`url` is where the local AWS answers."""

    url: str
    sam: SamCli

    def client(self, service: str) -> Any:
        return boto3.client(  # type: ignore[call-overload]  # the service is a variable here
            service,
            region_name=REGION,
            endpoint_url=self.url,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        )

    def deploy(self, project: Path, stack: str, parameters: Mapping[str, str]) -> Api:
        """`sam deploy` what was built in `project`; a second time updates the stack."""
        # What is left out keeps its value in an update; an empty value is taken in quotes only.
        overrides = [f"{name}={value or _EMPTY}" for name, value in parameters.items()]
        # Deployments at once would all make the bucket that SAM makes for itself.
        bucket = ("--no-resolve-s3", "--s3-bucket", BUCKET)
        self.sam.run("deploy", "--stack-name", stack, *bucket, "--parameter-overrides", *overrides, cwd=project)
        outputs = self.outputs(stack)
        return Api(f"{self.url}/_aws/execute-api/{outputs['ApiId']}/{outputs['StageName']}", self.key(outputs))

    def key(self, outputs: Mapping[str, str]) -> str:
        """The stack's API key; empty where callers show something else."""
        if "ApiKeyId" not in outputs:
            return ""
        found = self.client("apigateway").get_api_key(apiKey=outputs["ApiKeyId"], includeValue=True)
        return str(found["value"])

    def outputs(self, stack: str) -> dict[str, str]:
        described = self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
        return {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}

    def delete(self, project: Path, stack: str) -> None:
        self.sam.run("delete", "--stack-name", stack, "--no-prompts", "--region", REGION, cwd=project)
