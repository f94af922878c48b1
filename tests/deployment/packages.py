"""A folder of wheels in place of an index, and a server whose packages lie there."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deployment.model_packages import Server
from tests.wheels import wheel

WHEELS = (
    ("quickjson", "1.0"),
    ("quickjson", "2.0"),
    ("numerics", "2.1"),
    ("numerics", "2.2"),
    ("numerics", "3.0"),
    ("boosting", "1.0", "numerics>=2"),
    ("boosting", "1.1", "numerics>=2"),
    ("old-boosting", "1.0", "quickjson<2"),
)


def index(folder: Path) -> Path:
    """Write the wheels."""
    folder.mkdir()
    for name, version, *needs in WHEELS:
        wheel(folder, name, version, *needs)
    return folder


def server(folder: Path) -> Server:
    """A server on quickjson 2.0, which works with any numerics from 2 on and has 2.1 of them."""
    (folder / "requirements.in").write_text("quickjson\nnumerics\n")
    (folder / "server.txt").write_text("numerics==2.1\nquickjson==2.0\n")
    return Server(folder / "requirements.in", folder / "server.txt", ("quickjson",), (("numerics", "2"),))


@contextmanager
def only_from(wheels: Path) -> Iterator[None]:
    """Have uv look into a folder and ask no index."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UV_FIND_LINKS", str(wheels))
        patch.setenv("UV_NO_INDEX", "1")
        yield
