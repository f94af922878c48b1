"""The image in ECR: there, in the stack's region, in the form that SageMaker takes, and open to this account."""

import json
import re
from collections.abc import Iterator, Mapping

from deployment import image
from deployment.findings import Finding, error, passed, skipped, warning
from deployment.repository_policy import Judgement, judge
from deployment.session import Session
from deployment.target import Hosting, Target

SUBJECT = "repository"
IMAGE_URI = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/(?P<repository>[^@:]+)"
    r"@(?P<digest>sha256:[0-9a-f]{64})"
)


def check(session: Session, target: Target, parameters: Mapping[str, str]) -> Iterator[Finding]:
    """Check the parameter ImageUri."""
    if target.hosting is Hosting.EXISTING:
        return
    uri = parameters["ImageUri"]
    if not uri:
        yield skipped(SUBJECT, "no image is named yet", "`model-api deploy` builds one and pushes it")
        return
    match = IMAGE_URI.fullmatch(uri)
    if not match:
        advice = "`make push` prints it: ACCOUNT.dkr.ecr.REGION.amazonaws.com/REPOSITORY@sha256:..."
        yield error(SUBJECT, f"ImageUri={uri} is not an image in ECR by digest", advice)
        return
    yield from _check_repository(session, target, match.groupdict())


def _check_repository(session: Session, target: Target, place: Mapping[str, str]) -> Iterator[Finding]:
    account, region, repository, digest = (place[name] for name in ("account", "region", "repository", "digest"))
    if region != session.region_name:
        advice = "push the image to the region that is deployed to"
        yield error(SUBJECT, f"the image is in {region}, the stack in {session.region_name}", advice)
        return
    ecr = session.client("ecr")
    try:
        found = ecr.describe_images(registryId=account, repositoryName=repository, imageIds=[{"imageDigest": digest}])
    except (ecr.exceptions.RepositoryNotFoundException, ecr.exceptions.ImageNotFoundException) as reason:
        yield error(SUBJECT, str(reason.response["Error"]["Message"]), "push the image: `make push`")
        return
    yield passed(SUBJECT, f"{repository} has {digest[:19]}...")
    yield from image.check_manifest(found["imageDetails"][0].get("imageManifestMediaType"))
    yield from _check_owner(session, target, account, repository)


def _check_owner(session: Session, target: Target, account: str, repository: str) -> Iterator[Finding]:
    """Of another account's repository: SageMaker must take it, and a policy there must let this account pull."""
    own = session.client("sts").get_caller_identity()["Account"]
    if account == own:
        return
    if target.hosting is Hosting.SERVERLESS:
        advice = f"push the image to a repository of the account {own}: `make push`"
        yield error(
            SUBJECT, f"the image is of the account {account}: serverless inference takes its own account's", advice
        )
        return
    yield _check_policy(session, own, account, repository)


def _check_policy(session: Session, own: str, account: str, repository: str) -> Finding:
    ecr = session.client("ecr")
    try:
        text = ecr.get_repository_policy(registryId=account, repositoryName=repository)["policyText"]
    except ecr.exceptions.RepositoryPolicyNotFoundException:
        text = '{"Statement": []}'
    missing = {
        action: found for action, found in judge(json.loads(text), own).items() if found is not Judgement.ALLOWED
    }
    if not missing:
        return passed(SUBJECT, f"its policy lets the account {own} pull")
    if set(missing.values()) == {Judgement.DEPENDS}:
        text = f"whether its policy lets the account {own} pull depends on its conditions"
        return warning(SUBJECT, text, "compare them with the role that the stack makes")
    actions = ", ".join(sorted(missing))
    advice = f"let the account {account} allow them to the principal arn:aws:iam::{own}:root, and deny them nowhere"
    return error(SUBJECT, f"its policy does not allow {actions} to the account {own}", advice)
