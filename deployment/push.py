"""Push the image to ECR and print its URI by digest, which is the template's ImageUri: `make push`.

    find the image -> make the repository if it is missing -> log in -> tag by content -> push -> URI

https://docs.aws.amazon.com/AmazonECR/latest/userguide/docker-push-ecr-image.html
"""

import argparse
import base64
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from deployment.engine import Docker, find_docker
from deployment.errors import ContainerError, DeploymentError, ImageMissingError
from deployment.session import account_errors, open_session

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient

PERMISSIONS = (
    "ecr:GetAuthorizationToken, DescribeRepositories, CreateRepository, DescribeImages, BatchCheckLayerAvailability, "
    "InitiateLayerUpload, UploadLayerPart, CompleteLayerUpload, PutImage, BatchGetImage"
)
TAG_LENGTH = 12


@dataclass(frozen=True, slots=True)
class Login:
    """How Docker logs in to a registry."""

    registry: str
    user: str
    password: str = field(repr=False)


def push(docker: Docker, ecr: "ECRClient", login: Login, image: str, repository: str) -> str:
    """Push a local image unless the repository has it; return REGISTRY/REPOSITORY@DIGEST."""
    tag = content_tag(docker, image)
    ensure_repository(ecr, repository)
    name = f"{login.registry}/{repository}"
    digest = pushed_digest(ecr, repository, tag) or push_image(docker, login, image, f"{name}:{tag}")
    return f"{name}@{digest}"


def content_tag(docker: Docker, image: str) -> str:
    """Return a tag that names the image's content: an immutable tag is then never asked for twice for two images."""
    try:
        identity: str = docker.inspect("image", image)["Id"]
    except ContainerError as exc:
        raise ImageMissingError(f"there is no image {image}; build it with `make image`") from exc
    return identity.removeprefix("sha256:")[:TAG_LENGTH]


def ensure_repository(ecr: "ECRClient", name: str) -> None:
    """Make the repository, closed to changes of tags and scanned, unless it exists."""
    try:
        (found,) = ecr.describe_repositories(repositoryNames=[name])["repositories"]
    except ecr.exceptions.RepositoryNotFoundException:
        ecr.create_repository(
            repositoryName=name,
            imageScanningConfiguration={"scanOnPush": True},
            imageTagMutability="IMMUTABLE",
            encryptionConfiguration={"encryptionType": "AES256"},
        )
        say(f"made the repository {name}: scan on push, immutable tags, encrypted")
        return
    if found["imageTagMutability"] != "IMMUTABLE" or not found["imageScanningConfiguration"]["scanOnPush"]:
        say(
            f"warning: the repository {name} exists without immutable tags or without scan on push; it is left as it is"
        )


def pushed_digest(ecr: "ECRClient", repository: str, tag: str) -> str | None:
    """Return the digest when the repository has the image already."""
    try:
        (found,) = ecr.describe_images(repositoryName=repository, imageIds=[{"imageTag": tag}])["imageDetails"]
    except ecr.exceptions.ImageNotFoundException:
        return None
    say(f"the repository has this image already, tagged {tag}")
    return found["imageDigest"]


def push_image(docker: Docker, login: Login, image: str, target: str) -> str:
    """Log in, push and log out, so that no token stays on this machine; return the digest."""
    docker.run("login", "--username", login.user, "--password-stdin", login.registry, stdin=login.password)
    try:
        docker.run("tag", image, target)
        docker.show("push", target)
    finally:
        docker.run("logout", login.registry)
    name = target.rpartition(":")[0]
    digests: list[str] = docker.inspect("image", target)["RepoDigests"]
    return next(digest.removeprefix(f"{name}@") for digest in digests if digest.startswith(f"{name}@"))


def ecr_login(ecr: "ECRClient") -> Login:
    """Ask ECR for a token of 12 hours."""
    (data,) = ecr.get_authorization_token()["authorizationData"]
    user, _, password = base64.b64decode(data["authorizationToken"]).decode().partition(":")
    return Login(urlsplit(data["proxyEndpoint"]).netloc, user, password)


def say(line: str) -> None:
    """Tell the user; stdout holds the URI alone."""
    print(line, file=sys.stderr, flush=True)


def run(image: str, repository: str) -> str:
    """Push with this machine's Docker and credentials."""
    docker = find_docker()
    with account_errors(PERMISSIONS):
        ecr = open_session().client("ecr")
        return push(docker, ecr, ecr_login(ecr), image, repository)


def main() -> int:
    """Print the URI; 2 when the command could not be run."""
    parser = argparse.ArgumentParser(prog="python -m deployment.push", description="Push the image to ECR.")
    parser.add_argument("--image", required=True, help="local image")
    parser.add_argument("--repository", required=True, help="repository in ECR, made when it is missing")
    arguments = parser.parse_args()
    try:
        print(run(arguments.image, arguments.repository))
    except DeploymentError as exc:
        say(f"error: {exc}")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
