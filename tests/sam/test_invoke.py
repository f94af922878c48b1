"""`sam local invoke` with every event in events/."""

import json
import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.environments import ROOT
from tests.events import EXPECTED
from tests.sam_cli import SamCli

# Most of the three seconds of an invocation are spent waiting.
AT_ONCE = 2


@pytest.fixture(scope="session")
def answers(local_sam: SamCli, project: Path, local_options: tuple[str, ...]) -> Mapping[str, dict[str, Any]]:
    """The function's answer to each event."""

    def invoke(name: str) -> dict[str, Any]:
        event = ROOT / "events" / f"{name}.json"
        arguments = ("local", "invoke", "Function", "--event", str(event), *local_options)
        process = local_sam.start(*arguments, cwd=project, output=subprocess.PIPE, errors=subprocess.PIPE)
        output, log = process.communicate(timeout=120)
        assert process.returncode == 0, log
        answer: dict[str, Any] = json.loads(output)
        return answer

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(EXPECTED, pool.map(invoke, EXPECTED), strict=True))


@pytest.mark.parametrize("name", EXPECTED)
def test_event_has_expected_status(answers: Mapping[str, dict[str, Any]], name: str) -> None:
    assert answers[name]["statusCode"] == EXPECTED[name], answers[name]
