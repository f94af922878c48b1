"""Push the image to ECR and print its URI by digest, which is the template's ImageUri: `make push`.

    find the image -> make the repository if it is missing -> log in -> tag by content -> push -> URI

https://docs.aws.amazon.com/AmazonECR/latest/userguide/docker-push-ecr-image.html
"""

import base64
import json
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from deployment.engine import Docker
from deployment.errors import ContainerError, ImageMissingError, UnreadableError
from deployment.session import Session, account_errors
from deployment.settings import ENVIRON

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient

PERMISSIONS = (
    "ecr:GetAuthorizationToken, DescribeRepositories, CreateRepository, DescribeImages, BatchCheckLayerAvailability, "
    "InitiateLayerUpload, UploadLayerPart, CompleteLayerUpload, PutImage, BatchGetImage"
)
TAG_LENGTH = 12
ECR_HELPER = "ecr-login"


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
    except ContainerError as error:
        raise ImageMissingError(f"there is no image {image}; build it with `make image`") from error
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
    """Push with the user's credential helper, or logged in for this push alone; return the digest."""
    docker.run("tag", image, target)
    if has_helper(login.registry):
        docker.show("push", target)
    else:
        with tempfile.TemporaryDirectory() as folder:
            write_config(Path(folder), login)
            inside = ("--config", folder)
            docker.run(
                *inside, "login", "--username", login.user, "--password-stdin", login.registry, stdin=login.password
            )
            docker.show(*inside, "push", target)
    name = target.rpartition(":")[0]
    digests: list[str] = docker.inspect("image", target)["RepoDigests"]
    return next(digest.removeprefix(f"{name}@") for digest in digests if digest.startswith(f"{name}@"))


def docker_folder() -> Path:
    """Return where Docker keeps the user's settings."""
    return Path(ENVIRON.get("DOCKER_CONFIG") or Path.home() / ".docker")


def read_config() -> dict[str, Any]:
    """Return the user's settings of Docker; raises UnreadableError."""
    path = docker_folder() / "config.json"
    try:
        found: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise UnreadableError(
            f"{path} cannot be read: {error}; mend it, or set DOCKER_CONFIG to another folder"
        ) from None
    return found


def has_helper(registry: str) -> bool:
    """Whether a program of the user gives Docker the password, such as Amazon's docker-credential-ecr-login.

    It takes no `docker login`: https://github.com/awslabs/amazon-ecr-credential-helper
    """
    config = read_config()
    return registry in config.get("credHelpers", {}) or config.get("credsStore") == ECR_HELPER


def write_config(folder: Path, login: Login) -> None:
    """Write settings of Docker that know this login alone: the user's own logins stay as they are."""
    config = {
        name: value for name, value in read_config().items() if name not in {"auths", "credHelpers", "credsStore"}
    }
    password = base64.b64encode(f"{login.user}:{login.password}".encode()).decode()
    # With an entry here Docker looks for no other store of passwords, such as the keychain.
    config["auths"] = {login.registry: {"auth": password}}
    (folder / "config.json").write_text(json.dumps(config))
    for name in ("contexts", "cli-plugins"):
        if (docker_folder() / name).is_dir():
            (folder / name).symlink_to(docker_folder() / name)


def ecr_login(ecr: "ECRClient") -> Login:
    """Ask ECR for a token of 12 hours."""
    (data,) = ecr.get_authorization_token()["authorizationData"]
    user, _, password = base64.b64decode(data["authorizationToken"]).decode().partition(":")
    return Login(urlsplit(data["proxyEndpoint"]).netloc, user, password)


def say(line: str) -> None:
    """Tell the user; stdout holds the URI alone."""
    print(line, file=sys.stderr, flush=True)


def run(docker: Docker, session: Session, image: str, repository: str) -> str:
    """Push with this machine's credentials."""
    with account_errors(PERMISSIONS):
        ecr = session.client("ecr")
        return push(docker, ecr, ecr_login(ecr), image, repository)
