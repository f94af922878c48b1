"""Checks that ask the AWS account: what would otherwise fail minutes into the stack's creation."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from deployment import image
from deployment.findings import Finding, error, passed, skipped, warning
from deployment.session import Session, remedy, who
from deployment.target import Hosting, Target

IMAGE_URI = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/(?P<repository>[^@:]+)"
    r"@(?P<digest>sha256:[0-9a-f]{64})"
)
PULL = frozenset({"ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"})
# A stack in one of these states takes no update: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
STUCK = frozenset({"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED", "REVIEW_IN_PROGRESS"})
ACTIONS = (
    "apigateway:POST",
    "cloudformation:CreateChangeSet",
    "cloudformation:ExecuteChangeSet",
    "cloudwatch:PutMetricAlarm",
    "iam:CreateRole",
    "iam:PassRole",
    "iam:PutRolePolicy",
    "lambda:CreateFunction",
    "lambda:PublishVersion",
    "logs:CreateLogGroup",
    "s3:PutObject",
)
ACTIONS_OF_ENDPOINTS = ("sagemaker:CreateEndpoint", "sagemaker:CreateEndpointConfig", "sagemaker:CreateModel")
# A blue/green update runs the new fleet beside the old one.
FLEETS = 2


@dataclass(frozen=True, slots=True)
class Account:
    """Asks one account in one region."""

    session: Session

    def check(self, stack: str, target: Target, parameters: Mapping[str, str]) -> Iterator[Finding]:
        """Check what the parameters name; without credentials that is one skipped finding."""
        try:
            identity = who(self.session)
        except ClientError as reason:
            yield error("account", str(reason), remedy(reason))
            return
        except BotoCoreError as reason:
            yield skipped("account", f"not asked: {reason}", f"{remedy(reason)}, to have the account checked as well")
            return
        yield passed("account", identity)
        for check in (
            self._check_stack,
            self._check_permissions,
            self._check_endpoint,
            self._check_image,
            self._check_model,
            self._check_quota,
        ):
            try:
                yield from check(stack, target, parameters)
            except (BotoCoreError, ClientError) as reason:
                subject = check.__name__.removeprefix("_check_")
                yield skipped(subject, f"could not be asked: {reason}", "allow this read to whoever deploys")

    def _check_stack(self, stack: str, _target: Target, _parameters: Mapping[str, str]) -> Iterator[Finding]:
        try:
            described = self.session.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
        except ClientError as reason:
            if "does not exist" not in str(reason):
                raise
            yield passed("stack", f"the name {stack} is free")
            return
        status = described["StackStatus"]
        if status in STUCK:
            advice = f"delete it with `aws cloudformation delete-stack --stack-name {stack}` and deploy again"
            yield error("stack", f"{stack} is in the state {status} and takes no update", advice)
        elif status.endswith("_IN_PROGRESS"):
            yield error("stack", f"{stack} is in the state {status}", "wait until that is over")
        else:
            yield passed("stack", f"{stack} exists ({status}) and will be updated")

    def _check_permissions(self, _stack: str, target: Target, parameters: Mapping[str, str]) -> Iterator[Finding]:
        """What CloudFormation does in the name of who deploys, as IAM judges it."""
        identity = self.session.client("sts").get_caller_identity()["Arn"]
        if identity.endswith(":root"):
            yield passed("permissions", "the account's root may do everything")
            return
        actions = [*ACTIONS, *(ACTIONS_OF_ENDPOINTS if target.hosting is not Hosting.EXISTING else ())]
        if parameters["Canary"] == "true":
            actions.append("codedeploy:CreateDeploymentGroup")
        pages = self.session.client("iam").get_paginator("simulate_principal_policy")
        results = pages.paginate(PolicySourceArn=policy_source(identity), ActionNames=actions)
        judged = [result for page in results for result in page["EvaluationResults"]]
        denied = sorted(result["EvalActionName"] for result in judged if result["EvalDecision"] != "allowed")
        if denied:
            yield error(
                "permissions", f"{identity} may not {', '.join(denied)}", "have them allowed, or deploy as another role"
            )
        else:
            yield passed("permissions", f"{len(actions)} actions of a deployment are allowed")

    def _check_endpoint(self, _stack: str, target: Target, parameters: Mapping[str, str]) -> Iterator[Finding]:
        if target.hosting is not Hosting.EXISTING:
            return
        name = parameters["EndpointName"]
        try:
            status = self.session.client("sagemaker").describe_endpoint(EndpointName=name)["EndpointStatus"]
        except ClientError as reason:
            if "Could not find" not in str(reason):
                raise
            advice = "give EndpointName=NAME of one that is there, or let the stack make it: Hosting=realtime"
            yield error("endpoint", f"there is no endpoint {name} in {self.session.region_name}", advice)
            return
        if status == "InService":
            yield passed("endpoint", f"{name} is InService")
        else:
            yield warning("endpoint", f"{name} is {status}", "callers get 503 until it is InService")

    def _check_image(self, _stack: str, target: Target, parameters: Mapping[str, str]) -> Iterator[Finding]:
        if target.hosting is Hosting.EXISTING:
            return
        uri = parameters["ImageUri"]
        match = IMAGE_URI.fullmatch(uri)
        if not match:
            advice = "`make push` prints it: ACCOUNT.dkr.ecr.REGION.amazonaws.com/REPOSITORY@sha256:..."
            yield error("repository", f"ImageUri={uri} is not an image in ECR by digest", advice)
            return
        yield from self._check_repository(**match.groupdict())

    def _check_repository(self, account: str, region: str, repository: str, digest: str) -> Iterator[Finding]:
        if region != self.session.region_name:
            advice = "push the image to the region that is deployed to"
            yield error("repository", f"the image is in {region}, the stack in {self.session.region_name}", advice)
            return
        ecr = self.session.client("ecr")
        try:
            found = ecr.describe_images(
                registryId=account, repositoryName=repository, imageIds=[{"imageDigest": digest}]
            )
        except (ecr.exceptions.RepositoryNotFoundException, ecr.exceptions.ImageNotFoundException) as reason:
            yield error("repository", str(reason.response["Error"]["Message"]), "push the image: `make push`")
            return
        yield passed("repository", f"{repository} has {digest[:19]}...")
        yield from image.check_manifest(found["imageDetails"][0].get("imageManifestMediaType"))
        if account != self.session.client("sts").get_caller_identity()["Account"]:
            yield self._check_policy(account, repository)

    def _check_policy(self, account: str, repository: str) -> Finding:
        """Of another account's repository: a policy there must let this account's role pull."""
        ecr = self.session.client("ecr")
        try:
            text = ecr.get_repository_policy(registryId=account, repositoryName=repository)["policyText"]
            policy = json.loads(text)
        except ecr.exceptions.RepositoryPolicyNotFoundException:
            policy = {"Statement": []}
        allowed = {action for statement in policy["Statement"] for action in _allowed_actions(statement)}
        if missing := sorted(PULL - allowed) if "ecr:*" not in allowed else []:
            advice = "let the account that owns it add a statement that allows them to this account"
            return error("repository", f"its policy does not allow {', '.join(missing)}", advice)
        return passed("repository", "its policy allows pulling from another account")

    def _check_model(self, _stack: str, target: Target, parameters: Mapping[str, str]) -> Iterator[Finding]:
        if target.hosting is Hosting.EXISTING or not parameters["ModelDataUrl"]:
            return
        url = parameters["ModelDataUrl"]
        place = urlsplit(url)
        try:
            head = self.session.client("s3").head_object(Bucket=place.netloc, Key=place.path.lstrip("/"))
        except ClientError as reason:
            if reason.response["Error"]["Code"] not in {"404", "NoSuchKey", "NoSuchBucket"}:
                raise
            yield error("model data", f"{url} does not exist", f"upload it: `aws s3 cp model.tar.gz {url}`")
            return
        yield passed("model data", f"{url}, {head['ContentLength'] / 1024**2:.1f} MB")

    def _check_quota(self, _stack: str, target: Target, parameters: Mapping[str, str]) -> Iterator[Finding]:
        if target.hosting is not Hosting.REALTIME:
            return
        wanted = int(parameters["MaxInstances"])
        quota = f"{target.instance_type} for endpoint usage"
        value = self._quota(quota)
        if value is None:
            yield warning("quota", f"there is none named `{quota}`", "check that the instance type is right")
        elif value < wanted:
            advice = f"lower MaxInstances, or ask for more: Service Quotas, Amazon SageMaker, `{quota}`"
            yield error("quota", f"`{quota}` is {value:g}, MaxInstances is {wanted}", advice)
        elif value < FLEETS * wanted:
            advice = "an update at full scale runs the old and the new fleet side by side; ask for twice MaxInstances"
            yield warning("quota", f"`{quota}` is {value:g}, an update may need {FLEETS * wanted}", advice)
        else:
            yield passed("quota", f"`{quota}` is {value:g}")

    def _quota(self, name: str) -> float | None:
        pages = self.session.client("service-quotas").get_paginator("list_service_quotas")
        for page in pages.paginate(ServiceCode="sagemaker"):
            for quota in page["Quotas"]:
                if quota["QuotaName"] == name:
                    return float(quota["Value"])
        return None


def policy_source(identity: str) -> str:
    """Return the user or role whose policies count: an assumed role's session has none of its own."""
    prefix, _, rest = identity.partition(":assumed-role/")
    if not rest:
        return identity
    return f"{prefix.replace(':sts:', ':iam:')}:role/{rest.split('/')[0]}"


def _allowed_actions(statement: Mapping[str, Any]) -> set[str]:
    actions = statement.get("Action", []) if statement.get("Effect") == "Allow" else []
    return {actions} if isinstance(actions, str) else set(actions)
