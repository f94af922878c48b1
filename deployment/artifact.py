"""Checks of model.tar.gz before it is uploaded: SageMaker unpacks it into /opt/ml/model.

Its rules: https://docs.aws.amazon.com/sagemaker/latest/dg/hosting-faqs.html (no links, model files at the top).
"""

import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from deployment import model_files
from deployment.findings import Finding, error, passed, warning

SUBJECT = "model.tar.gz"
# The container's own functions lie there, or beside the model.
CODE = "code"
PROGRAM = "inference.py"
# Anything besides the model, such as golden.json, is small; what is larger than this is reported.
SERVERLESS_DISK = 5 * 1024**3
PACK = "pack it again with `tar -czf model.tar.gz -C MODEL_DIRECTORY .`"


def check_artifact(path: Path) -> list[Finding]:
    """Check an archive without unpacking it."""
    try:
        with tarfile.open(path, "r:gz") as archive:
            members = archive.getmembers()
            lone = any(_is_model(archive, member) for member in members)
    except FileNotFoundError:
        return [error(SUBJECT, f"{path} does not exist", "give the path of the archive, or leave MODEL_DATA out")]
    except (tarfile.TarError, EOFError, OSError, zlib.error) as reason:
        return [error(SUBJECT, f"{path} is not a whole gzip-compressed tar archive ({reason})", PACK)]
    findings = [*_check_members(members), *_check_layout(members, found=lone), *_check_size(members)]
    return findings or [passed(SUBJECT, f"{len(members)} entries, model at the top, no links")]


def _check_members(members: list[tarfile.TarInfo]) -> Iterator[Finding]:
    for member in members:
        name = PurePosixPath(member.name)
        if name.is_absolute() or ".." in name.parts:
            yield error(SUBJECT, f"{member.name} leads out of the model directory", f"name it without / and ..; {PACK}")
        if member.issym() or member.islnk():
            yield error(
                SUBJECT,
                f"{member.name} is a link to {member.linkname}, which SageMaker does not unpack",
                "put the file itself there; `tar --dereference` follows symbolic links",
            )
        elif not (member.isfile() or member.isdir()):
            yield error(SUBJECT, f"{member.name} is neither a file nor a folder", "leave it out")


def _is_model(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bool:
    """Whether a file at the top is a model, by its name or, as the container judges a lone file, by what it holds."""
    name = PurePosixPath(member.name)
    if not member.isfile() or len(name.parts) != 1 or not model_files.may_be_model(str(name)):
        return False
    stream = archive.extractfile(member)
    return model_files.by_name(str(name)) or (stream is not None and model_files.by_content(stream))


def _check_layout(members: list[tarfile.TarInfo], *, found: bool) -> Iterator[Finding]:
    files = [PurePosixPath(member.name) for member in members if member.isfile()]
    has_code = any(name.suffix == ".py" and (name.parts[0] == CODE or str(name) == PROGRAM) for name in files)
    if not found and not has_code:
        deeper = sorted(str(name) for name in files if model_files.by_name(str(name)))
        named = f"; found deeper: {', '.join(deeper[:3])}" if deeper else ""
        expected = ", ".join(sorted(model_files.MODEL_FILES))
        yield error(SUBJECT, f"no model file at the top (one of {expected}){named}", PACK)


def _check_size(members: list[tarfile.TarInfo]) -> Iterator[Finding]:
    size = sum(member.size for member in members)
    if size > SERVERLESS_DISK:
        yield warning(
            SUBJECT,
            f"{size / 1024**3:.1f} GB unpacked, above the 5 GB disk of serverless inference",
            "deploy it with Hosting=realtime, or make the model smaller",
        )
