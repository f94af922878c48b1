"""Checks of a local image against where it will run."""

from collections.abc import Mapping
from typing import Any

from deployment.engine import Docker
from deployment.errors import ContainerError, ImageMissingError
from deployment.findings import Finding, error, passed, warning
from deployment.target import Hosting, Target

SUBJECT = "image"
# `make image` writes the name of the model's folder here.
MODEL_LABEL = "model-api.model"
SERVERLESS_LIMIT = 10 * 1024**3  # https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
BUILD_ONE = (
    "build with `docker buildx build --provenance=false --sbom=false --output type=docker --platform linux/...` "
    "and push again"
)


def check_image(docker: Docker, image: str, target: Target, model: str = "") -> list[Finding]:
    """Check what Docker knows about an image, and that it is of `model`; raises ImageMissingError."""
    try:
        known = docker.inspect("image", image)
    except ContainerError as reason:
        raise ImageMissingError(f"there is no image {image}") from reason
    return [
        check_model(image, known, model),
        check_architecture(f"{known['Os']}/{known['Architecture']}", target),
        *check_manifest(known.get("Descriptor", {}).get("mediaType")),
        check_size(known["Size"], target),
        *_check_start(known["Config"]),
    ]


def check_model(image: str, known: Mapping[str, Any], model: str) -> Finding:
    """Say which image is looked at: a name stays with what was built under it last, of whatever model."""
    built = known.get("Created", "")[:19].replace("T", " ")
    of = (known["Config"].get("Labels") or {}).get(MODEL_LABEL, "")
    text = f"{image}, built {built}" + (f" of the model {of}" if of else "")
    if of and model and of != model:
        advice = f"build it again, `make image MODEL=...` of {model}, or name that model's image with IMAGE"
        return error(SUBJECT, f"{text}, not of {model}", advice)
    return passed(SUBJECT, text)


def check_architecture(platform: str, target: Target) -> Finding:
    """Compare `linux/amd64` and the like with the target's processor."""
    wanted = f"linux/{target.architecture}"
    if platform == wanted:
        return passed(SUBJECT, f"{platform} fits {target.name}")
    return error(
        SUBJECT,
        f"it is for {platform}, but {target.name} runs {wanted}",
        f"build it with `docker build --platform {wanted}`, or choose an instance type of its architecture",
    )


def check_manifest(media_type: str | None) -> list[Finding]:
    """Check the manifest's media type where it is known: an index of several images is not taken.

    SageMaker refused OCI manifests as well: https://github.com/aws/amazon-sagemaker-feedback/issues/180 (2025, open).
    """
    if media_type is None:
        return []
    if media_type == DOCKER_MANIFEST:
        return [passed(SUBJECT, f"manifest {media_type}")]
    if media_type == OCI_MANIFEST:
        return [warning(SUBJECT, f"SageMaker has refused the manifest {media_type} of others", BUILD_ONE)]
    return [error(SUBJECT, f"SageMaker takes one image, not the manifest {media_type}", BUILD_ONE)]


def check_size(size: int, target: Target) -> Finding:
    """Compare the unpacked size with what the target takes; only serverless names a limit below its disk."""
    text = f"{size / 1024**3:.2f} GB unpacked"
    if target.hosting is Hosting.SERVERLESS and size > SERVERLESS_LIMIT:
        return error(SUBJECT, f"{text}, above the 10 GB of serverless inference", "make it smaller or use realtime")
    return passed(SUBJECT, text)


def _check_start(config: dict[str, Any]) -> list[Finding]:
    entrypoint = config.get("Entrypoint") or []
    if entrypoint[:2] == ["/bin/sh", "-c"]:
        return [
            warning(
                SUBJECT,
                f"the ENTRYPOINT {' '.join(entrypoint)} runs in a shell, which keeps signals from the server",
                'write it in the exec form: ENTRYPOINT ["program", "argument"]',
            )
        ]
    return []
