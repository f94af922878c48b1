"""A model's own packages: its requirements.txt, resolved together with the server's packages into requirements.lock."""

import hashlib
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deployment import package_index
from deployment.errors import PackagesError
from deployment.settings import SERVING

LOCK = "requirements.lock"
# AWS's containers read the one in code/.
PLACES = ("requirements.txt", "code/requirements.txt")
PLATFORMS = {"linux/amd64": "x86_64-manylinux_2_36", "linux/arm64": "aarch64-manylinux_2_36"}
MACHINES = {"x86_64": "linux/amd64", "AMD64": "linux/amd64", "aarch64": "linux/arm64"}
BASE = re.compile(r"^ARG BASE=\S*?:(?P<version>\d+\.\d+)", re.MULTILINE)
INCLUDED = re.compile(r"^\s*(?:-r|--requirement|-c|--constraint)[ =]?\s*(?P<path>\S+)", re.MULTILINE)
PIN = re.compile(r"^(?P<name>[A-Za-z0-9][\w.-]*)(?:\[[^]]*\])?==(?P<version>[^\s;\\]+)", re.MULTILINE)
# Where the owner says that packages come from; installing the lock needs it as well.
INDEX = re.compile(r"(?:--index-url|-i|--extra-index-url|--find-links|-f|--trusted-host)[ =]+(?P<place>\S+)")
CONTENT = "# content: sha256:"
# Of this Python only, uv does not look for others; which one is resolved for, --python-version says.
COMPILE = ("pip", "compile", "--quiet", "--no-header", "--only-binary", ":all:", "--python", sys.executable)
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Server:
    """The server's packages: what it asks for, what is locked, and what a model may not change.

    `fixed` keep the locked version: the server itself runs on them. `lowest` are versions that it works with.
    """

    asked: Path = SERVING / "requirements.in"
    lock: Path = SERVING / "requirements.txt"
    fixed: tuple[str, ...] = ("httptools", "orjson", "pysimdjson")
    lowest: tuple[tuple[str, str], ...] = (("numpy", "2.0"), ("pandas", "2.2"), ("scikit-learn", "1.6"))

    def bounds(self) -> dict[str, str]:
        """Return what a model may not change, such as {"orjson": "==3.13.0", "pandas": ">=2.2"}."""
        locked = pins(self.lock.read_text())
        fixed = {name: f"=={locked[name]}" for name in self.fixed if name in locked}
        return fixed | {name: f">={version}" for name, version in self.lowest if name in locked}


@dataclass(frozen=True, slots=True)
class Target:
    """What packages are resolved for: a Python such as 3.13, on a platform as Docker names it."""

    python: str
    platform: str

    def __str__(self) -> str:
        return f"Python {self.python} on {self.platform}"


SERVER = Server()


def of_image(platform: str = "linux/amd64") -> Target:
    """Return the Python that the Dockerfile names."""
    found = BASE.search((SERVING / "Dockerfile").read_text())
    return Target(found["version"] if found else "3.13", platform)


def of_this_python() -> Target:
    """Return the Python that this program runs on."""
    machine = platform.machine()
    here = MACHINES.get(machine, machine) if sys.platform == "linux" else f"{sys.platform}/{machine}"
    return Target(f"{sys.version_info[0]}.{sys.version_info[1]}", here)


def requirements(model: Path) -> list[Path]:
    """Return the files of a model's folder that ask for packages; none where they ask for nothing."""
    found = [model / place for place in PLACES if (model / place).is_file()]
    return [path for path in found if any(_lines(path))]


def lock(model: Path, target: Target, file: Path, tell: Tell, server: Server = SERVER) -> Path:
    """Write the packages of the model and of the server, with hashes, into `file`, unless that is current.

    Raises PackagesError where they cannot be had, or do not go together.
    """
    asked = requirements(model)
    _refuse_paths(asked)
    content = f"{CONTENT}{_content(asked, target, server)}"
    before = file.read_text() if file.is_file() else ""
    if content in before.splitlines()[:5]:
        return file
    named = " and ".join(str(path.relative_to(model)) for path in asked)
    tell(f"resolving {named} for {target} ...")
    text = _resolved(asked, target, server, pins(before) | pins(server.lock.read_text()))
    head = f"# The packages of {named} and of the server, for {target}. It is written again when one of them changes."
    fresh = file.with_name(f".{file.name}.new")
    indexes = "".join(f"{line}\n" for path in _with_included(asked) for line in _lines(path) if INDEX.match(line))
    fresh.write_text(f"{head}\n{content}\n{indexes}{text}")
    fresh.replace(file)
    return file


def pins(text: str) -> dict[str, str]:
    """Return the versions in a lock, by the packages' normalized names."""
    return {_normalized(found["name"]): found["version"] for found in PIN.finditer(text)}


def _normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _lines(path: Path) -> Iterator[str]:
    """Lines that ask for something."""
    for line in _text(path).splitlines():
        if (stripped := line.strip()) and not stripped.startswith("#"):
            yield stripped


def _text(path: Path) -> str:
    """What a file says; Windows' PowerShell writes UTF-16."""
    content = path.read_bytes()
    return content.decode("utf-16" if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig", errors="replace")


def _refuse_paths(asked: Sequence[Path]) -> None:
    """Refuse what is no release of an index: an image is built elsewhere, and only releases have hashes."""
    for path in _with_included(asked):
        for line in _lines(path):
            name, _, place = line.partition(" @ ")
            index = INDEX.match(line)
            here = index is not None and not index["place"].startswith(("http:", "https:")) and "host" not in index[0]
            if place or here or line.startswith(("-e", "--editable", ".", "/", "git+", "http:", "https:", "file:")):
                better = f"{name.strip()}==VERSION" if place else "NAME==VERSION"
                raise PackagesError(
                    f"{path}: the line `{line}` names a place and no release, so that it cannot be locked: "
                    f"write {better}, or put the package's code into {path.parent / 'code'} and remove the line"
                )


def _content(asked: Sequence[Path], target: Target, server: Server) -> str:
    """Return a hash of all that a resolution depends on."""
    digest = hashlib.sha256(f"{target} {sorted(server.bounds().items())}".encode())
    for path in (*_with_included(asked), server.asked):
        digest.update(path.read_bytes() + b"\0")
    digest.update(repr(sorted(pins(server.lock.read_text()).items())).encode())
    return digest.hexdigest()


def _with_included(asked: Sequence[Path]) -> list[Path]:
    """Files, and those that they include, once each."""
    found: list[Path] = []
    waiting = list(asked)
    while waiting:
        path = waiting.pop(0)
        if path not in found and path.is_file():
            found.append(path)
            waiting += [path.parent / name["path"] for name in INCLUDED.finditer(_text(path))]
    return found


def _resolved(asked: Sequence[Path], target: Target, server: Server, preferred: Mapping[str, str]) -> str:
    """Return the text of a lock; raises PackagesError."""
    files = [*asked, server.asked]
    bounds = server.bounds()
    try:
        return _compile(files, target, preferred, bounds, "--generate-hashes", "--no-annotate")
    except PackagesError as error:
        try:
            alone = _compile(asked, target, preferred, {})
        except PackagesError as own:
            remedy = "correct the line, or ask for a version that is there"
            raise PackagesError(f"{asked[0]} cannot be resolved for {target}, {own}: {remedy}") from None
        raise PackagesError(_conflict(asked, alone, bounds, str(error))) from None


def _conflict(asked: Sequence[Path], alone: str, bounds: Mapping[str, str], said: str) -> str:
    """Name both sides: what the model's packages need, and what the server needs in its place."""
    found = pins(alone)
    sides = [
        f"{_asker(name, alone)} needs {name} {found[name]}, the server needs {name}{bound}"
        for name, bound in bounds.items()
        if name in found and not _within(found[name], bound)
    ]
    told = "; ".join(sides) or said
    return (
        f"the packages of {asked[0]} conflict with the server's own, {told}: "
        "change or remove that line, or export the model in a form that does not need the package"
    )


def _asker(name: str, alone: str) -> str:
    """The package, or the file, that asks for a package."""
    lines = iter(alone.splitlines())
    for line in lines:
        if _normalized(line.partition("==")[0]) == name:
            via = []
            for note in lines:
                if not note.startswith("    #"):
                    break
                via += [word for word in note.strip("# ").removeprefix("via").split() if word != "-r"]
            return " and ".join(Path(word).name for word in via) or "requirements.txt"
    return "requirements.txt"


def _within(version: str, bound: str) -> bool:
    if bound.startswith("=="):
        return bound[2:] == version
    return _numbers(version) >= _numbers(bound[2:])


def _numbers(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)[:3]]


def _compile(
    files: Sequence[Path], target: Target, preferred: Mapping[str, str], bounds: Mapping[str, str], *options: str
) -> str:
    """Return what uv resolves; raises PackagesError with what uv says."""
    with tempfile.TemporaryDirectory() as scratch:
        output, constraints = Path(scratch) / "lock", Path(scratch) / "constraints"
        # uv keeps the versions of an output that is there, where they fit.
        output.write_text("".join(f"{name}=={version}\n" for name, version in preferred.items()))
        constraints.write_text("".join(f"{name}{bound}\n" for name, bound in bounds.items()))
        platform = ("--python-platform", PLATFORMS[target.platform]) if target.platform in PLATFORMS else ()
        command = [package_index.UV, *COMPILE, "--python-version", target.python, *platform, *options, *files]
        ended = subprocess.run(  # noqa: S603  # our own tool, and no shell reads the paths
            [*command, "--constraint", constraints, "--output-file", output],
            cwd=files[0].parent,
            env=package_index.environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        if ended.returncode:
            raise PackagesError(_said(ended.stderr))
        return output.read_text()


def _said(text: str) -> str:
    """What uv says, in one line without its own signs."""
    lines = [re.sub(r"^(error|cause|hint):\s*", "", line.strip()) for line in text.splitlines()]
    return "; ".join(line.rstrip(".") for line in lines if line and not line.startswith("No solution found"))
