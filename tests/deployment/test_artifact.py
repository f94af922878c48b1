"""Archives with one fault each."""

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from deployment.artifact import check_artifact
from deployment.findings import Level

Pack = Callable[..., Path]


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    """Make model.tar.gz of members: a name is a file, name and link target a symbolic link."""

    def make(*members: str | tuple[str, str], links: bytes = tarfile.SYMTYPE) -> Path:
        path = tmp_path / "model.tar.gz"
        with tarfile.open(path, "w:gz") as archive:
            for member in members:
                name, target = (member, "") if isinstance(member, str) else member
                info = tarfile.TarInfo(name)
                if target:
                    info.type, info.linkname = links, target
                else:
                    info.size = 3
                archive.addfile(info, io.BytesIO(b"abc"))
        return path

    return make


@pytest.mark.parametrize("name", ["model.pkl", "./model.joblib", "model.onnx", "code/inference.py"])
def test_a_model_at_the_top_passes(pack: Pack, name: str) -> None:
    [finding] = check_artifact(pack(name, "samples.csv"))

    assert (finding.level, finding.text) == (Level.OK, "2 entries, model at the top, no links")


@pytest.mark.parametrize(
    ("members", "text"),
    [
        (["model/model.pkl"], "no model file at the top"),
        (["README.md"], "no model file at the top"),
        (["golden.json"], "no model file at the top"),
        (["model.pt", "._model.joblib", "schema.json"], "no model file at the top"),
        (["model.pkl", "../etc/passwd"], "../etc/passwd leads out of the model directory"),
        (["model.pkl", "/etc/passwd"], "/etc/passwd leads out of the model directory"),
        (["model.pkl", ("latest.pkl", "model.pkl")], "latest.pkl is a link to model.pkl"),
    ],
    ids=[
        "in-a-folder",
        "no-model",
        "golden-is-no-model",
        "what-the-container-does-not-serve",
        "path-traversal",
        "absolute-path",
        "symlink",
    ],
)
def test_each_fault_is_one_error_with_advice(pack: Pack, members: list[str], text: str) -> None:
    [finding] = check_artifact(pack(*members))

    assert finding.level is Level.ERROR
    assert finding.text.startswith(text)
    assert finding.advice


def test_a_hard_link_is_a_link(pack: Pack) -> None:
    [finding] = check_artifact(pack("model.pkl", ("latest.pkl", "model.pkl"), links=tarfile.LNKTYPE))

    assert finding.text.startswith("latest.pkl is a link")


def test_a_deeper_model_is_named(pack: Pack) -> None:
    [finding] = check_artifact(pack("model/model.pkl"))

    assert finding.text.endswith("found deeper: model/model.pkl")


def test_a_device_is_refused(pack: Pack) -> None:
    [finding] = check_artifact(pack("model.pkl", ("null", "x"), links=tarfile.CHRTYPE))

    assert finding.text == "null is neither a file nor a folder"


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x1f\x8b\x08\x00garbage"])
def test_what_is_no_archive_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.tar.gz"
    path.write_bytes(content)

    [finding] = check_artifact(path)

    assert (finding.level, "is not a whole gzip-compressed tar archive" in finding.text) == (Level.ERROR, True)


def test_a_cut_off_archive_is_refused(pack: Pack) -> None:
    path = pack("model.pkl")
    path.write_bytes(path.read_bytes()[:-20])

    [finding] = check_artifact(path)

    assert finding.level is Level.ERROR


def test_a_missing_archive_is_an_error(tmp_path: Path) -> None:
    [finding] = check_artifact(tmp_path / "model.tar.gz")

    assert finding.text.endswith("does not exist")


@pytest.mark.parametrize("name", ["model.pickle", "xgboost-model", "model.bst", "model.cbm", "inference.py"])
def test_what_the_container_serves_is_no_fault(name: str, pack: Pack) -> None:
    [finding] = check_artifact(pack(name))

    assert finding.level is Level.OK
