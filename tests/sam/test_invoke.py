"""`sam local invoke` with every event in events/."""

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
        return local_sam.invoke(*arguments, cwd=project)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(EXPECTED, pool.map(invoke, EXPECTED), strict=True))


@pytest.mark.parametrize("name", EXPECTED)
def test_event_has_expected_status(answers: Mapping[str, dict[str, Any]], name: str) -> None:
    assert answers[name]["statusCode"] == EXPECTED[name], answers[name]
