"""What only those type who work on the project: bench, base, lock, docs-ui. It runs on any Python 3.11 or later.

`python -m cli.maintenance TARGET` reads make's variables from the environment.
"""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
import urllib.request
from collections.abc import Callable, Mapping, Sequence

from deployment.settings import ENVIRON, ROOT, SERVING, TOOLS, without_make

UV = TOOLS / "uv" / "bin" / "uv"
# The product, compiled or not, runs on the packages of the image, and on nothing else.
BENCH_ENVIRONMENTS = {
    "baseline": "baseline",
    "product": "container",
    "compiled": "container",
    **dict.fromkeys(("fastapi", "litserve", "bentoml", "mlflow"), "peers"),
    "mlserver": "mlserver",
}
BENCH_OPTIONS = {
    "ROUNDS": "--rounds",
    "SECONDS": "--seconds",
    "SERVERS": "--servers",
    "WORKS": "--models",
    "GRID": "--grid",
    "OUTPUT": "--output",
}
DOCS = ROOT / "invoker" / "invoker" / "static" / "docs"
DOCS_FILES = (
    "swagger-ui.css",
    "swagger-ui-bundle.js",
    "LICENSE",
    "NOTICE",
    "swagger-ui-bundle.js.LICENSE.txt",
)
SWAGGER_UI = "5.35.0"
COMPILE = (
    *("pip", "compile", "--quiet", "--universal", "--fork-strategy", "fewest", "--generate-hashes", "--no-header"),
    *("--python-version", "3.11"),
)
DOCKERFILE = SERVING / "Dockerfile"
BASE = re.compile(r"^ARG BASE=(?P<image>[^:@\s]+):(?P<tag>[^@\s]+)(?:@\S+)?$", re.MULTILINE)
# Of the image for all processors; the engine takes its own from it.
INDEX = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
HUB = "https://registry-1.docker.io"
HUB_TOKENS = "https://auth.docker.io/token?service=registry.docker.io&scope=repository:{repository}:pull"


class MaintenanceError(Exception):
    """Raise when a target cannot be made; the text is the one line that the maintainer reads."""


def bench(environ: Mapping[str, str]) -> int:
    """Compare the container with its peers, each in an environment of its own; the benchmarks' own defaults hold."""
    servers = (environ.get("SERVERS") or ",".join(BENCH_ENVIRONMENTS)).split(",")
    if set(servers) - set(BENCH_ENVIRONMENTS):
        expected = ",".join(BENCH_ENVIRONMENTS)
        raise MaintenanceError(f"SERVERS={','.join(servers)}: expected some of {expected}, with commas")
    install("container", *sorted({BENCH_ENVIRONMENTS[name] for name in servers} - {"container"}))
    given = [(option, environ[name]) for name, option in BENCH_OPTIONS.items() if environ.get(name)]
    return run_here("benchmarks", *(word for pair in given for word in pair))


def bench_scaling(environ: Mapping[str, str]) -> int:
    """Measure the container alone."""
    install("container")
    return run_here("benchmarks.scaling", *seconds(environ))


def bench_invoker(_environ: Mapping[str, str]) -> int:
    """Measure the invoker alone."""
    return run_here("benchmarks.invoker")


def bench_batch(_environ: Mapping[str, str]) -> int:
    """Measure whole files through a model; ROWS and MODELS reach it as they are."""
    return run_here("benchmarks.batch_files")


def seconds(environ: Mapping[str, str]) -> Sequence[str]:
    """Return how long each work runs."""
    return ("--seconds", environ.get("SECONDS") or "6")


def install(*names: str) -> None:
    """Make the environments of servers."""
    run(
        "make",
        "--silent",
        "--no-print-directory",
        *(f".tools/bench-{name}/.locked" for name in names),
        env=without_make(),
    )


def run_here(module: str, *arguments: str) -> int:
    """Run a module of the project; return its exit code."""
    return subprocess.run([sys.executable, "-m", module, *arguments], cwd=ROOT, check=False).returncode  # noqa: S603  # ours


def run(*command: str, env: Mapping[str, str] | None = None) -> None:
    """Run a program and let the maintainer watch; raises MaintenanceError."""
    if subprocess.run(command, cwd=ROOT, env=env, check=False).returncode:  # noqa: S603  # our own commands
        raise MaintenanceError(f"`{' '.join(command)}` failed; see its message above")


def base(_environ: Mapping[str, str]) -> int:
    """Write the digest that the base image's tag has today into the Dockerfile."""
    text = DOCKERFILE.read_text()
    found = BASE.search(text)
    if not found:
        raise MaintenanceError(f"{DOCKERFILE} has no line ARG BASE=IMAGE:TAG")
    line = f"ARG BASE={found['image']}:{found['tag']}@{newest_digest(found['image'], found['tag'])}"
    DOCKERFILE.write_text(text.replace(found[0], line))
    sys.stdout.write(f"{line}\n")
    return 0


def newest_digest(image: str, tag: str, hub: str = HUB, tokens: str = HUB_TOKENS) -> str:
    """Ask Docker Hub for the digest of a tag; raises MaintenanceError."""
    repository = image if "/" in image else f"library/{image}"
    try:
        with urllib.request.urlopen(tokens.format(repository=repository), timeout=30) as answer:  # noqa: S310  # https
            token = json.load(answer)["token"]
        headers = {"Authorization": f"Bearer {token}", "Accept": ", ".join(INDEX)}
        request = urllib.request.Request(f"{hub}/v2/{repository}/manifests/{tag}", headers=headers, method="HEAD")  # noqa: S310  # https
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310  # https
            digest = str(answer.headers["Docker-Content-Digest"])
    except (OSError, ValueError, KeyError) as error:
        raise MaintenanceError(f"Docker Hub did not say the digest of {image}:{tag}: {error}") from None
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
        raise MaintenanceError(f"Docker Hub gave no digest of {image}:{tag}, but {digest}")
    return digest


def real_packages(_environ: Mapping[str, str]) -> int:
    """Serve models of packages that people use; an index is asked for them."""
    return run_here("pytest", "-v", "tests/chain/real_packages.py")


def lock(_environ: Mapping[str, str]) -> int:
    """Resolve every requirements file again."""
    container = "serving-container/requirements"
    compile_("invoker/requirements")
    compile_(container)
    for name in ("compile", "lightgbm", "xgboost"):
        compile_(f"{container}-{name}", container)
    compile_("authorizer/requirements")
    compile_("requirements/dev", "invoker/requirements", container)
    compile_("requirements/local", "requirements/dev")
    for name in ("uv", "sam", "lint", "emulator", "fuzz"):
        compile_(f"requirements/{name}")
    for name in ("baseline", "peers", "mlserver"):
        compile_(f"requirements/bench-{name}", container, f"{container}-lightgbm", f"{container}-xgboost")
    return 0


def compile_(name: str, *constraints: str) -> None:
    """Resolve NAME.in into NAME.txt, within what other files have locked."""
    bounds = [word for constraint in constraints for word in ("-c", f"{constraint}.txt")]
    run(str(UV), *COMPILE, f"{name}.in", *bounds, "-o", f"{name}.txt")


def docs_ui(environ: Mapping[str, str]) -> int:
    """Take another version of Swagger UI from npm, and write down its files' hashes."""
    version = environ.get("SWAGGER_UI") or SWAGGER_UI
    for old in DOCS.glob("swagger-ui-dist-*.sha256"):
        old.unlink()
    run("npm", "pack", "--silent", "--pack-destination", str(DOCS), f"swagger-ui-dist@{version}")
    archive = DOCS / f"swagger-ui-dist-{version}.tgz"
    with tarfile.open(archive) as packed:
        for name in DOCS_FILES:
            member = packed.extractfile(f"package/{name}")
            if member is None:
                raise MaintenanceError(f"swagger-ui-dist {version} has no {name}")
            with member, (DOCS / name).open("wb") as file:
                shutil.copyfileobj(member, file)
    archive.unlink()
    sums = [f"{hashlib.sha256((DOCS / name).read_bytes()).hexdigest()}  {name}\n" for name in DOCS_FILES]
    (DOCS / f"swagger-ui-dist-{version}.sha256").write_text("".join(sums))
    return 0


TARGETS: Mapping[str, Callable[[Mapping[str, str]], int]] = {
    "base": base,
    "bench": bench,
    "bench-batch": bench_batch,
    "bench-invoker": bench_invoker,
    "bench-scaling": bench_scaling,
    "docs-ui": docs_ui,
    "lock": lock,
    "real-packages": real_packages,
}


def main() -> int:
    """Make one target."""
    try:
        return TARGETS[sys.argv[1]](ENVIRON)
    except MaintenanceError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
