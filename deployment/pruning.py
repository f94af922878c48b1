"""What is too old: versions of the functions, which SAM keeps for ever and SnapStart charges for, and images in ECR.

Configurations of endpoints need nothing here: CloudFormation deletes the old one when it has made a new one.
"""

from collections.abc import Iterable
from typing import Any

from botocore.exceptions import ClientError

from deployment.session import Session

FUNCTION = "AWS::Lambda::Function"


def prune_versions(session: Session, stack: str, keep: int) -> int:
    """Delete the versions beyond the newest `keep` that no alias points to; return how many."""
    functions = _functions(session, stack)
    return sum(_prune(session.client("lambda"), name, keep) for name in functions)


def _functions(session: Session, stack: str) -> list[str]:
    pages = session.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    resources = [item for page in pages for item in page["StackResourceSummaries"]]
    return [item["PhysicalResourceId"] for item in resources if item["ResourceType"] == FUNCTION]


def _prune(client: Any, name: str, keep: int) -> int:
    pages = client.get_paginator("list_versions_by_function").paginate(FunctionName=name)
    versions = [item["Version"] for page in pages for item in page["Versions"] if item["Version"] != "$LATEST"]
    used = _used(client, name)
    old = [version for version in sorted(versions, key=int, reverse=True)[keep:] if version not in used]
    for version in old:
        client.delete_function(FunctionName=name, Qualifier=version)
    return len(old)


def _used(client: Any, name: str) -> set[str]:
    """The versions that aliases point to, also those that get a share of the traffic while it shifts."""
    pages = client.get_paginator("list_aliases").paginate(FunctionName=name)
    aliases = [alias for page in pages for alias in page["Aliases"]]
    shares = [alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {}) for alias in aliases]
    return {alias["FunctionVersion"] for alias in aliases} | {version for share in shares for version in share}


def prune_images(session: Session, repository: str, used: Iterable[str], keep: int) -> int:
    """Delete the images beyond the newest `keep` that are not in `used`; return how many.

    The newest stay whatever names them: another environment may be deploying one of them now. Images without a tag may
    be parts of others. What another account may pull may be deployed there.
    """
    ecr = session.client("ecr")
    if _is_shared(ecr, repository):
        return 0
    pages = ecr.get_paginator("describe_images").paginate(repositoryName=repository, filter={"tagStatus": "TAGGED"})
    images = sorted((item for page in pages for item in page["imageDetails"]), key=_pushed, reverse=True)
    named = set(used)
    old = [{"imageDigest": item["imageDigest"]} for item in images[keep:] if item["imageDigest"] not in named]
    # ECR takes a hundred at once.
    for start in range(0, len(old), 100):
        ecr.batch_delete_image(repositoryName=repository, imageIds=old[start : start + 100])
    return len(old)


def deployed_images(session: Session) -> set[str]:
    """Return the digests that the parameters of any stack name: `sam deploy` records no release."""
    pages = session.client("cloudformation").get_paginator("describe_stacks").paginate()
    given = [item for page in pages for stack in page["Stacks"] for item in stack.get("Parameters", [])]
    return {item["ParameterValue"].partition("@")[2] for item in given if item["ParameterKey"] == "ImageUri"} - {""}


def _pushed(image: Any) -> Any:
    return image["imagePushedAt"]


def _is_shared(ecr: Any, repository: str) -> bool:
    try:
        ecr.get_repository_policy(repositoryName=repository)
    except ClientError as error:
        if error.response["Error"]["Code"] != "RepositoryPolicyNotFoundException":
            raise
        return False
    return True
