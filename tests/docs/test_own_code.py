"""What docs/own-code.md tells a reader to write is written here and does what it says."""

import asyncio
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from predictor.errors import PredictorError
from predictor.worker.loading import load
from predictor.worker.user_code import UserCode
from tests.docs.readme import blocks
from tests.environments import ROOT

PAGE = (ROOT / "docs" / "own-code.md").read_text()
PROGRAM = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WINE = "[14.23, 1.71, 2.43, 15.6, 127, 2.8, 3.06, 0.28, 2.29, 5.64, 1.04, 3.92, 1065]"


@pytest.fixture
def example(tmp_path: Path) -> Iterator[UserCode]:
    """The README's model with the page's inference.py."""
    path = sys.path.copy()
    (save,) = blocks("save")
    subprocess.run([sys.executable, "-c", save.text], cwd=tmp_path, check=True, timeout=60)
    (program,) = PROGRAM.findall(PAGE)
    (tmp_path / "my-model" / "code").mkdir()
    (tmp_path / "my-model" / "code" / "inference.py").write_text(program)
    code = load(tmp_path / "my-model")
    assert isinstance(code, UserCode)
    yield code
    sys.path[:] = path
    del sys.modules["inference"]


def test_the_inference_py(example: UserCode) -> None:
    answer = asyncio.run(example.respond(f'{{"data": [{WINE}]}}'.encode(), "application/json", None))

    assert (answer.body, answer.content_type) == (
        b'{"predictions": [{"class": 0, "share": 1.0}]}',
        "application/json",
    )


def test_the_inference_pys_refusal(example: UserCode) -> None:
    body = f'{{"data": [{WINE}]}}'.replace("14.23", "50").encode()

    with pytest.raises(PredictorError) as refused:
        asyncio.run(example.respond(body, "application/json", None))

    assert (refused.value.status, refused.value.detail) == (400, "Alcohol is at most 25 percent.")
